package reporter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// ready is an approved case that may go into a notice.
type ready struct {
	c     review.Case
	nc    evidence.NoticeCase
	item  notice.Item
	posts []evidence.Ordinal
	// senior says why a senior approves the notice first; cases that differ in it do not share one.
	senior string
}

func (c ready) urgent() bool { return c.item.Severity == notice.ThreatToLife }

// draft puts approved cases that are in no notice into notices, the gravest first: one notice a platform, but that a threat to
// life stands alone, and so does what a senior must approve.
func (r *Reporter) draft(ctx context.Context, rep *Report) error {
	approved, err := r.desk.Cases(ctx, review.CaseApproved)
	if err != nil || len(approved) == 0 {
		return err
	}
	so, err := r.soFar(ctx)
	if err != nil {
		return err
	}
	by := map[string][]ready{}
	for _, c := range approved {
		platform, one, err := r.ready(ctx, c, so)
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			rep.Blocked = append(rep.Blocked, Blocked{Case: c.Ordinal, Reason: err.Error()})
			continue
		}
		by[platform] = append(by[platform], one)
	}
	for _, platform := range slices.Sorted(maps.Keys(by)) {
		if err := r.draftPlatform(ctx, platform, by[platform], so, rep); err != nil {
			return err
		}
	}
	return nil
}

// soFar is what drafting looks at of the notices that were drafted before, and of the team.
type soFar struct {
	notices []notice.State
	names   []string // of the team, which no notice names
}

func (r *Reporter) soFar(ctx context.Context) (soFar, error) {
	var out soFar
	roster, err := r.desk.Roster(ctx)
	if err != nil {
		return out, err
	}
	for _, p := range roster {
		out.names = append(out.names, p.Name)
	}
	out.notices, err = r.Notices(ctx)
	return out, err
}

// open returns the notice that the addressee still has before them about every one of the posts, or nothing.
func (so soFar) open(platform string, posts []evidence.Ordinal) evidence.Ordinal {
	for _, n := range so.notices {
		if n.Platform == platform && n.Open() && len(posts) > 0 && !slices.ContainsFunc(posts, func(p evidence.Ordinal) bool { return !slices.Contains(n.Posts, p) }) {
			return n.Ordinal
		}
	}
	return ""
}

// ready asks everything that a case must answer before it goes into a notice; the error is the sentence why it does not.
func (r *Reporter) ready(ctx context.Context, c review.Case, so soFar) (string, ready, error) {
	t, err := r.desk.MayReport(ctx, c)
	if err != nil {
		return "", ready{}, err
	}
	route, ok := r.o.Routes[t.Platform]
	if !ok {
		return "", ready{}, fmt.Errorf("no route leads to %s; add one to the configuration", t.Platform)
	}
	one := ready{c: c, nc: evidence.NoticeCase{
		Case: c.Ordinal, Version: c.Version, Decision: c.Decision.RecordRef, Approval: c.Approval.RecordRef, Account: c.Account,
	}}
	if err := r.notHeld(ctx, one.nc); err != nil {
		return "", one, err
	}
	for _, e := range c.Decision.Exhibits {
		one.posts = append(one.posts, e.Post)
	}
	if n := so.open(t.Platform, one.posts); n != "" {
		return "", one, fmt.Errorf("notice %s is open and reports the same posts of this account; record the answer to it first", n)
	}
	if one.item, err = notice.Gather(ctx, r.o.Log, one.nc, route.Kind); err != nil {
		return "", one, err
	}
	if name := one.item.NamesOf(so.names); name != "" {
		return "", one, errors.New("what was written about it names a person of the team, and no notice does; decide it again without the name")
	}
	var admissible bool
	if admissible, one.senior = notice.Admissible(route.Kind, one.item.Grounds, r.o.Notifier); !admissible {
		return "", one, errors.New(one.senior)
	}
	law, _ := notice.LawOf(route.Kind)
	if one.senior == "" && len(law.Counsel(one.item.Grounds, one.item.Designations)) > 0 {
		one.senior = "a senior approves it first: something about it is to be verified with counsel"
	}
	return t.Platform, one, nil
}

// notHeld refuses an approval whose unsent notice a person withdrew.
func (r *Reporter) notHeld(ctx context.Context, nc evidence.NoticeCase) error {
	var h notice.Held
	if ok, err := r.get(ctx, notice.HeldKey(nc.Case), &h); err != nil || !ok || h.Approval != nc.Approval {
		return err
	}
	return fmt.Errorf("a person withdrew its notice %s (%s); it leaves only after a new approval", h.Notice, h.Reason)
}

func (r *Reporter) draftPlatform(ctx context.Context, platform string, cases []ready, so soFar, rep *Report) error {
	quota := r.quota(platform, so.notices)
	for _, batch := range r.batches(cases, rep) {
		if quota.free <= 0 && !batch[0].urgent() {
			rep.block(batch, "the route's notices of the last 24 hours are used up: "+quota.sentence)
			continue
		}
		quota.free--
		o, err := r.draftNotice(ctx, platform, batch)
		var missing *incomplete
		switch {
		case errors.Is(err, evidence.ErrConflict):
			rep.block(batch, "it changed while the notice was drafted; the next run looks again")
			continue
		case errors.As(err, &missing):
			rep.block(batch, missing.Error())
			continue
		case err != nil:
			return err
		}
		rep.Drafted++
		rep.touch(o)
	}
	return nil
}

// batches sorts the cases, the gravest first, into notices. A threat to life is never batched.
func (r *Reporter) batches(cases []ready, rep *Report) [][]ready {
	severities := review.Severities()
	slices.SortStableFunc(cases, func(a, b ready) int {
		return slices.Index(severities, b.item.Severity) - slices.Index(severities, a.item.Severity)
	})
	var out [][]ready
	at := map[string]int{}
	for _, c := range cases {
		i, there := at[c.senior]
		switch {
		case c.urgent():
			out = append(out, []ready{c})
		case !there:
			at[c.senior] = len(out)
			out = append(out, []ready{c})
		case len(out[i]) < r.o.MaxCases:
			out[i] = append(out[i], c)
		default:
			rep.block([]ready{c}, "the next notice takes it")
		}
	}
	return out
}

func (rep *Report) block(cases []ready, reason string) {
	for _, c := range cases {
		rep.Blocked = append(rep.Blocked, Blocked{Case: c.c.Ordinal, Reason: reason})
	}
}
