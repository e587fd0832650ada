package telegram

import (
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// planBlind says which targets are not observed at present, before a record does.
func (s *Source) planBlind(p *Plan, cursors []cursor) {
	s.mu.Lock()
	r, failed := s.now, s.failed
	s.mu.Unlock()
	now := s.o.Now()
	for i := range p.Targets {
		t := &p.Targets[i]
		var since time.Time
		var cause string
		if r != nil {
			if w := r.watch(t.Target); w != nil {
				since, cause = w.unseen(now)
			}
		} else if failed { // between two runs, or lost
			since, cause = cursors[i].Observed, "outage"
			if limit := max(s.o.GapAfter, time.Duration(2*t.Every*float64(time.Second))); now.Sub(since) <= limit {
				since = time.Time{}
			}
		}
		if !since.IsZero() {
			t.BlindSince, t.BlindCause = evidence.At(since), cause
		}
	}
}

// unseen returns since when the target has not been observed, where that is longer than its mode promises, and what is known of the cause.
func (w *watch) unseen(now time.Time) (since time.Time, cause string) {
	since, _ = w.lastRead()
	if since.IsZero() || now.Sub(since) <= w.promise() {
		return time.Time{}, ""
	}
	w.mu.Lock()
	cause = w.why
	w.mu.Unlock()
	switch {
	case since.Before(w.r.began) && cause == "":
		cause = w.r.cause
	case cause == "":
		cause = w.r.whyLate(since)
	}
	return since, cause
}
