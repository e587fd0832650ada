package daemon

import (
	"context"
	"net/http"
	"strconv"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// Prepared is a statement that a person is to read and sign.
type Prepared struct {
	Payload string `json:"payload"`
}

// SignedBy is a statement with its signature, and who hands it in.
type SignedBy struct {
	Person string          `json:"person"`
	Target string          `json:"target,omitempty"`
	Signed evidence.Signed `json:"signed"`
}

// DecisionRequest asks for the statement of a decision.
type DecisionRequest struct {
	Person string `json:"person"`
	review.DecisionInput
}

// ApprovalRequest asks for the statement of an approval, or of its refusal. Where review is blind, an approval has an outcome instead
// of Agree.
type ApprovalRequest struct {
	Person  string           `json:"person"`
	Case    evidence.Ordinal `json:"case"`
	Agree   bool             `json:"agree"`
	Outcome string           `json:"outcome,omitempty"`
	Comment string           `json:"comment,omitempty"`
}

// desk is the desk as this caller reaches it.
func (r *Rooms) desk(c *call) *review.Desk {
	d := *r.Desk
	d.Via, d.Blind = c.peer.Via, r.Config.Review.Blind
	if c.Method == http.MethodGet {
		d.Reason = c.FormValue("reason")
	}
	return &d
}

func (r *Rooms) queue(ctx context.Context, c *call, _ none) (any, error) {
	limit, err := strconv.Atoi(c.FormValue("limit"))
	if err != nil {
		return nil, usagef("limit is not a number")
	}
	return r.desk(c).Queue(ctx, c.FormValue("person"), limit)
}

func (r *Rooms) cases(ctx context.Context, c *call, _ none) (any, error) {
	return r.desk(c).CasesInSight(ctx)
}

func (r *Rooms) show(ctx context.Context, c *call, _ none) (any, error) {
	o, err := evidence.ParseOrdinal(c.FormValue("post"))
	if err != nil {
		return nil, err
	}
	return r.desk(c).Show(ctx, c.FormValue("person"), o)
}

func (r *Rooms) showCase(ctx context.Context, c *call, _ none) (any, error) {
	return r.desk(c).ShowCase(ctx, c.FormValue("person"), evidence.Ordinal(c.FormValue("case")))
}

func (r *Rooms) prepareDecision(ctx context.Context, c *call, in DecisionRequest) (any, error) {
	p, err := r.desk(c).PrepareDecision(ctx, in.Person, in.DecisionInput)
	return Prepared{p}, err
}

func (r *Rooms) decide(ctx context.Context, c *call, in SignedBy) (any, error) {
	return r.desk(c).Decide(ctx, in.Person, in.Signed)
}

func (r *Rooms) prepareApproval(ctx context.Context, c *call, in ApprovalRequest) (any, error) {
	if in.Outcome != "" {
		p, err := r.desk(c).PrepareBlindApproval(ctx, in.Person, in.Case, in.Outcome, in.Comment)
		return Prepared{p}, err
	}
	p, err := r.desk(c).PrepareApproval(ctx, in.Person, in.Case, in.Agree, in.Comment)
	return Prepared{p}, err
}

func (r *Rooms) approve(ctx context.Context, c *call, in SignedBy) (any, error) {
	return r.desk(c).Approve(ctx, in.Person, in.Signed)
}

func (r *Rooms) prepareAdjudication(ctx context.Context, c *call, in ApprovalRequest) (any, error) {
	p, err := r.desk(c).PrepareAdjudication(ctx, in.Person, in.Case, in.Agree, in.Comment)
	return Prepared{p}, err
}

func (r *Rooms) adjudicate(ctx context.Context, c *call, in SignedBy) (any, error) {
	return r.desk(c).Adjudicate(ctx, in.Person, in.Signed)
}
