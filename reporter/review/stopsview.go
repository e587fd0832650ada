package review

import (
	"errors"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Stop is a suspension or a mark that stands. It is an entry of the targets view under `stop/tN`; the keys `stop-address/ADDRESS tN`
// and `stop-account/aN tN` lead to it, so that the same account does not come back under another id.
type Stop struct {
	evidence.RecordRef
	Target   evidence.Ordinal `json:"target"`
	ID       string           `json:"id"`
	By       evidence.Ordinal `json:"by"`
	Also     evidence.Ordinal `json:"also,omitempty"` // who suspended it before it was marked
	ListedBy string           `json:"listed_by"`
	At       evidence.Time    `json:"at"`
	Reason   string           `json:"reason"`
	Category string           `json:"category,omitempty"` // of an innocent mark; empty for a suspension
	Address  string           `json:"address"`
	Account  evidence.Ordinal `json:"account,omitempty"`
}

// Signer is a person and the key that they signed with.
type Signer struct {
	Person      string `json:"person"`
	Fingerprint string `json:"fingerprint"`
}

func stopKey(t evidence.Ordinal) string { return "stop/" + string(t) }

// Both end in a space, which no address and no ordinal holds; the target's ordinal follows.
func stopAddressPrefix(address string) string {
	return "stop-address/" + strings.ToLower(address) + " "
}
func stopAccountPrefix(a evidence.Ordinal) string { return "stop-account/" + string(a) + " " }

// stop makes a stop of a suspension, or of a mark where the category says so, and stops the target. A mark takes the place of a
// suspension, never the other way round.
func (t *Target) stop(r evidence.Record, reason, category string, kv evidence.KV) error {
	s := Stop{
		RecordRef: refOf(r), Target: t.Ordinal, ID: t.ID, By: r.Actor, ListedBy: t.ListedBy, At: r.At,
		Reason: reason, Category: category, Address: t.Address, Account: t.Account,
	}
	var old Stop
	if ok, err := load(kv, stopKey(t.Ordinal), &old); err != nil {
		return err
	} else if ok && old.Category != "" && category == "" {
		s.Category, s.RecordRef, s.By, s.Also = old.Category, old.RecordRef, old.By, r.Actor
	} else if ok {
		s.Also, s.At = old.By, old.At
	}
	t.apply(s)
	return s.save(kv)
}

func (s Stop) save(kv evidence.KV) error {
	if err := put(kv, stopKey(s.Target), s); err != nil {
		return err
	}
	if err := kv.Put(stopAddressPrefix(s.Address)+string(s.Target), []byte(s.Target)); err != nil || s.Account == "" {
		return err
	}
	return kv.Put(stopAccountPrefix(s.Account)+string(s.Target), []byte(s.Target))
}

func (s Stop) remove(kv evidence.KV) error {
	keys := []string{stopKey(s.Target), stopAddressPrefix(s.Address) + string(s.Target)}
	if s.Account != "" {
		keys = append(keys, stopAccountPrefix(s.Account)+string(s.Target))
	}
	for _, k := range keys {
		if err := kv.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// apply puts the target into the state that a stop asks for.
func (t *Target) apply(s Stop) {
	t.State, t.Reason, t.By, t.Stop = TargetSuspended, s.Reason, s.By, &s
	if s.Category != "" {
		t.State = TargetInnocent
	}
	t.Lifting, t.Emergency, t.Until, t.ApprovedBy = nil, false, evidence.Time{}, ""
	t.ApprovedAt = evidence.Time{}
}

// standing finds a stop that holds the target: its own, one of its address or one of its account. One that the target was freed
// from by two people holds it no more.
func (t *Target) standing(kv evidence.KV) (Stop, bool, error) {
	of := []evidence.Ordinal{t.Ordinal}
	collect := func(_ string, value []byte, _ int64) bool { of = append(of, evidence.Ordinal(value)); return true }
	kv.Each(stopAddressPrefix(t.Address), collect)
	if t.Account != "" {
		kv.Each(stopAccountPrefix(t.Account), collect)
	}
	var found Stop
	for _, o := range of {
		var s Stop
		ok, err := load(kv, stopKey(o), &s)
		if err != nil {
			return found, false, err
		}
		// A mark weighs more than a suspension.
		if ok && s.RecordRef != t.Freed && (found.ID == "" || found.Category == "" && s.Category != "") {
			found = s
		}
	}
	return found, found.ID != "", nil
}

// free lifts the stop that holds the target. A target's own stop is gone with that; another's stays for what else it holds.
func (t *Target) free(kv evidence.KV) error {
	s := *t.Stop
	t.Freed, t.Stop, t.Lifting, t.Reason, t.By = s.RecordRef, nil, nil, "", ""
	if s.Target != t.Ordinal {
		return nil
	}
	return s.remove(kv)
}

// lift notes one of the two people whom it takes to free a target, and reports whether both have spoken.
func (t *Target) lift(st evidence.Statement) bool {
	if t.Lifting != nil {
		return true
	}
	t.Lifting = &Signer{st.Person, st.Fingerprint}
	return false
}

// applyTargetMarked stops a target that is innocent. Erasing why takes the reason away and not the mark, or whoever erases it would lift
// it; the only mark there is says innocent.
func applyTargetMarked(r evidence.Record, t *Target, kv evidence.KV) error {
	b, err := evidence.Decode[*evidence.TargetMarked](r)
	if errors.Is(err, evidence.ErrErased) {
		return t.stop(r, "", categories[len(categories)-1], kv)
	}
	if err != nil || b.Mark != evidence.MarkInnocent {
		return nil //nolint:nilerr // a view skips what a later build writes
	}
	return t.stop(r, b.Reason, b.Category, kv)
}

func applyTargetRelisted(r evidence.Record, t *Target, kv evidence.KV) error {
	b, ok := body[*evidence.TargetRelisted](r)
	if !ok || t.State != TargetInnocent {
		return nil
	}
	st, ok := statement(b.Signed)
	if !ok || st.Lifts == nil || *st.Lifts != t.Stop.RecordRef || st.Confirms == nil || *st.Confirms != t.Set || !t.lift(st) {
		return nil
	}
	t.State = TargetListed
	return t.free(kv)
}
