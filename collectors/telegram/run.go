package telegram

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gotd/td/telegram"
	"github.com/gotd/td/tg"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// run is one life of a source, from connecting to the end.
type run struct {
	o     Options
	src   *Source
	sink  collectors.Sink
	name  evidence.Name
	log   zerolog.Logger
	cause string // of the gaps since the cursors' observed_until

	client *telegram.Client
	api    *tg.Client
	slots  chan struct{} // one a request that polls

	mu     sync.Mutex
	floods map[string]time.Time
	hints  map[int64]chan struct{}
	frozen *freeze // as help.getAppConfig said last
	offset *int64  // the platform's clock less ours, in milliseconds

	polls     atomic.Int64
	pollsFrom time.Time
}

func newRun(s *Source, sink collectors.Sink, failed bool) *run {
	r := &run{
		o: s.o, src: s, sink: sink, name: evidence.Source(s.Name()), cause: "restart",
		log:   s.o.Log.With().Str("source", s.Name()).Logger(),
		slots: make(chan struct{}, s.o.MaxPolls), floods: map[string]time.Time{}, hints: map[int64]chan struct{}{},
		pollsFrom: s.o.Now(),
	}
	if failed {
		r.cause = "outage"
	}
	return r
}

// errUnreachable ends a run that got no connection, so that the outage is recorded instead of waited for in silence.
var errUnreachable = errors.New("no connection to Telegram; check the network, the firewall and the clock of this machine")

func (r *run) run(ctx context.Context) error {
	if err := r.state(ctx, &evidence.Collector{State: "starting"}); err != nil {
		return stopping(ctx, err)
	}
	client, err := r.o.client(Methods(), telegram.UpdateHandlerFunc(r.hint))
	if err != nil {
		return collectors.Permanent(err)
	}
	r.client, r.api = client, client.API()
	err = r.o.Proxy.explain(r.connected(ctx))
	if ctx.Err() != nil {
		return r.stopped(ctx)
	}
	if a := lost(r.o.Alias, err); a != nil {
		return r.giveUp(ctx, a)
	}
	return err
}

// connected holds the connection while the targets are observed. The client's own Run swallows an error that wraps
// context.Canceled, so the outcome is carried past it.
func (r *run) connected(ctx context.Context) error {
	cctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slow := time.AfterFunc(r.o.ConnectTimeout, func() { cancel(errUnreachable) })
	defer slow.Stop()
	var result error
	began := false
	err := r.client.Run(cctx, func(ctx context.Context) error {
		if !slow.Stop() {
			return errUnreachable
		}
		began = true
		result = r.learnFreeze(ctx, r.observe(ctx))
		return result
	})
	if began && result != nil {
		if a := lost(r.o.Alias, err); a != nil {
			return a // the connection itself was refused, and the targets only saw it end
		}
		return result
	}
	if cause := context.Cause(cctx); errors.Is(cause, errUnreachable) {
		return cause
	}
	if err == nil && ctx.Err() == nil {
		err = errors.New("the connection to Telegram ended")
	}
	return err
}

// observe checks that we are logged in and then runs the targets until one of them fails or ctx is done.
func (r *run) observe(ctx context.Context) error {
	if err := r.authorised(ctx); err != nil {
		return err
	}
	r.readClock(ctx)
	r.readFreeze(ctx)
	if err := r.state(ctx, &evidence.Collector{State: "healthy"}); err != nil {
		return err
	}
	r.log.Info().Msg("connected and logged in")
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.manage(ctx, g) })
	g.Go(func() error { return r.countPolls(ctx) })
	return g.Wait()
}

func (r *run) authorised(ctx context.Context) error {
	_, err := ask(ctx, r, "users.getUsers", false, func(ctx context.Context) ([]tg.UserClass, error) {
		return r.api.UsersGetUsers(ctx, []tg.InputUserClass{&tg.InputUserSelf{}})
	})
	if a := lost(r.o.Alias, err); a != nil && a.cause == "account-lost" && a.state == "logged-out" && !r.everSaw(ctx) {
		b := notAuthorised(r.o.Alias)
		b.err = a.err
		return b
	}
	return err
}

// everSaw reports whether this account has observed any of its targets before: then it was logged in once.
func (r *run) everSaw(ctx context.Context) bool {
	for _, t := range r.src.watched() {
		if c, err := r.loadCursor(ctx, t); err == nil && c.Channel != 0 {
			return true
		}
	}
	return false
}

// readClock learns how far the platform's clock is from ours, to the second that the platform tells.
func (r *run) readClock(ctx context.Context) {
	rep, err := ask(ctx, r, "help.getConfig", false, r.api.HelpGetConfig)
	if err != nil || rep.value.Date == 0 {
		return
	}
	mid := rep.from.Add(rep.to.Sub(rep.from) / 2)
	ms := time.Unix(int64(rep.value.Date), 0).Sub(mid).Milliseconds()
	if ms < 0 && ms > -1000 {
		ms = 0 // the platform cuts its seconds
	}
	r.mu.Lock()
	r.offset = &ms
	r.mu.Unlock()
}

func (r *run) clock() *int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.offset
}

// manage starts and stops targets as Watch changes them.
func (r *run) manage(ctx context.Context, g *errgroup.Group) error {
	type running struct {
		target collectors.Target
		cancel context.CancelFunc
		done   chan struct{}
	}
	all := map[string]running{}
	for {
		want := map[string]collectors.Target{}
		for _, t := range r.src.watched() {
			want[t.ID] = t
		}
		for id, x := range all {
			if t, ok := want[id]; !ok || !reflect.DeepEqual(t, x.target) {
				x.cancel()
				<-x.done
				delete(all, id)
			}
		}
		for id, t := range want {
			if _, ok := all[id]; ok {
				continue
			}
			tctx, cancel := context.WithCancel(ctx)
			x := running{t, cancel, make(chan struct{})}
			all[id] = x
			g.Go(func() error {
				defer close(x.done)
				defer cancel()
				err := newWatch(r, t).run(tctx)
				if tctx.Err() != nil && lost(r.o.Alias, err) == nil {
					return nil
				}
				return err
			})
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

// stopping turns an error after the end of ctx into an ordinary stop.
func stopping(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
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
