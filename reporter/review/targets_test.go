package review_test

import (
	"context"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// overtaken lets something happen between the checks of an act and its batch.
type overtaken struct {
	review.Log
	first func()
}

func (o *overtaken) Put(ctx context.Context, b evidence.Batch) ([]evidence.Record, error) {
	if f := o.first; f != nil {
		o.first = nil
		f()
	}
	return o.Log.Put(ctx, b)
}

func (d *desk) target(id string) review.Target {
	d.t.Helper()
	t, _, err := d.Target(d.t.Context(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	return t
}

func TestTargetNeedsASecondPerson(t *testing.T) {
	d := newDesk(t)
	d.set("other", "bilal", "https://t.me/other_simulated", true)
	refused(t, d.approveTarget("bilal", "other"), review.SamePerson, "bilal put target other on the list, so a second person must approve it")
	refused(t, d.approveTarget("ana", "other"), review.Role, "ana may not approve a target: that takes the role reviewer or senior")
	d.enlist("carla", "senior", d.keys["bilal"], false)
	carla := d.keys["carla"]
	d.keys["carla"] = d.keys["bilal"]
	refused(t, d.approveTarget("carla", "other"), review.SameKey, "carla and bilal have the same key on the roster; two people need two keys")
	d.keys["carla"] = carla
	d.enlist("carla", "senior", carla, false)
	if d.target("other").Collectable(d.now) {
		t.Fatal("collectable before anybody approved")
	}
	if err := d.approveTarget("carla", "other"); err != nil {
		t.Fatal(err)
	}
	if got := d.target("other"); !got.Collectable(d.now) || !got.Reportable(d.now) || got.ApprovedBy != "carla" {
		t.Errorf("got %+v", got)
	}
	refused(t, d.approveTarget("carla", "other"), review.WrongTarget, "target other is already approved, by carla")
	refused(t, d.approveTarget("carla", "none"), review.WrongTarget, "")
}

func TestApprovalDoesNotOutliveAChange(t *testing.T) {
	d := newDesk(t)
	stale, err := d.PrepareTargetApproval(t.Context(), "bilal", "demo", false, "")
	if err != nil {
		t.Fatal(err)
	}
	d.set("demo", "ana", "https://t.me/changed_simulated", true)
	_, err = d.ApproveTarget(t.Context(), "bilal", "demo", d.sign("bilal", stale))
	refused(t, err, review.ChangedSince, "target demo was set anew (record "+seq(d.vault.Size()-1)+") since it was looked at; look at it and approve again")
	if err := d.approveTarget("bilal", "demo"); err != nil {
		t.Fatal(err)
	}
	d.set("demo", "ana", "https://t.me/changed_again", true)
	if d.target("demo").State != review.TargetListed {
		t.Errorf("got %+v", d.target("demo"))
	}
}

func TestSuspensionStopsAtOnceAndASignatureIsNotHandedInTwice(t *testing.T) {
	d, post := approvedDesk(t)
	d.set("second", "ana", "https://t.me/second_simulated", true)
	payload, err := d.PrepareTargetApproval(t.Context(), "bilal", "second", false, "")
	if err != nil {
		t.Fatal(err)
	}
	signed := d.sign("bilal", payload)
	if _, err := d.ApproveTarget(t.Context(), "bilal", "second", signed); err != nil {
		t.Fatal(err)
	}
	refused(t, d.Suspend(t.Context(), "dina", "second", ""), review.Incomplete, "say why target second is suspended")
	if err := d.Suspend(t.Context(), "dina", "second", "perhaps a journalist (simulated)"); err != nil {
		t.Fatal(err)
	}
	_, err = d.ApproveTarget(t.Context(), "bilal", "second", signed)
	refused(t, err, review.ChangedSince, "")
	d.set("second", "ana", "https://t.me/second_simulated", false)
	if got := d.target("second"); got.State != review.TargetSuspended {
		t.Errorf("a change of the list ended the suspension: %+v", got)
	}
	refused(t, d.Suspend(t.Context(), "ana", "second", "again"), review.WrongTarget, "target second is already suspended")

	c := d.decide("ana", input(post))
	if err := d.Suspend(t.Context(), "ana", "demo", "in doubt"); err != nil {
		t.Fatal(err)
	}
	_, err = d.approve("bilal", c.Ordinal, true)
	refused(t, err, review.Suspended, "target demo is suspended (in doubt); nothing of it is reported until two people approve it again")
	if _, err := d.approve("bilal", c.Ordinal, false); err != nil {
		t.Errorf("a refusal must stay possible: %v", err)
	}
	_, err = d.PrepareDecision(t.Context(), "ana", input(post))
	refused(t, err, review.Suspended, "")
	w, err := d.Queue(t.Context(), "ana", 5)
	if err != nil || len(w.Posts) != 0 {
		t.Errorf("got %+v, %v", w, err)
	}
	if err := d.approveTarget("bilal", "demo"); err != nil {
		t.Fatal(err)
	}
	if got := d.target("demo"); got.State != review.TargetSuspended || got.Lifting == nil {
		t.Errorf("one person lifted a suspension: %+v", got)
	}
	refused(t, d.approveTarget("bilal", "demo"), review.SamePerson, "bilal signed already that target demo be lifted; a second person must sign as well")
	if err := d.approveTarget("carla", "demo"); err != nil {
		t.Fatal(err)
	}
	d.decide("ana", input(post))
}

func TestEmergencyStart(t *testing.T) {
	d := newDesk(t)
	d.set("urgent", "bilal", "https://t.me/urgent_simulated", true)
	start := func() error {
		payload, err := d.PrepareTargetApproval(t.Context(), "bilal", "urgent", true, "")
		if err != nil {
			return err
		}
		_, err = d.ApproveTarget(t.Context(), "bilal", "urgent", d.sign("bilal", payload))
		return err
	}
	if err := start(); err != nil {
		t.Fatal(err)
	}
	got := d.target("urgent")
	if !got.Emergency || !got.Collectable(d.now) || got.Reportable(d.now) {
		t.Errorf("got %+v", got)
	}
	d.now = d.now.Add(review.EmergencyStart + time.Second)
	if d.target("urgent").Collectable(d.now) {
		t.Error("still collectable after its end")
	}
	refused(t, start(), review.WrongTarget, "target urgent had its emergency start; a second person must approve it now")
	if err := d.approveTarget("carla", "urgent"); err != nil {
		t.Fatal(err)
	}
}

func TestAnotherAccountBehindTheAddressEndsTheApproval(t *testing.T) {
	d, _ := approvedDesk(t)
	d.bind("demo", "9999")
	if got := d.target("demo"); got.State != review.TargetListed || got.Reason == "" {
		t.Errorf("got %+v", got)
	}
}

func TestChangedGroundReopensAnApprovedCase(t *testing.T) {
	d, post := approvedDesk(t)
	c := d.decide("ana", input(post))
	c, err := d.approve("bilal", c.Ordinal, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.MayReport(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	d.set("demo", "carla", "https://t.me/example_simulated", true)
	_, err = d.MayReport(t.Context(), c)
	refused(t, err, review.NotApprovedTarget, "")
	if err := d.approveTarget("bilal", "demo"); err != nil {
		t.Fatal(err)
	}
	_, err = d.MayReport(t.Context(), c)
	refused(t, err, review.ChangedSince, "")
	if again := d.decide("ana", input(post)); again.Ordinal != c.Ordinal || again.Status != review.CaseDecided {
		t.Errorf("got %+v", again)
	}
}
