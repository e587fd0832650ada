package daemon

import (
	"context"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// While a daemon runs, what is not observed at present counts as such before a gap is recorded.
func TestWhatIsNotObservedAtPresentIsNotCovered(t *testing.T) {
	since := evidence.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	r := &Rooms{plans: func(context.Context) ([]collectors.Plan, error) {
		return []collectors.Plan{{Source: "telegram/main", Targets: []collectors.TargetPlan{
			{Target: "one", BlindSince: since, BlindCause: "unreachable"}, {Target: "two"},
		}}}, nil
	}}
	blind, err := r.blindness(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if g, err := blind(t.Context(), "one"); err != nil || g.From != since || g.Cause != "unreachable" || g.Source != "telegram/main" {
		t.Errorf("got %+v, %v", g, err)
	}
	if g, err := blind(t.Context(), "two"); err != nil || !g.From.IsZero() {
		t.Errorf("got %+v, %v", g, err)
	}
	x := evidence.Coverage{Live: true, From: since}
	to := since.Add(4 * time.Hour)
	if s := x.Shares(time.Time{}, to, evidence.Missing{From: evidence.At(since.Add(time.Hour)), To: evidence.At(to)}); s.Observed != time.Hour || s.Expected != 4*time.Hour {
		t.Errorf("got %+v", s)
	}
}
