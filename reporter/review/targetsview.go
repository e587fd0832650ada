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
	TargetInnocent  = "innocent" // marked as listed by mistake, under this id or another
)

// Target is an entry of the targets view under its ordinal, such as `t7`. The keys `id/ID` and `account/aN/tN` lead to it; see
// Stop and Listed for the view's other keys.
type Target struct {
	Ordinal      evidence.Ordinal   `json:"ordinal"`
	ID           string             `json:"id"`
	Platform     string             `json:"platform"`
	Address      string             `json:"address"`
	Organisation string             `json:"organisation"` // name
	Report       bool               `json:"report"`
	ListedBy     string             `json:"listed_by"`
	Set          evidence.RecordRef `json:"set"`       // the target.set that stands
	Effective    evidence.Digest    `json:"effective"` // of the target as it is set, see evidence.TargetSet.Effective
	// Since is one more than the number of the record that last changed the target before it was set as it stands: what was signed
	// before that is about an earlier listing.
	Since int64 `json:"since,omitempty"`

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

	Found evidence.Ordinal `json:"found,omitempty"` // another account to which its address was found to lead
	// Confirmed is the account that a person signed the target to be now, as the platform has it, and ConfirmedBy that person.
	Confirmed   string `json:"confirmed,omitempty"`
	ConfirmedBy string `json:"confirmed_by,omitempty"`

	Stop    *Stop              `json:"stop,omitempty"`    // what holds a suspended or innocent target
	Lifting *Signer            `json:"lifting,omitempty"` // who signed that it be lifted; it takes a second person
	Freed   evidence.RecordRef `json:"freed,omitzero"`    // the stop that two people lifted
}

// Stopped reports whether the target is suspended or marked: nothing of it is collected, shown or reported.
func (t Target) Stopped() bool { return t.State == TargetSuspended || t.State == TargetInnocent }

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
	case evidence.KindTargetListed:
		return applyTargetListed(r, kv)
	case evidence.KindTargetApproved, evidence.KindTargetSuspended, evidence.KindTargetRemoved, evidence.KindTargetBound,
		evidence.KindTargetMarked, evidence.KindTargetRelisted, evidence.KindTargetConfirmed, evidence.KindFinding:
	default:
		return nil
	}
	var t Target
	if ok, err := load(kv, string(r.Subject), &t); !ok {
		return err
	}
	var err error
	switch r.Kind {
	case evidence.KindTargetBound:
		return applyTargetBound(r, t, kv)
	case evidence.KindFinding:
		if b, ok := body[*evidence.Finding](r); ok && b.Rule == evidence.RuleIdentity && b.Now != nil {
			t.Found = b.Now.Ordinal
		}
		return put(kv, string(t.Ordinal), t)
	case evidence.KindTargetConfirmed:
		return applyTargetConfirmed(r, t, kv)
	case evidence.KindTargetApproved:
		if ok, err := applyTargetApproved(r, &t, kv); !ok {
			return err
		}
	case evidence.KindTargetSuspended:
		reason := ""
		if b, ok := body[*evidence.TargetSuspended](r); ok {
			reason = b.Reason
		}
		err = t.stop(r, reason, "", kv)
	case evidence.KindTargetMarked:
		err = applyTargetMarked(r, &t, kv)
	case evidence.KindTargetRelisted:
		err = applyTargetRelisted(r, &t, kv)
	case evidence.KindTargetRemoved:
		if b, ok := body[*evidence.TargetRemoved](r); ok {
			t.Reason = b.Reason
		}
		t.State, t.By = TargetRemoved, r.Actor
	}
	if err != nil {
		return err
	}
	t.Round = r.Seq + 1
	return put(kv, string(t.Ordinal), t)
}

