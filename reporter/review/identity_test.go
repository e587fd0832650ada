package review_test

import (
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// A target whose address leads to another account goes on only by the words of two people, one of whom confirms and one approves.
func TestATargetThatIsAnotherAccountNow(t *testing.T) {
	d, _ := approvedDesk(t)
	const there = "telegram channel 99"
	if _, err := d.PrepareIdentity(t.Context(), "bilal", "demo", there, "it moved"); err == nil {
		t.Fatal("what was not found can be confirmed")
	}
	d.put(evidence.Source("test"), evidence.Target("demo"), &evidence.Finding{
		Rule: evidence.RuleIdentity, Address: "https://t.me/example_simulated",
		Was: &evidence.Ref{Name: account("1234")}, Now: &evidence.Ref{Name: account("99")},
	})
	if x, _, err := d.Target(t.Context(), "demo"); err != nil || x.State != review.TargetApproved || x.Found == x.Account || x.Found == "" {
		t.Fatalf("after the finding: %+v, %v", x, err)
	}
	if _, err := d.PrepareIdentity(t.Context(), "bilal", "demo", "telegram channel 98", ""); err == nil {
		t.Error("another account than the one that was found can be confirmed")
	}
	payload, err := d.PrepareIdentity(t.Context(), "bilal", "demo", there, "it moved")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.ConfirmIdentity(t.Context(), "carla", "demo", d.sign("bilal", payload)); err == nil {
		t.Error("somebody else handed it in")
	}
	x, err := d.ConfirmIdentity(t.Context(), "bilal", "demo", d.sign("bilal", payload))
	if err != nil {
		t.Fatal(err)
	}
	if x.State != review.TargetListed || x.Confirmed != there || x.Account != x.Found || x.Collectable(d.now) {
		t.Errorf("one person alone: %+v", x)
	}
	if _, err := d.ConfirmIdentity(t.Context(), "bilal", "demo", d.sign("bilal", payload)); err == nil {
		t.Error("a signature was handed in twice")
	}
	if err := d.approveTarget("bilal", "demo"); err == nil {
		t.Error("who confirmed approved as well")
	}
	if err := d.approveTarget("carla", "demo"); err != nil {
		t.Fatal(err)
	}
	d.bind("demo", "99")
	if x, _, err = d.Target(t.Context(), "demo"); err != nil || !x.Collectable(d.now) {
		t.Errorf("after both and the binding: %+v, %v", x, err)
	}
}
