package whatsapp

import (
	"context"
	"slices"
	"sync"
	"time"
)

// turns hands out the places for files that are under way for the account. Of those who wait, whoever's file runs out first on the
// server is next, whichever channel it is of.
type turns struct {
	now func() time.Time

	mu      sync.Mutex
	free    int
	waiting []*turn
}

type turn struct {
	p    pending
	come chan struct{}
}

func newTurns(n int, now func() time.Time) *turns { return &turns{now: now, free: n} }

// take waits for a place.
func (t *turns) take(ctx context.Context, p pending) error {
	x := &turn{p, make(chan struct{})}
	t.mu.Lock()
	t.waiting = append(t.waiting, x)
	t.hand()
	t.mu.Unlock()
	select {
	case <-x.come:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.waiting, x); i >= 0 {
		t.waiting = slices.Delete(t.waiting, i, i+1)
	} else {
		t.free++ // it came at the same moment
		t.hand()
	}
	return ctx.Err()
}

// give returns a place.
func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.free++
	t.hand()
}

// hand gives the free places to those who wait. The caller holds the mutex.
func (t *turns) hand() {
	now := t.now()
	for t.free > 0 && len(t.waiting) > 0 {
		best := slices.MinFunc(t.waiting, func(a, b *turn) int { return sooner(a.p, b.p, now) })
		t.waiting = slices.DeleteFunc(t.waiting, func(x *turn) bool { return x == best })
		t.free--
		close(best.come)
	}
}
