package telegram

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/gotd/td/tg"
	"golang.org/x/sync/errgroup"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

const pageSize = 100

// impatient marks a context whose requests return a waitError instead of sitting out a flood wait.
type impatient struct{}

// inFlight is how many pages may be between the request and the disk.
const inFlight = 16

// messages is what the three forms of a list of messages have in common.
type messages interface {
	GetMessages() []tg.MessageClass
	GetChats() []tg.ChatClass
}

// walked is a page of history on its way to the disk. Its ready channel is closed when page and err are set.
type walked struct {
	ready  chan struct{}
	page   *page
	err    error
	lowest int
	last   bool
}

// history asks for the page of messages below offset (0: the newest) and above min.
func (w *watch) history(ctx context.Context, offset, minID int) (reply[tg.MessagesMessagesClass], error) {
	c := w.cursor()
	q := &tg.MessagesGetHistoryRequest{
		Peer:     &tg.InputPeerChannel{ChannelID: c.Channel, AccessHash: c.AccessHash},
		OffsetID: offset, Limit: pageSize, MinID: minID,
	}
	return ask(ctx, w.r, "messages.getHistory", true, func(ctx context.Context) (tg.MessagesMessagesClass, error) {
		return w.r.api.MessagesGetHistory(ctx, q)
	})
}

// read walks the history downwards from offset to an empty page, never trusting a short one, and hands each page to out in order while
// it is still being prepared. It ends early, without error, when stop says so.
func (w *watch) read(ctx context.Context, offset, minID int, stop func() bool, out chan<- *walked) error {
	_, stoppable := ctx.Value(impatient{}).(bool)
	for first := true; first || !stop(); first = false {
		if err := sleep(ctx, w.nextPage.Sub(w.r.o.Now())); err != nil {
			return err
		}
		ask := ctx
		if stoppable {
			paid, err := w.payInterruptibly(ctx, "messages.getHistory")
			if err != nil || !paid {
				return err
			}
			ask = context.WithValue(ctx, prepaid{}, true)
		}
		rep, err := w.history(ask, offset, minID)
		if wait := (*waitError)(nil); errors.As(err, &wait) && stoppable {
			w.heldUntil = w.r.o.Now().Add(wait.wait)
			return nil // polls go on meanwhile
		}
		if err != nil {
			return err
		}
		w.nextPage = w.r.o.Now().Add(w.r.o.HistoryPace)
		list, ok := rep.value.(messages)
		if !ok {
			return odd(ctx, w.r, "messages.getHistory", historyRequest(w.channel(), offset, minID), rep, "unexpected "+rep.value.TypeName())
		}
		msgs := list.GetMessages()
		lowest := lowestID(msgs)
		w.oldest, w.lowest = oldest(msgs, w.oldest), lowest
		if len(msgs) > 0 && (lowest <= 0 || (offset > 0 && lowest >= offset)) {
			return errStale
		}
		x := &walked{ready: make(chan struct{}), lowest: lowest, last: len(msgs) == 0}
		go func(offset int) {
			defer close(x.ready)
			if x.last {
				x.page = &page{}
				return
			}
			x.page, x.err = w.prepare(ctx, rep, "messages.getHistory", historyRequest(w.channel(), offset, minID), list.GetChats(), msgs)
			if x.err == nil {
				x.err = w.early(x.page)
			}
		}(offset)
		select {
		case out <- x:
		case <-ctx.Done():
			return ctx.Err()
		}
		if x.last {
			return nil
		}
		offset = lowest
	}
	return nil
}

// oldest returns the date of the last message that has one: pages descend.
func oldest(msgs []tg.MessageClass, before time.Time) time.Time {
	for _, m := range msgs {
		if m, ok := m.(interface{ GetDate() int }); ok && m.GetDate() != 0 {
			before = time.Unix(int64(m.GetDate()), 0)
		}
	}
	return before
}

func historyRequest(channel int64, offset, minID int) map[string]any {
	q := map[string]any{"channel": strconv.FormatInt(channel, 10), "offset_id": offset, "limit": pageSize}
	if minID > 0 {
		q["min_id"] = minID
	}
	return q
}

