package daemon

import (
	"context"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// MarkRequest says that a target was listed by mistake.
type MarkRequest struct {
	Person   string `json:"person"`
	Target   string `json:"target"`
	Mark     string `json:"mark"`     // evidence.MarkInnocent
	Category string `json:"category"` // see review.Categories
	Reason   string `json:"reason"`
}

func (r *Rooms) markTarget(ctx context.Context, c *call, in MarkRequest) (any, error) {
	if in.Mark != evidence.MarkInnocent {
		return nil, usagef("the only mark is %q", evidence.MarkInnocent)
	}
	t, err := r.desk(c).Mark(ctx, in.Person, in.Target, in.Category, in.Reason)
	if err == nil {
		r.changed()
	}
	return t, err
}

func (r *Rooms) prepareRelisting(ctx context.Context, c *call, in TargetRequest) (any, error) {
	p, err := r.desk(c).PrepareRelisting(ctx, in.Person, in.Target, in.Reason)
	return Prepared{p}, err
}

func (r *Rooms) relistTarget(ctx context.Context, c *call, in SignedBy) (any, error) {
	return r.desk(c).Relist(ctx, in.Person, in.Target, in.Signed)
}

func (r *Rooms) redress(ctx context.Context, c *call, _ none) (any, error) {
	return r.desk(c).Redress(ctx, c.FormValue("person"), c.FormValue("target"))
}
