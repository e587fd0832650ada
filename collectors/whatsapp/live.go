package whatsapp

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Counters that the platform tells on its own. It does so for a few minutes after a client asked for it, as the official one does while a
// channel is on the screen. We ask for channels that we follow alone: there our account is known to the platform and to the channel's
// administrators as one that is told of posts, and asking reveals nothing more; no counter of the channel moves. For all others the recheck
// counts.

// usualLive is how long the platform usually tells counters before it must be asked again.
const usualLive = 5 * time.Minute

// leastLive is the shortest pause between two such requests, whatever the platform says.
const leastLive = time.Minute

// liveDue reports whether the platform is to be asked for counters.
func (w *watch) liveDue(now time.Time) bool { return w.tellsLive() && !now.Before(w.nextLive) }

func (w *watch) tellsLive() bool {
	return w.target.Mode == collectors.ModeJoined && w.cursor().Followed
}

// subscribe asks for counters, once: what is a comfort neither repeats itself nor fails the target, and takes no query of the hour's second
// half.
func (w *watch) subscribe(ctx context.Context) error {
	w.nextLive = w.r.o.Now().Add(w.r.o.spread(w.r.o.TargetRetry))
	if w.r.busy() {
		return nil
	}
	jid, err := types.ParseJID(w.channel())
	if err != nil {
		return fmt.Errorf("read the id of the channel: %w", err)
	}
	rep, err := attempt(ctx, w.r, func(ctx context.Context, a asker) (time.Duration, error) { return a.live(ctx, jid) })
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case limited(err):
		return w.r.limit(ctx, "newsletter.live_updates")
	case err != nil:
		w.log.Info().Err(err).Msg("WhatsApp does not tell the channel's counters on its own; the recheck counts")
		return nil
	}
	w.nextLive = rep.to.Add(max(leastLive, rep.value*3/4))
	return w.r.answered(ctx)
}

// busy reports whether half of the hour's queries are used up.
func (r *run) busy() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.o.QueriesAnHour > 0 && r.o.Now().Sub(r.hour) < time.Hour && r.asked > r.o.QueriesAnHour/2
}

// counted notes counters that the platform told on its own.
func (r *run) counted(e *events.NewsletterLiveUpdate) {
	r.mu.Lock()
	w := r.routes[e.JID.String()]
	r.mu.Unlock()
	if w == nil || len(e.Messages) == 0 {
		return
	}
	select {
	case w.live <- liveCounts{e, r.o.Now()}:
	default: // the next look counts again
	}
}

type liveCounts struct {
	event *events.NewsletterLiveUpdate
	at    time.Time
}

// heldCounts are counters that wait to be written: the latest of each post, since a busy post is told every few seconds.
type heldCounts struct {
	posts    map[string]evidence.Post
	from, to time.Time
	due      <-chan time.Time // nil: none wait
}

func (h *heldCounts) add(l liveCounts, every time.Duration) {
	for _, m := range l.event.Messages {
		c, ok := liveCount(m)
		if !ok {
			continue
		}
		if h.posts == nil {
			h.posts, h.from, h.due = map[string]evidence.Post{}, l.at, time.After(every)
		}
		h.posts[c.Post], h.to = c, l.at
	}
}

// count makes pushed counters durable.
func (w *watch) count(ctx context.Context, h *heldCounts) error {
	held := *h
	*h = heldCounts{}
	if len(held.posts) == 0 {
		return nil
	}
	span := evidence.Span{From: evidence.At(held.from), To: evidence.At(held.to)}
	acq, err := w.r.acquired(ctx, methodPush, map[string]any{"channel": w.channel(), "counts": len(held.posts)}, span, raw{})
	if err != nil {
		return err
	}
	b := w.r.batch()
	id := b.Add(account(w.channel()), acq, false)
	b.Add(account(w.channel()), &evidence.PostCounts{Acquisition: id, At: span.To, Posts: sortedCounts(held.posts)}, false)
	return w.commit(ctx, b, nil)
}

// lastCounts makes durable what still waits when the target is observed no more.
func (w *watch) lastCounts(ctx context.Context, h *heldCounts) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	return w.count(ctx, h)
}

func sortedCounts(m map[string]evidence.Post) []evidence.Post {
	return slices.SortedFunc(maps.Values(m), func(a, b evidence.Post) int {
		return cmp.Or(cmp.Compare(len(a.Post), len(b.Post)), cmp.Compare(a.Post, b.Post))
	})
}

// liveCount reads counters that come without content: no views means that they are not told.
func liveCount(m *types.NewsletterMessage) (evidence.Post, bool) {
	c := evidence.Post{Post: strconv.Itoa(int(m.MessageServerID)), Views: -1, Forwards: -1, Replies: -1}
	if m.MessageServerID <= 0 || m.MessageServerID > maxNumber {
		return c, false
	}
	if m.ViewsCount > 0 {
		c.Views = int64(m.ViewsCount)
	}
	for code, n := range m.ReactionCounts {
		if c.Reactions == nil {
			c.Reactions = map[string]int64{}
		}
		c.Reactions[clip(valid(code))] += int64(n)
	}
	return c, told(c)
}
