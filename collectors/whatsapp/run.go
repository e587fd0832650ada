package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/whatsmeow/types"
	"golang.org/x/sync/errgroup"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

const newsletterServer = types.NewsletterServer

// run is one life of a source, from opening its keys to the end.
type run struct {
	o     Options
	src   *Source
	sink  collectors.Sink
	name  evidence.Name
	log   zerolog.Logger
	cause string // of the gaps since the cursors' observed_until

	device     *opened
	http       *transports
	wasHealthy bool          // of the connecting goroutine
	slots      chan struct{} // one a query under way
	downloads  *turns
	rotation   *rotation

	mu        sync.Mutex
	current   *link
	online    chan struct{} // closed while current is set
	routes    map[string]*watch
	heldUntil time.Time // the platform wants no query before
	limits    int       // "too many requests" in a row
	nextQuery time.Time
	hour      time.Time
	asked     int // in the hour
	hosts     []string
	hostsFrom time.Time

	polls     atomic.Int64
	pollsFrom time.Time
}

func newRun(s *Source, sink collectors.Sink, failed bool) *run {
	r := &run{
		o: s.o, src: s, sink: sink, name: evidence.Source(s.Name()), cause: "restart",
		log:   s.o.Log.With().Str("source", s.Name()).Logger(),
		slots: make(chan struct{}, s.o.MaxQueries), downloads: newTurns(s.o.Downloads, s.o.Now),
		online: make(chan struct{}), routes: map[string]*watch{}, pollsFrom: s.o.Now(),
	}
	r.rotation = newRotation(&r.o)
	if failed {
		r.cause = "outage"
	}
	return r
}

func (r *run) run(ctx context.Context) error {
	if err := r.state(ctx, &evidence.Collector{State: "starting"}); err != nil {
		return stopping(ctx, err)
	}
	dev, err := r.o.Device.open(ctx, r.log)
	if err != nil {
		return stopping(ctx, collectors.Permanent(err))
	}
	r.device, r.http = dev, newHTTP(&r.o)
	err = r.observe(ctx)
	r.http.close()
	if a := lost(err); a != nil && a.state == "logged-out" {
		err = errors.Join(err, dev.forget(context.WithoutCancel(ctx)))
	}
	if cerr := dev.close(); cerr != nil {
		r.log.Warn().Err(cerr).Msg("the session keys could not be closed")
	}
	if a := lost(err); a != nil && ctx.Err() == nil {
		return r.giveUp(ctx, a)
	}
	if ctx.Err() != nil {
		return r.stopped(ctx)
	}
	if permanentSetup(err) {
		return collectors.Permanent(err)
	}
	return err
}

// observe runs the connection and the targets until one of them fails or ctx is done. The targets' cursors are read before the first
// connection is made, so that its first push finds its target.
func (r *run) observe(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	ready := make(chan struct{})
	g.Go(func() error { return r.manage(ctx, g, ready) })
	g.Go(func() error {
		select {
		case <-ready:
			return r.connected(ctx)
		case <-ctx.Done():
			return nil
		}
	})
	g.Go(func() error { return r.countPolls(ctx) })
	return g.Wait()
}

// manage starts and stops targets as Watch changes them.
func (r *run) manage(ctx context.Context, g *errgroup.Group, ready chan struct{}) error {
	type running struct {
		watch  *watch
		cancel context.CancelFunc
		done   chan struct{}
	}
	all := map[string]running{}
	for first := true; ; first = false {
		want := map[string]collectors.Target{}
		for _, t := range r.src.watched() {
			want[t.ID] = t
		}
		for id, x := range all {
			t, ok := want[id]
			if ok && reflect.DeepEqual(t, x.watch.target) {
				continue
			}
			x.cancel()
			<-x.done
			delete(all, id)
			r.rotation.forget(id)
			if !ok && ctx.Err() == nil {
				x.watch.part(ctx)
			}
		}
		for id, t := range want {
			if _, ok := all[id]; ok {
				continue
			}
			w, err := r.prepare(ctx, t)
			if err != nil {
				return stopping(ctx, err)
			}
			tctx, cancel := context.WithCancel(ctx)
			x := running{w, cancel, make(chan struct{})}
			all[id] = x
			g.Go(func() error {
				defer close(x.done)
				defer cancel()
				return stopping(tctx, w.run(tctx))
			})
		}
		if first {
			close(ready)
		}
		select {
		case <-ctx.Done():
			for _, x := range all {
				<-x.done
			}
			return nil
		case <-r.src.changed:
		}
	}
}

// prepare reads a target's cursor and lets its pushes find it.
func (r *run) prepare(ctx context.Context, t collectors.Target) (*watch, error) {
	c, err := r.loadCursor(ctx, t)
	if err != nil {
		return nil, err
	}
	w := newWatch(r, t)
	w.cur, w.resumed, w.rate = c, !c.Observed.IsZero(), c.Rate
	r.rotation.learn(t, c.Rate)
	if c.Stopped == "" && c.Address == t.Address {
		w.listen(true)
	}
	return w, nil
}

func (r *run) cursorName(t collectors.Target) string { return r.src.Name() + "/" + t.ID }

func (r *run) loadCursor(ctx context.Context, t collectors.Target) (cursor, error) {
	b, err := r.sink.Cursor(ctx, r.cursorName(t))
	if err != nil {
		return cursor{}, fmt.Errorf("read the cursor of target %s: %w", t.ID, err)
	}
	c, err := parseCursor(b)
	if err != nil {
		return c, fmt.Errorf("target %s: %w", t.ID, err)
	}
	return c, nil
}

// giveUp records the loss of our account and, for each of its targets, from when on nothing is seen.
func (r *run) giveUp(ctx context.Context, a *accountEnd) error {
	r.log.Error().Str("state", a.state).Err(a).Msg("our account is lost")
	if err := r.tellEnd(ctx, a); err != nil {
		return stopping(ctx, err) // the supervisor says it, or stops where nothing can be written
	}
	return permanent(a)
}

// lockedOut records that the platform locked our account out, and waits until it no longer does.
func (r *run) lockedOut(ctx context.Context, a *accountEnd) error {
	r.log.Error().Str("state", a.state).Time("until", a.until).Msg("our account is locked out")
	if err := r.tellEnd(ctx, a); err != nil {
		return err
	}
	r.wasHealthy = false
	r.blindAll(a.cause)
	r.mu.Lock()
	r.heldUntil = a.until
	r.mu.Unlock()
	return sleep(ctx, a.until.Sub(r.o.Now())+r.o.spread(r.o.RetryMin))
}

func (r *run) blindAll(cause string) {
	r.mu.Lock()
	all := make([]*watch, 0, len(r.routes))
	for _, w := range r.routes {
		all = append(all, w)
	}
	r.mu.Unlock()
	for _, w := range all {
		w.blind(cause)
	}
}

// tellEnd writes our account's state and a gap of each target in one batch.
func (r *run) tellEnd(ctx context.Context, a *accountEnd) error {
	now := r.o.Now()
	b := r.batch()
	b.Add(r.name, &evidence.Collector{Key: r.src.Name(), Platform: platform, State: a.state, Detail: a.text, Advice: a.advice, Until: evidence.At(a.until)}, false)
	r.gaps(ctx, b, now, a.cause, a.Error())
	if _, err := r.sink.Put(ctx, evidence.Batch{Drafts: b.Drafts}); err != nil {
		return fmt.Errorf("record that account %s cannot be used: %w", r.o.Alias, err)
	}
	return nil
}
