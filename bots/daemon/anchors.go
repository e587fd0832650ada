package daemon

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/muhafiz/muhafiz/collectors/anchor"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter/bundle"
)

// anchorAge is how old the newest outside anchor may be before status warns.
const anchorAge = 24 * time.Hour

// authorities reads the configured time-stamping authorities with their roots.
func authorities(c *config.Config) ([]anchor.Authority, error) {
	var out []anchor.Authority
	for _, a := range c.Anchors.Authorities {
		x, err := authority(a)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

func authority(a config.Authority) (anchor.Authority, error) {
	pem, err := os.ReadFile(a.Roots)
	if err != nil {
		return anchor.Authority{}, fmt.Errorf("read the root certificates of the authority %s: %w", a.Name, err)
	}
	roots, err := anchor.ParseRoots(pem)
	if err != nil {
		return anchor.Authority{}, fmt.Errorf("the root certificates of the authority %s, %s: %w", a.Name, a.Roots, err)
	}
	return anchor.Authority{Name: a.Name, URL: a.URL, Roots: roots}, nil
}

// stampers are the authorities as a bundle asks them. One whose roots cannot be read fails when it is asked, for a bundle does not wait
// for that to be mended.
func stampers(c *config.Config) (out []bundle.Authority) {
	for _, a := range c.Anchors.Authorities {
		out = append(out, bundle.Authority{Name: a.Name, Stamp: func(ctx context.Context, data []byte) ([]byte, time.Time, error) {
			x, err := authority(a)
			if err != nil {
				return nil, time.Time{}, err
			}
			token, t, err := x.Stamp(ctx, data)
			return token, t.At, err
		}})
	}
	return out
}

// schedule is what a keeper goes by.
type schedule struct {
	every       time.Duration
	records     int64
	authorities []anchor.Authority
}

func scheduleOf(c *config.Config) (schedule, error) {
	as, err := authorities(c)
	return schedule{time.Duration(c.Anchors.Every), int64(c.Anchors.Records), as}, err
}

// same says whether a keeper may go on with the other schedule as well. Roots are compared by what they are, not by their file.
func (s schedule) same(o schedule) bool {
	return s.every == o.every && s.records == o.records && slices.EqualFunc(s.authorities, o.authorities, func(a, b anchor.Authority) bool {
		return a.Name == b.Name && a.URL == b.URL && a.Roots.Equal(b.Roots)
	})
}

// keep keeps the log's head signed and confirmed until ctx is done. A schedule from changed replaces the one before: the keeper ends,
// and another begins where the log says that it was left.
func (r *Rooms) keep(ctx context.Context, s schedule, changed <-chan schedule) error {
	for {
		state, err := r.anchorState(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		k := &anchor.Keeper{
			Log: r.Vault, State: state, Authorities: s.authorities, Every: s.every, Records: s.records, Now: r.Now, After: r.After, Logger: r.Log,
		}
		run, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- k.Run(run) }()
		next, err := until(done, changed, s)
		stop()
		if next == nil {
			return err
		}
		if err := <-done; err != nil {
			return err
		}
		s = *next
		r.Log.Info().Int("authorities", len(s.authorities)).Dur("every", s.every).Msg("the schedule of checkpoints was changed")
	}
}

// until waits for the keeper's end, or for a schedule that differs from its own.
func until(done <-chan error, changed <-chan schedule, own schedule) (*schedule, error) {
	for {
		select {
		case err := <-done:
			return nil, err
		case s := <-changed:
			if !s.same(own) {
				return &s, nil
			}
		}
	}
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
