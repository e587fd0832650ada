package review

import (
	"context"
	"errors"
	"fmt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// CaseFile is what the second person reads before they answer for a case.
type CaseFile struct {
	Case     Case                `json:"case"`
	Target   *evidence.TargetSet `json:"target"`             // as it is set now
	Decision *evidence.Statement `json:"decision,omitempty"` // as it was signed
	Approval *evidence.Statement `json:"approval,omitempty"`
	Exhibits []Post              `json:"exhibits,omitempty"` // in the decision's order, in all their versions
	Stands   string              `json:"stands"`             // empty, or why the decision could not be approved as things are now
	Hidden   string              `json:"hidden,omitempty"`   // why decision and exhibits are left out
	Blind    string              `json:"blind,omitempty"`    // why the decision is left out, though not the exhibits
}

// ShowCase returns a case with its content. The look is recorded first: at the case, and at each exhibit. Of a stopped target the
// content is left out, as Show does. Where review is blind, what was decided is left out until the second person has answered.
func (d *Desk) ShowCase(ctx context.Context, person string, o evidence.Ordinal) (CaseFile, error) {
	var f CaseFile
	if _, err := d.person(ctx, person); err != nil {
		return f, err
	}
	c, err := d.Case(ctx, o)
	if err != nil {
		return f, err
	}
	t, err := d.targetOf(ctx, c.Account)
	if err != nil && CodeOf(err) != WrongTarget {
		return f, err
	}
	listed := err == nil
	if f.Hidden, err = d.hidden(ctx, person, t); err != nil {
		return f, err
	}
	if f.Hidden == "" {
		if no := d.CaseInSight(ctx, c); CodeOf(no) == InQuarantine {
			f.Hidden = no.Error()
		} else if no != nil {
			return f, no
		}
	}
	if err := d.lookAtCase(ctx, person, c, f.Hidden); err != nil {
		return f, err
	}
	f.Case = d.conceal(person, c)
	if err := frozen(t); err != nil {
		f.Case.Frozen = err.Error()
	}
	if listed {
		if f.Target, err = readBody[*evidence.TargetSet](ctx, d.Log, t.Set.Seq); err != nil {
			return f, err
		}
	}
	if c.Decision == nil || f.Hidden != "" {
		return f, nil
	}
	stands := d.checkDecisionStands
	if d.Conceals(person, c) {
		f.Blind, stands = blindSentence, d.checkCanReport
	} else if err := d.fillDecision(ctx, &f); err != nil {
		return f, err
	}
	return f, d.fillExhibits(ctx, c, &f, stands)
}

func (d *Desk) fillDecision(ctx context.Context, f *CaseFile) error {
	dec, err := readBody[*evidence.Decision](ctx, d.Log, f.Case.Decision.Seq)
	if err != nil {
		return err
	}
	if st, ok := statement(dec.Signed); ok {
		f.Decision = &st
	}
	if f.Case.Approval != nil {
		a, err := readBody[*evidence.Approval](ctx, d.Log, f.Case.Approval.Seq)
		if err != nil {
			return err
		}
		if st, ok := statement(a.Signed); ok {
			f.Approval = &st
		}
	}
	return nil
}

// fillExhibits shows the exhibits, and says what an approval of the case as it is recorded would meet now.
func (d *Desk) fillExhibits(ctx context.Context, c Case, f *CaseFile, stands func(context.Context, Case) error) error {
	for _, e := range c.Decision.Exhibits {
		p, err := d.post(ctx, e.Post)
		if err != nil {
			return err
		}
		p.Case = c.Ordinal
		f.Exhibits = append(f.Exhibits, p)
	}
	err := d.checkExhibits(ctx, c, c.Decision.Exhibits)
	if err == nil {
		err = stands(ctx, c)
	}
	var no *Refusal
	if errors.As(err, &no) {
		f.Stands = no.Sentence
		return nil
	}
	return err
}

func readBody[B evidence.Body](ctx context.Context, log Reader, seq int64) (B, error) {
	var zero B
	r, err := log.Record(ctx, seq)
	if err != nil {
		return zero, fmt.Errorf("read record %d: %w", seq, err)
	}
	return evidence.Decode[B](r)
}
