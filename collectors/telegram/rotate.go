package telegram

import (
	"context"
	"slices"
	"time"

	"github.com/gotd/td/tg"
)

// rotate reads the posts above the highest known one, as any reader of the public channel may. Edits and deletions are the rechecks'.
func (w *watch) rotate(ctx context.Context) error {
	c := w.cursor()
	if c.Top == 0 {
		return w.begin(ctx)
	}
	bottom, k := c.onTheWay(w.r.o.Now())
	rep, msgs, err := w.newest(ctx, bottom)
	if err != nil {
		return err
	}
	fresh, known := divided(msgs, c.Top)
	w.glance(rep.value)
	if len(fresh) == 0 {
		w.r.polls.Add(1)
	} else {
		w.fresh += len(fresh)
		if err := w.storeFrom(ctx, rep, fresh, c.Top); err != nil {
			return err
		}
	}
	if k >= 0 {
		if err := w.recheckPage(ctx, k, rep, msgs, known, bottom); err != nil {
			return err
		}
	}
	return w.rotated(ctx, rep.from)
}

// rotated notes a read and when the next one is due.
func (w *watch) rotated(ctx context.Context, at time.Time) error {
	w.nextPoll = w.r.o.Now().Add(w.interval())
	return w.sighted(ctx, at)
}

// newest asks for the newest page above a post. A server that ignores the bound is not believed.
func (w *watch) newest(ctx context.Context, above int) (reply[tg.MessagesMessagesClass], []tg.MessageClass, error) {
	rep, err := w.history(ctx, 0, above)
	if err != nil {
		return rep, nil, err
	}
	list, ok := rep.value.(messages)
	if !ok {
		return rep, nil, odd(ctx, w.r, "messages.getHistory", historyRequest(w.channel(), 0, above), rep, "unexpected "+rep.value.TypeName())
	}
	msgs := slices.DeleteFunc(slices.Clone(list.GetMessages()), func(m tg.MessageClass) bool { return m.GetID() <= above })
	return rep, msgs, nil
}

// storeFrom stores a page of new posts and what lies between it and the highest known post; only when all of that is durable is its
// top the highest known one.
func (w *watch) storeFrom(ctx context.Context, rep reply[tg.MessagesMessagesClass], msgs []tg.MessageClass, above int) error {
	p, err := w.prepare(ctx, rep, "messages.getHistory", historyRequest(w.channel(), 0, above), rep.value.(messages).GetChats(), msgs)
	if err != nil {
		return err
	}
	top, lowest := highestID(msgs), lowestID(msgs)
	done := func(c *cursor) { c.Top, c.Rotated = max(c.Top, top), true }
	if lowest == above+1 { // nothing fits in between
		return w.put(ctx, []*page{p}, nil, done)
	}
	if err := w.put(ctx, []*page{p}, nil, func(c *cursor) { c.Rotated = true }); err != nil {
		return err
	}
	w.lowest = lowest
	reached := func() bool { return w.lowest == above+1 }
	err = w.pipeline(ctx, lowest, above, reached, func(ctx context.Context, pages []*page, _ *walked) error {
		for _, p := range pages {
			w.fresh += len(p.posts)
		}
		return w.put(ctx, pages, nil, nil)
	})
	if err != nil {
		return err
	}
	return w.commit(ctx, nil, done)
}

func highestID(msgs []tg.MessageClass) int {
	top := 0
	for _, m := range msgs {
		top = max(top, m.GetID())
	}
	return top
}

// begin reads a channel of which no post is known: the newest page, below which the backfill goes on. Without a backfill, only what was
// posted since the target was bound is stored.
func (w *watch) begin(ctx context.Context) error {
	c := w.cursor()
	rep, msgs, err := w.newest(ctx, 0)
	if err != nil {
		return err
	}
	if len(msgs) == 0 {
		w.r.polls.Add(1)
		return w.rotated(ctx, rep.from)
	}
	w.learnFrom(msgs, rep.from)
	if c.Filled {
		w.fresh += len(msgs)
		if err := w.storeFrom(ctx, rep, msgs, 0); err != nil {
			return err
		}
		return w.rotated(ctx, rep.from)
	}
	if w.target.Backfill {
		err = w.beginAbove(ctx, rep, msgs)
	} else {
		err = w.beginSince(ctx, rep, msgs, c.Observed)
	}
	if err != nil {
		return err
	}
	return w.rotated(ctx, rep.from)
}

