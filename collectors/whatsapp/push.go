package whatsapp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

const (
	// pushQueue is how many pushes of a channel may wait for the disk before the library waits for us. The room for them is there as
	// long as the target is watched, so they are pointers.
	pushQueue = 1024
	// pushBatch is how many of them become durable at once.
	pushBatch = 512
	// pushBytes ends a batch early.
	pushBytes = 8 << 20

	methodPush = "newsletter.push"
	markPush   = "push"
)

// push is a post, an edit or a deletion that the platform told on its own.
type push struct {
	event *events.Message
	at    time.Time // our clock
	link  *link     // that it is acknowledged on
}

// pushed hands a push to the target that it belongs to. One of a channel that is no target is acknowledged and forgotten.
func (r *run) pushed(l *link, e *events.Message) {
	p := &push{e, r.o.Now(), l}
	r.mu.Lock()
	w := r.routes[e.Info.Chat.String()]
	r.mu.Unlock()
	if w == nil {
		go p.acknowledge()
		return
	}
	select {
	case w.pushes <- p:
	case <-l.using.Done():
	}
}

// acknowledge tells the platform that the push need not be sent again.
func (p *push) acknowledge() {
	done, ok := p.link.use()
	if !ok {
		return // it comes again over the next connection
	}
	defer done()
	n := &waBinary.Node{Tag: "message", Attrs: waBinary.Attrs{"id": p.event.Info.ID, "from": p.event.Info.Chat}}
	internals(p.link.cli).SendAck(p.link.using, n, 0)
}

// absorb makes pushes durable, many at once, and acknowledges them afterwards, while the next are being written. A push that was not
// acknowledged comes again.
func (w *watch) absorb(ctx context.Context) error {
	acks := make(chan []*push, 4)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ps := range acks {
			for _, p := range ps {
				p.acknowledge()
			}
		}
	}()
	defer func() {
		close(acks)
		<-done
	}()
	var counts heldCounts
	for {
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), w.lastCounts(ctx, &counts))
		case p := <-w.pushes:
			ps := w.along(p)
			if err := w.store(ctx, ps); err != nil {
				return err
			}
			acks <- ps
			signal(w.hints)
		case l := <-w.live:
			counts.add(l, w.r.o.LiveEvery)
		case <-counts.due:
			if err := w.count(ctx, &counts); err != nil {
				return err
			}
		}
	}
}

// along takes along the pushes that wait behind p.
func (w *watch) along(p *push) []*push {
	ps := []*push{p}
	size := proto.Size(p.event.RawMessage)
	for len(ps) < pushBatch && size < pushBytes {
		select {
		case q := <-w.pushes:
			ps, size = append(ps, q), size+proto.Size(q.event.RawMessage)
		default:
			return ps
		}
	}
	return ps
}

// store makes a batch of pushes durable: their content as protobuf in one reply, and a post each. What a query shows later is the same
// version; see draft.
func (w *watch) store(ctx context.Context, ps []*push) error {
	var buf bytes.Buffer
	var posts []post
	span := evidence.Span{From: evidence.At(ps[0].at), To: evidence.At(ps[len(ps)-1].at)}
	var skipped []evidence.Skipped
	for i, p := range ps {
		if p.event.Info.Chat.String() != w.channel() {
			continue // of the channel that the target stood for before
		}
		x, why := p.read(&buf)
		if why != "" {
			skipped = append(skipped, evidence.Skipped{Where: fmt.Sprintf("push[%d]", i), Reason: why})
			continue
		}
		x.body.Vantage, x.body.Observed = w.r.o.Vantage, evidence.Span{From: evidence.At(p.at), To: evidence.At(p.at)}
		posts = append(posts, x)
	}
	w.link(posts)
	acq, err := w.r.acquired(ctx, methodPush, map[string]any{"channel": w.channel(), "pushes": len(ps)}, span, raw{buf.Bytes(), true})
	if err != nil {
		return err
	}
	acq.Skipped = skipped
	late := w.late(posts)
	acc := account(w.channel())
	b := w.r.batch()
	id := b.Add(acc, acq, len(skipped) == 0 && len(late) == 0)
	var ids []int
	for i := range posts {
		x := &posts[i]
		ids = append(ids, x.id)
		switch {
		case late[i]:
		case x.deleted:
			b.Add(acc.Post(int64(x.id)), &evidence.PostGone{
				How: evidence.GoneDeletionNotice, Method: evidence.MethodWhatsApp, Vantage: w.r.o.Vantage, Acquisition: id, Observed: x.body.Observed,
			}, false)
		default:
			x.body.Acquisition = id
			w.draftPost(b, x, id)
		}
	}
	err = w.commit(ctx, b, func(c *cursor) { c.confirm(ids) })
	if err == nil {
		w.told(posts, late)
	}
	return err
}

// read translates a push, and appends its content to the batch's.
func (p *push) read(buf *bytes.Buffer) (post, string) {
	i := p.event.Info
	if i.ServerID <= 0 || i.ServerID > maxNumber {
		return post{}, "no usable server_id: " + strconv.Itoa(int(i.ServerID))
	}
	start := buf.Len()
	data, err := proto.MarshalOptions{Deterministic: true}.MarshalAppend(buf.AvailableBuffer(), p.event.RawMessage)
	if err != nil {
		return post{}, "its content cannot be encoded"
	}
	buf.Write(data)
	w := wire{server: int64(i.ServerID), message: i.ID, at: i.Timestamp.Unix(), edit: string(i.Edit), plaintext: data, has: true, bytes: true}
	if m := p.event.NewsletterMeta; m != nil {
		w.editMS, w.original = max(0, m.EditTS.UnixMilli()), max(0, m.OriginalTS.Unix())
	}
	x := w.read()
	x.body.Raw = &evidence.Slice{Offset: int64(start), Length: int64(len(data))}
	x.body.Marks = append(x.body.Marks, markPush)
	return x, ""
}

// late finds the pushes that tell an older version of a post than what is durable: the answer to a query overtook them. They are kept as
// bytes, and make no version, since the newer one would then seem to come back.
func (w *watch) late(posts []post) map[int]bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[int]bool{}
	for i, x := range posts {
		if was, ok := w.edits[x.id]; ok && !x.deleted && x.body.EditedAt.Before(was) {
			out[i] = true
		}
	}
	return out
}

// told notes which versions are durable.
func (w *watch) told(posts []post, late map[int]bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, x := range posts {
		if !late[i] && !x.body.EditedAt.IsZero() {
			w.edits[x.id] = x.body.EditedAt.Time
		}
	}
	if len(w.edits) > 100_000 {
		clear(w.edits)
	}
}
