package review_test

import (
	"context"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// erased is a log in which the body of one record, or of all of them, is gone: the records and the views say so.
type erased struct {
	review.Log
	bare int64 // -1: all
	kv   map[string]*vaulttest.KV
}

func (e erased) strip(r evidence.Record) evidence.Record {
	if e.bare == r.Seq || e.bare < 0 {
		r.Body = nil
	}
	return r
}

func (e erased) Record(ctx context.Context, seq int64) (evidence.Record, error) {
	r, err := e.Log.Record(ctx, seq)
	return e.strip(r), err
}

func (e erased) About(ctx context.Context, o evidence.Ordinal, fn func(evidence.Record) error) error {
	return e.Log.About(ctx, o, func(r evidence.Record) error { return fn(e.strip(r)) })
}

func (e erased) Get(_ context.Context, view, key string) ([]byte, int64, error) {
	value, version := e.kv[view].Get(key)
	return value, version, nil
}

func (e erased) Each(_ context.Context, view, prefix string, fn func(string, []byte, int64) error) (err error) {
	e.kv[view].Each(prefix, func(key string, value []byte, version int64) bool {
		err = fn(key, value, version)
		return err == nil
	})
	return err
}

// Put writes nothing. Looks count as written, so that what they ask for is shown.
func (e erased) Put(_ context.Context, b evidence.Batch) ([]evidence.Record, error) {
	for _, d := range b.Drafts {
		if d.Body.Kind() != evidence.KindAccess {
			return nil, evidence.ErrConflict
		}
	}
	return nil, nil
}

// lived is a vault in which everything happened that can happen to a case and to a target.
func lived(t *testing.T) (*desk, []evidence.Record) {
	t.Helper()
	d, post := approvedDesk(t)
	must := func(_ review.Case, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	// Approved, in a notice that was withdrawn, approved again and sent.
	c := d.decide("ana", input(post))
	must(d.approve("bilal", c.Ordinal, true))
	for _, bodies := range [][]evidence.Body{
		{&evidence.NoticeDrafted{Key: "n", Cases: []evidence.NoticeCase{{Case: c.Ordinal}}}, &evidence.NoticeWithdrawn{}},
		{&evidence.NoticeDrafted{Key: "m", Cases: []evidence.NoticeCase{{Case: c.Ordinal}}}, &evidence.NoticeAttempted{}, &evidence.NoticeSent{}},
	} {
		for _, b := range bodies {
			d.put(evidence.Vault(), evidence.Notice(bodies[0].(*evidence.NoticeDrafted).Key), b)
		}
	}
	// Refused, and settled by a third person either way; blind and not.
	for i, outcome := range []string{review.OutcomeReport, review.OutcomeReport, review.OutcomeNoAction, review.OutcomeNoAction} {
		in := input(d.post("1234", int64(10+i), "Another text asks for donations (simulated)"))
		in.Outcome, in.Comment, d.Blind = outcome, "simulated", outcome == review.OutcomeNoAction
		c := d.decide("ana", in)
		if d.Blind {
			must(d.answer("bilal", c.Ordinal, review.OutcomeReport, ""))
		} else {
			must(d.approve("bilal", c.Ordinal, false))
		}
		d.openCase("carla", c.Ordinal)
		must(d.adjudicate("carla", c.Ordinal, i%2 == 0, "simulated"))
	}
	// One that waits, and a target that was suspended, marked, relisted and approved again.
	d.decide("ana", input(d.post("1234", 20, "It asks for donations (simulated)")))
	if _, err := d.Mark(t.Context(), "dina", "demo", "journalist", "simulated"); err != nil {
		t.Fatal(err)
	}
	for _, person := range []string{"bilal", "carla"} {
		payload, err := d.PrepareRelisting(t.Context(), person, "demo", "simulated")
		if err == nil {
			_, err = d.Relist(t.Context(), person, "demo", d.sign(person, payload))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := d.approveTarget("bilal", "demo"); err != nil {
		t.Fatal(err)
	}
	var all []evidence.Record
	if err := d.vault.Records(t.Context(), 0, func(r evidence.Record) error { all = append(all, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return d, all
}

// TestNothingFallsOverAnErasedBody removes each body in turn, replays the views and asks the desk everything.
func TestNothingFallsOverAnErasedBody(t *testing.T) {
	d, all := lived(t)
	vaulttest.Erased(t, all, review.Views(), func(bare int64, kv map[string]*vaulttest.KV) {
		desk := *d.Desk
		desk.Log = erased{d.vault, bare, kv}
		defer func() {
			if p := recover(); p != nil {
				t.Errorf("the body of record %d removed: %v", bare, p)
			}
		}()
		ask(t.Context(), &desk)
	})
}

// ask puts every question and every act to the desk; what it answers is of no matter here, only that it does.
func ask(ctx context.Context, d *review.Desk) {
	for _, blind := range []bool{false, true} {
		d.Blind = blind
		for _, person := range []string{"ana", "bilal", "carla", "dina"} {
			d.Queue(ctx, person, 5)
			d.Redress(ctx, person, "demo")
			d.PrepareTargetApproval(ctx, person, "demo", false, "")
			d.PrepareRelisting(ctx, person, "demo", "why")
			for _, post := range []evidence.Ordinal{"a1/4", "a1/10", "a1/12", "a1/20"} {
				d.Show(ctx, person, post)
				d.PrepareDecision(ctx, person, input(post))
			}
			for _, c := range []evidence.Ordinal{"c1", "c2", "c3", "c4", "c5", "c6"} {
				if k, err := d.Case(ctx, c); err == nil {
					d.MayReport(ctx, k)
				}
				d.ShowCase(ctx, person, c)
				for _, agree := range []bool{true, false} {
					d.PrepareApproval(ctx, person, c, agree, "why")
					d.PrepareAdjudication(ctx, person, c, agree, "why")
				}
				d.PrepareBlindApproval(ctx, person, c, review.OutcomeReport, "why")
			}
		}
	}
}

func TestAMarkOutlivesItsBody(t *testing.T) {
	d, _ := approvedDesk(t)
	if _, err := d.Mark(t.Context(), "dina", "demo", "journalist", "simulated"); err != nil {
		t.Fatal(err)
	}
	var all []evidence.Record
	if err := d.vault.Records(t.Context(), 0, func(r evidence.Record) error { all = append(all, r); return nil }); err != nil {
		t.Fatal(err)
	}
	vaulttest.Erased(t, all, review.Views(), func(bare int64, kv map[string]*vaulttest.KV) {
		if bare < 0 || all[bare].Kind != evidence.KindTargetMarked && all[bare].Kind != evidence.KindTargetSuspended {
			return
		}
		desk := *d.Desk
		desk.Log = erased{d.vault, bare, kv}
		if target, _, err := desk.Target(t.Context(), "demo"); err != nil || target.State != review.TargetInnocent {
			t.Errorf("without the body of %s the target is %q, %v", all[bare].Kind, target.State, err)
		}
	})
}
