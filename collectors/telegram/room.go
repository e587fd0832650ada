package telegram

import (
	"context"
	"fmt"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// noRoom says that a file was left out for want of room. It waits until there is some.
func noRoom(size int64, detail string) *missedError {
	return &missedError{reason: collectors.ReasonNoRoom, detail: detail, rule: collectors.RuleDisk, size: size, passes: true}
}

// fits refuses a file for which there is no room.
func (w *watch) fits(ctx context.Context, p pending) (download, error) {
	w.mu.Lock()
	f, ok := w.files[p]
	w.mu.Unlock()
	if !ok { // an earlier run wanted it
		var err error
		if f, err = w.refetch(ctx, p); err != nil {
			return download{file: f}, err
		}
		w.mu.Lock()
		w.files[p] = f
		w.mu.Unlock()
	}
	if size := f.size(); !w.r.o.Room.File(size) {
		return download{file: f}, noRoom(size, collectors.DetailTooLittleRoom)
	}
	return download{}, nil
}

// dueFiles lists the files to be fetched now, and the time of the next one. One that waits for room is not among them while there is none.
func (w *watch) dueFiles() (ps []pending, next time.Time) {
	c, now := w.cursor(), w.r.o.Now()
	ps, next = c.due(now)
	n := 0
	for _, p := range ps {
		if size, waits := c.shelved(p); waits && !w.r.o.Room.File(size) {
			if again := now.Add(w.r.o.RoomPause); next.IsZero() || again.Before(next) {
				next = again
			}
			continue
		}
		ps[n] = p
		n++
	}
	return ps[:n], next
}

// shelve moves a file among those that wait for room. That is not an attempt.
func (c *cursor) shelve(p pending, until time.Time, size int64) {
	tries := c.tries(p)
	c.settled(p)
	c.Later = append(c.Later, retry{pending: p, Tries: tries, At: until.UTC().Truncate(time.Second), Room: true, Size: size})
}

// shelved reports whether a file waits for room, and how large it is said to be.
func (c *cursor) shelved(p pending) (size int64, waits bool) {
	for _, l := range c.Later {
		if l.pending == p && l.Room {
			return l.Size, true
		}
	}
	return 0, false
}

// gaps adds to a batch, for each target, that nothing was seen of it since the last time that something was.
func (r *run) gaps(ctx context.Context, b *batch, now time.Time, cause, detail string) {
	for _, t := range r.src.watched() {
		from := now
		if at, err := r.observedUntil(ctx, t); err == nil && !at.IsZero() {
			from = at
		}
		b.Add(evidence.Target(t.ID), &evidence.Gap{
			Span: evidence.Span{From: evidence.At(from), To: evidence.At(now)}, Cause: cause, Detail: detail, Source: r.src.Name(),
		}, false)
	}
}

// hadNoRoom reports whether a stretch that began at since was one without room: it is a gap however short it was.
func (r *run) hadNoRoom(since time.Time) bool {
	return r.cause == collectors.CauseDisk && since.Before(r.began)
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
