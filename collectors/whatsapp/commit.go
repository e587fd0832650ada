package whatsapp

import (
	"context"
	"fmt"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// commit makes a batch durable together with the cursor that move changes; what it returns without error is on disk.
func (w *watch) commit(ctx context.Context, b *batch, move func(*cursor)) error {
	w.putting.Lock()
	defer w.putting.Unlock()
	next := w.cursor().clone()
	if move != nil {
		move(&next)
	}
	data, err := next.encode()
	if err != nil {
		return fmt.Errorf("encode the cursor of target %s: %w", w.target.ID, err)
	}
	batch := evidence.Batch{Cursor: &evidence.Cursor{Name: w.r.cursorName(w.target), Data: data}}
	if b != nil {
		batch.Drafts = b.Drafts
	}
	if _, err := w.r.sink.Put(ctx, batch); err != nil {
		return fmt.Errorf("store what was seen of target %s: %w", w.target.ID, err)
	}
	w.mu.Lock()
	w.cur = next
	w.mu.Unlock()
	return nil
}

// fold makes the moment of the last empty poll durable.
func (w *watch) fold(ctx context.Context) error {
	if !w.observed.After(w.cursor().Observed) || w.cursor().Observed.IsZero() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lastWords)
	defer cancel()
	at := w.observed
	if err := w.commit(ctx, nil, func(c *cursor) { c.Observed, c.Rate = at, w.rate }); err != nil {
		return err
	}
	w.folded = at
	return nil
}

// gap records that the target could not be observed since the last time that it was, and moves that moment to now.
func (w *watch) gap(ctx context.Context, cause, detail string, recovered bool) error {
	now := w.r.o.Now()
	b := w.r.batch()
	b.Add(evidence.Target(w.target.ID), w.gapBody(now, cause, detail, recovered), false)
	w.mu.Lock()
	w.why = ""
	w.mu.Unlock()
	return w.commit(ctx, b, func(c *cursor) { c.Observed = now })
}

func (w *watch) gapBody(now time.Time, cause, detail string, recovered bool) *evidence.Gap {
	from := w.cursor().Observed
	if w.observed.After(from) {
		from = w.observed
	}
	if from.IsZero() || from.After(now) {
		from = now
	}
	return &evidence.Gap{
		Span:  evidence.Span{From: evidence.At(from), To: evidence.At(now)},
		Cause: cause, Detail: detail, Source: w.r.src.Name(), Recovered: recovered,
	}
}
