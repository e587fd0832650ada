package daemon

import (
	"context"
	"fmt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
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
	if err != nil {
		return nil, err
	}
	return r.stopped(ctx, t, in.Reason)
}

// Stopped is a target that was stopped, with the corrections that were drafted of what had left about it. They leave when a
// person sends them: muhafiz notice correct.
type Stopped struct {
	review.Target
	Corrections []evidence.Ordinal `json:"corrections"`
}

// stopped makes a stop felt: the sources let go at once, and what left is prepared to be put right.
func (r *Rooms) stopped(ctx context.Context, t review.Target, reason string) (Stopped, error) {
	r.changed()
	out := Stopped{Target: t, Corrections: []evidence.Ordinal{}}
	if r.Reporter == nil || t.Account == "" {
		return out, nil
	}
	drafts, err := r.Reporter.DraftCorrections(ctx, t.Account, reason)
	if err != nil {
		return out, fmt.Errorf("target %s is stopped, but its corrections could not be drafted; send them with muhafiz notice correct: %w", t.ID, err)
	}
	out.Corrections = append(out.Corrections, drafts...)
	return out, nil
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