func lowestID(msgs []tg.MessageClass) int {
	lowest := 0
	for i, m := range msgs {
		if id := m.GetID(); i == 0 || id < lowest {
			lowest = id
		}
	}
	return lowest
}

// prepare keeps the reply's bytes and translates it, which several pages may do side by side.
func (w *watch) prepare(ctx context.Context, rep reply[tg.MessagesMessagesClass], method string, request any, chats []tg.ChatClass, msgs []tg.MessageClass) (*page, error) {
	acq, err := acquired(ctx, w.r, method, request, rep)
	if err != nil {
		return nil, err
	}
	p := w.translate(rep.raw, rep.span(), chats, msgs)
	p.acq = acq
	return p, nil
}

// backfill reads history below what the cursor has reached, until it is at its start or something else is due. While one batch
// becomes durable the next pages are requested; pages that are ready by then share the next batch, always in order, so that the
// cursor never passes a page that is not on disk.
func (w *watch) backfill(ctx context.Context) error {
	ctx = context.WithValue(ctx, impatient{}, true)
	return w.pipeline(ctx, w.cursor().Lowest, 0, w.due, func(ctx context.Context, pages []*page, tail *walked) error {
		return w.put(ctx, pages, nil, func(c *cursor) {
			if tail.last {
				c.Filled = true
			} else {
				c.Lowest = tail.lowest
			}
			if c.Top == 0 && len(c.Recent) > 0 {
				c.Top = c.Recent[0]
			}
		})
	})
}

// pipeline reads history and hands runs of ready pages to store, in order.
func (w *watch) pipeline(ctx context.Context, offset, minID int, stop func() bool, store func(context.Context, []*page, *walked) error) error {
	g, ctx := errgroup.WithContext(ctx)
	queue := make(chan *walked, inFlight)
	g.Go(func() error {
		defer close(queue)
		return w.read(ctx, offset, minID, stop, queue)
	})
	g.Go(func() error {
		for x := range queue {
			pages, tail, err := gather(x, queue)
			if err != nil {
				return err
			}
			if err := store(ctx, pages, tail); err != nil {
				return err
			}
		}
		return nil
	})
	return g.Wait()
}

// gather waits for a page and takes along those behind it that are ready.
func gather(x *walked, queue <-chan *walked) (pages []*page, tail *walked, err error) {
	for {
		<-x.ready
		if x.err != nil {
			return nil, nil, x.err
		}
		pages, tail = append(pages, x.page), x
		if len(pages) == inFlight {
			return pages, tail, nil
		}
		select {
		case next, ok := <-queue:
			if !ok {
				return pages, tail, nil
			}
			x = next
		default:
			return pages, tail, nil
		}
	}
}

// refill walks the history from the newest post back to the last known one after a difference that was too long, and moves
// pts only when all of it is durable: a crash on the way makes the platform say "too long" again.
func (w *watch) refill(ctx context.Context, pts int) error {
	c := w.cursor()
	bottom := c.Top
	// Without a known post the walk ends at what was there before the last poll: that is the backfill's, if it is wanted.
	reached := func() bool { return bottom == 0 && w.oldest.Before(c.Observed) }
	// Edits and deletions of known posts were among what was not listed; the newer posts would push them out of the recent ones.
	for ids := range slices.Chunk(c.Recent, pageSize) {
		if err := w.recheck(ctx, ids); err != nil {
			return err
		}
	}
	err := w.pipeline(ctx, 0, bottom, reached, func(ctx context.Context, pages []*page, _ *walked) error {
		return w.put(ctx, pages, nil, nil)
	})
	if err != nil {
		return err
	}
	now := w.r.o.Now()
	return w.put(ctx, nil, func(b *batch) {
		b.Add(evidence.Target(w.target.ID), w.gapBody(now, "too-long", "the platform no longer listed the changes one by one; the history was read again down to post "+strconv.Itoa(bottom), true), false)
	}, func(c *cursor) {
		c.Pts, c.Observed = pts, now
		if len(c.Recent) > 0 {
			c.Top = max(c.Top, c.Recent[0])
		}
	})
}
