package whatsapp

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
	"github.com/muhafiz/muhafiz/collectors/pace"
)

// watch observes one target. Queries about posts are made by one goroutine, so that an older answer can never be stored after a
// newer one; files are fetched by another, and pushes are stored by a third.
type watch struct {
	r      *run
	target collectors.Target
	invite string // of the target's address
	log    zerolog.Logger
	hints  chan struct{}
	pushes chan *push
	live   chan liveCounts

	putting sync.Mutex // held over a Put: the cursor has one order

	mu      sync.Mutex
	cur     cursor
	files   map[pending]file
	numbers map[string]int    // the platform's other id of a post to its number
	edits   map[int]time.Time // when the latest durable version of a post was edited
	why     string            // cause of the present blindness, for a gap

	more    chan struct{} // there are files to fetch
	fetched chan struct{} // a file was settled

	// Of the loop alone.
	known    map[int]known
	deleted  map[int]bool
	skipped  map[string]bool
	account  evidence.Digest // of the latest account.seen
	resumed  bool            // the cursor is of an earlier run, and the stretch since then is still to be recorded
	nextPoll time.Time
	nextLook time.Time
	nextLive time.Time // when the platform is asked for counters
	rate     pace.Posting
	slept    time.Duration // the pause before the next poll
	observed time.Time     // newer than the cursor's, not yet durable
	folded   time.Time
	caught   caught

	nextCounts time.Time // from then on a recheck stores counters
	counting   bool      // this one does
}

func newWatch(r *run, t collectors.Target) *watch {
	return &watch{
		r: r, target: t, invite: inviteCode(t.Address), log: r.log.With().Str("target", t.ID).Logger(),
		hints: make(chan struct{}, 1), pushes: make(chan *push, pushQueue), files: map[pending]file{}, numbers: map[string]int{},
		edits: map[int]time.Time{}, live: make(chan liveCounts, 64),
		more: make(chan struct{}, 1), fetched: make(chan struct{}, 1),
		known: map[int]known{}, deleted: map[int]bool{}, skipped: map[string]bool{},
	}
}

// inviteCode is the code in an address such as https://whatsapp.com/channel/CODE; what stands behind it does not belong to it.
func inviteCode(address string) string {
	s := address
	if _, after, ok := strings.Cut(s, "/channel/"); ok {
		s = after
	}
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		s = s[:i]
	}
	return s
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

func (w *watch) channel() string {
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
	defer w.fold(context.WithoutCancel(ctx))
	defer w.listen(false)
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.absorb(gctx) })
	g.Go(func() error { return w.persist(gctx) })
	return stopping(ctx, g.Wait())
}

func (w *watch) persist(ctx context.Context) error {
	for {
		err := w.attend(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, errMoved) {
			continue
		}
		cause, detail, ok := troubleOf(err)
		if !ok {
			return err
		}
		w.log.Warn().Err(err).Msg("the target cannot be observed")
		if err := w.gap(ctx, cause, detail, false); err != nil {
			return err
		}
		w.blind(cause)
		if err := sleep(ctx, w.r.o.spread(w.r.o.TargetRetry)); err != nil {
			return err
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
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.fetch(ctx) })
	g.Go(func() error { return w.follow(ctx) })
	return g.Wait()
}

// troubleOf returns what is wrong with this target alone.
func troubleOf(err error) (cause, detail string, ok bool) {
	var h *hiddenError
	if errors.As(err, &h) {
		return "channel-" + h.state, h.Error(), true
	}
	if errors.Is(err, errUnreadable) || errors.Is(err, errNoList) || errors.Is(err, errStale) {
		return causeUnreachable, err.Error(), true
	}
	if r, ok := targetError(err); ok {
		return causeUnreachable, r.Error(), true
	}
	return "", "", false
}

// listen lets pushes of the target's channel find it, or no longer.
func (w *watch) listen(on bool) {
	id := w.channel()
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	for k, x := range w.r.routes {
		if x == w {
			delete(w.r.routes, k)
		}
	}
	if on && id != "" {
		w.r.routes[id] = w
	}
}

// follow polls, rechecks and reads the history in turn.
func (w *watch) follow(ctx context.Context) error {
	w.nextLook = w.r.o.Now().Add(w.r.o.spread(w.r.o.RecheckEvery))
	if w.nextCounts.IsZero() {
		w.nextCounts = w.r.o.Now().Add(w.r.o.spread(w.r.o.CountsEvery))
	}
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
	case w.liveDue(now):
		return w.subscribe(ctx)
	case w.unfinished():
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

// unfinished reports whether history is left to be read and there is room for its files.
func (w *watch) unfinished() bool {
	c := w.cursor()
	return w.target.Backfill && !c.Filled && c.wants() < w.r.o.MaxPending && w.r.o.Room.History()
}

// due reports whether something is to be done before more history is read.
func (w *watch) due() bool {
	now := w.r.o.Now()
	return len(w.hints) > 0 || !now.Before(w.nextPoll) || !now.Before(w.nextLook) || w.liveDue(now) || !w.unfinished()
}

func (w *watch) idle(ctx context.Context) error {
	if w.unfinished() || len(w.hints) > 0 {
		return ctx.Err()
	}
	next := w.nextPoll
	if w.nextLook.Before(next) {
		next = w.nextLook
	}
	if w.tellsLive() && w.nextLive.Before(next) {
		next = w.nextLive
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

// pause is the time between two looks at the newest posts.
func (w *watch) pause() time.Duration {
	if w.target.Rotates() {
		return w.r.rotation.pause(w.target.ID)
	}
	return w.r.o.PollEvery[w.target.Mode]
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

var (
	errMoved      = errors.New("the channel's invite was asked about again")
	errStale      = errors.New("the history does not go on: the platform repeats a page")
	errUnreadable = errors.New("the platform's description of the channel cannot be read")
)

// hiddenError says that the platform does not show a channel.
type hiddenError struct{ state string }

func (h *hiddenError) Error() string {
	return "WhatsApp says that the channel is " + h.state + " and shows no posts of it to us; this is the channel's state, not our account's"
}