// applyTargetApproved lets a target be collected; of a suspended one it takes two.
func applyTargetApproved(r evidence.Record, t *Target, kv evidence.KV) (bool, error) {
	b, ok := body[*evidence.TargetApproved](r)
	if !ok {
		return false, nil
	}
	st, ok := statement(b.Signed)
	if !ok || st.Confirms == nil || *st.Confirms != t.Set || t.State == TargetInnocent {
		return false, nil
	}
	if t.State == TargetSuspended && t.Stop != nil {
		if !t.lift(st) {
			return true, nil
		}
		if err := t.free(kv); err != nil {
			return false, err
		}
	}
	t.State, t.ApprovedBy, t.ApprovedAt, t.Until, t.Reason, t.By = TargetApproved, st.Person, r.At, st.Until, "", ""
	if t.Emergency = st.Person == t.ListedBy; t.Emergency {
		t.EmergedIn = t.Set.Seq
	}
	return true, nil
}

// applyTargetSet lists the target anew: an approval does not outlive a change; a suspension and a mark do, and they hold the same
// address or account under another id as well, also where the target had left the list in between.
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
		Effective: b.Effective(), Since: old.Round,
	}
	if old.Address == t.Address {
		t.Account, t.Found, t.Confirmed, t.ConfirmedBy = old.Account, old.Found, old.Confirmed, old.ConfirmedBy
		if old.Stop == nil && old.State != TargetRemoved {
			t.Freed = old.Freed
		}
	}
	if _, err := t.hold(kv); err != nil {
		return err
	}
	if err := kv.Put("id/"+t.ID, []byte(t.Ordinal)); err != nil {
		return err
	}
	return put(kv, string(t.Ordinal), t)
}

// hold stops a target that a stop is known for, and reports whether that changed it.
func (t *Target) hold(kv evidence.KV) (bool, error) {
	s, ok, err := t.standing(kv)
	if !ok || t.Stop != nil && t.Stop.RecordRef == s.RecordRef {
		return false, err
	}
	t.apply(s)
	return true, err
}

func applyTargetBound(r evidence.Record, t Target, kv evidence.KV) error {
	b, ok := body[*evidence.TargetBound](r)
	if !ok || b.Account.Ordinal == "" {
		return nil
	}
	if t.State == TargetApproved && t.Account != "" && t.Account != b.Account.Ordinal {
		t.State, t.Round, t.Reason = TargetListed, r.Seq+1, "its address resolves to another account than the approved one"
	}
	t.Account = b.Account.Ordinal
	if err := kv.Put("account/"+string(t.Account)+"/"+string(t.Ordinal), []byte(t.Ordinal)); err != nil {
		return err
	}
	if t.Stop != nil && t.Stop.Target == t.Ordinal { // a reply that was under way when the target was stopped
		t.Stop.Account = t.Account
		if err := t.Stop.save(kv); err != nil {
			return err
		}
	} else if t.State != TargetRemoved {
		changed, err := t.hold(kv)
		if err != nil {
			return err
		}
		if changed {
			t.Round = r.Seq + 1
		}
	}
	return put(kv, string(t.Ordinal), t)
}

// applyTargetConfirmed makes the target another account, which is to be approved anew; a stop of it stands, and one of that account holds.
func applyTargetConfirmed(r evidence.Record, t Target, kv evidence.KV) error {
	b, ok := body[*evidence.TargetConfirmed](r)
	if !ok || b.Account.Ordinal == "" {
		return nil
	}
	st, ok := statement(b.Signed)
	if !ok || st.Type != evidence.StatementIdentity || st.Confirms == nil || *st.Confirms != t.Set {
		return nil
	}
	t.Account, t.Confirmed, t.ConfirmedBy, t.Round = b.Account.Ordinal, st.Identity, st.Person, r.Seq+1
	if t.State == TargetApproved {
		t.State, t.Reason = TargetListed, "a person confirmed that it is another account than the approved one"
	}
	if err := kv.Put("account/"+string(t.Account)+"/"+string(t.Ordinal), []byte(t.Ordinal)); err != nil {
		return err
	}
	if t.State != TargetRemoved {
		if _, err := t.hold(kv); err != nil {
			return err
		}
	}
	return put(kv, string(t.Ordinal), t)
}
