package review

import (
	"context"
	"slices"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// PrepareApproval returns the statement with which the second person confirms the standing decision of a case or, where agree is
// false, refuses it; a refusal takes a comment. Where review is blind, PrepareBlindApproval is asked instead.
func (d *Desk) PrepareApproval(ctx context.Context, person string, o evidence.Ordinal, agree bool, comment string) (string, error) {
	return d.prepareWord(ctx, person, o, evidence.Statement{Type: evidence.StatementApproval, Agree: agree, Comment: comment})
}

// Approve records the second person's signed word and returns the case.
func (d *Desk) Approve(ctx context.Context, person string, s evidence.Signed) (Case, error) {
	return d.recordWord(ctx, person, evidence.StatementApproval, s)
}

// prepareWord fills in the second or third person's word on a case's decision, and returns it where they may sign it.
func (d *Desk) prepareWord(ctx context.Context, person string, o evidence.Ordinal, st evidence.Statement) (string, error) {
	p, err := d.person(ctx, person)
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
	c, err := d.Case(ctx, o)
	if err != nil {
		return "", err
	}
	st.Vault, st.Person, st.Fingerprint, st.Time = d.Log.ID(), p.ID, fingerprint, evidence.At(d.now())
	st.Case, st.CaseVersion = c.Ordinal, c.Version
	if c.Decision != nil {
		st.Exhibits, st.Confirms = c.Decision.Exhibits, &c.Decision.RecordRef
	}
	if c.Approval != nil && st.Type == evidence.StatementAdjudication {
		st.Adjudicates = &c.Approval.RecordRef
	}
	if err := d.checkSigner(ctx, p, c, st); err != nil {
		return "", err
	}
	return EncodeStatement(st)
}

// recordWord records such a word and returns the case.
func (d *Desk) recordWord(ctx context.Context, person, typ string, s evidence.Signed) (Case, error) {
	p, st, err := d.verify(ctx, person, typ, s)
	if err != nil {
		return Case{}, err
	}
	c, err := d.Case(ctx, st.Case)
	if err != nil {
		return c, err
	}
	if err := d.checkSigner(ctx, p, c, st); err != nil {
		return c, err
	}
	if _, err := d.act(ctx, p, evidence.Case(c.Key), &evidence.Approval{Signed: s}, caseLost(c),
		evidence.Expect{View: ViewCases, Key: string(c.Ordinal), Version: st.CaseVersion}); err != nil {
		return c, err
	}
	return d.Case(ctx, c.Ordinal)
}

// checkSigner asks whether a person may give this word.
func (d *Desk) checkSigner(ctx context.Context, p Person, c Case, st evidence.Statement) error {
	if st.Type == evidence.StatementAdjudication {
		return d.checkAdjudication(ctx, p, c, st)
	}
	return d.checkApproval(ctx, p, c, st)
}

func (d *Desk) checkApproval(ctx context.Context, p Person, c Case, st evidence.Statement) error {
	if err := needRole(p, "be the second person", RoleReviewer, RoleSenior); err != nil {
		return err
	}
	if err := d.checkStanding(c, st); err != nil {
		return err
	}
	dec := c.Decision
	switch {
	case p.ID == dec.Person:
		return refuse(SamePerson, "%s decided case %s, so a second person must approve it", p.ID, c.Ordinal)
	case st.Fingerprint == dec.Fingerprint:
		return refuse(SameKey, "case %s was decided with this very key; the second person signs with their own", c.Ordinal)
	}
	if err := d.differInKey(ctx, p, dec.Person, st.Fingerprint); err != nil {
		if CodeOf(err) == SameKey && d.Conceals(p.ID, c) {
			return refuse(SameKey, "another person has your key on the roster; two people need two keys")
		}
		return err
	}
	if err := d.checkBlind(c, st); err != nil {
		return err
	}
	if st.Blind {
		return d.checkAnswer(ctx, p, c, st)
	}
	return d.checkWord(ctx, p, c, st)
}

// checkWord asks what a word on a decision needs: to agree, that everything stands as it was decided and that the person opened
// every exhibit; to refuse, a comment, and that they looked unless the target is stopped and its content hidden.
func (d *Desk) checkWord(ctx context.Context, p Person, c Case, st evidence.Statement) error {
	if st.Agree {
		if err := d.checkExhibits(ctx, c, st.Exhibits); err != nil {
			return err
		}
		if err := d.checkDecisionStands(ctx, c); err != nil {
			return err
		}
		return d.checkOpened(ctx, p, st.Exhibits)
	}
	if strings.TrimSpace(st.Comment) == "" {
		return refuse(Incomplete, "say in a comment why the decision on case %s is refused", c.Ordinal)
	}
	return d.checkOpenedUnlessStopped(ctx, p, c, st)
}

func (d *Desk) checkOpenedUnlessStopped(ctx context.Context, p Person, c Case, st evidence.Statement) error {
	if t, err := d.targetOf(ctx, c.Account); err == nil && t.Stopped() {
		return nil
	}
	return d.checkOpened(ctx, p, st.Exhibits)
}

// checkStanding asks whether the statement is about the decision that stands.
func (d *Desk) checkStanding(c Case, st evidence.Statement) error {
	switch {
	case c.Approval != nil && c.Status != CaseDecided:
		return refuse(Conflict, "case %s is already %s, by %s; nothing more was recorded", c.Ordinal, c.Status, c.Approval.Person)
	case c.Status != CaseDecided:
		return refuse(WrongCase, "case %s is %s; only a case whose decision waits for a second person takes their word", c.Ordinal, c.Status)
	case c.Decision == nil:
		return refuse(ChangedSince, "the decision on case %s was erased; decide it again", c.Ordinal)
	case st.Confirms == nil || *st.Confirms != c.Decision.RecordRef:
		return refuse(ChangedSince, "case %s has a newer decision (record %d); look at it and approve again", c.Ordinal, c.Decision.Seq)
	case !slices.Equal(st.Exhibits, c.Decision.Exhibits):
		return refuse(BadStatement, "the exhibits are not those of the decision; prepare the approval again")
	case st.CaseVersion != c.Version:
		return refuse(Conflict, "case %s has changed (record %d) since it was looked at; look at it and approve again", c.Ordinal, c.Version-1)
	case !st.Blind && st.Outcome != "" || st.Blind && st.Agree || st.Grounds != nil || !st.Until.IsZero() || st.Adjudicates != nil || st.Lifts != nil || st.Lists != nil || st.Orders != nil:
		return refuse(BadStatement, "the statement holds fields of another type; prepare it again")
	}
	return nil
}

// checkDecisionStands looks once more at what may have changed between the two people: the target and its ground.
func (d *Desk) checkDecisionStands(ctx context.Context, c Case) error {
	t, err := d.targetOf(ctx, c.Account)
	if err != nil {
		return err
	}
	r, err := d.Log.Record(ctx, c.Decision.Seq)
	if err != nil {
		return wrap("read decision", err)
	}
	b, err := evidence.Decode[*evidence.Decision](r)
	if err != nil {
		return wrap("read decision", err)
	}
	st, ok := statement(b.Signed)
	if !ok {
		return refuse(BadStatement, "the decision on case %s cannot be read; decide again", c.Ordinal)
	}
	return d.checkGrounds(ctx, t, st)
}
