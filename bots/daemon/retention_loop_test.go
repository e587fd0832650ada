package daemon

import (
	"context"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// TestTheDaemonRunsRetentionDaily lets the daemon's own loop come round twice a day.
func TestTheDaemonRunsRetentionDaily(t *testing.T) {
	s := newSite(t)
	o := s.options()
	tick := make(chan time.Time)
	now := make(chan time.Time, 1)
	now <- time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC)
	o.Now = func() time.Time { n := <-now; now <- n; return n }
	o.After = func(d time.Duration) <-chan time.Time {
		if d == retentionPause {
			return tick
		}
		return nil
	}
	d := New(o)
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	runs := func() (n int) {
		if err := d.rooms.Vault.Records(context.Background(), 0, func(r evidence.Record) error {
			if r.Kind == evidence.KindRetentionRun {
				n++
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i, want := range []int{1, 1, 2, 2, 3} {
		tick <- time.Time{} // taken when the loop waits; the next is taken when this turn is over
		tick <- time.Time{}
		if got := runs(); got != want {
			t.Fatalf("turn %d: %d runs, want %d", i, got, want)
		}
		n := <-now
		now <- n.Add(12 * time.Hour)
	}
}
