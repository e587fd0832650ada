package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/retention"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// Gone is what an erasure took, or would take.
type Gone struct {
	Records   []int64 `json:"records"` // the numbers of the `erased` records
	Bodies    int     `json:"bodies"`
	Replies   int     `json:"replies"`   // raw replies, cut or removed
	Files     int     `json:"files"`     // removed
	Bytes     int64   `json:"bytes"`     // of them
	Keys      int     `json:"keys"`      // data keys destroyed
	Lingering int     `json:"lingering"` // bodies that stay in free pages or backups until a compaction
}

func gone(e vault.Erasure) Gone {
	g := Gone{Records: []int64{}, Bodies: e.Bodies, Replies: e.Replies, Files: e.Blobs, Bytes: e.Bytes, Keys: e.Keys, Lingering: e.Lingering}
	for _, r := range e.Records {
		g.Records = append(g.Records, r.Seq)
	}
	return g
}

// Retained is what a run of retention did, or what one would do.
type Retained struct {
	retention.Plan
	DryRun    bool          `json:"dry_run"`
	Erased    Gone          `json:"erased"`
	Deadline  evidence.Time `json:"compact_by,omitzero"` // by when `muhafiz compact` should run, where bytes linger
	Lingering int           `json:"lingering"`           // bodies, of all runs since the last compaction
	// Orders are what two people ordered and was carried out, or why it was not.
	Orders []string `json:"orders"`
}

// retain works out what is due and erases it, and carries out again what two people ordered, so that what came in late goes too.
func (r *Rooms) retain(ctx context.Context, by evidence.Name, dry bool) (Retained, error) {
	out := Retained{DryRun: dry, Orders: []string{}}
	_, holds, err := r.Vault.Get(ctx, review.ViewHolds, review.HoldsHead)
	if err != nil {
		return out, err
	}
	in, err := r.retentionInputs(ctx)
	if err != nil {
		return out, err
	}
	if out.Plan, err = retention.Make(ctx, r.Vault.Vault, in); err != nil {
		return out, err
	}
	did, err := r.Vault.Erase(ctx, vault.ErasePlan{
		By: by, Rule: "retention", Reason: "the configured term is over", Records: out.Records, Replies: out.Plan.Replies, DryRun: dry,
		If: []evidence.Expect{{View: review.ViewHolds, Key: review.HoldsHead, Version: holds}},
	})
	out.Erased = gone(did)
	if errors.Is(err, evidence.ErrConflict) {
		return out, errors.New("a hold was placed or released meanwhile: nothing was erased; run it again")
	}
	if err != nil || dry {
		return out, errors.Join(err, r.lingering(ctx, &out))
	}
	run := &evidence.RetentionRun{
		Erased: out.Erased.Bodies, Replies: out.Erased.Replies, Files: out.Erased.Files, Bytes: out.Erased.Bytes, Lingering: out.Erased.Lingering,
		Held: out.Held, Soon: out.Soon, Scanned: out.Scanned, Warn: in.Warn, Terms: out.Changed,
	}
	if !out.SoonFrom.IsZero() {
		run.SoonFrom = evidence.At(out.SoonFrom)
	}
	if run.Lingering > 0 {
		run.Deadline = evidence.At(r.Now().Add(r.Config.Retention.Compact.Duration()))
	}
	if err := r.write(ctx, by, evidence.Vault(), run); err != nil {
		return out, err
	}
	if out.Orders, err = r.standingOrders(ctx); err != nil {
		return out, err
	}
	return out, r.lingering(ctx, &out)
}

func (r *Rooms) lingering(ctx context.Context, out *Retained) error {
	s, err := retention.Read(ctx, r.Vault)
	if err == nil && s.Lingering != nil {
		out.Lingering, out.Deadline = s.Lingering.Bodies, s.Lingering.Deadline
	}
	return err
}

// retentionPause is how often the daemon looks whether a day has passed.
const retentionPause = 10 * time.Minute

// retainDaily runs retention once a day; a day that was missed is caught up once.
func (r *Rooms) retainDaily(ctx context.Context) error {
	s, err := retention.Read(ctx, r.Vault)
	if err != nil || !s.Due(r.Desk.Time()) {
		return err
	}
	out, err := r.retain(ctx, evidence.Vault(), false)
	switch {
	case err == nil:
		r.Log.Info().Int("erased", out.Erased.Bodies).Int("held", out.Held).Int("soon", out.Soon).Int("lingering", out.Lingering).Msg("retention ran")
	case isFatal(err):
		return err
	case ctx.Err() == nil:
		r.Log.Error().Err(err).Msg("retention did not run; it is tried again")
	}
	return nil
}

