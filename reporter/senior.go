package reporter

import (
	"context"
	"slices"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// PrepareApproval returns the statement with which a senior lets a drafted notice leave.
func (r *Reporter) PrepareApproval(ctx context.Context, person string, o evidence.Ordinal, comment string) (string, error) {
	p, err := r.desk.Person(ctx, person, review.RoleSenior)
	if err != nil {
		return "", err
	}
	fingerprint, err := p.KeyFingerprint()
	if err != nil {
		return "", err
	}
	n, err := r.Notice(ctx, o)
	if err != nil {
		return "", err
	}
	st := evidence.Statement{
		Type: evidence.StatementNoticeApproval, Vault: r.o.Log.ID(), Person: p.ID, Fingerprint: fingerprint,
		Time: evidence.At(r.o.Now()), Exhibits: []evidence.Exhibit{}, Comment: comment, Confirms: &n.Record, Agree: true,
	}
	if err := r.checkApproval(ctx, n, st); err != nil {
		return "", err
	}
	return review.EncodeStatement(st)
}

// Approve records a senior's signed word on a drafted notice and returns the notice.
func (r *Reporter) Approve(ctx context.Context, person string, s evidence.Signed) (notice.State, error) {
	p, st, err := r.desk.Verify(ctx, person, evidence.StatementNoticeApproval, s)
	if err != nil {
		return notice.State{}, err
	}
	if _, err := r.desk.Person(ctx, p.ID, review.RoleSenior); err != nil {
		return notice.State{}, err
	}
	n, err := r.confirmed(ctx, st)
	if err != nil {
		return n, err
	}
	if err := r.checkApproval(ctx, n, st); err != nil {
		return n, err
	}
	return r.record(ctx, p, n, &evidence.NoticeApproved{Signed: s})
}

// confirmed finds the notice that a statement names by the record that drafted it.
func (r *Reporter) confirmed(ctx context.Context, st evidence.Statement) (notice.State, error) {
	if st.Confirms == nil {
		return notice.State{}, refuse(review.BadStatement, "the statement names no drafted notice; prepare it again")
	}
	rec, err := r.o.Log.Record(ctx, st.Confirms.Seq)
	if err != nil || rec.Kind != evidence.KindNoticeDrafted || rec.Leaf() != st.Confirms.Leaf {
		return notice.State{}, refuse(review.BadStatement, "record %d is not the draft of a notice that the statement names; prepare it again", st.Confirms.Seq)
	}
	return r.Notice(ctx, rec.Subject)
}

// checkApproval asks whether the notice waits for a senior, and whether this one is a third person with a third key.
func (r *Reporter) checkApproval(ctx context.Context, n notice.State, st evidence.Statement) error {
	switch {
	case n.Senior == "":
		return refuse(review.WrongNotice, "notice %s needs no senior's approval", n.Ordinal)
	case n.Approved != nil:
		return refuse(review.WrongNotice, "notice %s is already approved, by %s", n.Ordinal, n.Approved.Person)
	case n.Status != notice.Drafted && n.Status != notice.Failed:
		return refuse(review.WrongNotice, "notice %s is %s; only a notice that has not left waits for a senior", n.Ordinal, n.Status)
	case *st.Confirms != n.Record || !st.Agree || st.Blind || len(st.Exhibits) > 0 || st.Case != "" || st.CaseVersion != 0 || st.Outcome != "" ||
		st.Grounds != nil || !st.Until.IsZero() || st.Adjudicates != nil || st.Lifts != nil:
		return refuse(review.BadStatement, "the statement is not an approval of notice %s as it was drafted; prepare it again", n.Ordinal)
	}
	for _, nc := range n.Cases {
		if err := r.differs(ctx, nc, st); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reporter) differs(ctx context.Context, nc evidence.NoticeCase, st evidence.Statement) error {
	persons, keys, err := notice.Signers(ctx, r.o.Log, nc)
	if err != nil {
		return err
	}
	if slices.Contains(persons, st.Person) {
		return refuse(review.SamePerson, "%s decided or approved case %s, so a third person must approve its notice", st.Person, nc.Case)
	}
	for _, id := range persons {
		// Somebody who has left the roster keeps the key that they signed with.
		if p, err := r.desk.Person(ctx, id); err == nil {
			if f, err := p.KeyFingerprint(); err == nil {
				keys = append(keys, f)
			}
		}
	}
	if slices.Contains(keys, st.Fingerprint) {
		return refuse(review.SameKey, "case %s was decided or approved with this very key; a senior signs with their own", nc.Case)
	}
	return nil
}
