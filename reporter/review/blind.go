package review

import (
	"context"
	"errors"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// blindSentence says why a case's decision is left out.
const blindSentence = "blind review: what the first person decided is shown after you have answered"

// Conceals reports whether a person is not to know yet what was decided on a case: review is blind, the case waits for its second
// person, and they are not the first. Once the second has answered, nobody's look conceals anything. What waits is always a decision to report, so
// that its outcome can be guessed; its grounds, its severity and whose it is cannot.
func (d *Desk) Conceals(person string, c Case) bool {
	return d.Blind && c.Status == CaseDecided && c.Decision != nil && c.Decision.Person != person
}

// conceal leaves out of a case what its first person decided, and who they are. Exhibits and designations stay.
func (d *Desk) conceal(person string, c Case) Case {
	if !d.Conceals(person, c) {
		return c
	}
	c.Decision = &Decided{
		RecordRef: c.Decision.RecordRef, At: c.Decision.At, Exhibits: c.Decision.Exhibits, Designation: c.Decision.Designation,
	}
	c.Refused = nil
	return c
}

// CasesFor lists the cases as one person may see them; see Cases. An empty id is nobody's.
func (d *Desk) CasesFor(ctx context.Context, person string, states ...string) ([]Case, error) {
	all, err := d.Cases(ctx, states...)
	for i, c := range all {
		all[i] = d.conceal(person, c)
	}
	return all, err
}

// veil gives a refusal a sentence that says nothing of a decision that its reader is not to know yet; its code stays.
func (d *Desk) veil(person string, c Case, err error) error {
	var no *Refusal
	if !d.Conceals(person, c) || !errors.As(err, &no) {
		return err
	}
	switch no.Code {
	case SameKey:
		return refuse(no.Code, "another person has your key on the roster; two people need two keys")
	case ChangedSince, Incomplete, QuoteMissing, Exclusion, BadStatement:
		return refuse(no.Code, "the decision on case %s does not stand as things are now; the first person looks at it and decides again", c.Ordinal)
	}
	return err
}

// PrepareBlindApproval returns the statement with which the second person, who was not shown the standing decision, answers for the
// same exhibits with an outcome of their own; no_action takes a comment. The same outcome approves the case, another refuses the
// decision, which a third person can then settle.
func (d *Desk) PrepareBlindApproval(ctx context.Context, person string, o evidence.Ordinal, outcome, comment string) (string, error) {
	return d.prepareApproval(ctx, person, o, evidence.Statement{Blind: true, Outcome: outcome, Comment: comment})
}

// checkBlind asks whether the answer is of the form that review has here.
func (d *Desk) checkBlind(c Case, st evidence.Statement) error {
	switch {
	case d.Blind && !st.Blind:
		return refuse(Incomplete, "review is blind here, so case %[1]s takes an outcome of your own: muhafiz review approve %[1]s --outcome report, or --outcome no_action with --comment", c.Ordinal)
	case !d.Blind && st.Blind:
		return refuse(BadStatement, "review is not blind here: leave --outcome out; agree with the decision on case %s, or refuse it with --refuse and --comment", c.Ordinal)
	case st.Blind && st.Outcome != OutcomeReport && st.Outcome != OutcomeNoAction:
		return refuse(Incomplete, "the outcome is %q; it is %s or %s", clip(st.Outcome), OutcomeReport, OutcomeNoAction)
	}
	return nil
}
