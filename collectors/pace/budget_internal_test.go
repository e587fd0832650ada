package pace

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func (b *Budget) try() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.earliest().After(b.now()) {
		return false
	}
	b.spend(b.now())
	return true
}

// No stretch of a limit's length ever holds more than its number, also across restarts, and nobody waits longer than is due.
func TestABudgetHoldsInEveryStretch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &clock{time.Unix(1_700_000_000, 0)}
		n := rapid.IntRange(2, 60).Draw(t, "n")
		l := Limit{N: n, Per: time.Duration(rapid.IntRange(1, 7200).Draw(t, "per")) * time.Second, Burst: rapid.IntRange(0, n+3).Draw(t, "burst")}
		b := NewBudget(c.now, l)
		var granted []time.Time
		for range rapid.IntRange(1, 400).Draw(t, "tries") {
			switch rapid.IntRange(0, 9).Draw(t, "act") {
			case 0:
				state := b.State()
				b = NewBudget(c.now, l)
				b.Restore(state)
			case 1, 2:
				c.t = c.t.Add(b.Wait())
			case 3:
				c.t = c.t.Add(time.Duration(rapid.Int64Range(0, int64(l.Per)).Draw(t, "pause")))
			}
			free := b.Wait() == 0
			if free != b.try() {
				t.Fatal("Wait and the grant differ")
			}
			if free {
				granted = append(granted, c.t)
			}
			if b.Wait() > l.every() {
				t.Fatalf("a wait of %s for the next, want at most %s", b.Wait(), l.every())
			}
		}
		for i, at := range granted {
			in := 0
			for _, x := range granted[i:] {
				if x.Sub(at) < l.Per {
					in++
				}
			}
			if in > l.N {
				t.Fatalf("%d grants within %s, the limit is %d", in, l.Per, l.N)
			}
		}
	})
}

func TestEveryLaneIsServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(time.Now, Limit{N: 60, Per: time.Minute})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 20 { // more urgent ones than the budget holds
			wg.Go(func() {
				for b.Take(ctx, Urgent) == nil {
				}
			})
		}
		for _, l := range []Lane{Ordinary, Background} {
			for range 5 {
				began := time.Now()
				if err := b.Take(t.Context(), l); err != nil {
					t.Fatal(err)
				}
				if waited, most := time.Since(began), 2*(patience+2)*time.Second; waited > most {
					t.Errorf("lane %d waited %s, want at most %s", l, waited, most)
				}
			}
		}
		cancel()
		wg.Wait()
		if u := b.Used(); u.Granted == 0 || u.Share < 0.9 || u.Share > 1.2 {
			t.Errorf("use %+v, want about all", u)
		}
	})
}

func TestWhoGivesUpUsesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(time.Now, Limit{N: 2, Per: time.Hour})
		if err := b.Take(t.Context(), Urgent); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Take(ctx, Urgent); err == nil {
			t.Fatal("granted beyond the budget")
		}
		began := time.Now()
		if err := b.Take(t.Context(), Background); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); d > time.Hour {
			t.Errorf("waited %s: the one that gave up was counted", d)
		}
	})
}

func TestNoBudgetGrantsEverything(t *testing.T) {
	b := NewBudget(time.Now, Limit{})
	if b != nil || b.Take(t.Context(), Urgent) != nil || b.Wait() != 0 || b.PerSecond() != 0 || b.Used() != (Use{}) || b.State() != nil {
		t.Error("a limit of nothing limits")
	}
}
