package review

import (
	"context"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// blindSentence says why a case's decision is left out.
const blindSentence = "blind review: what the first person decided is shown after you have answered"

// blind reports whether the second person answers a case without having seen its decision. One that was taken blind stays so: to
// switch the option off shows nobody what waits.
func (d *Desk) blind(c Case) bool { return d.Blind || c.Decision != nil && c.Decision.Blind }

// Conceals reports whether a person is not to know yet what was decided on a case: review is blind, the case waits for its second
// person, and they are not the first. Once the second has answered, nobody's look conceals anything. A case whose notice was taken back
// waits anew, but what it says was known before. Who looked at the exhibits is in the log for all to read, and the first person is among them.
func (d *Desk) Conceals(person string, c Case) bool {
	return d.blind(c) && c.Status == CaseDecided && c.Decision != nil && c.Decision.Person != person
}

// conceal leaves out of a case what its first person decided, and who they are. Exhibits and designations stay.
func (d *Desk) conceal(person string, c Case) Case {
	if !d.Conceals(person, c) {
		return c
	}
	c.Decision = &Decided{
		RecordRef: c.Decision.RecordRef, At: c.Decision.At, Exhibits: c.Decision.Exhibits, Designation: c.Decision.Designation, Blind: c.Decision.Blind,
	}
	c.Refused = nil
	return c
}

// CasesInSight is Cases without what is concealed: from the first person as well, for a list takes anybody's word for who asks.
func (d *Desk) CasesInSight(ctx context.Context, states ...string) ([]Case, error) {
	all, err := d.Cases(ctx, states...)
	for i, c := range all {
		all[i] = d.conceal("", c)
	}
	return all, err
}

// PrepareBlindApproval returns the statement with which the second person, who was not shown the standing decision, answers for the
// same exhibits with an outcome of their own; no_action takes a comment. The same outcome settles the case: report approves it and
// no_action closes it. Another refuses the decision, which a third person can then settle.
func (d *Desk) PrepareBlindApproval(ctx context.Context, person string, o evidence.Ordinal, outcome, comment string) (string, error) {
	return d.prepareWord(ctx, person, o, evidence.Statement{Type: evidence.StatementApproval, Blind: true, Outcome: outcome, Comment: comment})
}

// checkBlind asks whether the answer is of the form that review has here.
func (d *Desk) checkBlind(c Case, st evidence.Statement) error {
	switch {
	case d.blind(c) && !st.Blind:
		return refuse(Incomplete, "review is blind here, so case %[1]s takes an outcome of your own: muhafiz review approve %[1]s --outcome report, or --outcome no_action with --comment", c.Ordinal)
	case !d.blind(c) && st.Blind:
		return refuse(BadStatement, "review is not blind here: leave --outcome out; agree with the decision on case %s, or refuse it with --refuse and --comment", c.Ordinal)
	case st.Blind && st.Outcome != OutcomeReport && st.Outcome != OutcomeNoAction:
		return refuse(Incomplete, "the outcome is %q; it is %s or %s", clip(st.Outcome), OutcomeReport, OutcomeNoAction)
	}
	return nil
}

// checkAnswer asks what a blind answer needs. It looks at the answer and at the world, never at the outcome that was decided: a refusal
// that depended on it would tell it to whoever prepares one answer and then the other.
func (d *Desk) checkAnswer(ctx context.Context, p Person, c Case, st evidence.Statement) error {
	if st.Outcome == OutcomeReport {
		if err := d.checkCanReport(ctx, c); err != nil {
			return err
		}
		return d.checkOpened(ctx, p, st.Exhibits)
	}
	if strings.TrimSpace(st.Comment) == "" {
		return refuse(Incomplete, "say in a comment why nothing is to be done")
	}
	return d.checkOpenedUnlessStopped(ctx, p, c, st)
}

// checkCanReport asks of everything that may change after a decision whether a report could still rest on the case's exhibits.
func (d *Desk) checkCanReport(ctx context.Context, c Case) error {
	exhibits := c.Decision.Exhibits
	if err := d.checkExhibits(ctx, c, exhibits); err != nil {
		return err
	}
	t, err := d.targetOf(ctx, c.Account)
	if err != nil {
		return err
	}
	if c.Decision.Designation != t.Set {
		return refuse(ChangedSince, "target %s was set anew (record %d) since case %s was decided; the first person looks at it and decides again", t.ID, t.Set.Seq, c.Ordinal)
	}
	if err := d.needReportable(t); err != nil {
		return err
	}
	for _, e := range exhibits {
		p, err := d.post(ctx, e.Post)
		if err != nil {
			return err
		}
		if p.Latest().Post == nil {
			return refuse(ChangedSince, "the content of exhibit %d was erased; leave it out", e.Number)
		}
	}
	return d.checkFree(ctx, t, evidence.Statement{Case: c.Ordinal, Exhibits: exhibits})
}
