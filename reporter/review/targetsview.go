package review

import (
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// The states of a target.
const (
	TargetListed    = "listed" // set, and waiting for a second person
	TargetApproved  = "approved"
	TargetSuspended = "suspended"
	TargetRemoved   = "removed"
)

// Target is an entry of the targets view under its ordinal, such as `t7`. The keys `id/ID` and `account/aN/tN` lead to it.
type Target struct {
	Ordinal      evidence.Ordinal   `json:"ordinal"`
	ID           string             `json:"id"`
	Platform     string             `json:"platform"`
	Address      string             `json:"address"`
	Organisation string             `json:"organisation"` // name
	Report       bool               `json:"report"`
	ListedBy     string             `json:"listed_by"`
	Set          evidence.RecordRef `json:"set"` // the target.set that stands

	State string `json:"state"`
	// Round is one more than the number of the record that last changed what an approval would approve. A statement names it, so
	// that a signature cannot be handed in twice.
	Round      int64            `json:"round"`
	ApprovedBy string           `json:"approved_by,omitempty"`
	ApprovedAt evidence.Time    `json:"approved_at,omitzero"`
	Until      evidence.Time    `json:"until,omitzero"` // an approval that ends
	Emergency  bool             `json:"emergency,omitempty"`
	EmergedIn  int64            `json:"emerged_in,omitempty"` // number of the target.set that had its emergency start
	Reason     string           `json:"reason,omitempty"`     // of a suspension or removal
	By         evidence.Ordinal `json:"by,omitempty"`         // who suspended or removed
	Account    evidence.Ordinal `json:"account,omitempty"`    // what the address resolved to
}

// Collectable reports whether the target may be observed at the time.
func (t Target) Collectable(now time.Time) bool {
	return t.State == TargetApproved && (t.Until.IsZero() || now.Before(t.Until.Time))
}

// Reportable reports whether what the target published may be reported at the time: a second person approved it, and it is
// set to be reported. An emergency start by one person allows collection only.
func (t Target) Reportable(now time.Time) bool {
	return t.Report && !t.Emergency && t.Collectable(now)
}

func applyTargets(r evidence.Record, kv evidence.KV) error {
	switch r.Kind {
	case evidence.KindTargetSet:
		return applyTargetSet(r, kv)
	case evidence.KindTargetApproved, evidence.KindTargetSuspended, evidence.KindTargetRemoved, evidence.KindTargetBound:
	default:
		return nil
	}
	var t Target
	if ok, err := load(kv, string(r.Subject), &t); !ok {
		return err
	}
	switch r.Kind {
	case evidence.KindTargetBound:
		return applyTargetBound(r, t, kv)
	case evidence.KindTargetApproved:
		b, ok := body[*evidence.TargetApproved](r)
		if !ok {
			return nil
		}
		st, ok := statement(b.Signed)
		if !ok || st.Confirms == nil || *st.Confirms != t.Set {
			return nil
		}
		t.State, t.ApprovedBy, t.ApprovedAt, t.Until, t.Reason, t.By = TargetApproved, st.Person, r.At, st.Until, "", ""
		if t.Emergency = st.Person == t.ListedBy; t.Emergency {
			t.EmergedIn = t.Set.Seq
		}
	case evidence.KindTargetSuspended:
		b, ok := body[*evidence.TargetSuspended](r)
		if ok {
			t.Reason = b.Reason
		}
		t.State, t.By = TargetSuspended, r.Actor
	case evidence.KindTargetRemoved:
		b, ok := body[*evidence.TargetRemoved](r)
		if ok {
			t.Reason = b.Reason
		}
		t.State, t.By = TargetRemoved, r.Actor
	}
	t.Round = r.Seq + 1
	return put(kv, string(t.Ordinal), t)
}

// applyTargetSet lists the target anew: an approval does not outlive a change, a suspension does.
func applyTargetSet(r evidence.Record, kv evidence.KV) error {
	b, ok := body[*evidence.TargetSet](r)
	if !ok {
		return nil
	}
	var old Target
	if _, err := load(kv, string(r.Subject), &old); err != nil {
		return err
	}
	t := Target{
		Ordinal: r.Subject, ID: b.Key, Platform: b.Platform, Address: b.Address, Organisation: b.Organisation.Name,
		Report: b.Report, ListedBy: b.ListedBy, Set: refOf(r), State: TargetListed, Round: r.Seq + 1, EmergedIn: old.EmergedIn,
	}
	if old.State == TargetSuspended {
		t.State, t.Reason, t.By = TargetSuspended, old.Reason, old.By
	}
	if old.Address == t.Address {
		t.Account = old.Account
	}
	if err := kv.Put("id/"+t.ID, []byte(t.Ordinal)); err != nil {
		return err
	}
	return put(kv, string(t.Ordinal), t)
}

func applyTargetBound(r evidence.Record, t Target, kv evidence.KV) error {
	b, ok := body[*evidence.TargetBound](r)
	if !ok || b.Account.Ordinal == "" {
		return nil
	}
	if t.Account != "" && t.Account != b.Account.Ordinal {
		t.State, t.Round, t.Reason = TargetListed, r.Seq+1, "its address resolves to another account than the approved one"
	}
	t.Account = b.Account.Ordinal
	if err := kv.Put("account/"+string(t.Account)+"/"+string(t.Ordinal), []byte(t.Ordinal)); err != nil {
		return err
	}
	return put(kv, string(t.Ordinal), t)
}
