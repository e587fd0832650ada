package telegram

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// watch observes one target. Requests about posts are made by one goroutine, so that an older answer can never be stored after a
// newer one; files are fetched by another.
type watch struct {
	r        *run
	target   collectors.Target
	username string // of the target's address, lower case
	log      zerolog.Logger
	hints    chan struct{}

	putting sync.Mutex // held over a Put: the cursor has one order

	mu    sync.Mutex
	cur   cursor
	files map[pending]file
	why   string // cause of the present blindness, for a gap

	more    chan struct{} // there are files to fetch
	fetched chan struct{} // a file was settled

	// Of the loop alone.
	known     map[int]known
	account   evidence.Digest // of the latest account.seen
	bearsName bool            // so did the latest snapshot say
	resumed   bool            // the cursor is of an earlier run, and the stretch since then is still to be recorded
	nextPoll  time.Time
	nextLook  time.Time
	nextPage  time.Time
	heldUntil time.Time // the platform holds the history up until then
	oldest    time.Time // date of the lowest post that was last read
	observed  time.Time // newer than the cursor's, not yet durable
	folded    time.Time
}

func newWatch(r *run, t collectors.Target) *watch {
	return &watch{
		r: r, target: t, username: username(t.Address), log: r.log.With().Str("target", t.ID).Logger(),
		hints: make(chan struct{}, 1), files: map[pending]file{},
		more: make(chan struct{}, 1), fetched: make(chan struct{}, 1), known: map[int]known{},
	}
}

// username is the public name in an address such as https://t.me/name.
func username(address string) string {
	s := strings.TrimSuffix(address, "/")
	return strings.ToLower(strings.TrimPrefix(s[strings.LastIndexByte(s, '/')+1:], "@"))
}

type watchKey struct{}

func watchOf(ctx context.Context) *watch {
	w, _ := ctx.Value(watchKey{}).(*watch)
	return w
}

// blind notes why nothing is seen at present; the first cause stands.
func (w *watch) blind(cause string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.why == "" {
		w.why = cause
	}
}

func (w *watch) channel() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cur.Channel
}

func (w *watch) cursor() cursor {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cur
}

// run observes the target until ctx is done. A target that the platform refuses is tried again now and then: its trouble is
// not the other targets'.
func (w *watch) run(ctx context.Context) error {
	ctx = context.WithValue(ctx, watchKey{}, w)
	c, err := w.r.loadCursor(ctx, w.target)
	if err != nil {
		return err
	}
	w.cur, w.resumed = c, !c.Observed.IsZero()
	defer w.fold(context.WithoutCancel(ctx))
	for {
		err := w.attend(ctx)
		if ctx.Err() != nil && lost(w.r.o.Alias, err) == nil {
			return nil
		}
		if errors.Is(err, errMoved) {
			continue
		}
		detail, ok := troubleOf(err)
		if !ok || lost(w.r.o.Alias, err) != nil {
			return err
		}
		w.log.Warn().Err(err).Msg("the target cannot be observed")
		if err := w.gap(ctx, causeUnreachable, detail, false); err != nil {
			return err
		}
		w.blind(causeUnreachable)
		if err := sleep(ctx, w.r.o.TargetRetry); err != nil {
			return nil
		}
	}
}

// attend binds the target and follows it.
func (w *watch) attend(ctx context.Context) error {
	ok, err := w.bind(ctx)
	if err != nil {
		return err
	}
	if !ok {
		return w.held(ctx)
	}
	w.listen(true)
	defer w.listen(false)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.fetch(ctx) })
	g.Go(func() error { return w.follow(ctx) })
	return g.Wait()
}

// troubleOf returns what is wrong with this target alone.
func troubleOf(err error) (string, bool) {
	if errors.Is(err, errNotPublic) {
		return errNotPublic.Error(), true
	}
	rpc, ok := targetError(err)
	if !ok {
		return "", false
	}
	return rpc.Type, true
}

func (w *watch) listen(on bool) {
	id := w.channel()
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	if on {
		w.r.hints[id] = w.hints
	} else if w.r.hints[id] == w.hints {
		delete(w.r.hints, id)
	}
}

// follow polls, rechecks and reads the history in turn.
func (w *watch) follow(ctx context.Context) error {
	w.nextLook = w.r.o.Now().Add(w.r.o.RecheckEvery)
	for {
		if err := w.step(ctx); err != nil {
			return err
		}
		if w.observed.Sub(w.folded) >= w.r.o.FoldEvery {
			if err := w.fold(ctx); err != nil {
				return err
			}
		}
		if err := w.idle(ctx); err != nil {
			return err
		}
	}
}

func (w *watch) step(ctx context.Context) error {
	now := w.r.o.Now()
	switch {
	case w.hinted() || !now.Before(w.nextPoll):
		return w.poll(ctx)
	case !now.Before(w.nextLook):
		return w.look(ctx)
	case w.backfills():
		return w.backfill(ctx)
	}
	return nil
}

func (w *watch) hinted() bool {
	select {
	case <-w.hints:
		return true
	default:
		return false
	}
}

// backfills reports whether history is left to be read and there is room for its files.
func (w *watch) backfills() bool {
	return w.unfinished() && !w.r.o.Now().Before(w.heldUntil)
}

func (w *watch) unfinished() bool {
	c := w.cursor()
	return w.target.Backfill && !c.Filled && len(c.Pending) < w.r.o.MaxPending
}

// due reports whether something is to be done before more history is read.
func (w *watch) due() bool {
	now := w.r.o.Now()
	return len(w.hints) > 0 || !now.Before(w.nextPoll) || !now.Before(w.nextLook) || !w.backfills()
}

func (w *watch) idle(ctx context.Context) error {
	if w.backfills() || len(w.hints) > 0 {
		return ctx.Err()
	}
	next := w.nextPoll
	if w.nextLook.Before(next) {
		next = w.nextLook
	}
	if w.unfinished() && w.heldUntil.Before(next) {
		next = w.heldUntil
	}
	t := time.NewTimer(max(0, next.Sub(w.r.o.Now())))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
	case <-w.fetched:
	case <-w.hints:
		w.nextPoll = time.Time{}
	}
	return nil
}

// queue hands files over to the fetcher, which would otherwise have to ask for their messages again.
func (w *watch) queue(files map[pending]file) {
	if len(files) == 0 {
		return
	}
	w.mu.Lock()
	maps.Copy(w.files, files)
	w.mu.Unlock()
	signal(w.more)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

var (
	errMoved     = errors.New("the channel no longer bears the target's name")
	errNotPublic = errors.New("the channel has no public address any more")
)

var errStale = errors.New("the history does not go on: the platform repeats a page")
