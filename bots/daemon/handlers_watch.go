package daemon

import (
	"context"
	"errors"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/config/intake"
	"github.com/muhafiz/muhafiz/reporter/diary"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// TargetRequest asks for something about a target.
type TargetRequest struct {
	Person    string        `json:"person"`
	Target    string        `json:"target"`
	Emergency bool          `json:"emergency,omitempty"`
	Until     evidence.Time `json:"until,omitzero"`   // of an approval that ends
	Reason    string        `json:"reason,omitempty"` // or a comment
}

// TargetDetail is everything about a target but what it published.
type TargetDetail struct {
	TargetStatus
	ListedOnly bool                  `json:"listed_only,omitempty"` // there is no collector for its platform
	Set        *evidence.TargetSet   `json:"set_as,omitempty"`      // organisation, designations, basis, citation, legal basis
	Identity   string                `json:"identity,omitempty"`    // of the account, as the platform has it: `telegram channel 1234`
	Seen       *evidence.AccountSeen `json:"seen,omitempty"`        // the newest snapshot of the account
	History    []diary.Entry         `json:"history"`               // of the target, the oldest first
}

func (r *Rooms) targets(ctx context.Context, c *call, _ none) (any, error) {
	all, err := r.desk(c).Targets(ctx)
	if err != nil {
		return nil, err
	}
	return r.viewed(ctx, c, all...)
}

func (r *Rooms) prepareTarget(ctx context.Context, c *call, in TargetRequest) (any, error) {
	var p string
	var err error
	switch {
	case in.Emergency && !in.Until.IsZero():
		return nil, usagef("an emergency start lasts %s; it takes no other end", review.EmergencyStart)
	case in.Emergency:
		p, err = r.desk(c).PrepareTargetApproval(ctx, in.Person, in.Target, true, in.Reason)
	default:
		p, err = r.desk(c).PrepareTargetApprovalUntil(ctx, in.Person, in.Target, in.Until, in.Reason)
	}
	return Prepared{p}, err
}

func (r *Rooms) approveTarget(ctx context.Context, c *call, in SignedBy) (any, error) {
	t, err := r.desk(c).ApproveTarget(ctx, in.Person, in.Target, in.Signed)
	if err == nil {
		r.changed()
	}
	return t, err
}

func (r *Rooms) suspendTarget(ctx context.Context, c *call, in TargetRequest) (any, error) {
	if err := r.desk(c).Suspend(ctx, in.Person, in.Target, in.Reason); err != nil {
		return nil, err
	}
	t, _, err := r.desk(c).Target(ctx, in.Target)
	if err != nil {
		return nil, err
	}
	return r.stopped(ctx, t, in.Reason)
}

// removeTarget records who took a target off the list and why. The caller takes it out of the watchlist right after; a target that is
// still in a watchlist at the next reload stays removed until its entry changes.
func (r *Rooms) removeTarget(ctx context.Context, c *call, in TargetRequest) (any, error) {
	p, err := r.Desk.Person(ctx, in.Person, review.RoleAnalyst, review.RoleReviewer, review.RoleSenior)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(in.Reason) == "" {
		return nil, usagef("say why target %s is removed", in.Target)
	}
	t, version, err := r.desk(c).Target(ctx, in.Target)
	if err != nil {
		return nil, err
	}
	switch {
	case t.State == review.TargetRemoved:
		return t, nil
	case t.State == review.TargetInnocent, t.State == review.TargetSuspended:
		return nil, &review.Refusal{Code: review.WrongTarget, Sentence: "target " + t.ID + " is " + t.State + ": it stays on the list, so that the mistake and its correction stay in sight"}
	}
	_, err = r.Vault.Put(ctx, evidence.Batch{
		Drafts: []evidence.Draft{{ID: evidence.NewID(r.Now()), Actor: evidence.Person(p.ID), Subject: evidence.Target(t.ID), Body: &evidence.TargetRemoved{Reason: in.Reason}}},
		If:     []evidence.Expect{{View: review.ViewTargets, Key: string(t.Ordinal), Version: version}},
	})
	if errors.Is(err, evidence.ErrConflict) {
		return nil, &review.Refusal{Code: review.ChangedSince, Sentence: "target " + t.ID + " changed meanwhile; look at it and try again"}
	}
	if err != nil {
		return nil, err
	}
	r.changed()
	t, _, err = r.desk(c).Target(ctx, in.Target)
	return t, err
}

// knownTargets tells a list's reader what the log knows: every target by its address, and by the names that its account has now.
func (r *Rooms) knownTargets(ctx context.Context, c *call, _ none) (any, error) {
	all, err := r.desk(c).Targets(ctx)
	if err != nil {
		return nil, err
	}
	known := []intake.Prior{}
	for _, t := range all {
		known = append(known, intake.Prior{ID: t.ID, Address: t.Address, State: t.State, Reason: t.Reason})
		seen, err := r.seen(ctx, t.Account)
		if err != nil {
			return nil, err
		}
		if seen == nil {
			continue
		}
		for _, name := range seen.Usernames {
			if a, err := config.Handle(t.Platform, name); err == nil && a.Canonical != t.Address {
				known = append(known, intake.Prior{ID: t.ID, Address: a.Canonical, State: t.State, Reason: t.Reason, Renamed: true})
			}
		}
	}
	return known, nil
}

// seen returns the newest snapshot of an account, nil where there is none or it was erased.
func (r *Rooms) seen(ctx context.Context, account evidence.Ordinal) (*evidence.AccountSeen, error) {
	if account == "" {
		return nil, nil
	}
	slots, err := r.Vault.Latest(ctx, account)
	if err != nil {
		return nil, err
	}
	newest := int64(-1)
	var found *evidence.AccountSeen
	for _, seq := range slots {
		if seq <= newest {
			continue
		}
		rec, err := r.Vault.Record(ctx, seq)
		if err != nil {
			return nil, err
		}
		s, err := evidence.Decode[*evidence.AccountSeen](rec)
		if err != nil {
			continue // another kind of observation, or erased
		}
		newest, found = seq, s
	}
	return found, nil
}

func (r *Rooms) showTarget(ctx context.Context, c *call, _ none) (any, error) {
	t, _, err := r.desk(c).Target(ctx, c.FormValue("target"))
	if err != nil {
		return nil, err
	}
	views, err := r.viewed(ctx, c, t)
	if err != nil {
		return nil, err
	}
	d := TargetDetail{TargetStatus: TargetStatus{TargetView: views[0]}, ListedOnly: !config.Collectable(t.Platform)}
	if err := r.tallyOf(ctx, &d.TargetStatus); err != nil {
		return nil, err
	}
	rec, err := r.Vault.Record(ctx, t.Set.Seq)
	if err != nil {
		return nil, err
	}
	if d.Set, err = evidence.Decode[*evidence.TargetSet](rec); err != nil && !errors.Is(err, evidence.ErrErased) {
		return nil, err
	}
	if t.Account != "" {
		n, err := r.Vault.Name(ctx, t.Account)
		if err != nil {
			return nil, err
		}
		d.Identity = n.Key
	}
	if d.Seen, err = r.seen(ctx, t.Account); err != nil {
		return nil, err
	}
	d.History, err = diary.Read(ctx, r.Vault, diary.Query{Subject: t.Ordinal})
	return d, err
}

// tallyOf fills in what was collected of a target.
func (r *Rooms) tallyOf(ctx context.Context, s *TargetStatus) error {
	counts := func(o evidence.Ordinal) (map[evidence.Kind]int64, error) {
		n := map[evidence.Kind]int64{}
		if o == "" {
			return n, nil
		}
		return n, r.Vault.Each(ctx, viewTally, string(o)+" ", func(key string, value []byte, _ int64) error {
			_, k := splitTally(key)
			n[k] = number(value)
			return nil
		})
	}
	a, err := counts(s.Account)
	if err != nil {
		return err
	}
	t, err := counts(s.Ordinal)
	s.Versions, s.Gone, s.Files, s.Missed = a[evidence.KindPostSeen], a[evidence.KindPostGone], a[evidence.KindMediaKept], a[evidence.KindMediaMissed]
	s.Snapshots, s.Gaps = a[evidence.KindAccountSeen], a[evidence.KindGap]+t[evidence.KindGap]
	return err
}
