package review_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// listOf is the list that a person signs over targets as they are to be set.
func listOf(sets ...*evidence.TargetSet) review.List {
	var all []review.Listing
	for _, s := range sets {
		all = append(all, review.Listing{ID: s.Key, Effective: s.Effective()})
	}
	return review.NewList(all)
}

func (d *desk) prepareListing(person string, l review.List) (string, error) {
	root, err := l.Root()
	if err != nil {
		d.t.Fatal(err)
	}
	return d.PrepareListing(d.t.Context(), person, int64(l.Len()), root, "")
}

// list lets a person sign that they listed the targets.
func (d *desk) list(person string, sets ...*evidence.TargetSet) evidence.Signed {
	d.t.Helper()
	l := listOf(sets...)
	payload, err := d.prepareListing(person, l)
	if err != nil {
		d.t.Fatal(err)
	}
	signed := d.sign(person, payload)
	if _, err := d.SignListing(d.t.Context(), person, signed, l.Text()); err != nil {
		d.t.Fatal(err)
	}
	return signed
}

// unsigned sets a target as a file does that anybody can write.
func (d *desk) unsigned(s *evidence.TargetSet) {
	d.t.Helper()
	d.put(evidence.Vault(), evidence.Target(s.Key), s)
}

func TestListedByIsNotEnough(t *testing.T) {
	d := newDesk(t)
	front := targetSet("front", "ana", "https://t.me/front_simulated", true)
	d.unsigned(front)
	set := seq(d.target("front").Set.Seq)
	refused(t, d.approveTarget("bilal", "front"), review.NotListed,
		"ana, who is named in listed_by of target front, has not signed the listing as record "+set+" set it; they sign it first: muhafiz watch sign front --as ana")

	other := *front
	other.ListedBy = "bilal"
	d.list("bilal", &other, front)
	refused(t, d.approveTarget("bilal", "front"), review.NotListed, "")

	d.list("ana", front)
	if err := d.approveTarget("bilal", "front"); err != nil {
		t.Fatal(err)
	}
}

func TestASignedListingDoesNotOutliveAChange(t *testing.T) {
	d := newDesk(t)
	front := targetSet("front", "ana", "https://t.me/front_simulated", true)
	old := d.list("ana", front)
	d.unsigned(front)
	moved := *front
	moved.Address = "https://t.me/moved_simulated"
	d.unsigned(&moved)
	refused(t, d.approveTarget("bilal", "front"), review.NotListed, "")

	changed := seq(d.target("front").Set.Seq)
	d.unsigned(front)
	refused(t, d.approveTarget("bilal", "front"), review.NotListed,
		"ana signed the listing of target front before it was changed or removed (record "+changed+"); they look at it and sign it again: muhafiz watch sign front --as ana")
	_, err := d.SignListing(t.Context(), "ana", old, listOf(front).Text())
	refused(t, err, review.BadStatement, "")
	if !strings.Contains(err.Error(), "this listing is already recorded") {
		t.Error(err)
	}

	d.list("ana", front)
	d.put(evidence.Person("ana"), evidence.Target("front"), &evidence.TargetRemoved{Reason: "a mistake (simulated)"})
	d.unsigned(front)
	refused(t, d.approveTarget("bilal", "front"), review.NotListed, "")
	d.list("ana", front)
	if err := d.approveTarget("bilal", "front"); err != nil {
		t.Fatal(err)
	}
}

func TestAListingIsSignedWithOnesOwnKey(t *testing.T) {
	d := newDesk(t)
	front := targetSet("front", "ana", "https://t.me/front_simulated", true)
	l := listOf(front)
	payload, err := d.prepareListing("ana", l)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.SignListing(t.Context(), "ana", d.sign("bilal", payload), l.Text())
	refused(t, err, review.WrongKey, "this was signed with the key of bilal and not with that of ana; each person signs with their own")
	_, err = d.SignListing(t.Context(), "bilal", d.sign("bilal", payload), l.Text())
	refused(t, err, review.WrongPerson, "")
	_, err = d.prepareListing("dina", l)
	refused(t, err, review.Role, "dina may not list targets: that takes the role analyst or reviewer or senior")

	// The key that the roster held for ana for a moment was bilal's.
	ana := d.keys["ana"]
	d.keys["ana"] = d.keys["bilal"]
	d.enlist("ana", "analyst", d.keys["bilal"], false)
	d.list("ana", front)
	d.keys["ana"] = ana
	d.enlist("ana", "analyst", ana, false)
	d.unsigned(front)
	refused(t, d.approveTarget("bilal", "front"), review.NotListed,
		"the listing of target front is signed with a key that the roster no longer holds for ana; they sign it again: muhafiz watch sign front --as ana")
	d.list("ana", front)
	d.enlist("ana", "analyst", ana, true)
	refused(t, d.approveTarget("bilal", "front"), review.NotListed,
		"ana, who is named in listed_by of target front, is not on the roster; somebody who is puts their own name there and signs: muhafiz watch sign front")
}

