package telegram

import (
	"context"
	"errors"
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
	began time.Time

	client *telegram.Client
	api    *tg.Client
	lanes  *lanes
	files  *pools

	mu      sync.Mutex
	floods  map[string]time.Time // until when a method is held up
	held    map[string]time.Time // until when it was, the last time
	hints   map[int64]*watch
	watches map[string]*watch
	fits    bool    // rotation's intervals stay below their ceiling
	frozen  *freeze // as help.getAppConfig said last
	offset  *int64  // the platform's clock less ours, in milliseconds

	polls     atomic.Int64
	pollsFrom time.Time
}

func newRun(s *Source, sink collectors.Sink, failed bool) *run {
	r := &run{
		o: s.o, src: s, sink: sink, name: evidence.Source(s.Name()), cause: "restart",
		log:    s.o.Log.With().Str("source", s.Name()).Logger(),
		floods: map[string]time.Time{}, held: map[string]time.Time{}, hints: map[int64]*watch{}, watches: map[string]*watch{},
		began: s.o.Now(), pollsFrom: s.o.Now(), fits: true,
	}
	r.lanes = newLanes(s.o.Now)
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
	if err := r.loadBudget(ctx); err != nil {
		return stopping(ctx, err)
	}
	client, err := r.o.client(Methods(), telegram.UpdateHandlerFunc(r.hint))
	if err != nil {
		return collectors.Permanent(err)
	}
	r.client, r.api = client, client.API()
	r.files = newPools(r)
	defer r.files.close()
	if err := sweepPartials(r.o.Partial, r.o.Alias, r.o.Now()); err != nil {
		r.log.Warn().Err(err).Msg("parts of files that nobody wants any more could not be removed")
	}
	if r.o.Partial != "" && r.o.PartKeys != nil {
		if err := sweepUnsealed(r.o.Partial, r.o.Alias); err != nil {
			r.log.Warn().Err(err).Msg("parts of files that lie in the clear could not be removed")
		}
	}
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
	g.Go(func() error { return r.manage(ctx) })
	g.Go(func() error { return r.countPolls(ctx) })
	g.Go(func() error { return r.replanning(ctx) })
	g.Go(func() error { return r.folding(ctx) })
	for l := range laneCount {
		g.Go(func() error { return r.lanes.dispatch(ctx, g, l, r.o.workers(l), r.may(l)) })
	}
	err := g.Wait()
	return errors.Join(err, r.lastFold(ctx))
}

// may returns what a lane waits for before it decides whose turn it is.
func (r *run) may(l lane) func(context.Context) error {
	if l == laneName {
		return r.nameBudget
	}
	return func(ctx context.Context) error { return ctx.Err() }
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

// stopping turns an error after the end of ctx into an ordinary stop.
func stopping(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (r *run) cursorName(t collectors.Target) string { return r.src.Name() + "/" + t.ID }

// loadCursor reads where our own observation of a target stands.
func (r *run) loadCursor(ctx context.Context, t collectors.Target) (cursor, error) {
	return newKnowledge(r.src.Name(), nil).one(ctx, r.sink, r.src.Name(), t)
}

// observedUntil returns when a target was last seen; the zero time where it was not.
func (r *run) observedUntil(ctx context.Context, t collectors.Target) (time.Time, error) {
	if w := r.watch(t.ID); w != nil {
		at, _ := w.lastRead()
		return at, nil
	}
	c, err := r.loadCursor(ctx, t)
	return c.Observed, err
}
