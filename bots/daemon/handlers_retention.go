package daemon

import (
	"context"
	"net/http"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// HoldRequest asks for a hold.
type HoldRequest struct {
	Person string `json:"person"`
	review.HoldInput
}

// ReleaseRequest asks for the end of a hold.
type ReleaseRequest struct {
	Person string `json:"person"`
	Hold   int64  `json:"hold"`
	Reason string `json:"reason"`
}

// RetainRequest asks for a run of retention, or what one would do.
type RetainRequest struct {
	Person string `json:"person,omitempty"` // not needed for a dry run
	DryRun bool   `json:"dry_run,omitempty"`
}

// ErasedTarget is what became of one of the two words.
type ErasedTarget struct {
	review.Erasure
	ID     string `json:"id"`
	Erased *Gone  `json:"erased,omitempty"` // nil after the first word
}

func (r *Rooms) retentionTo(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/holds", handle(r, r.holds))
	mux.HandleFunc("POST /v1/holds", handle(r, r.placeHold))
	mux.HandleFunc("POST /v1/holds/release", handle(r, r.releaseHold))
	mux.HandleFunc("POST /v1/retention", handle(r, r.runRetention))
	mux.HandleFunc("POST /v1/targets/erase/prepare", handle(r, r.prepareErasure))
	mux.HandleFunc("POST /v1/targets/erase", handle(r, r.eraseWord))
	mux.HandleFunc("GET /v1/quarantine", handle(r, r.quarantines))
	mux.HandleFunc("POST /v1/quarantine", handle(r, r.quarantine))
	mux.HandleFunc("POST /v1/quarantine/order/prepare", handle(r, r.prepareOrder))
	mux.HandleFunc("POST /v1/quarantine/order", handle(r, r.order))
	mux.HandleFunc("POST /v1/quarantine/take", handle(r, r.takePacket))
}

func (r *Rooms) holds(ctx context.Context, c *call, _ none) (any, error) {
	return r.desk(c).AllHolds(ctx, c.FormValue("all") != "")
}

func (r *Rooms) placeHold(ctx context.Context, c *call, in HoldRequest) (any, error) {
	return r.desk(c).PlaceHold(ctx, in.Person, in.HoldInput)
}

func (r *Rooms) releaseHold(ctx context.Context, c *call, in ReleaseRequest) (any, error) {
	return r.desk(c).ReleaseHold(ctx, in.Person, in.Hold, in.Reason)
}

func (r *Rooms) runRetention(ctx context.Context, c *call, in RetainRequest) (any, error) {
	if in.DryRun {
		return r.retain(ctx, evidence.Vault(), true)
	}
	p, err := r.desk(c).Person(ctx, in.Person, review.RoleOperator, review.RoleSenior, review.RoleLegal)
	if err != nil {
		return nil, err
	}
	return r.retain(ctx, evidence.Person(p.ID), false)
}

func (r *Rooms) prepareErasure(ctx context.Context, c *call, in TargetRequest) (any, error) {
	p, err := r.desk(c).PrepareErasure(ctx, in.Person, in.Target, in.Reason)
	return Prepared{p}, err
}

// eraseWord records one of the two words; with the second, it erases.
func (r *Rooms) eraseWord(ctx context.Context, c *call, in SignedBy) (any, error) {
	e, t, err := r.desk(c).Erasing(ctx, in.Person, in.Target, in.Signed)
	out := ErasedTarget{Erasure: e, ID: t.ID}
	if err != nil || e.Second == nil {
		return out, err
	}
	did, err := r.eraseTarget(context.WithoutCancel(ctx), e)
	if err != nil {
		return out, standing(err)
	}
	r.changed()
	g := gone(did)
	out.Erased = &g
	return out, nil
}
