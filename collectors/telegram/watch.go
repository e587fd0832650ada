package telegram

import (
	"context"
	"errors"
	"hash/fnv"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/pace"
)

// watch observes one target. One worker at a time makes requests about its posts, so that an older answer can never be stored after
// a newer one; another may fetch its files.
type watch struct {
	r        *run
	target   collectors.Target
	username string // of the target's address, lower case
	log      zerolog.Logger
	ctx      context.Context
	cancel   context.CancelFunc

	gate         gate
	tellsStories atomic.Bool // the channel says that it has stories
	hinted       atomic.Bool // a push said that there may be news
	waits        atomic.Bool // the history waits for files to be settled

	putting  sync.Mutex    // held over a Put: the cursor has one order
	renewing sync.Mutex    // held while a file reference is renewed
	more     chan struct{} // there are further files for the worker that fetches

	mu        sync.Mutex
	cur       cursor
	files     map[pending]file
	why       string             // cause of the present blindness, for a gap
	seenUntil time.Time          // a copy of observed
	planned   time.Duration      // rotation's interval
	yield     context.CancelFunc // ends a wait of the backfill for the budget

	// Of the worker that is in the gate alone.
	known      map[int]known
	audiences  map[string]audience // by post, of the recent ones
	account    evidence.Digest     // of the latest account.seen
	bearsName  bool                // so did the latest snapshot say
	restricted bool                // and this
	doubted    bool                // the channel was refused to us since it was read last
	doubtedAt  time.Time           // it stays so for a while: one method may be refused where others are not
	bound      bool                // the channel may be read
	wantsName  bool                // what is known of the channel does not suffice: its address is to be looked up
	joinLater  bool                // the channel is to be joined when the budget allows it
	resumed    bool                // the cursor is of an earlier run, and the stretch since then is still to be recorded
	held       bool                // binding found it stopped
	failures   int                 // in a row, of binding
	nextBind   time.Time
	nextPoll   time.Time
	nextLook   time.Time
	nextPage   time.Time
	heldUntil  time.Time // the platform holds the history up until then
	oldest     time.Time // date of the lowest post that was last read
	lowest     int       // and its number
	fresh      int       // posts that were new since the last sighting
	observed   time.Time // newer than the cursor's, not yet durable
	folded     time.Time
}

func newWatch(ctx context.Context, r *run, t collectors.Target, c cursor, moved bool) *watch {
	w := &watch{
		r: r, target: t, username: username(t.Address), log: r.log.With().Str("target", t.ID).Logger(),
		files: map[pending]file{}, known: map[int]known{}, more: make(chan struct{}, 1), cur: c, seenUntil: c.Observed, planned: r.o.RotateMin,
		resumed: !moved && !c.Observed.IsZero(),
	}
	w.gate.idle = sync.NewCond(&w.gate.mu)
	ctx = context.WithValue(ctx, watchKey{}, w)
	if t.Rotates() {
		ctx = paying(ctx, pace.Ordinary)
	}
	w.ctx, w.cancel = context.WithCancel(ctx)
	now := r.o.Now()
	w.nextBind = now
	if t.Rotates() && c.Channel != 0 && c.AccessHash != 0 && c.Address == t.Address && c.Stopped == "" && !c.Joined {
		// Asking for thousands of snapshots before anything is read would only make the gap longer: the rechecks take them.
		w.bound, w.bearsName = true, true
		w.nextPoll, w.nextLook = now, now.Add(share(t.ID, r.o.RecheckEvery))
	}
	return w
}

// share is a part of d that is the target's own, so that not all do the same at once.
func share(id string, d time.Duration) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(id))
	return time.Duration(float64(d) * float64(h.Sum32()) / (1 << 32))
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

// serve does what the target needs in a lane. A target that the platform refuses is tried again now and then: its trouble is not the
// other targets'.
func (w *watch) serve(l lane) error {
	if !w.gate.enter(l) {
		return nil
	}
	defer w.leave(l)
	err := w.step(l)
	if err == nil || (w.ctx.Err() != nil && lost(w.r.o.Alias, err) == nil) {
		return nil
	}
	if l == laneFiles {
		return err // a file's own trouble is recorded; this is the account's, or of our disk
	}
	if errors.Is(err, errMoved) || errors.Is(err, errNameLater) {
		w.unbind(0)
		return nil
	}
	if w.bound && !w.doubted && refusedUs(err) { // find out at once what it is now
		w.doubted, w.doubtedAt = true, w.r.o.Now()
		w.unbind(0)
		return nil
	}
	cause, detail, ok := troubleOf(err)
	if !ok || lost(w.r.o.Alias, err) != nil {
		return err
	}
	w.log.Warn().Err(err).Msg("the target cannot be observed")
	if err := w.gap(w.ctx, cause, detail, false); err != nil {
		return stopping(w.ctx, err)
	}
	w.blind(cause)
	pause := w.retryAfter()
	if cause == causeUndecodable {
		pause /= 12 // nothing was refused
	}
	w.unbind(pause)
	return nil
}

// The pause before a target that stays unreachable is tried again grows to that many times TargetRetry: looking at a channel by its
// number costs little, so its return is seen soon; looking its address up costs one of the few resolutions a day.
const (
	maxLooks   = 4
	maxRetries = 24
)

