package review

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// ViewErasures is the name of the view of what two people want erased, by the target's ordinal.
const ViewErasures = "erasures"

// Erasure is an entry of that view: what was collected of a wrongly listed account is to go.
type Erasure struct {
	Target    evidence.Ordinal   `json:"target"`
	Stop      evidence.RecordRef `json:"stop"` // the suspension or mark on which it rests
	Reason    string             `json:"reason"`
	First     Signer             `json:"first"`
	FirstSeq  int64              `json:"first_record"`
	FirstAt   evidence.Time      `json:"first_at"`
	Second    *Signer            `json:"second,omitempty"` // nil: one word, which erases nothing
	SecondSeq int64              `json:"second_record,omitempty"`
	SecondAt  evidence.Time      `json:"second_at,omitzero"`
	Done      evidence.Time      `json:"done,omitzero"` // when something was erased last under it
	Bodies    int64              `json:"bodies"`        // that were
}

// RuleWrongListing is the rule of an `erased` record that two people ordered.
const RuleWrongListing = "wrong listing, two people"

// applyErasures notes who wants what was collected of a target erased, and that it was.
func applyErasures(r evidence.Record, kv evidence.KV) error {
	if r.Kind == evidence.KindErased {
		return applyErasureDone(r, kv)
	}
	if r.Kind != evidence.KindTargetErasure {
		return nil
	}
	b, ok := body[*evidence.TargetErasure](r)
	if !ok {
		return nil
	}
	st, ok := statement(b.Signed)
	if !ok || st.Lifts == nil {
		return nil
	}
	var e Erasure
	if ok, err := load(kv, string(r.Subject), &e); err != nil {
		return err
	} else if !ok || e.Stop != *st.Lifts {
		e = Erasure{
			Target: r.Subject, Stop: *st.Lifts, Reason: st.Comment, First: Signer{st.Person, st.Fingerprint}, FirstSeq: r.Seq, FirstAt: r.At,
		}
		return put(kv, string(r.Subject), e)
	}
	if e.Second == nil && st.Person != e.First.Person && st.Fingerprint != e.First.Fingerprint {
		e.Second, e.SecondSeq, e.SecondAt = &Signer{st.Person, st.Fingerprint}, r.Seq, r.At
	}
	return put(kv, string(r.Subject), e)
}

func applyErasureDone(r evidence.Record, kv evidence.KV) error {
	b, ok := body[*evidence.Erased](r)
	if !ok || b.Rule != RuleWrongListing {
		return nil
	}
	var e Erasure
	if ok, err := load(kv, string(r.Subject), &e); !ok {
		return err
	}
	e.Done = r.At
	for _, run := range b.Records {
		e.Bodies += run.Last - run.First + 1
	}
	return put(kv, string(r.Subject), e)
}

// PrepareErasure returns the statement that a person is to sign who wants what was collected of a stopped target erased.
func (d *Desk) PrepareErasure(ctx context.Context, person, target, reason string) (string, error) {
	return d.prepareTargetWord(ctx, person, target, evidence.Statement{Type: evidence.StatementErasure, Comment: reason})
}

// Erasing records one of the two signed words that it takes. After the second, the caller erases. A hold on anything of the target stops
// both: it wins until it is released.
func (d *Desk) Erasing(ctx context.Context, person, target string, s evidence.Signed) (Erasure, Target, error) {
	p, t, _, err := d.targetWord(ctx, person, target, evidence.StatementErasure, s)
	if err != nil {
		return Erasure{}, t, err
	}
	_, erasures, err := d.erasure(ctx, t)
	if err != nil {
		return Erasure{}, t, err
	}
	holds, err := d.get(ctx, ViewHolds, HoldsHead, new(int64))
	if err != nil {
		return Erasure{}, t, err
	}
	if err := d.notHeld(ctx, t); err != nil {
		return Erasure{}, t, err
	}
	_, err = d.act(ctx, p, evidence.Target(t.ID), &evidence.TargetErasure{Signed: s}, "somebody else acted on target "+t.ID+" meanwhile; look at it and sign again",
		evidence.Expect{View: ViewErasures, Key: string(t.Ordinal), Version: erasures}, evidence.Expect{View: ViewHolds, Key: HoldsHead, Version: holds})
	if err != nil {
		return Erasure{}, t, err
	}
	e, _, err := d.erasure(ctx, t)
	return e, t, err
}

// erasure returns what is wanted of a target as it is stopped now; a zero one where nothing is.
func (d *Desk) erasure(ctx context.Context, t Target) (Erasure, int64, error) {
	var e Erasure
	version, err := d.get(ctx, ViewErasures, string(t.Ordinal), &e)
	if t.Stop == nil || e.Stop != t.Stop.RecordRef {
		e = Erasure{}
	}
	return e, version, err
}

