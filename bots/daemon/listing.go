package daemon

import (
	"context"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// ListingRequest asks for the statement of a listing.
type ListingRequest struct {
	Person  string          `json:"person"`
	Targets int64           `json:"targets"`
	Root    evidence.Digest `json:"root"` // of the list, see review.List
	Comment string          `json:"comment,omitempty"`
}

// SignedListing is a signed statement with the list that it is of.
type SignedListing struct {
	Person string          `json:"person"`
	Signed evidence.Signed `json:"signed"`
	List   string          `json:"list"`
}

// TargetView is a target with what its listing lacks.
type TargetView struct {
	review.Target
	Unsigned string `json:"unsigned,omitempty"` // why its listing does not count as signed; empty where it does, and for a removed target
	// ListDamaged is whether it may well be signed, in a list that is missing or damaged.
	ListDamaged bool `json:"list_damaged,omitempty"`
	// Erasing is who signed, alone so far, that what was collected of it is erased.
	Erasing string `json:"erasing,omitempty"`
}

// ListOf is the list over those of a configuration's targets that keep says, as the log will have them.
func ListOf(c *config.Config, keep func(config.Target) bool) review.List {
	var all []review.Listing
	for _, t := range c.Targets {
		if keep(t) {
			all = append(all, review.Listing{ID: t.ID, Effective: targetSet(c, t).Effective()})
		}
	}
	return review.NewList(all)
}

func (r *Rooms) prepareListing(ctx context.Context, c *call, in ListingRequest) (any, error) {
	p, err := r.desk(c).PrepareListing(ctx, in.Person, in.Targets, in.Root, in.Comment)
	return Prepared{p}, err
}

func (r *Rooms) signListing(ctx context.Context, c *call, in SignedListing) (any, error) {
	return r.desk(c).SignListing(ctx, in.Person, in.Signed, in.List)
}

// viewed says of targets whether their listings are signed.
func (r *Rooms) viewed(ctx context.Context, c *call, targets ...review.Target) ([]TargetView, error) {
	return r.viewedBy(ctx, c, r.desk(c).Signings(), targets...)
}

func (r *Rooms) viewedBy(ctx context.Context, c *call, s *review.Signings, targets ...review.Target) ([]TargetView, error) {
	views := make([]TargetView, 0, len(targets))
	erasures, err := r.desk(c).Erasures(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range targets {
		v := TargetView{Target: t}
		for _, e := range erasures {
			if e.Target == t.Ordinal && e.Second == nil && t.Stop != nil && e.Stop == t.Stop.RecordRef {
				v.Erasing = e.First.Person
			}
		}
		if t.State != review.TargetRemoved {
			err := s.Unsigned(ctx, t)
			switch review.CodeOf(err) {
			case review.NotListed:
				v.Unsigned = err.Error()
			case review.ListDamaged:
				v.Unsigned, v.ListDamaged = err.Error(), true
			default:
				if err != nil {
					return nil, err
				}
			}
		}
		views = append(views, v)
	}
	return views, nil
}