func (w *watch) retryAfter() time.Duration {
	w.failures++
	return w.r.o.TargetRetry * time.Duration(min(1<<min(w.failures-1, 5), maxLooks))
}

func (w *watch) unbind(pause time.Duration) {
	w.bound = false
	w.listen(false)
	w.nextBind = w.r.o.Now().Add(pause)
}

// step does one piece of work.
func (w *watch) step(l lane) error {
	now := w.r.o.Now()
	switch {
	case l == laneFiles:
		return w.fetch(paying(w.ctx, pace.Background))
	case !w.bound:
		switch l {
		case laneName:
			return w.attendName(w.ctx)
		case laneBind:
			return w.attend(w.ctx)
		}
		return nil
	case w.hinted.Load() || !now.Before(w.nextPoll):
		if w.newsLane() != l {
			return nil
		}
		w.hinted.Store(false)
		return w.catchUp(w.ctx)
	case l != laneBackground:
		return nil
	case !now.Before(w.lookAt()):
		return w.look(w.lookPays())
	case w.backfills():
		return w.backfill(paying(w.ctx, pace.Background))
	}
	return nil
}

// troubleOf returns what is wrong with this target alone, and the gap's cause.
func troubleOf(err error) (cause, detail string, ok bool) {
	for _, own := range []error{errNotPublic, errStale} {
		if errors.Is(err, own) {
			return causeUnreachable, own.Error(), true
		}
	}
	if u, ok := asUnread(err); ok {
		return causeUndecodable, u.detail(), true
	}
	rpc, ok := targetError(err)
	if !ok {
		return "", "", false
	}
	return causeUnreachable, rpc.Type, true
}

func (w *watch) lookPays() context.Context {
	if w.target.Rotates() && !w.target.Urgent {
		return paying(w.ctx, pace.Background)
	}
	return paying(w.ctx, pace.Ordinary)
}

// attend binds the target. While it is stopped it waits for a person to confirm, or for the watchlist to change, which ends it.
func (w *watch) attend(ctx context.Context) error {
	now := w.r.o.Now()
	if c := w.cursor(); w.held && c.Stopped != "" && !w.confirmed(c) {
		w.nextBind = now.Add(w.r.o.TargetRetry)
		if c.Stopped != causeIdentity {
			return nil
		}
		return w.gap(ctx, causeIdentity, "not yet confirmed by a person", false)
	}
	ok, err := w.bind(ctx)
	if err != nil {
		return err
	}
	if w.held = !ok; w.held {
		w.nextBind = w.r.o.Now().Add(w.r.o.TargetRetry)
		return nil
	}
	if err := w.membership(ctx); err != nil {
		return err
	}
	w.bound, w.failures = true, 0
	if w.bearsName && w.cursor().Name.N > 0 {
		if err := w.commit(ctx, nil, func(c *cursor) { c.Name = nameLook{} }); err != nil {
			return err
		}
	}
	w.listen(true)
	w.nextPoll = w.r.o.Now()
	w.nextLook = w.nextPoll.Add(w.r.o.RecheckEvery)
	return nil
}

// attendName binds a target whose address is to be looked up, now that it is its turn.
func (w *watch) attendName(ctx context.Context) error {
	if w.r.o.Now().Sub(w.nextBind) > w.r.o.GapAfter {
		w.blind(causeBudget)
	}
	w.wantsName = false
	return w.attend(context.WithValue(ctx, nameTurn{}, true))
}

// catchUp reads what is new.
func (w *watch) catchUp(ctx context.Context) error {
	if w.target.Rotates() {
		return w.rotate(ctx)
	}
	if err := w.poll(ctx); err != nil {
		return err
	}
	if w.observed.Sub(w.folded) >= w.r.o.FoldEvery {
		return w.fold(ctx)
	}
	return nil
}

func (w *watch) listen(on bool) {
	id := w.channel()
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	if on && !w.target.Rotates() {
		w.r.hints[id] = w
	} else if w.r.hints[id] == w {
		delete(w.r.hints, id)
	}
}

// backfills reports whether history is left to be read and there is room for its files.
func (w *watch) backfills() bool {
	return w.unfinished() && !w.r.o.Now().Before(w.heldUntil)
}

func (w *watch) unfinished() bool {
	c := w.cursor()
	return w.target.Backfill && !c.Filled && len(c.Pending) < w.r.o.MaxPending && w.r.o.Room.History()
}

// due reports whether something is to be done before more history is read.
func (w *watch) due() bool {
	now := w.r.o.Now()
	return w.ctx.Err() != nil || w.hinted.Load() || !now.Before(w.nextPoll) || !now.Before(w.lookAt()) || !w.backfills()
}

// queue hands files over to the fetcher, which would otherwise have to ask for their messages again.
func (w *watch) queue(files map[pending]file) {
	if len(files) == 0 {
		return
	}
	w.mu.Lock()
	maps.Copy(w.files, files)
	w.mu.Unlock()
	w.wantFiles()
}

var (
	errMoved     = errors.New("the channel no longer bears the target's name")
	errNotPublic = errors.New("the channel has no public address any more")
)

var errStale = errors.New("the history does not go on: the platform repeats a page")
