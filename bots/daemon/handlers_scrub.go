package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/backup"
	"github.com/muhafiz/muhafiz/config"
)

// ScrubRequest asks for a pass over everything now, and for what is damaged to be brought back.
type ScrubRequest struct {
	Rate int64      `json:"rate,omitempty"` // bytes a second; 0: as fast as can be
	From *MendPlace `json:"from,omitempty"`
}

// MendPlace is the backup that damaged blobs are brought back from.
type MendPlace struct {
	To        string `json:"to,omitempty"` // folder, absolute, or s3://BUCKET/PREFIX; empty: the configuration's
	Endpoint  string `json:"endpoint,omitempty"`
	Region    string `json:"region,omitempty"`
	AccessKey string `json:"access_key,omitempty"`
	SecretKey string `json:"secret_key,omitempty"`
	Run       string `json:"run,omitempty"`      // empty: all, the newest first
	Identity  string `json:"identity,omitempty"` // age identity file, absolute
	LogKey    string `json:"log_key,omitempty"`
}

// Scrubbed says what a pass found and what is left of it.
type Scrubbed struct {
	ScrubPass
	Mended *Mended      `json:"mended,omitempty"`
	Open   []OpenDamage `json:"open"` // damages that have not ended
}

func (r *Rooms) scrubNow(ctx context.Context, c *call, in ScrubRequest) (any, error) {
	var from backup.FetchOptions
	if in.From != nil { // before hours of reading
		var err error
		if from, err = r.mendSource(ctx, *in.From); err != nil {
			return nil, err
		}
	}
	out := Scrubbed{ScrubPass: ScrubPass{Begun: r.Now().UTC()}, Open: []OpenDamage{}}
	p := &pacer{rate: func() int64 { return in.Rate }, busy: r.busy, after: r.After}
	err := r.scrubPass(ctx, vault.ScrubCursor{}, &out.ScrubPass, p.pace, func(_ context.Context, at vault.ScrubCursor, share float64) error {
		c.progress(at.Stage, int64(share*1000), 1000)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := r.scrubbed(ctx, out.ScrubPass, false); err != nil {
		return nil, err
	}
	out.Ended = r.Now().UTC()
	if err := r.mendDamage(ctx); err != nil {
		return nil, err
	}
	if in.From != nil {
		m, err := r.mendFrom(ctx, from)
		if err != nil {
			return nil, err
		}
		slices.Sort(m.Lacked)
		out.Mended = &m
	}
	open, err := r.openDamage(ctx)
	out.Open = append(out.Open, open...)
	return out, err
}

func (r *Rooms) mendSource(ctx context.Context, in MendPlace) (o backup.FetchOptions, err error) {
	at := Place{To: in.To, Endpoint: in.Endpoint, Region: in.Region, AccessKey: config.NewSecret(in.AccessKey), SecretKey: config.NewSecret(in.SecretKey)}
	if in.To == "" {
		if r.Config.Backup == nil {
			return o, errNoBackup
		}
		at = PlaceOf(r.Config.Backup)
	}
	o.Run, o.LogKey = in.Run, in.LogKey
	if in.Identity != "" {
		f, err := os.Open(in.Identity)
		if err != nil {
			return o, usagef("%v", err)
		}
		defer f.Close()
		if o.Identities, err = backup.ParseIdentities(f); err != nil {
			return o, usagef("%s: %v", in.Identity, err)
		}
	}
	o.From, err = at.Open(ctx)
	if err == nil {
		_, err = backup.Runs(ctx, o.From)
	}
	if errors.Is(err, backup.ErrNoPlace) || errors.Is(err, backup.ErrDenied) {
		err = usagef("%v", err)
	}
	return o, err
}

// ScrubStatus is where the re-reading of what lies on the disk stands.
type ScrubStatus struct {
	Last    *ScrubPass `json:"last,omitempty"` // the newest whole pass; nil: there was none
	Now     *ScrubPass `json:"now,omitempty"`  // the one under way
	Stage   string     `json:"stage,omitempty"`
	Share   float64    `json:"share,omitempty"` // of the stage, 0 to 1
	Next    time.Time  `json:"next,omitzero"`   // when the next is to begin; zero: none is planned, or one is under way
	Damaged int        `json:"damaged"`         // that was found and has not ended
}

func (r *Rooms) scrubStatus(ctx context.Context) (out ScrubStatus, open []OpenDamage, err error) {
	s, err := r.scrubState(ctx)
	if err != nil {
		return out, nil, err
	}
	if open, err = r.openDamage(ctx); err != nil {
		return out, nil, err
	}
	out = ScrubStatus{Last: s.Last, Now: s.Now, Damaged: len(open)}
	if s.Now != nil {
		out.Stage, out.Share = s.At.Stage, shareOf(s.At, r.Vault.Size())
	} else if wait, ok := r.scrubIn(s, r.Config.Scrub); ok {
		out.Next = r.Now().Add(wait).UTC()
	}
	return out, open, nil
}

// shareOf is how much of its stage is behind a cursor.
func shareOf(at vault.ScrubCursor, size int64) float64 {
	if at.Stage == vault.ScrubBlobs {
		return float64(at.Blob[0]) / 256
	}
	return float64(at.Seq) / float64(max(size, 1))
}

// scrubWarnings says what a person should act on.
func (r *Rooms) scrubWarnings(s ScrubStatus, open []OpenDamage) (out []string) {
	if len(open) > 0 {
		what, do := damageText(open)
		out = append(out, what+": "+do)
	}
	every := time.Duration(r.Config.Scrub.Every)
	if s.Last != nil && every > 0 && r.Now().Sub(s.Last.Ended) > 3*every {
		out = append(out, fmt.Sprintf("what lies on the disk was last read again %d days ago: raise scrub.rate, or leave the daemon running", int(r.Now().Sub(s.Last.Ended).Hours()/24)))
	}
	return out
}

func (r *Rooms) statusScrub(ctx context.Context, s *Status) error {
	x, open, err := r.scrubStatus(ctx)
	s.Scrub = x
	s.Warnings = append(s.Warnings, r.scrubWarnings(x, open)...)
	return err
}
