package whatsapp

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// A target that is taken away while its query waits for its turn leaves the account's place to the others.
func TestATurnThatIsGivenUpLeavesItsPlace(t *testing.T) {
	for _, held := range []time.Duration{0, time.Minute} {
		s := New(Options{Alias: "desk", QueryPace: -1, QueriesAnHour: -1})
		r := newRun(s, nil, false)
		r.heldUntil = s.o.Now().Add(held)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 10 { // which of two ready channels a select takes is chance
			if release, err := r.turn(ctx); err == nil {
				release()
				t.Fatal("a turn was given to what ended")
			}
		}
		if n := len(r.slots); n != 0 {
			t.Errorf("%d places are lost", n)
		}
	}
}

// The file whose time on the server runs out first is next, whichever channel waits for it, and what is given up takes no place.
func TestTurnsGoByWhatExpiresFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		x := newTurns(1, time.Now)
		if err := x.take(t.Context(), pending{Post: 1}); err != nil {
			t.Fatal(err)
		}
		came, left := make(chan int), make(chan error)
		gone, cancel := context.WithCancel(t.Context())
		go func() { left <- x.take(gone, pending{Post: 9, At: now.AddDate(0, 0, -29)}) }()
		for _, days := range []int{3, 40, 28, 10} {
			go func() {
				if x.take(t.Context(), pending{Post: days, At: now.AddDate(0, 0, -days)}) == nil {
					came <- days
				}
			}()
		}
		synctest.Wait()
		cancel()
		if err := <-left; err == nil {
			t.Error("what was given up got a place")
		}
		for _, want := range []int{28, 10, 3, 40} {
			x.give()
			if got := <-came; got != want {
				t.Errorf("the file of %d days came where that of %d was due", got, want)
			}
		}
		x.give()
		if x.free != 1 {
			t.Errorf("%d places are free", x.free)
		}
	})
}
