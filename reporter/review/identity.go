package review

import (
	"context"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// PrepareIdentity returns the statement with which a person says that a target, whose address was found to lead to another account, is
// that account now. identity is the account as the platform has it: `telegram channel 1234`.
func (d *Desk) PrepareIdentity(ctx context.Context, person, target, identity, comment string) (string, error) {
	p, t, err := d.personAndTarget(ctx, person, target)
	if err != nil {
		return "", err
	}
	_, fingerprint, err := p.key()
	if err == nil {
		err = d.checkClock()
	}
	if err != nil {
		return "", err
	}
	st := evidence.Statement{
		Type: evidence.StatementIdentity, Vault: d.Log.ID(), Person: p.ID, Fingerprint: fingerprint, Time: evidence.At(d.now()),
		Comment: comment, CaseVersion: t.Round, Confirms: &t.Set, Agree: true, Identity: identity,
	}
	if _, err := d.checkIdentity(ctx, p, t, st); err != nil {
		return "", err
	}
	return EncodeStatement(st)
}

// ConfirmIdentity records a signed identity. The target waits for its approval by a second person from then on, as any that was set anew.
func (d *Desk) ConfirmIdentity(ctx context.Context, person, target string, s evidence.Signed) (Target, error) {
	p, st, err := d.verify(ctx, person, evidence.StatementIdentity, s)
	if err != nil {
		return Target{}, err
	}
	t, version, err := d.Target(ctx, target)
	if err != nil {
		return t, err
	}
	name, err := d.checkIdentity(ctx, p, t, st)
	if err != nil {
		return t, err
	}
	lost := "target " + t.ID + " changed while it was being confirmed; look at it and sign again"
	body := &evidence.TargetConfirmed{Signed: s, Account: evidence.Ref{Name: name}}
	if _, err := d.act(ctx, p, evidence.Target(t.ID), body, lost,
		evidence.Expect{View: ViewTargets, Key: string(t.Ordinal), Version: version}); err != nil {
		return t, err
	}
	t, _, err = d.Target(ctx, target)
	return t, err
}

func (d *Desk) checkIdentity(ctx context.Context, p Person, t Target, st evidence.Statement) (evidence.Name, error) {
	var none evidence.Name
	if err := needRole(p, "confirm what a target is", RoleAnalyst, RoleReviewer, RoleSenior); err != nil {
		return none, err
	}
	switch {
	case t.State == TargetRemoved || t.Stopped():
		return none, refuse(WrongTarget, "target %s is %s; what account it is now is not to be confirmed", t.ID, t.State)
	case st.Confirms == nil || *st.Confirms != t.Set || st.CaseVersion != t.Round:
		return none, refuse(ChangedSince, "target %s changed since it was looked at; look at it and sign again", t.ID)
	case !st.Agree || st.Case != "" || st.Outcome != "" || st.Grounds != nil || len(st.Exhibits) > 0 || st.Adjudicates != nil || st.Lifts != nil || !st.Until.IsZero():
		return none, refuse(BadStatement, "the statement holds fields of another type; prepare it again")
	}
	if t.Found == "" || t.Found == t.Account {
		return none, refuse(WrongTarget, "target %s was not found to be another account: there is nothing to confirm", t.ID)
	}
	name, err := d.Log.Name(ctx, t.Found)
	if err != nil {
		return none, wrap("read what was found of target "+t.ID, err)
	}
	if name.Key != st.Identity {
		return none, refuse(WrongTarget, "the address of target %s was found to lead to %s, and not to %s", t.ID, name.Key, clip(st.Identity))
	}
	return name, nil
}