func TestAListingIsOfThisVaultAndThisTime(t *testing.T) {
	d, elsewhere := newDesk(t), newDesk(t)
	front := targetSet("front", "ana", "https://t.me/front_simulated", true)
	l := listOf(front)
	elsewhere.keys = d.keys
	elsewhere.enlist("ana", "analyst", d.keys["ana"], false)
	foreign := elsewhere.list("ana", front)
	_, err := d.SignListing(t.Context(), "ana", foreign, l.Text())
	refused(t, err, review.WrongVault, "the statement was made for vault "+elsewhere.vault.ID()+" and this is vault "+d.vault.ID()+"; prepare it here")

	payload, err := d.prepareListing("ana", l)
	if err != nil {
		t.Fatal(err)
	}
	st, err := review.ParseStatement(payload)
	if err != nil {
		t.Fatal(err)
	}
	hand := func(change func(*evidence.Statement)) error {
		forged := st
		lists := *st.Lists
		forged.Lists = &lists
		change(&forged)
		p, err := review.EncodeStatement(forged)
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.SignListing(t.Context(), "ana", d.sign("ana", p), l.Text())
		return err
	}
	refused(t, hand(func(s *evidence.Statement) { s.Lists.Log += 1000 }), review.BadStatement, "the statement speaks of record "+seq(st.Lists.Log+999)+", which has not come yet; prepare it again")
	refused(t, hand(func(s *evidence.Statement) { s.Lists.Root = evidence.Sum(nil) }), review.BadStatement, "the list is not the one that was signed; sign it again")
	refused(t, hand(func(s *evidence.Statement) { s.Lists.Targets = 0 }), review.BadStatement, "the statement lists 0 targets; one signature is for 1 to 200000: sign them in parts")
	refused(t, hand(func(s *evidence.Statement) { s.Time = evidence.At(d.now.Add(time.Hour)) }), review.BadStatement, "")
	refused(t, hand(func(s *evidence.Statement) { s.Type = evidence.StatementTargetApproval }), review.BadStatement, `this is a signed "target-approval", and a "listing" was asked for`)
	refused(t, hand(func(s *evidence.Statement) { s.Confirms = &evidence.RecordRef{} }), review.BadStatement, "the statement holds fields of another type; prepare it again")
	if err := hand(func(*evidence.Statement) {}); err != nil {
		t.Fatal(err)
	}

	newest := d.now
	d.Newest = func() time.Time { return newest }
	d.now = d.now.Add(-time.Hour)
	_, err = d.prepareListing("ana", l)
	refused(t, err, review.Clock, "")
}

func TestListsAreReadInOneForm(t *testing.T) {
	one := evidence.ListingLine("front", evidence.Sum(nil)) + "\n"
	for name, text := range map[string]string{
		"empty": "", "cut off": strings.TrimSpace(one), "twice": one + one, "no id": evidence.Sum(nil).String() + "  \n",
		"upper case": strings.ToUpper(one), "spaces": strings.Replace(one, "front", "fr ont", 1), "not hex": "x" + one[1:], "blank line": one + "\n",
	} {
		if _, err := review.ParseList(text); review.CodeOf(err) != review.BadStatement {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if l, err := review.ParseList(one); err != nil || l.Text() != one {
		t.Errorf("got %q, %v", l.Text(), err)
	}
}

func FuzzParseList(f *testing.F) {
	f.Add(listOf(targetSet("a", "ana", "b", false), targetSet("c", "ana", "d", true)).Text())
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		if l, err := review.ParseList(text); err == nil && l.Text() != text {
			t.Errorf("%q came back as %q", text, l.Text())
		}
	})
}

func TestOneSignatureForAList(t *testing.T) {
	d := newDesk(t)
	var sets []*evidence.TargetSet
	for i := range 481 {
		sets = append(sets, targetSet(fmt.Sprintf("row-%03d", i), "ana", fmt.Sprintf("https://t.me/row_simulated_%03d", i), false))
	}
	d.list("ana", sets...)
	for _, i := range []int{0, 480} {
		d.unsigned(sets[i])
		if err := d.approveTarget("bilal", sets[i].Key); err != nil {
			t.Fatal(err)
		}
	}
	if n := d.count(evidence.KindTargetListed); n != 2 { // the other is newDesk's
		t.Errorf("%d signatures", n)
	}
}

// TestAnEarlierVault has an approval of before there were signed listings: it holds, and its renewal takes the signature.
func TestAnEarlierVault(t *testing.T) {
	d := newDesk(t)
	front := targetSet("front", "ana", "https://t.me/front_simulated", true)
	d.unsigned(front)
	set := d.target("front").Set
	payload, err := review.EncodeStatement(evidence.Statement{
		Type: evidence.StatementTargetApproval, Vault: d.vault.ID(), Person: "bilal", Confirms: &set, Agree: true,
		Until: evidence.At(d.now.Add(time.Hour)),
	})
	if err != nil {
		t.Fatal(err)
	}
	d.put(evidence.Person("bilal"), evidence.Target("front"), &evidence.TargetApproved{Signed: d.sign("bilal", payload)})
	if got := d.target("front"); !got.Reportable(d.now) {
		t.Errorf("got %+v", got)
	}
	refused(t, d.Signings().Unsigned(t.Context(), d.target("front")), review.NotListed, "")
	refused(t, d.approveTarget("bilal", "front"), review.NotListed, "")
	d.list("ana", front)
	if err := d.approveTarget("bilal", "front"); err != nil {
		t.Fatal(err)
	}
}
