package daemon

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/muhafiz/muhafiz/collectors/anchor"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config"
)

// anchorAge is how old the newest outside anchor may be before status warns.
const anchorAge = 24 * time.Hour

// authorities reads the configured time-stamping authorities with their roots.
func authorities(c *config.Config) ([]anchor.Authority, error) {
	var out []anchor.Authority
	for _, a := range c.Anchors.Authorities {
		pem, err := os.ReadFile(a.Roots)
		if err != nil {
			return nil, fmt.Errorf("read the root certificates of the authority %s: %w", a.Name, err)
		}
		roots, err := anchor.ParseRoots(pem)
		if err != nil {
			return nil, fmt.Errorf("the root certificates of the authority %s, %s: %w", a.Name, a.Roots, err)
		}
		out = append(out, anchor.Authority{Name: a.Name, URL: a.URL, Roots: roots})
	}
	return out, nil
}

// keeper makes what keeps the log's head signed and confirmed.
func (r *Rooms) keeper(ctx context.Context) (*anchor.Keeper, error) {
	as, err := authorities(r.Config)
	if err != nil {
		return nil, err
	}
	state, err := r.anchorState(ctx)
	if err != nil {
		return nil, err
	}
	return &anchor.Keeper{
		Log: r.Vault, State: state, Authorities: as,
		Every: time.Duration(r.Config.Anchors.Every), Records: int64(r.Config.Anchors.Records),
		Now: r.Now, After: r.After, Logger: r.Log,
	}, nil
}

// anchorState reads from the log where an earlier run left it.
func (r *Rooms) anchorState(ctx context.Context) (anchor.State, error) {
	signed, by, err := anchor.Newest(ctx, r.Vault)
	s := anchor.State{Own: signed.Own, Anchored: map[string]int64{}}
	if err != nil {
		return s, err
	}
	for _, a := range by {
		if a.Type == evidence.AnchorRFC3161 {
			s.Anchored[a.By] = a.Size
		}
	}
	if signed.Size == 0 {
		return s, nil
	}
	rec, err := r.Vault.Record(ctx, signed.Seq)
	if err != nil {
		return s, err
	}
	c, err := evidence.Decode[*evidence.Checkpoint](rec)
	if err != nil {
		return s, fmt.Errorf("read the newest checkpoint: %w", err)
	}
	s.Newest = *c
	return s, nil
}

// newestAnchor says who outside confirmed the log last, and warns where that is nobody or long ago.
func newestAnchor(by []anchor.Anchored, now time.Time) (newest *anchor.Anchored, warning string) {
	if len(by) == 0 {
		return nil, "no outside anchor: whoever holds the log key could rewrite the log since the last checkpoint that somebody else keeps. Name a time-stamping authority under anchors, or give a checkpoint to an outsider (muhafiz checkpoint export)."
	}
	if age := now.Sub(by[0].At.Time); age > anchorAge {
		warning = fmt.Sprintf("the newest outside anchor (%s) is %d hours old: what was recorded since then rests on our own word; look at the authorities", by[0].By, int(age.Hours()))
	}
	return &by[0], warning
}
