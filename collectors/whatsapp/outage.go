package whatsapp

import (
	"context"
	"fmt"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// caught counts what a first look after a stretch without one found.
type caught struct{ posts, files, expired int }

func (c *caught) count(p *page, top int, now time.Time) {
	for _, x := range p.posts {
		if top == 0 || x.id <= top {
			continue
		}
		c.posts++
		c.files += len(x.files)
		if at := x.body.ClaimedAt.Time; !at.IsZero() && now.Sub(at) > retention {
			c.expired += len(x.files)
		}
	}
}

// loss estimates what the stretch cost.
func (c caught) loss() string {
	return fmt.Sprintf("%d posts were published meanwhile, with %d files; about %d files are older than the 30 days or so that WhatsApp serves them, and probably lost; edits and deletions between two looks are not told",
		c.posts, c.files, c.expired)
}

// sighted notes that the channel is up to date as of a moment, and records the stretch before in which it was not: since an earlier
// run, or longer than GapAfter beyond the pause within this one. The history has told what is left of it.
func (w *watch) sighted(ctx context.Context, at time.Time) error {
	from := w.cursor().Observed
	if w.observed.After(from) {
		from = w.observed
	}
	found := w.caught
	w.caught = caught{}
	w.mu.Lock()
	cause := w.why
	w.why = ""
	w.mu.Unlock()
	slept := max(w.slept, w.pause())
	w.slept = w.pause()
	if !from.IsZero() && at.After(from) {
		w.learn(found.posts, at.Sub(from))
	}
	if !w.resumed && (from.IsZero() || at.Sub(from) <= w.r.o.GapAfter+slept*5/4) {
		w.observed = at
		return nil
	}
	if w.resumed && cause == "" {
		cause = w.r.cause
	} else if cause == "" {
		cause = "outage"
	}
	b := w.r.batch()
	b.Add(evidence.Target(w.target.ID), w.gapBody(at, cause, found.loss(), true), false)
	if err := w.commit(ctx, b, func(c *cursor) { c.Observed, c.Rate = at, w.rate }); err != nil {
		return err
	}
	w.observed, w.folded, w.resumed = at, at, false
	return nil
}
