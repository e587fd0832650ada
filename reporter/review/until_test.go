package review_test

import (
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// TestApprovalThatEnds approves for a time, renews before and after the end, and refuses an end that has passed.
func TestApprovalThatEnds(t *testing.T) {
	d := newDesk(t)
	d.set("timed", "ana", "https://t.me/timed_simulated", true)
	approve := func(until time.Time) error {
		payload, err := d.PrepareTargetApprovalUntil(t.Context(), "bilal", "timed", evidence.At(until), "")
		if err != nil {
			return err
		}
		_, err = d.ApproveTarget(t.Context(), "bilal", "timed", d.sign("bilal", payload))
		return err
	}
	refused(t, approve(d.now), review.BadStatement, "")
	for range 2 {
		end := d.now.Add(48 * time.Hour)
		if err := approve(end); err != nil {
			t.Fatal(err)
		}
		if err := approve(end.Add(time.Hour)); err != nil {
			t.Fatalf("renew before the end: %v", err)
		}
		got := d.target("timed")
		if got.Emergency || !got.Reportable(end) || got.Collectable(end.Add(time.Hour)) {
			t.Errorf("got %+v", got)
		}
		d.now = end.Add(2 * time.Hour)
	}
	if err := d.approveTarget("bilal", "timed"); err != nil {
		t.Fatalf("renew without an end: %v", err)
	}
	if got := d.target("timed"); !got.Until.IsZero() || !got.Reportable(d.now.AddDate(1, 0, 0)) {
		t.Errorf("got %+v", got)
	}
}
