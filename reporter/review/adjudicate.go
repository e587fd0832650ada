package review

import (
	"context"
	"slices"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// PrepareAdjudication returns the statement with which a third person, a senior one, decides between the first, whose decision
// was refused, and the second, who refused it. With agree the decision stands: the case is approved, or closed where the decision was no
// action. Otherwise it is closed, or open again where the decision was no action, for nobody has named yet what would be reported.
func (d *Desk) PrepareAdjudication(ctx context.Context, person string, o evidence.Ordinal, agree bool, comment string) (string, error) {
	return d.prepareWord(ctx, person, o, evidence.Statement{Type: evidence.StatementAdjudication, Agree: agree, Comment: comment})
}

// Adjudicate records the third person's signed word and returns the case.
func (d *Desk) Adjudicate(ctx context.Context, person string, s evidence.Signed) (Case, error) {
	return d.recordWord(ctx, person, evidence.StatementAdjudication, s)
}

func (d *Desk) checkAdjudication(ctx context.Context, p Person, c Case, st evidence.Statement) error {
	if err := needRole(p, "decide between two people", RoleSenior); err != nil {
		return err
	}
	if err := checkDisagreement(c, st); err != nil {
		return err
	}
	for _, first := range []Signer{{c.Decision.Person, c.Decision.Fingerprint}, {c.Approval.Person, c.Approval.Fingerprint}} {
		switch {
		case p.ID == first.Person:
			return refuse(SamePerson, "%s is one of the two who disagree on case %s; a third person decides between them", p.ID, c.Ordinal)
		case st.Fingerprint == first.Fingerprint:
			return refuse(SameKey, "case %s was signed with this very key by %s; the third person signs with their own", c.Ordinal, first.Person)
		}
		if err := d.differInKey(ctx, p, first.Person, st.Fingerprint); err != nil {
			return err
		}
	}
	if strings.TrimSpace(st.Comment) == "" {
		return refuse(Incomplete, "say in a comment why the decision on case %s stands or falls", c.Ordinal)
	}
	if err := d.checkWord(ctx, p, c, st); err != nil || !st.Agree || c.Decision.Outcome != OutcomeReport {
		return err
	}
	t, err := d.targetOf(ctx, c.Account)
	if err != nil {
		return err
	}
	return d.checkFree(ctx, t, st)
}

// checkDisagreement asks whether the statement is about the refusal that stands.
func checkDisagreement(c Case, st evidence.Statement) error {
	switch {
	case c.Status != CaseRejected || c.Decision == nil || c.Approval == nil:
		return refuse(WrongCase, "case %s is %s; a third person decides only where a second one refused the decision", c.Ordinal, c.Status)
	case st.Confirms == nil || *st.Confirms != c.Decision.RecordRef || st.Adjudicates == nil || *st.Adjudicates != c.Approval.RecordRef:
		return refuse(ChangedSince, "case %s was decided or refused anew since it was looked at; look at it and sign again", c.Ordinal)
	case !slices.Equal(st.Exhibits, c.Decision.Exhibits):
		return refuse(BadStatement, "the exhibits are not those of the decision; prepare the statement again")
	case st.CaseVersion != c.Version:
		return refuse(Conflict, "case %s has changed (record %d) since it was looked at; look at it and sign again", c.Ordinal, c.Version-1)
	case st.Blind || st.Outcome != "" || st.Grounds != nil || !st.Until.IsZero() || st.Lifts != nil || st.Lists != nil || st.Orders != nil:
		return refuse(BadStatement, "the statement holds fields of another type; prepare it again")
	}
	return nil
}
