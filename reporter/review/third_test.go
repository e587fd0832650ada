package review_test

import (
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

func (d *desk) adjudicate(person string, c evidence.Ordinal, agree bool, comment string) (review.Case, error) {
	d.t.Helper()
	payload, err := d.PrepareAdjudication(d.t.Context(), person, c, agree, comment)
	if err != nil {
		return review.Case{}, err
	}
	return d.Adjudicate(d.t.Context(), person, d.sign(person, payload))
}

func TestAThirdPersonDecidesADisagreement(t *testing.T) {
	for _, agree := range []bool{true, false} {
		d, post := approvedDesk(t)
		c := d.decide("ana", input(post))
		_, err := d.adjudicate("carla", c.Ordinal, true, "why")
		refused(t, err, review.WrongCase, "case c1 is decided; a third person decides only where a second one refused the decision")
		if c, err = d.approve("bilal", c.Ordinal, false); err != nil {
			t.Fatal(err)
		}
		_, err = d.adjudicate("bilal", c.Ordinal, true, "why")
		refused(t, err, review.Role, "bilal may not decide between two people: that takes the role senior")
		d.enlist("bilal", "senior", d.keys["bilal"], false)
		_, err = d.adjudicate("bilal", c.Ordinal, true, "why")
		refused(t, err, review.SamePerson, "bilal is one of the two who disagree on case c1; a third person decides between them")
		_, err = d.adjudicate("carla", c.Ordinal, agree, "why")
		refused(t, err, review.NotOpened, "")
		d.openCase("carla", c.Ordinal)
		_, err = d.adjudicate("carla", c.Ordinal, agree, "")
		refused(t, err, review.Incomplete, "say in a comment why the decision on case c1 stands or falls")
		c, err = d.adjudicate("carla", c.Ordinal, agree, "the quote speaks for itself")
		if err != nil {
			t.Fatal(err)
		}
		want := review.CaseClosed
		if agree {
			want = review.CaseApproved
		}
		if c.Status != want || c.Refused.Person != "bilal" || c.Approval.Person != "carla" || c.Decision.Person != "ana" {
			t.Errorf("got %+v", c)
		}
		w, err := d.Queue(t.Context(), "ana", 10)
		if err != nil || len(w.Posts)+len(w.Open)+len(w.Waiting) != 0 {
			t.Errorf("got %+v, %v", w, err)
		}
		_, err = d.adjudicate("carla", c.Ordinal, !agree, "second thoughts")
		refused(t, err, review.WrongCase, "")
		if _, err := d.MayReport(t.Context(), c); err != nil {
			t.Error(err)
		}
	}
}

func TestTheThirdPersonHasAKeyOfTheirOwn(t *testing.T) {
	d, post := approvedDesk(t)
	c := d.decide("ana", input(post))
	if _, err := d.approve("bilal", c.Ordinal, false); err != nil {
		t.Fatal(err)
	}
	d.keys["carla"] = d.keys["ana"]
	d.enlist("carla", "senior", d.keys["ana"], false)
	d.openCase("carla", c.Ordinal)
	_, err := d.adjudicate("carla", c.Ordinal, true, "why")
	refused(t, err, review.SameKey, "case c1 was signed with this very key by ana; the third person signs with their own")
}

func TestNobodySignsForWhatTheyHaveNotOpened(t *testing.T) {
	d, post := approvedDesk(t)
	_, err := d.PrepareDecision(t.Context(), "ana", input(post))
	refused(t, err, review.NotOpened, "ana has not opened exhibit 1 as it is now (record 11); open it and sign then: muhafiz review show a1/4 --as ana")
	payload := d.prepare("ana", input(post))
	d.post("1234", 4, "A newer bland text asks for donations (simulated)")
	newer := d.vault.Size() - 1
	_, err = d.PrepareDecision(t.Context(), "ana", input(post))
	refused(t, err, review.NotOpened, "ana has not opened exhibit 1 as it is now (record "+seq(newer)+"); open it and sign then: muhafiz review show a1/4 --as ana")
	_, err = d.Decide(t.Context(), "ana", d.sign("ana", payload))
	refused(t, err, review.ChangedSince, "")
	c := d.decide("ana", input(post))
	_, err = d.PrepareApproval(t.Context(), "bilal", c.Ordinal, true, "")
	refused(t, err, review.NotOpened, "")
	_, err = d.PrepareApproval(t.Context(), "bilal", c.Ordinal, false, "no")
	refused(t, err, review.NotOpened, "")
	d.open("bilal", post)
	if _, err = d.PrepareApproval(t.Context(), "bilal", c.Ordinal, true, ""); err != nil {
		t.Error(err)
	}
	// A client that signs what another person prepared is held to the same.
	st, err := review.ParseStatement(func() string { p, _ := d.PrepareApproval(t.Context(), "bilal", c.Ordinal, true, ""); return p }())
	if err != nil {
		t.Fatal(err)
	}
	roster, err := d.Roster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range roster {
		if p.ID == "carla" {
			st.Person, st.Fingerprint = p.ID, p.Fingerprint
		}
	}
	forged, err := review.EncodeStatement(st)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Approve(t.Context(), "carla", d.sign("carla", forged))
	refused(t, err, review.NotOpened, "")
}

func TestAReportNamesItsOffence(t *testing.T) {
	d, post := approvedDesk(t)
	for _, offence := range []string{"", "insults"} {
		in := input(post)
		in.Passages[0].Offence = offence
		_, err := d.PrepareDecision(t.Context(), "ana", in)
		refused(t, err, review.Incomplete, "say what exhibit 1 does, as one of: incites, solicits_act, solicits_participation, instructs, threatens, claims, glorifies, fundraises")
	}
}

func TestFurtherExhibitsFollowTheCaseBefore(t *testing.T) {
	d, post := approvedDesk(t)
	c := d.decide("ana", input(post))
	c, err := d.approve("bilal", c.Ordinal, true)
	if err != nil || c.Follows != "" {
		t.Fatalf("got %+v, %v", c, err)
	}
	next := d.decide("ana", input(d.post("1234", 9, "It asks for donations again (simulated)")))
	if next.Ordinal == c.Ordinal || next.Follows != c.Ordinal {
		t.Errorf("got %+v", next)
	}
}

func TestAClockThatWasSetBack(t *testing.T) {
	d, post := approvedDesk(t)
	d.set("urgent", "bilal", "https://t.me/urgent_simulated", true)
	payload, err := d.PrepareTargetApproval(t.Context(), "bilal", "urgent", true, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.ApproveTarget(t.Context(), "bilal", "urgent", d.sign("bilal", payload)); err != nil {
		t.Fatal(err)
	}
	d.open("ana", post)
	ahead := d.prepare("ana", input(post))
	newest := d.now.Add(25 * time.Hour) // the log went on for a day; then the clock is set back
	d.Newest = func() time.Time { return newest }
	if d.target("urgent").Collectable(d.Time()) {
		t.Error("an emergency start began again")
	}
	const want = "this machine's clock says 2026-03-01T09:00:00Z and the newest record is of 2026-03-02T10:00:00Z: the clock was set back; put it right before anybody signs"
	_, err = d.PrepareDecision(t.Context(), "ana", input(post))
	refused(t, err, review.Clock, want)
	_, err = d.Decide(t.Context(), "ana", d.sign("ana", ahead))
	refused(t, err, review.Clock, want)
	_, err = d.PrepareTargetApproval(t.Context(), "carla", "urgent", false, "")
	refused(t, err, review.Clock, want)
	if d.count(evidence.KindDecision) != 0 {
		t.Error("something was recorded")
	}
	newest = time.Time{}
	d.now = d.now.Add(-time.Hour)
	_, err = d.Decide(t.Context(), "ana", d.sign("ana", ahead))
	refused(t, err, review.BadStatement, "the statement is dated 2026-03-01T09:00:00Z, which has not come yet; prepare it again")
	// To stop a target needs no clock.
	if err := d.Suspend(t.Context(), "ana", "urgent", "in doubt"); err != nil {
		t.Error(err)
	}
}

func TestASignatureIsForOneCaseOnce(t *testing.T) {
	d, post := approvedDesk(t)
	other := d.post("1234", 9, "It asks for donations again (simulated)")
	c := d.decide("ana", input(post))
	d.openCase("bilal", c.Ordinal)
	payload, err := d.PrepareApproval(t.Context(), "bilal", c.Ordinal, false, "not clear enough")
	if err != nil {
		t.Fatal(err)
	}
	signed := d.sign("bilal", payload)
	if _, err := d.Approve(t.Context(), "bilal", signed); err != nil {
		t.Fatal(err)
	}
	_, err = d.Approve(t.Context(), "bilal", signed)
	refused(t, err, review.Conflict, "case c1 is already rejected, by bilal; nothing more was recorded")
	again := d.decide("ana", input(post))
	_, err = d.Approve(t.Context(), "bilal", signed)
	refused(t, err, review.ChangedSince, "case c1 has a newer decision (record "+seq(again.Decision.Seq)+"); look at it and approve again")
	second := d.decide("ana", input(other))
	st, err := review.ParseStatement(payload)
	if err != nil {
		t.Fatal(err)
	}
	st.Case, st.CaseVersion = second.Ordinal, second.Version
	moved, err := review.EncodeStatement(st)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Approve(t.Context(), "bilal", evidence.Signed{Payload: moved, Signature: signed.Signature})
	refused(t, err, review.BadSignature, "the signature does not match the statement; prepare it again and sign it unchanged")
	_, err = d.Adjudicate(t.Context(), "carla", signed)
	refused(t, err, review.WrongKey, "this was signed with the key of bilal and not with that of carla; each person signs with their own")
	_, err = d.Relist(t.Context(), "bilal", "demo", signed)
	refused(t, err, review.BadStatement, "this is a signed \"approval\", and a \"relisting\" was asked for")
	if d.count(evidence.KindApproval) != 1 {
		t.Error("something more was recorded")
	}
}
