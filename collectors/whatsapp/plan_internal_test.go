package whatsapp

import (
	"testing"
	"time"
)

// A target that was not looked at for longer than its pause explains is told as not observed, as long as its source is at work.
func TestWhatIsUnseenAtPresentIsTold(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	s := New(Options{Alias: "one", Now: func() time.Time { return now }})
	seen := func(ago time.Duration) cursor { return cursor{Channel: "1@newsletter", Observed: now.Add(-ago)} }
	pause := 10 * time.Minute
	limit := s.o.GapAfter + pause*5/4 + s.o.FoldEvery
	stopped := seen(2 * limit)
	stopped.Stopped = causeRefused
	for _, c := range []struct {
		what   string
		atWork bool
		cursor cursor
		blind  bool
	}{
		{"late", true, seen(limit + time.Second), true},
		{"in time", true, seen(limit), false},
		{"stopped", true, stopped, false},
		{"never bound", true, cursor{}, false},
		{"nothing runs", false, seen(2 * limit), false},
	} {
		s.failed = c.atWork
		if got := s.unseen(c.cursor, pause); got.IsZero() == c.blind || c.blind && !got.Equal(c.cursor.Observed) {
			t.Errorf("%s: %v", c.what, got)
		}
	}
}
