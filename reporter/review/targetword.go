package review

import (
	"context"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// prepareTargetWord fills in what a person says about a target as it is set now, an approval or a relisting, and returns it where they
// may sign it.
func (d *Desk) prepareTargetWord(ctx context.Context, person, target string, st evidence.Statement) (string, error) {
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
	st.Vault, st.Person, st.Fingerprint, st.Time = d.Log.ID(), p.ID, fingerprint, evidence.At(d.now())
	st.Confirms, st.CaseVersion, st.Agree = &t.Set, t.Round, true
	if t.Stop != nil && (st.Type == evidence.StatementRelisting || st.Type == evidence.StatementErasure) {
		st.Lifts = &t.Stop.RecordRef
	}
	if err := d.checkTargetWord(ctx, p, t, st); err != nil {
		return "", err
	}
	return EncodeStatement(st)
}

// targetWord reads such a word as it was handed in, and returns who says it and the target with the version of its view key.
func (d *Desk) targetWord(ctx context.Context, person, target, typ string, s evidence.Signed) (Person, Target, int64, error) {
	p, st, err := d.verify(ctx, person, typ, s)
	if err != nil {
		return p, Target{}, 0, err
	}
	t, version, err := d.Target(ctx, target)
	if err == nil {
		err = d.checkTargetWord(ctx, p, t, st)
	}
	return p, t, version, err
}

func (d *Desk) checkTargetWord(ctx context.Context, p Person, t Target, st evidence.Statement) error {
	switch st.Type {
	case evidence.StatementRelisting:
		return d.checkRelisting(ctx, p, t, st)
	case evidence.StatementErasure:
		return d.checkErasure(ctx, p, t, st)
	}
	return d.checkTargetApproval(ctx, p, t, st)
}

// actOnTarget records an act on a target that nobody else acted on meanwhile, and returns it as it is then.
func (d *Desk) actOnTarget(ctx context.Context, p Person, t Target, version int64, b evidence.Body, lost string) (Target, error) {
	if _, err := d.act(ctx, p, evidence.Target(t.ID), b, lost,
		evidence.Expect{View: ViewTargets, Key: string(t.Ordinal), Version: version}); err != nil {
		return t, err
	}
	t, _, err := d.Target(ctx, t.ID)
	return t, err
}
