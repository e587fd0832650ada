package pace

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// clock is a time that only the test moves.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

// Whatever the intervals, and whoever is hurried how often: with n targets and one worker that takes a step for each, nobody who is due
// waits for more than n steps.
func TestNobodyStarves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &clock{time.Unix(1_700_000_000, 0)}
		s := NewSchedule[int](c.now)
		n := rapid.IntRange(1, 40).Draw(t, "targets")
		step := time.Duration(rapid.IntRange(1, 5000).Draw(t, "step ms")) * time.Millisecond
		due := map[int]time.Time{}
		set := func(k int, at time.Time) { due[k] = at; s.Set(k, at) }
		for k := range n {
			set(k, c.t.Add(time.Duration(rapid.IntRange(-20, 20).Draw(t, "first"))*time.Second))
		}
		for range rapid.IntRange(1, 300).Draw(t, "rounds") {
			for range rapid.IntRange(0, 3).Draw(t, "hurries") {
				k := rapid.IntRange(0, n-1).Draw(t, "hurried")
				s.Hurry(k, c.t)
				if c.t.Before(due[k]) {
					due[k] = c.t
				}
			}
			k, wait, ok := s.take()
			if !ok {
				c.t = c.t.Add(wait)
				continue
			}
			late := c.t.Sub(later(due[k], time.Unix(1_700_000_000, 0)))
			if late > time.Duration(n)*step {
				t.Fatalf("target %d of %d waited %s with steps of %s", k, n, late, step)
			}
			c.t = c.t.Add(step)
			set(k, c.t.Add(time.Duration(rapid.IntRange(0, 60_000).Draw(t, "interval ms"))*time.Millisecond))
		}
	})
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func TestWhoIsDroppedIsNotServed(t *testing.T) {
	c := &clock{time.Unix(1_700_000_000, 0)}
	s := NewSchedule[string](c.now)
	s.Set("a", c.t)
	s.Set("b", c.t)
	s.Drop("a")
	s.Drop("a")
	if k, _, ok := s.take(); !ok || k != "b" {
		t.Errorf("got %q, %v", k, ok)
	}
	if _, wait, ok := s.take(); ok || wait >= 0 {
		t.Errorf("an empty schedule has somebody, or waits %s", wait)
	}
	if s.Len() != 0 || s.Late() != 0 {
		t.Errorf("%d left, %s late", s.Len(), s.Late())
	}
}

func TestNextWakesForWhoIsHurried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSchedule[string](time.Now)
		s.Set("slow", time.Now().Add(time.Hour))
		go func() {
			time.Sleep(time.Minute)
			s.Hurry("urgent", time.Now())
		}()
		began := time.Now()
		for _, want := range []struct {
			k     string
			after time.Duration
		}{{"urgent", time.Minute}, {"slow", time.Hour}} {
			k, err := s.Next(t.Context())
			if err != nil || k != want.k || time.Since(began) != want.after {
				t.Errorf("got %q after %s, %v; want %q after %s", k, time.Since(began), err, want.k, want.after)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Next(ctx); err == nil {
			t.Error("an empty schedule has somebody")
		}
	})
}
