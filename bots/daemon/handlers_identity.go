package daemon

import (
	"context"
	"encoding/json"

	"github.com/muhafiz/muhafiz/reporter/review"
)

// IdentityRequest says which account a target is now, by the platform's number.
type IdentityRequest struct {
	Person  string `json:"person"`
	Target  string `json:"target"`
	Channel string `json:"channel"`
	Comment string `json:"comment,omitempty"`
}

func (r *Rooms) prepareIdentity(ctx context.Context, c *call, in IdentityRequest) (any, error) {
	t, _, err := r.desk(c).Target(ctx, in.Target)
	if err != nil {
		return nil, err
	}
	p, err := r.desk(c).PrepareIdentity(ctx, in.Person, in.Target, t.Platform+" channel "+in.Channel, in.Comment)
	return Prepared{p}, err
}

func (r *Rooms) confirmIdentity(ctx context.Context, c *call, in SignedBy) (any, error) {
	t, err := r.desk(c).ConfirmIdentity(ctx, in.Person, in.Target, in.Signed)
	if err == nil {
		r.changed()
	}
	return t, err
}

// confirmed reports whether a person signed that a target is another channel now, and a second one approved that. Whatever keeps it from
// being read counts as no.
func (r *Rooms) confirmed(target, channel string) bool {
	ctx := context.Background()
	key, _, err := r.Vault.Get(ctx, review.ViewTargets, "id/"+target)
	if err != nil || key == nil {
		return false
	}
	b, _, err := r.Vault.Get(ctx, review.ViewTargets, string(key))
	var t review.Target
	if err != nil || json.Unmarshal(b, &t) != nil {
		return false
	}
	return t.Confirmed == t.Platform+" channel "+channel && t.Collectable(r.Desk.Time())
}