// beginAbove stores the newest page and leaves what is below to the backfill.
func (w *watch) beginAbove(ctx context.Context, rep reply[tg.MessagesMessagesClass], msgs []tg.MessageClass) error {
	p, err := w.prepare(ctx, rep, "messages.getHistory", historyRequest(w.channel(), 0, 0), rep.value.(messages).GetChats(), msgs)
	if err != nil {
		return err
	}
	return w.put(ctx, []*page{p}, nil, func(c *cursor) {
		c.Top, c.Rotated = highestID(msgs), true
		if c.Lowest == 0 {
			c.Lowest = lowestID(msgs)
		}
	})
}

// beginSince stores the posts of a page, and of those below it, that are not older than a moment.
func (w *watch) beginSince(ctx context.Context, rep reply[tg.MessagesMessagesClass], msgs []tg.MessageClass, since time.Time) error {
	top, offset := highestID(msgs), 0
	for len(msgs) > 0 {
		recent := slices.DeleteFunc(slices.Clone(msgs), func(m tg.MessageClass) bool { return w.older(m, since) })
		if len(recent) > 0 {
			p, err := w.prepare(ctx, rep, "messages.getHistory", historyRequest(w.channel(), offset, 0), rep.value.(messages).GetChats(), recent)
			if err != nil {
				return err
			}
			if err := w.put(ctx, []*page{p}, nil, func(c *cursor) { c.Rotated = true }); err != nil {
				return err
			}
		}
		if len(recent) < len(msgs) {
			break
		}
		next := lowestID(msgs)
		if offset > 0 && next >= offset {
			return errStale
		}
		offset = next
		var err error
		if rep, err = w.history(ctx, offset, 0); err != nil {
			return err
		}
		list, ok := rep.value.(messages)
		if !ok {
			return odd(ctx, w.r, "messages.getHistory", historyRequest(w.channel(), offset, 0), rep, "unexpected "+rep.value.TypeName())
		}
		msgs = list.GetMessages()
	}
	return w.commit(ctx, nil, func(c *cursor) { c.Top, c.Rotated = max(c.Top, top), true })
}

// clockSlack is how far the dates of posts may lie behind our clock, beyond the offset that we know of.
const clockSlack = time.Minute

func (w *watch) older(m tg.MessageClass, than time.Time) bool {
	d, ok := m.(interface{ GetDate() int })
	if !ok || d.GetDate() == 0 {
		return true
	}
	offset := time.Duration(0)
	if ms := w.r.clock(); ms != nil {
		offset = time.Duration(*ms) * time.Millisecond
	}
	return time.Unix(int64(d.GetDate()), 0).Before(than.Add(offset - clockSlack))
}

// learnFrom takes a first rate from the dates of a page.
func (w *watch) learnFrom(msgs []tg.MessageClass, now time.Time) {
	first := oldest(msgs, time.Time{})
	if first.IsZero() || !first.Before(now) {
		return
	}
	w.mu.Lock()
	w.cur.Rate = w.cur.Rate.Seen(len(msgs), now.Sub(first))
	w.mu.Unlock()
}

// takePts makes a target that was read in rotation ready for polls: the present pts is taken first, and then what is new is read.
func (w *watch) takePts(ctx context.Context) error {
	pts, err := w.presentPts(ctx)
	if err != nil {
		return err
	}
	if err := w.rotate(ctx); err != nil {
		return err
	}
	return w.commit(ctx, nil, func(c *cursor) { c.Pts, c.Rotated = pts, false })
}

// interval is rotation's pause between two reads.
func (w *watch) interval() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.planned
}

func (w *watch) rate() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cur.Rate.PerHour()
}