// retentionInputs gathers terms and holds.
func (r *Rooms) retentionInputs(ctx context.Context) (retention.Inputs, error) {
	c := r.Config.Retention
	in := retention.Inputs{
		Now: r.Desk.Time(), Default: int(c.Default), Warn: int(c.Warn), Acts: int(c.Acts), Terms: map[evidence.Ordinal]int{},
		Labels: map[evidence.Ordinal]string{}, Targets: map[evidence.Ordinal]evidence.Ordinal{},
	}
	targets, err := r.Desk.Targets(ctx)
	if err != nil {
		return in, err
	}
	for _, t := range targets {
		if t.Account == "" {
			continue
		}
		d, err := r.termOf(ctx, t)
		if err != nil {
			return in, err
		}
		// An account of several targets has the longest of their terms.
		in.Terms[t.Account] = max(in.Terms[t.Account], int(d))
		in.Targets[t.Ordinal] = t.Account
		in.Labels[t.Account] = strings.TrimPrefix(in.Labels[t.Account]+", "+t.ID, ", ")
	}
	in.Holds, err = r.allHolds(ctx, targets)
	return in, err
}

// termOf is a target's own term, or its organisation's, or the default.
func (r *Rooms) termOf(ctx context.Context, t review.Target) (config.Days, error) {
	c := r.Config.Retention
	if own, ok := r.Config.Target(t.ID); ok {
		if own.Retain > 0 {
			return own.Retain, nil
		}
		if d, ok := c.Organisations[own.Organisation]; ok {
			return d, nil
		}
		return c.Default, nil
	}
	rec, err := r.Vault.Record(ctx, t.Set.Seq)
	if err != nil {
		return 0, err
	}
	if b, err := evidence.Decode[*evidence.TargetSet](rec); err == nil {
		if d, ok := c.Organisations[b.Organisation.ID]; ok {
			return d, nil
		}
	}
	return c.Default, nil
}

// allHolds gathers what people hold, and what work holds by itself.
func (r *Rooms) allHolds(ctx context.Context, targets []review.Target) ([]retention.Hold, error) {
	h := holding{r: r, ctx: ctx, targets: targets}
	for _, step := range []func() error{h.cases, h.notices, h.bundles, h.quarantined, h.placed} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("gather holds: %w", err)
		}
	}
	return h.out, nil
}

type holding struct {
	r       *Rooms
	ctx     context.Context
	targets []review.Target
	cs      map[evidence.Ordinal]review.Case
	ns      []notice.State
	out     []retention.Hold
}

func (h *holding) add(x retention.Hold) { h.out = append(h.out, x) }

// exhibits holds the posts of a case, with the acts about it.
func (h *holding) exhibits(c review.Case, why string, until time.Time) {
	h.add(retention.Hold{Why: why, Until: until, Subject: c.Ordinal})
	if c.Decision == nil {
		return
	}
	for _, e := range c.Decision.Exhibits {
		h.add(retention.Hold{Why: why, Until: until, Post: e.Post})
	}
}

func (h *holding) cases() error {
	all, err := h.r.Desk.Cases(h.ctx)
	h.cs = map[evidence.Ordinal]review.Case{}
	term := h.r.Config.Retention.Holds.Case.Duration()
	for _, c := range all {
		h.cs[c.Ordinal] = c
		switch c.Status {
		case review.CaseOpen, review.CaseDecided, review.CaseRejected, review.CaseApproved:
			since := c.OpenedAt
			if c.Decision != nil {
				since = c.Decision.At
			}
			h.exhibits(c, "case "+string(c.Ordinal)+" is "+c.Status, since.Add(term))
		}
	}
	return err
}

func (h *holding) notices() error {
	t := h.r.Config.Retention.Holds
	var err error
	if h.ns, err = h.r.noticeStates(h.ctx); err != nil {
		return err
	}
	for _, n := range h.ns {
		why, until := "notice "+string(n.Ordinal)+" is "+n.Status, n.ChangedAt.Add(t.Notice.Duration())
		switch {
		case n.Status == notice.Withdrawn:
			continue
		case n.Status == notice.Answered, n.Status == notice.Corrected:
			until = n.ChangedAt.Add(t.Answer.Duration())
		}
		if len(n.Disputes) > 0 {
			if d := n.Disputes[len(n.Disputes)-1].At.Add(t.Dispute.Duration()); d.After(until) || n.Status == notice.Disputed {
				why, until = "notice "+string(n.Ordinal)+" is disputed", d
			}
		}
		h.notice(n, why, until)
	}
	return nil
}

