package daemon

import (
	"context"
	"net/http"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/notice"
)

// answersTo adds what comes back about notices, and what puts them right.
func (r *Rooms) answersTo(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/notices/left", handle(r, r.leftNotices))
	mux.HandleFunc("POST /v1/notices/release", handle(r, r.releaseReporter))
	mux.HandleFunc("POST /v1/notices/answer", handle(r, r.answerNotice))
	mux.HandleFunc("POST /v1/notices/dispute", handle(r, r.disputeNotice))
	mux.HandleFunc("POST /v1/notices/correct", handle(r, r.correctNotice))
	mux.HandleFunc("POST /v1/notices/withdraw", handle(r, r.withdrawNotice))
	mux.HandleFunc("POST /v1/notices/approval/prepare", handle(r, r.prepareNoticeApproval))
	mux.HandleFunc("POST /v1/notices/approval", handle(r, r.approveNotice))
}

// AnswerRequest says what the addressee of a notice answered.
type AnswerRequest struct {
	Person string           `json:"person"`
	Notice evidence.Ordinal `json:"notice"`
	evidence.NoticeAnswered
}

// DisputeRequest says who objects to a notice.
type DisputeRequest struct {
	Person string           `json:"person"`
	Notice evidence.Ordinal `json:"notice"`
	evidence.NoticeDisputed
}

// CorrectionRequest says what is wrong with a notice.
type CorrectionRequest struct {
	Person  string           `json:"person"`
	Notice  evidence.Ordinal `json:"notice"`
	Account evidence.Ordinal `json:"account,omitempty"` // empty: the whole notice
	Reason  string           `json:"reason"`
}

func (r *Rooms) leftNotices(ctx context.Context, c *call, _ none) (any, error) {
	if err := r.needReporter(); err != nil {
		return nil, err
	}
	if _, err := r.person(ctx, c.FormValue("person")); err != nil {
		return nil, err
	}
	return r.Reporter.Left(ctx, evidence.Ordinal(c.FormValue("about")))
}

func (r *Rooms) answerNotice(ctx context.Context, _ *call, in AnswerRequest) (any, error) {
	if err := r.needReporter(); err != nil {
		return nil, err
	}
	return r.Reporter.Answer(ctx, in.Person, in.Notice, in.NoticeAnswered)
}

func (r *Rooms) disputeNotice(ctx context.Context, _ *call, in DisputeRequest) (any, error) {
	if err := r.needReporter(); err != nil {
		return nil, err
	}
	return r.Reporter.Dispute(ctx, in.Person, in.Notice, in.NoticeDisputed)
}

func (r *Rooms) correctNotice(ctx context.Context, _ *call, in CorrectionRequest) (any, error) {
	if err := r.needReporter(); err != nil {
		return nil, err
	}
	return r.Reporter.Correct(ctx, in.Person, in.Notice, in.Account, in.Reason)
}

func (r *Rooms) withdrawNotice(ctx context.Context, _ *call, in CorrectionRequest) (any, error) {
	if err := r.needReporter(); err != nil {
		return nil, err
	}
	if in.Account != "" {
		return nil, usagef("a notice is withdrawn as a whole; for one of its accounts, correct it")
	}
	return r.Reporter.Withdraw(ctx, in.Person, in.Notice, in.Reason)
}

func (r *Rooms) prepareNoticeApproval(ctx context.Context, _ *call, in NoticeRequest) (any, error) {
	if err := r.needReporter(); err != nil {
		return nil, err
	}
	p, err := r.Reporter.PrepareApproval(ctx, in.Person, in.Notice, in.Reason)
	return Prepared{p}, err
}

func (r *Rooms) approveNotice(ctx context.Context, _ *call, in SignedBy) (any, error) {
	if err := r.needReporter(); err != nil {
		return notice.State{}, err
	}
	return r.Reporter.Approve(ctx, in.Person, in.Signed)
}

// releaseReporter lets the reporter send again after a restore.
func (r *Rooms) releaseReporter(ctx context.Context, _ *call, in NoticeRequest) (any, error) {
	if err := r.needReporter(); err != nil {
		return nil, err
	}
	return r.Reporter.Release(ctx, in.Person, in.Reason)
}
