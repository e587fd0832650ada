package pace

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// Schedule tells which of many is to be served next: the one that has been due longest. Whoever is served must be set again to be
// served again; as long as that is for a later moment than the present, everybody who is due comes before anybody comes twice, which
// is what makes starvation impossible. Next is for one goroutine; all else is for many.
type Schedule[K comparable] struct {
	now func() time.Time

	mu    sync.Mutex
	items dues[K]
	of    map[K]*due[K]
	seq   uint64
	wake  chan struct{}
}

type due[K comparable] struct {
	key K
	at  time.Time
	seq uint64 // of two that are due at once, the one that was set first
	pos int
}

// NewSchedule returns an empty schedule.
func NewSchedule[K comparable](now func() time.Time) *Schedule[K] {
	return &Schedule[K]{now: now, of: map[K]*due[K]{}, wake: make(chan struct{}, 1)}
}

// Set makes k due at a moment, whenever it was due before.
func (s *Schedule[K]) Set(k K, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(k, at)
}

// Hurry makes k due at a moment if it was due later or not at all.
func (s *Schedule[K]) Hurry(k K, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.of[k]; !ok || at.Before(d.at) {
		s.set(k, at)
	}
}

func (s *Schedule[K]) set(k K, at time.Time) {
	s.seq++
	d, ok := s.of[k]
	if ok {
		d.at, d.seq = at, s.seq
		heap.Fix(&s.items, d.pos)
	} else {
		d = &due[K]{key: k, at: at, seq: s.seq}
		s.of[k] = d
		heap.Push(&s.items, d)
	}
	if d.pos == 0 {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// Drop takes k out.
func (s *Schedule[K]) Drop(k K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.of[k]; ok {
		heap.Remove(&s.items, d.pos)
		delete(s.of, k)
	}
}

// Len returns how many are set.
func (s *Schedule[K]) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.items)
}

// Late returns how long the one that has been due longest has waited; 0 when none is due.
func (s *Schedule[K]) Late() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.items) == 0 {
		return 0
	}
	return max(0, s.now().Sub(s.items[0].at))
}

// Next waits until one is due and takes it out.
func (s *Schedule[K]) Next(ctx context.Context) (K, error) {
	for {
		k, wait, ok := s.take()
		if ok {
			return k, nil
		}
		if err := s.rest(ctx, wait); err != nil {
			return k, err
		}
	}
}

// take returns who is due, or how long until somebody is; a negative wait is for good.
func (s *Schedule[K]) take() (k K, wait time.Duration, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.items) == 0 {
		return k, -1, false
	}
	d := s.items[0]
	if wait = d.at.Sub(s.now()); wait > 0 {
		return k, wait, false
	}
	heap.Pop(&s.items)
	delete(s.of, d.key)
	return d.key, 0, true
}

func (s *Schedule[K]) rest(ctx context.Context, wait time.Duration) error {
	var after <-chan time.Time
	if wait >= 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		after = t.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-after:
	case <-s.wake:
	}
	return nil
}

// dues implements heap.Interface.
type dues[K comparable] []*due[K]

func (d dues[K]) Len() int { return len(d) }

func (d dues[K]) Less(i, j int) bool {
	if d[i].at.Equal(d[j].at) {
		return d[i].seq < d[j].seq
	}
	return d[i].at.Before(d[j].at)
}

func (d dues[K]) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].pos, d[j].pos = i, j
}

func (d *dues[K]) Push(x any) {
	k := x.(*due[K])
	k.pos = len(*d)
	*d = append(*d, k)
}

func (d *dues[K]) Pop() any {
	old := *d
	k := old[len(old)-1]
	old[len(old)-1] = nil
	*d = old[:len(old)-1]
	return k
}
