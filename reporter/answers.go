package reporter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// handlers are the roles that keep a notice's history and put mistakes right; one person is enough, and each act is a record.
var handlers = []string{review.RoleAnalyst, review.RoleReviewer, review.RoleSenior, "legal", "operator"}

// maxAnswer bounds an answer or objection, in bytes.
const maxAnswer = 64 << 10

func refuse(c review.Code, format string, args ...any) error {
	return &review.Refusal{Code: c, Sentence: fmt.Sprintf(format, args...)}
}

// Outcomes lists the outcomes of an answer.
func Outcomes() []string {
	return []string{
		evidence.AnswerRemoved, evidence.AnswerRestricted, evidence.AnswerRefused, evidence.AnswerNeedsMore, evidence.AnswerDuplicate,
	}
}

// Answer records what the addressee said to a notice that was sent.
func (r *Reporter) Answer(ctx context.Context, person string, o evidence.Ordinal, a evidence.NoticeAnswered) (notice.State, error) {
	switch {
	case !slices.Contains(Outcomes(), a.Outcome):
		return notice.State{}, refuse(review.Incomplete, "%q is no outcome; it is one of %s", a.Outcome, strings.Join(Outcomes(), ", "))
	case a.Outcome == evidence.AnswerRefused && strings.TrimSpace(a.Ground) == "":
		return notice.State{}, refuse(review.Incomplete, "say on which ground the addressee refused notice %s, in their words", o)
	case a.Outcome != evidence.AnswerRefused && a.Ground != "":
		return notice.State{}, refuse(review.Incomplete, "a ground belongs to the outcome %s alone", evidence.AnswerRefused)
	case len(a.Text)+len(a.Ground)+len(a.Ticket)+len(a.By) > maxAnswer:
		return notice.State{}, refuse(review.Incomplete, "the answer has more than %d bytes; record what matters of it", maxAnswer)
	}
	return r.hear(ctx, person, o, &a)
}

// Dispute records that the account's side objects to a notice that was sent.
func (r *Reporter) Dispute(ctx context.Context, person string, o evidence.Ordinal, d evidence.NoticeDisputed) (notice.State, error) {
	switch {
	case strings.TrimSpace(d.From) == "" || strings.TrimSpace(d.Text) == "":
		return notice.State{}, refuse(review.Incomplete, "say who objects to notice %s and what they say", o)
	case len(d.From)+len(d.Text) > maxAnswer:
		return notice.State{}, refuse(review.Incomplete, "the objection has more than %d bytes; record what matters of it", maxAnswer)
	}
	return r.hear(ctx, person, o, &d)
}

// hear records what came back about a notice that surely left.
func (r *Reporter) hear(ctx context.Context, person string, o evidence.Ordinal, b evidence.Body) (notice.State, error) {
	p, err := r.desk.Person(ctx, person, handlers...)
	if err != nil {
		return notice.State{}, err
	}
	n, err := r.Notice(ctx, o)
	if err != nil {
		return n, err
	}
	switch n.Status {
	case notice.Sent, notice.Answered, notice.Disputed, notice.Corrected:
	case notice.Uncertain:
		return n, refuse(review.WrongNotice, "nobody knows whether notice %s was sent; say so first: muhafiz notice resolve %s", o, o)
	default:
		return n, refuse(review.WrongNotice, "notice %s is %s; nobody can have answered it", o, n.Status)
	}
	return r.record(ctx, p, n, b)
}

// record writes one person's act on a notice as it was looked at, and returns what became of it.
func (r *Reporter) record(ctx context.Context, p review.Person, n notice.State, b evidence.Body) (notice.State, error) {
	_, err := r.putAs(ctx, evidence.Person(p.ID), evidence.Notice(n.Key), b,
		evidence.Expect{View: notice.ViewNotices, Key: string(n.Ordinal), Version: n.Version})
	if errors.Is(err, evidence.ErrConflict) {
		return n, refuse(review.Conflict, "notice %s changed at the same moment; look at it and try again", n.Ordinal)
	}
	if err != nil {
		return n, err
	}
	return r.Notice(ctx, n.Ordinal)
}
