package whatsapp

import (
	"context"
	"fmt"
	"slices"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"golang.org/x/sync/errgroup"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// inFlight is how many pages may be between the query and the disk.
const inFlight = 16

// answer is a page as it came, and what was asked.
type answer struct {
	reply[*waBinary.Node]
	before, count int
	lowest        int // 0 where the page holds no post
}

const methodMessages = "newsletter.messages"

// messages asks for the page of posts below before (0: the newest).
func (w *watch) messages(ctx context.Context, before, count int) (answer, error) {
	jid, err := types.ParseJID(w.channel())
	if err != nil {
		return answer{}, fmt.Errorf("read the id of the channel: %w", err)
	}
	rep, err := ask(ctx, w.r, methodMessages, func(ctx context.Context, a asker) (*waBinary.Node, error) {
		return a.posts(ctx, jid, before, count)
	})
	if err != nil {
		return answer{}, err
	}
	out := answer{reply: rep, before: before, count: count}
	for _, n := range rep.value.GetChildren() {
		if id, ok := number(&n, "server_id"); ok && id > 0 && id <= maxNumber && n.Tag == "message" && (out.lowest == 0 || int(id) < out.lowest) {
			out.lowest = int(id)
		}
	}
	return out, nil
}

func (a answer) request(channel string) map[string]any {
	q := map[string]any{"channel": channel, "count": a.count}
	if a.before > 0 {
		q["before"] = a.before
	}
	return q
}

// prepare translates an answer and keeps its elements where change says that they are wanted, which several pages may do side by side.
func (w *watch) prepare(ctx context.Context, a answer, change func(*page)) (*page, error) {
	data, at := encodePage(a.value)
	p := w.translate(a.value, at, a.span())
	if change != nil {
		change(p)
	}
	if p.empty() {
		return p, nil
	}
	acq, err := w.r.acquired(ctx, methodMessages, a.request(w.channel()), a.span(), raw{data, true})
	if err != nil {
		return nil, err
	}
	acq.ServerDate = serverDate(a.value)
	p.acq = acq
	return p, nil
}

// serverDate is the platform's clock, which it tells with a list of posts.
func serverDate(list *waBinary.Node) evidence.Time {
	t, _ := number(list, "t")
	return seconds(t)
}

// walked is a page of history on its way to the disk. Its ready channel is closed when page and err are set.
type walked struct {
	ready  chan struct{}
	page   *page
	err    error
	lowest int
	last   bool
}

// read walks the history downwards from before to an empty page, never trusting a short one, and hands each page to out in order while
// it is still being prepared. It ends early, without error, when something else is due.
func (w *watch) read(ctx context.Context, before int, out chan<- *walked) error {
	for first := true; first || !w.due(); first = false {
		a, err := w.messages(ctx, before, w.r.o.PageSize)
		if err != nil {
			return err
		}
		n := len(a.value.GetChildren())
		if n > 0 && (a.lowest == 0 || (before > 0 && a.lowest >= before)) {
			return errStale
		}
		x := &walked{ready: make(chan struct{}), lowest: a.lowest, last: n == 0}
		go func() {
			defer close(x.ready)
			if x.page, x.err = w.prepare(ctx, a, nil); x.err == nil {
				x.err = w.early(x.page)
			}
		}()
		select {
		case out <- x:
		case <-ctx.Done():
			<-x.ready
			return ctx.Err()
		}
		if x.last {
			return nil
		}
		before = a.lowest
	}
	return nil
}

// backfill reads history below what the cursor has reached, until it is at its start or something else is due. While one batch
// becomes durable the next pages are asked for; pages that are ready by then share the next batch, always in order, so that the
// cursor never passes a page that is not on disk.
func (w *watch) backfill(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	queue := make(chan *walked, inFlight)
	g.Go(func() error {
		defer close(queue)
		return w.read(ctx, w.cursor().Lowest, queue)
	})
	g.Go(func() error {
		for x := range queue {
			pages, tail, err := gather(x, queue)
			if err != nil {
				return err
			}
			err = w.put(ctx, pages, nil, func(c *cursor) {
				if tail.last {
					c.Filled = true
				} else {
					c.Lowest = tail.lowest
				}
			})
			if err != nil {
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

// sweep reads from the newest post down to the number floor and stores what differs from what is known, page by page; the cursor's Top moves
// with the last of them.
func (w *watch) sweep(ctx context.Context, floor int) error {
	start := w.cursor()
	top := start.Top
	for before := 0; ; {
		a, err := w.messages(ctx, before, w.r.o.PageSize)
		if err != nil {
			return err
		}
		n := len(a.value.GetChildren())
		if n > 0 && (a.lowest == 0 || (before > 0 && a.lowest >= before)) {
			return errStale
		}
		p, err := w.prepare(ctx, a, func(p *page) {
			p.keep = w.shows(p, start.Top) || (w.counting && len(p.counts) > 0)
			w.missing(p, a)
			w.caught.count(p, start.Top, w.r.o.Now())
			w.fresh(p)
		})
		if err != nil {
			return err
		}
		if err := w.sure(ctx, p); err != nil {
			return err
		}
		if len(p.all) > 0 {
			top = max(top, p.all[len(p.all)-1])
		}
		// What lies below the first page of all is the backfill's, unless that found the channel empty.
		last := n == 0 || (floor > 0 && a.lowest <= floor) || (start.Top == 0 && !start.Filled)
		if err := w.swept(ctx, p, last, top, a); err != nil || last {
			return err
		}
		before = a.lowest
	}
}

// swept stores a page of a sweep.
func (w *watch) swept(ctx context.Context, p *page, last bool, top int, a answer) error {
	c := w.cursor()
	first := c.Lowest == 0 && a.lowest > 0
	if p.empty() && (!last || top == c.Top) && !first {
		w.r.polls.Add(1)
		return nil
	}
	return w.put(ctx, []*page{p}, nil, func(c *cursor) {
		if last {
			c.Top = max(c.Top, top)
		}
		if first {
			c.Lowest = a.lowest
		}
	})
}

// shows reports whether the page holds a post that a push may have told of and no answer has shown: then its elements are kept.
func (w *watch) shows(p *page, top int) bool {
	c := w.cursor()
	return slices.ContainsFunc(p.all, func(id int) bool { return id > top || slices.Contains(c.Confirm, id) })
}

// missing notes the known posts that the page's range covers and that are not in it. A page with elements that could not be read says nothing
// about what is not there.
func (w *watch) missing(p *page, a answer) {
	if len(p.skipped) > 0 {
		return
	}
	for _, id := range w.cursor().Recent {
		if (a.before > 0 && id >= a.before) || id < a.lowest {
			continue
		}
		if _, there := slices.BinarySearch(p.all, id); !there {
			p.missing = append(p.missing, id)
		}
	}
}

// maxSure is how many missing posts of a page are asked for one by one.
const maxSure = 20

// sure asks for each missing post by its number before it is called missing.
func (w *watch) sure(ctx context.Context, p *page) error {
	if len(p.missing) > maxSure {
		return nil
	}
	var missing []int
	for _, id := range p.missing {
		a, err := w.messages(ctx, id+1, 1)
		if err != nil {
			return err
		}
		if a.lowest != id {
			missing = append(missing, id)
		}
	}
	p.missing = missing
	return nil
}

// poll looks at the newest posts down to the last known one, and then for those that pushes told of.
func (w *watch) poll(ctx context.Context) error {
	from := w.r.o.Now()
	if err := w.sweep(ctx, w.cursor().Top); err != nil {
		return err
	}
	if err := w.confirm(ctx); err != nil {
		return err
	}
	w.nextPoll = w.r.o.Now().Add(w.r.o.spread(w.pause()))
	return w.sighted(ctx, from)
}

// confirm asks for the posts that pushes told of and that are older than what the poll looked at.
func (w *watch) confirm(ctx context.Context) error {
	for {
		c := w.cursor()
		if len(c.Confirm) == 0 {
			return nil
		}
		id := slices.Max(c.Confirm)
		a, err := w.messages(ctx, id+1, 1)
		if err != nil {
			return err
		}
		p, err := w.prepare(ctx, a, func(p *page) {
			p.keep = slices.Contains(p.all, id)
			if a.lowest != id && len(p.skipped) == 0 && slices.Contains(c.Recent, id) {
				p.missing = []int{id}
			}
			w.fresh(p)
		})
		if err != nil {
			return err
		}
		err = w.put(ctx, []*page{p}, nil, func(c *cursor) { c.confirmed(func(x int) bool { return x == id }) })
		if err != nil {
			return err
		}
	}
}

// look asks again for the recent posts, since some edits and deletions are not announced, and for the channel's metadata.
func (w *watch) look(ctx context.Context) error {
	if recent := w.cursor().Recent; len(recent) > 0 {
		w.counting = !w.r.o.Now().Before(w.nextCounts)
		err := w.sweep(ctx, min(recent[len(recent)-1], w.cursor().Top))
		if err == nil && w.counting {
			w.nextCounts = w.r.o.Now().Add(w.r.o.spread(w.r.o.CountsEvery))
		}
		w.counting = false
		if err != nil {
			return err
		}
	}
	w.nextLook = w.r.o.Now().Add(w.r.o.spread(w.r.o.RecheckEvery))
	return w.renewed(ctx)
}
