package telegram

import (
	"context"
	"time"
)

// newsLane is the lane in which the target's news are read.
func (w *watch) newsLane() lane {
	if w.target.Rotates() {
		return laneRotation
	}
	return laneUrgent
}

// agenda says per lane when the target is to be served next, if at all. What is old waits until the news were read.
func (w *watch) agenda() (at [laneFiles]time.Time) {
	if !w.bound {
		if w.nameless() {
			at[laneName] = w.nameAt()
		} else {
			at[laneBind] = w.nextBind
		}
		return at
	}
	now := w.r.o.Now()
	news := w.nextPoll
	if w.hinted.Load() {
		news = now
	}
	at[w.newsLane()] = news
	if !news.After(now) {
		return at
	}
	at[laneBackground] = w.lookAt()
	unfinished := w.unfinished()
	w.waits.Store(!unfinished && w.target.Backfill && !w.cursor().Filled)
	if unfinished && w.heldUntil.Before(at[laneBackground]) {
		at[laneBackground] = later(now, w.heldUntil)
	}
	return at
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// interrupt ends a wait of the backfill for the budget.
func (w *watch) interrupt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.yield != nil {
		w.yield()
	}
}

// payInterruptibly waits for the budget until a push comes; false says that one came.
func (w *watch) payInterruptibly(ctx context.Context, method string) (bool, error) {
	pctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.mu.Lock()
	w.yield = cancel
	w.mu.Unlock()
	if w.hinted.Load() {
		return false, nil
	}
	err := w.r.pay(pctx, method)
	w.mu.Lock()
	w.yield = nil
	w.mu.Unlock()
	if err != nil && ctx.Err() == nil && pctx.Err() != nil {
		return false, nil
	}
	return true, err
}
