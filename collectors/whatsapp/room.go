package whatsapp

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// noRoom says that a file was left out for want of room. It waits until there is some.
func noRoom(size int64, detail string) *missedError {
	return &missedError{collectors.ReasonNoRoom, detail, size}
}

// fits refuses a file for which there is no room.
func (w *watch) fits(ctx context.Context, p pending) (download, error) {
	key := p.key()
	w.mu.Lock()
	f, ok := w.files[key]
	w.mu.Unlock()
	if !ok { // an earlier run wanted it
		var err error
		if f, err = w.refetch(ctx, p); err != nil {
			return download{file: f}, err
		}
		w.mu.Lock()
		w.files[key] = f
		w.mu.Unlock()
	}
	if size := f.media.Size; !w.r.o.Room.File(size) {
		return download{file: f}, noRoom(size, collectors.DetailTooLittleRoom)
	}
	return download{}, nil
}

// dueFiles lists the files to be fetched now, those whose time on the server runs out first, and says whether others wait for room.
func (w *watch) dueFiles() (ps []pending, waiting bool) {
	for _, p := range w.cursor().Pending {
		if p.Room && !w.r.o.Room.File(p.Size) {
			waiting = true
			continue
		}
		ps = append(ps, p)
	}
	now := w.r.o.Now()
	slices.SortStableFunc(ps, func(a, b pending) int { return sooner(a, b, now) })
	return ps, waiting
}

// shelve lets a file wait for room.
func (c *cursor) shelve(p pending, size int64) {
	for i, q := range c.Pending {
		if q.same(p) {
			c.Pending[i].Room, c.Pending[i].Size = true, size
		}
	}
}

// wants counts the files that do not wait for room: those that do hold nothing else up.
func (c *cursor) wants() int {
	n := 0
	for _, p := range c.Pending {
		if !p.Room {
			n++
		}
	}
	return n
}

// gaps adds to a batch, for each target, that nothing was seen of it since the last time that something was.
func (r *run) gaps(ctx context.Context, b *batch, now time.Time, cause, detail string) {
	for _, t := range r.src.watched() {
		from := now
		if c, err := r.loadCursor(ctx, t); err == nil && !c.Observed.IsZero() {
			from = c.Observed
		}
		b.Add(evidence.Target(t.ID), &evidence.Gap{
			Span: evidence.Span{From: evidence.At(from), To: evidence.At(now)}, Cause: cause, Detail: detail, Source: r.src.Name(),
		}, false)
	}
}

// tellNoRoom records from when on nothing is seen of the targets. What happens until there is room is another gap, when it is over.
func (r *run) tellNoRoom(ctx context.Context) error {
	b := r.batch()
	r.gaps(ctx, b, r.o.Now(), collectors.CauseDisk, collectors.ErrNoRoom.Error())
	if len(b.Drafts) == 0 {
		return nil
	}
	if _, err := r.sink.Put(ctx, evidence.Batch{Drafts: b.Drafts}); err != nil {
		return fmt.Errorf("record that there is no room: %w", err)
	}
	return nil
}
