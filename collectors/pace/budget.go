package pace

import (
	"context"
	"sync"
	"time"
)

// Limit is at most N requests in any stretch of Per, of which at most Burst (default 1) at once; what the burst leaves is spread evenly.
// The zero Limit is none.
type Limit struct {
	N     int
	Per   time.Duration
	Burst int
}

// None reports whether the limit limits nothing.
func (l Limit) None() bool { return l.N <= 0 || l.Per <= 0 }

// PerSecond returns how many requests a second the limit allows for long; 0 where there is none.
func (l Limit) PerSecond() float64 {
	if l.None() {
		return 0
	}
	return float64(time.Second) / float64(l.every())
}

func (l Limit) burst() int { return min(max(l.Burst, 1), max(l.N-1, 1)) }

// every is the pause after which one more request is earned. A burst at the start of a stretch and what is earned in it come to N.
func (l Limit) every() time.Duration {
	return l.Per / time.Duration(max(l.N-l.burst(), 1))
}

// Lane orders those who wait for the same budget.
type Lane int

// The lanes, the first served first, though none ever waits for good: see patience.
const (
	Urgent Lane = iota
	Ordinary
	Background
	lanes
)

// patience is how often a lane may be passed over before it has its turn.
const patience = 3

// Budget grants requests under several limits at once. The zero Budget is not usable; a nil one grants everything.
type Budget struct {
	limits []Limit
	now    func() time.Time

	mu     sync.Mutex
	tat    []time.Time // per limit: when the bucket is full again (the theoretical arrival time of the GCRA, ITU-T I.371)
	queue  [lanes][]*waiter
	passed [lanes]int
	timer  *time.Timer
	used   usage
}

type waiter struct{ granted chan struct{} }

// NewBudget returns a budget under limits, or nil where none of them limits anything.
func NewBudget(now func() time.Time, limits ...Limit) *Budget {
	b := &Budget{now: now}
	for _, l := range limits {
		if !l.None() {
			b.limits = append(b.limits, l)
		}
	}
	if len(b.limits) == 0 {
		return nil
	}
	b.tat = make([]time.Time, len(b.limits))
	return b
}

// Take waits until a request is granted, or ctx is done; then nothing was used.
func (b *Budget) Take(ctx context.Context, lane Lane) error {
	if b == nil {
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &waiter{granted: make(chan struct{})}
	b.mu.Lock()
	b.queue[lane] = append(b.queue[lane], w)
	b.pump()
	b.mu.Unlock()
	select {
	case <-w.granted:
		return nil
	case <-ctx.Done():
		b.leave(lane, w)
		return ctx.Err()
	}
}

// leave takes a waiter out. One that was granted at the same moment has used its request: the platform is the safer for it.
func (b *Budget) leave(lane Lane, w *waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, x := range b.queue[lane] {
		if x == w {
			b.queue[lane] = append(b.queue[lane][:i:i], b.queue[lane][i+1:]...)
			break
		}
	}
	b.pump()
}

// Wait returns how long a request would wait now if nobody else did.
func (b *Budget) Wait() time.Duration {
	if b == nil {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(0, b.earliest().Sub(b.now()))
}

// PerSecond returns how many requests a second the budget allows for long; 0 for a nil one, which allows any.
func (b *Budget) PerSecond() float64 {
	if b == nil {
		return 0
	}
	return b.perSecond()
}

// pump grants what may be granted and arms the timer for the rest.
func (b *Budget) pump() {
	for {
		lane, ok := b.turn()
		if !ok {
			return
		}
		now := b.now()
		if wait := b.earliest().Sub(now); wait > 0 {
			b.arm(wait)
			return
		}
		b.spend(now)
		w := b.queue[lane][0]
		b.queue[lane] = b.queue[lane][1:]
		for l := range lanes {
			switch {
			case l == lane || len(b.queue[l]) == 0:
				b.passed[l] = 0
			default:
				b.passed[l]++
			}
		}
		close(w.granted)
	}
}

// turn returns the lane to be served next: one that was passed over too often, or else the first that waits.
func (b *Budget) turn() (Lane, bool) {
	first, found := Lane(0), false
	for l := range lanes {
		if len(b.queue[l]) == 0 {
			continue
		}
		if b.passed[l] >= patience {
			return l, true
		}
		if !found {
			first, found = l, true
		}
	}
	return first, found
}

func (b *Budget) arm(wait time.Duration) {
	if b.timer != nil {
		b.timer.Stop()
	}
	b.timer = time.AfterFunc(wait, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.pump()
	})
}

func (b *Budget) earliest() time.Time {
	var t time.Time
	for i, l := range b.limits {
		if e := b.tat[i].Add(-time.Duration(l.burst()-1) * l.every()); e.After(t) {
			t = e
		}
	}
	return t
}

func (b *Budget) spend(now time.Time) {
	for i, l := range b.limits {
		if b.tat[i].Before(now) {
			b.tat[i] = now
		}
		b.tat[i] = b.tat[i].Add(l.every())
	}
	b.used.add(now)
}

// State returns what must outlive a restart, so that a program which is started again and again stays within a budget of days.
func (b *Budget) State() []time.Time {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]time.Time(nil), b.tat...)
}

// Restore takes up a State. Under other limits than the state's it is ignored; and no state makes anybody wait longer than an
// emptied budget would.
func (b *Budget) Restore(state []time.Time) {
	if b == nil || len(state) != len(b.limits) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, l := range b.limits {
		full := b.now().Add(time.Duration(l.burst()) * l.every())
		if state[i].After(full) {
			state[i] = full
		}
		if state[i].After(b.tat[i]) {
			b.tat[i] = state[i]
		}
	}
}