func (h *holding) notice(n notice.State, why string, until time.Time) {
	h.add(retention.Hold{Why: why, Until: until, Subject: n.Ordinal})
	for _, nc := range n.Cases {
		if c, ok := h.cs[nc.Case]; ok {
			h.exhibits(c, why, until)
		}
	}
}

// noticeStates reads every notice, also where the configuration has no reporter any more.
func (r *Rooms) noticeStates(ctx context.Context) (out []notice.State, err error) {
	err = r.Vault.Each(ctx, notice.ViewNotices, string(rune(evidence.SpaceNotice)), func(_ string, value []byte, _ int64) error {
		var n notice.State
		err := json.Unmarshal(value, &n)
		out = append(out, n)
		return err
	})
	return out, err
}

// bundles holds what bundles were built of, so that whoever attacks one can be answered.
func (h *holding) bundles() error {
	return h.r.Vault.Each(h.ctx, viewBundles, "", func(_ string, value []byte, _ int64) error {
		b, err := decodeBundleEntry(value)
		if err != nil {
			return err
		}
		why, until := fmt.Sprintf("bundle %s (record %d)", b.Name, b.Seq), b.At.Add(h.r.Config.Retention.Holds.Bundle.Duration())
		switch {
		case b.Subject.Space() == evidence.SpaceAccount && len(b.Posts) == 0:
			h.add(retention.Hold{Why: why, Until: until, Account: b.Subject.Whole(), Below: b.Seq})
		case b.Subject.Space() == evidence.SpaceCase:
			h.exhibits(h.cs[b.Subject], why, until)
		}
		for _, p := range b.Posts {
			h.add(retention.Hold{Why: why, Until: until, Post: p})
		}
		return nil
	})
}

// quarantined keeps what the law says is to be preserved.
func (h *holding) quarantined() error {
	if h.r.Config.Quarantine.Law != config.QuarantineKeep {
		return nil
	}
	all, err := h.r.Desk.Quarantines(h.ctx)
	for _, q := range all {
		h.add(retention.Hold{Why: "quarantine, and the law says keep", Post: q.Post})
	}
	return err
}

func (h *holding) placed() error {
	all, err := h.r.Desk.AllHolds(h.ctx, false)
	for _, x := range all {
		why := fmt.Sprintf("hold %d by %s: %s", x.Seq, x.By, x.Reason)
		switch {
		case x.Subject.Space() == evidence.SpaceTarget:
			if err := h.target(x, why); err != nil {
				return err
			}
		case x.Subject.Space() == evidence.SpaceNotice:
			for _, n := range h.ns {
				if n.Ordinal == x.Subject {
					h.notice(n, why, x.Until.Time)
				}
			}
		case x.Subject.Part() != "":
			h.add(retention.Hold{Why: why, Until: x.Until.Time, Post: x.Subject})
		default:
			q := retention.Hold{Why: why, Until: x.Until.Time, Account: x.Subject}
			if x.Query != nil {
				q.From, q.To = x.Query.From.Time, x.Query.To.Time
			}
			h.add(q)
		}
	}
	return err
}

// target holds all of a target's accounts, its cases and their notices.
func (h *holding) target(x review.Hold, why string) error {
	until := x.Until.Time
	h.add(retention.Hold{Why: why, Until: until, Subject: x.Subject})
	for _, t := range h.targets {
		if t.Ordinal != x.Subject || t.Account == "" {
			continue
		}
		accounts, err := h.r.Desk.AccountsOf(h.ctx, t)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			h.add(retention.Hold{Why: why, Until: until, Account: a})
		}
		h.add(retention.Hold{Why: why, Until: until, Account: t.Account})
		for _, c := range h.cs {
			if c.Account != t.Account {
				continue
			}
			h.add(retention.Hold{Why: why, Until: until, Subject: c.Ordinal})
			if c.Notice != "" {
				h.add(retention.Hold{Why: why, Until: until, Subject: c.Notice})
			}
		}
	}
	return nil
}
