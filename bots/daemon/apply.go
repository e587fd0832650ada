package daemon

import (
	"context"
	"fmt"
	"slices"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// Applied counts what a configuration changed in the log.
type Applied struct {
	People, Targets, Removed int
}

// applyBatch is how many drafts go into one batch: what a transaction adds to a table is kept sorted in memory until the commit, so that a
// hundred thousand new targets at once would cost half a minute.
const applyBatch = 2000

// apply makes a configuration true: every person and target that differs from its latest record gets a new one, people first, and
// those that are no longer in it are recorded as removed. Removal comes of the log's own view and not of the configuration
// that was in force before, so that an edit made while no daemon ran counts as well.
func (r *Rooms) apply(ctx context.Context, c *config.Config) (Applied, error) {
	acq := evidence.NewAcq(r.Now())
	var drafts []evidence.Draft
	add := func(subject evidence.Name, b evidence.Body) {
		drafts = append(drafts, evidence.Draft{
			ID: evidence.ID{Acq: acq, N: uint32(len(drafts))}, Actor: evidence.Vault(), Subject: subject, Body: b,
		})
	}
	still := map[evidence.Name]bool{} // a list may have a hundred thousand targets
	for _, p := range c.People {
		add(evidence.Person(p.ID), personSet(p))
		still[evidence.Person(p.ID)] = true
	}
	for _, t := range c.Targets {
		add(evidence.Target(t.ID), targetSet(c, t))
		still[evidence.Target(t.ID)] = true
	}
	people, targets := len(c.People), len(c.Targets)
	roster, err := r.Desk.Roster(ctx)
	if err != nil {
		return Applied{}, err
	}
	for _, p := range roster {
		if !still[evidence.Person(p.ID)] && !p.Removed {
			add(evidence.Person(p.ID), &evidence.PersonSet{
				Key: p.ID, Name: p.Name, Roles: p.Roles, SSHKey: p.SSHKey, Fingerprint: p.Fingerprint, Removed: true,
			})
		}
	}
	listed, err := r.Desk.Targets(ctx)
	if err != nil {
		return Applied{}, err
	}
	for _, t := range listed {
		if !still[evidence.Target(t.ID)] && t.State != review.TargetRemoved {
			add(evidence.Target(t.ID), &evidence.TargetRemoved{Reason: "no longer in the watchlists"})
		}
	}
	var a Applied
	i := 0
	for part := range slices.Chunk(drafts, applyBatch) {
		recs, err := r.Vault.Put(ctx, evidence.Batch{Drafts: part})
		if err != nil {
			return a, fmt.Errorf("record the configuration: %w", err)
		}
		for _, rec := range recs {
			switch {
			case rec.Outcome != evidence.Written:
			case i < people:
				a.People++
			case i < people+targets:
				a.Targets++
			default:
				a.Removed++
			}
			i++
		}
	}
	return a, nil
}
