package daemon

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/config"
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
		By: by, Rule: retention.Rule, Reason: "the configured term is over", Records: out.Records, Replies: out.Plan.Replies, DryRun: dry,
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