// Erasures lists what people want erased, by target.
func (d *Desk) Erasures(ctx context.Context) ([]Erasure, error) {
	out := []Erasure{}
	err := d.Log.Each(ctx, ViewErasures, string(rune(evidence.SpaceTarget)), func(_ string, value []byte, _ int64) error {
		var e Erasure
		err := json.Unmarshal(value, &e)
		out = append(out, e)
		return err
	})
	return out, wrap("read erasures", err)
}

// MayErase says why an erasure that two people want is not carried out now; nil where it is. The condition holds it together with the
// holds as they were looked at.
func (d *Desk) MayErase(ctx context.Context, e Erasure) (Target, evidence.Expect, error) {
	t, _, err := d.Target(ctx, string(e.Target))
	if err != nil {
		return t, evidence.Expect{}, err
	}
	holds, err := d.get(ctx, ViewHolds, HoldsHead, new(int64))
	if err == nil {
		err = d.notHeld(ctx, t)
	}
	expect := evidence.Expect{View: ViewHolds, Key: HoldsHead, Version: holds}
	switch {
	case err != nil:
		return t, expect, err
	case e.Second == nil:
		return t, expect, refuse(Incomplete, "one person alone erases nothing: a second must sign")
	case t.Account == "":
		return t, expect, refuse(WrongTarget, "target %s never resolved to an account: nothing was collected of it", t.ID)
	}
	return t, expect, nil
}

// notHeld refuses to erase what a hold covers.
func (d *Desk) notHeld(ctx context.Context, t Target) error {
	h, held, err := d.heldOf(ctx, t)
	if err != nil || !held {
		return err
	}
	until := "until it is released"
	if !h.Until.IsZero() {
		until = "until " + h.Until.Format("2006-01-02 15:04Z") + " or its release"
	}
	return refuse(Held, "hold %d on %s (%s; by %s) keeps it: a hold beats an erasure %s: muhafiz hold release %d", h.Seq, h.Subject, h.Reason, h.By, until, h.Seq)
}

func (d *Desk) checkErasure(ctx context.Context, p Person, t Target, st evidence.Statement) error {
	e, _, err := d.erasure(ctx, t)
	if err != nil {
		return err
	}
	second := e.First.Person != ""
	roles := []string{RoleReviewer, RoleSenior, RoleLegal}
	if !second {
		roles = append(roles, RoleAnalyst)
	}
	if err := needRole(p, "have something erased", roles...); err != nil {
		return err
	}
	switch {
	case !t.Stopped():
		return refuse(WrongTarget, "target %s is %s; only what was collected of a suspended or innocent one is erased: stop it first (muhafiz watch mark %s --innocent, or watch suspend)", t.ID, t.State, t.ID)
	case t.Account == "":
		return refuse(WrongTarget, "target %s never resolved to an account: nothing was collected of it", t.ID)
	case e.Second != nil:
		return refuse(WrongTarget, "two people signed already that what was collected of target %s is erased (records %d and %d)", t.ID, e.FirstSeq, e.SecondSeq)
	case st.Confirms == nil || *st.Confirms != t.Set || st.Lifts == nil || *st.Lifts != t.Stop.RecordRef || st.CaseVersion != t.Round:
		return refuse(ChangedSince, "target %s changed (record %d) since it was looked at; look at it and sign again", t.ID, t.Round-1)
	case st.Blind || st.Case != "" || st.Outcome != "" || st.Grounds != nil || len(st.Exhibits) > 0 || !st.Agree || !st.Until.IsZero() || st.Adjudicates != nil || st.Lists != nil || st.Orders != nil:
		return refuse(BadStatement, "the statement holds fields of another type; prepare it again")
	case strings.TrimSpace(st.Comment) == "":
		return refuse(Incomplete, "say why what was collected of target %s is erased", t.ID)
	case second && e.First.Person == p.ID:
		return refuse(SamePerson, "%s signed already; one person alone erases nothing, a second must sign as well", p.ID)
	case second && e.First.Fingerprint == st.Fingerprint:
		return refuse(SameKey, "the erasure of target %s was signed with this very key; the second person signs with their own", t.ID)
	}
	if second {
		if err := d.differInKey(ctx, p, e.First.Person, st.Fingerprint); err != nil {
			return err
		}
	}
	return d.notHeld(ctx, t)
}

// IsRefusal reports whether err is one of the desk's refusals.
func IsRefusal(err error) bool {
	var r *Refusal
	return errors.As(err, &r)
}

func digits(seq int64) string { return fmt.Sprintf("%020d", seq) }
