package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/config"
)

// cursorScrub is the name under which the vault keeps how far the scrub came.
const cursorScrub = "scrub"

// ScrubPass is a pass over everything.
type ScrubPass struct {
	Begun   time.Time `json:"begun,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	Records int64     `json:"records"`
	Blobs   int64     `json:"blobs"`
	Bytes   int64     `json:"bytes"`
	Found   int       `json:"found"` // damages, those known already included
}

// scrubState is what outlives a restart.
type scrubState struct {
	Now  *ScrubPass        `json:"now,omitempty"` // the daemon's own pass, where one is under way
	At   vault.ScrubCursor `json:"at,omitzero"`
	Last *ScrubPass        `json:"last,omitempty"` // the newest whole one
}

// scrubber is what Rooms knows of scrubs.
type scrubber struct {
	mu    sync.Mutex // held over a change of the state that the vault keeps
	found sync.Mutex // held while a damage is recorded: once each
	read  atomic.Int64
	hits  atomic.Int64
	tried map[evidence.Digest]time.Time // when a file was last asked for, held with found
}

func (r *Rooms) scrubState(ctx context.Context) (s scrubState, err error) {
	b, err := r.Vault.Cursor(ctx, cursorScrub)
	if err != nil || b == nil {
		return s, err
	}
	return s, json.Unmarshal(b, &s)
}

func (r *Rooms) setScrubState(ctx context.Context, change func(*scrubState)) error {
	r.scrub.mu.Lock()
	defer r.scrub.mu.Unlock()
	s, err := r.scrubState(ctx)
	if err != nil {
		return err
	}
	change(&s)
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = r.Vault.Put(ctx, evidence.Batch{Cursor: &evidence.Cursor{Name: cursorScrub, Data: b}})
	return err
}

// pacer spreads reading over time.
type pacer struct {
	rate  func() int64 // bytes a second; 0: as fast as can be
	busy  func() bool  // whether somebody waits to write
	after func(time.Duration) <-chan time.Time
	owed  time.Duration
}

// The pauses of a pacer: what is owed is paid in parts that are worth a timer, and collection goes first, but not for ever.
const (
	minPause  = 50 * time.Millisecond
	busyPause = 20 * time.Millisecond
	busyMost  = 50
)

func (p *pacer) pace(ctx context.Context, n int64) error {
	if rate := p.rate(); rate > 0 {
		p.owed += time.Duration(float64(n) / float64(rate) * float64(time.Second))
	}
	if p.owed >= minPause {
		if err := p.sleep(ctx, p.owed); err != nil {
			return err
		}
		p.owed = 0
	}
	for i := 0; i < busyMost && p.busy(); i++ {
		if err := p.sleep(ctx, busyPause); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (p *pacer) sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-p.after(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// errScrubOff ends a pass because the configuration no longer wants one.
var errScrubOff = errors.New("scrubs were switched off")

// saveEvery is how often a pass makes durable how far it came.
const saveEvery = 30 * time.Second

// scrubOn carries the daemon's own pass on, or begins one. What it did is kept also where it ends early.
func (r *Rooms) scrubOn(ctx context.Context, p *pacer, wanted func() bool) error {
	s, err := r.scrubState(ctx)
	if err != nil {
		return err
	}
	if s.Now == nil {
		s.Now, s.At = &ScrubPass{Begun: r.Now().UTC()}, vault.ScrubCursor{}
	}
	saved := r.Now()
	save := func(ctx context.Context) error {
		saved = r.Now()
		return r.setScrubState(ctx, func(x *scrubState) { x.Now, x.At = s.Now, s.At })
	}
	if err := save(ctx); err != nil {
		return err
	}
	err = r.scrubPass(ctx, s.At, s.Now, func(ctx context.Context, n int64) error {
		if !wanted() {
			return errScrubOff
		}
		return p.pace(ctx, n)
	}, func(ctx context.Context, at vault.ScrubCursor, _ float64) error {
		s.At = at
		if r.Now().Sub(saved) < saveEvery {
			return nil
		}
		return save(ctx)
	})
	if err != nil {
		return errors.Join(err, save(context.WithoutCancel(ctx)))
	}
	return r.scrubbed(ctx, *s.Now, true)
}

// scrubPass reads the vault from a cursor on and counts into pass.
func (r *Rooms) scrubPass(ctx context.Context, from vault.ScrubCursor, pass *ScrubPass, pace func(context.Context, int64) error, moved func(context.Context, vault.ScrubCursor, float64) error) error {
	seq := from.Seq
	return r.Vault.Scrub(ctx, vault.ScrubOptions{
		From: from,
		Pace: func(ctx context.Context, n int64) error {
			pass.Bytes += n
			r.scrub.read.Add(n)
			return pace(ctx, n)
		},
		Moved: func(ctx context.Context, at vault.ScrubCursor, share float64) error {
			if at.Stage == vault.ScrubRecords {
				pass.Records += at.Seq - seq
				seq = at.Seq
			} else {
				pass.Blobs++
			}
			return moved(ctx, at, share)
		},
		Found: func(ctx context.Context, d vault.Damage) error {
			pass.Found++
			return r.foundDamage(ctx, d)
		},
	})
}

// scrubbed notes a whole pass, and whether it was the daemon's own.
func (r *Rooms) scrubbed(ctx context.Context, pass ScrubPass, own bool) error {
	pass.Ended = r.Now().UTC()
	err := r.setScrubState(ctx, func(s *scrubState) {
		s.Last = &pass
		if own {
			s.Now, s.At = nil, vault.ScrubCursor{}
		}
	})
	r.Log.Info().Int64("records", pass.Records).Int64("blobs", pass.Blobs).Int64("bytes", pass.Bytes).Int("found", pass.Found).Msg("scrub: everything was read again")
	return err
}

// scrubIn is how long it is until a pass is to begin or to go on; not ok where none is wanted.
func (r *Rooms) scrubIn(s scrubState, c config.Scrub) (wait time.Duration, ok bool) {
	every := time.Duration(c.Every)
	switch {
	case every <= 0:
		return 0, false
	case s.Now != nil || s.Last == nil:
		return 0, true
	}
	return max(0, every-r.Now().Sub(s.Last.Begun)), true
}

// scrubRetry is how long a pass that failed waits; damages are looked at as often, too.
const scrubRetry = 15 * time.Minute

// scrubs reads the vault again whenever that is due. What fails stops nothing but the vault's own failure.
func (d *Daemon) scrubs(ctx context.Context) error {
	r := d.rooms
	conf := func() config.Scrub {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.cfg.Scrub
	}
	p := &pacer{rate: func() int64 { return int64(conf().Rate) }, busy: d.metrics.busy, after: d.o.After}
	for {
		pause := scrubRetry
		err := r.mendDamage(ctx)
		if err == nil {
			var s scrubState
			s, err = r.scrubState(ctx)
			if wait, ok := r.scrubIn(s, conf()); err == nil && ok && wait == 0 {
				err = r.scrubOn(ctx, p, func() bool { return conf().Every > 0 })
			} else if ok {
				pause = min(wait, scrubRetry)
			}
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case isFatal(err):
			return err
		case err != nil && !errors.Is(err, errScrubOff):
			r.Log.Error().Err(err).Msg("scrub: the vault was not read to its end; it is tried again")
		}
		if err := p.sleep(ctx, pause); err != nil {
			return nil //nolint:nilerr // the daemon stops
		}
	}
}

// ownSources are the sources of all accounts.
func (d *Daemon) ownSources() []source {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.sources)
}

// damage is the trouble that something on the disk is not what was recorded.
func (w *watchman) damage(ctx context.Context) ([]trouble, error) {
	open, err := w.rooms.openDamage(ctx)
	if err != nil || len(open) == 0 {
		return nil, err
	}
	since := open[0].At.Time
	for _, o := range open {
		if o.At.Before(since) {
			since = o.At.Time
		}
	}
	what, do := damageText(open)
	return []trouble{{key: "damage", what: what, do: do, since: since}}, nil
}

// damageText says what is damaged and what to do about it.
func damageText(open []OpenDamage) (what, do string) {
	blobs := 0
	for _, o := range open {
		if o.Part == evidence.DamagedBlob {
			blobs++
		}
	}
	others := len(open) - blobs
	switch {
	case others == 0:
		return many(blobs, "blob") + " on the disk not as recorded", "bring back what is damaged with `muhafiz scrub --from BACKUP`, and look at the disk"
	case blobs == 0:
		what = many(others, "record") + " of the log not as recorded"
	default:
		what = many(blobs, "blob") + " on the disk and " + many(others, "record") + " of the log not as recorded"
	}
	return what, "stop the daemon, run `muhafiz fsck`, keep this vault as it is, and make a new one of a backup with `muhafiz restore`: a record cannot be mended in place"
}
