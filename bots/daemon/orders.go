package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// standingOrders carries out again what two people ordered: what came in late goes too. It returns a sentence for each that did
// something or could not.
func (r *Rooms) standingOrders(ctx context.Context) ([]string, error) {
	out := []string{}
	say := func(what string, e vault.Erasure, err error) error {
		switch {
		case review.IsRefusal(err):
			out = append(out, what+" waits: "+err.Error())
			return nil
		case err != nil:
			return err
		case e.Bodies+e.Replies > 0:
			out = append(out, fmt.Sprintf("%s: %d bodies and %d raw replies erased", what, e.Bodies, e.Replies))
		}
		return nil
	}
	erasures, err := r.Desk.Erasures(ctx)
	if err != nil {
		return out, err
	}
	for _, e := range erasures {
		if e.Second == nil {
			continue
		}
		did, err := r.eraseTarget(ctx, e)
		if err := say("erasure of target "+string(e.Target), did, err); err != nil {
			return out, err
		}
	}
	qs, err := r.Desk.Quarantines(ctx)
	if err != nil {
		return out, err
	}
	for _, q := range qs {
		if !q.Ordered(evidence.OrderDestroy, "") {
			continue
		}
		did, err := r.destroy(ctx, q)
		if err := say("destruction of post "+string(q.Post), did, err); err != nil {
			return out, err
		}
	}
	return out, nil
}

// ofAccount are the kinds that an erasure of a wrongly listed account takes: all that was collected.
func ofAccount(k evidence.Kind) bool {
	switch k {
	case evidence.KindPostSeen, evidence.KindPostCounts, evidence.KindPostGone, evidence.KindMediaKept, evidence.KindMediaMissed,
		evidence.KindAccountSeen, evidence.KindFinding, evidence.KindLink:
		return true
	}
	return false
}

// ofPost are the kinds that a destruction of a quarantined post takes.
func ofPost(k evidence.Kind) bool {
	switch k {
	case evidence.KindPostSeen, evidence.KindMediaKept, evidence.KindMediaMissed, evidence.KindFinding, evidence.KindLink:
		return true
	}
	return false
}

// gathered is what an order covers and is still there.
type gathered struct {
	r       *Rooms
	ctx     context.Context
	below   int64 // only records with lower numbers; 0: all
	records []int64
	replies []int64
}

func (g *gathered) take(takes func(evidence.Kind) bool) func(evidence.Record) error {
	return func(rec evidence.Record) error {
		if rec.Body != nil && takes(rec.Kind) && (g.below == 0 || rec.Seq < g.below) {
			g.records = append(g.records, rec.Seq)
		}
		return nil
	}
}

// rawReplies takes the acquisitions of an account of which raw bytes are left.
func (g *gathered) rawReplies(rec evidence.Record) error {
	b, err := evidence.Decode[*evidence.Acquisition](rec)
	if err != nil || b.Reply.IsZero() || g.below != 0 && rec.Seq >= g.below {
		return nil //nolint:nilerr // another kind
	}
	left, err := g.r.Vault.Reply(g.ctx, rec.Seq)
	switch {
	case errors.Is(err, evidence.ErrNotFound), err == nil && !left.Reply.IsZero():
		g.replies = append(g.replies, rec.Seq)
	case err != nil:
		return err
	}
	return nil
}

// decisions takes those about an account: they quote it.
func (g *gathered) decisions(account evidence.Ordinal, quotes func(review.Case) bool) error {
	all, err := g.r.Desk.Cases(g.ctx)
	for _, c := range all {
		if err != nil {
			break
		}
		if c.Account == account && quotes(c) {
			err = g.r.Vault.Vault.About(g.ctx, c.Ordinal, g.take(func(k evidence.Kind) bool { return k == evidence.KindDecision }))
		}
	}
	return err
}

func (g *gathered) erase(plan vault.ErasePlan) (vault.Erasure, error) {
	if len(g.records)+len(g.replies) == 0 {
		return vault.Erasure{}, nil
	}
	plan.Records, plan.Replies = g.records, g.replies
	out, err := g.r.Vault.Erase(g.ctx, plan)
	if errors.Is(err, evidence.ErrConflict) {
		err = &review.Refusal{Code: review.ChangedSince, Sentence: "a hold was placed or released meanwhile: nothing was erased; it is tried again with the next run of retention"}
	}
	if err != nil {
		return out, err
	}
	if err := telegram.ClearPartials(partials(g.r.Config)); err != nil {
		return out, fmt.Errorf("the records are erased; remove the parts of unfinished files in %s by hand: %w", partials(g.r.Config), err)
	}
	return out, nil
}

// eraseTarget erases what was collected of a wrongly listed account: posts, counts, files, snapshots, raw replies, and the decisions that
// quote it. The listing, its stop, the envelopes and the notices that left stay, so that the mistake can be known and put right.
func (r *Rooms) eraseTarget(ctx context.Context, e review.Erasure) (vault.Erasure, error) {
	t, expect, err := r.Desk.MayErase(ctx, e)
	if err != nil {
		return vault.Erasure{}, err
	}
	g := &gathered{r: r, ctx: ctx}
	if t.Stop == nil || t.Stop.RecordRef != e.Stop {
		g.below = e.SecondSeq // listed again since: what came after is not what they meant
	}
	whole := g.take(ofAccount)
	err = r.Vault.Vault.About(ctx, t.Account, func(rec evidence.Record) error { return errors.Join(whole(rec), g.rawReplies(rec)) })
	if err == nil {
		err = r.Vault.Vault.About(ctx, t.Ordinal, g.rawReplies)
	}
	if err == nil {
		err = r.Vault.Posts(ctx, t.Account, func(p evidence.Ordinal) error { return r.Vault.Vault.About(ctx, p, whole) })
	}
	if err == nil {
		err = g.decisions(t.Account, func(review.Case) bool { return true })
	}
	if err != nil {
		return vault.Erasure{}, err
	}
	return g.erase(vault.ErasePlan{
		By: evidence.Person(e.Second.Person), Subject: evidence.Target(t.ID), Rule: review.RuleWrongListing,
		Reason: fmt.Sprintf("records %d and %d", e.FirstSeq, e.SecondSeq), If: []evidence.Expect{expect},
	})
}

// destroy erases what is kept of a quarantined post: its versions, its files wherever else they stand, the raw bytes of it in every reply,
// and the decisions that quote it.
func (r *Rooms) destroy(ctx context.Context, q review.Quarantine) (vault.Erasure, error) {
	expect, err := r.Desk.MayDestroy(ctx, q)
	if err != nil {
		return vault.Erasure{}, err
	}
	if err := r.lawDestroys(); err != nil {
		return vault.Erasure{}, err
	}
	g := &gathered{r: r, ctx: ctx}
	files := map[evidence.Digest]bool{}
	post := g.take(ofPost)
	err = r.Vault.Vault.About(ctx, q.Post, func(rec evidence.Record) error {
		if b, err := evidence.Decode[*evidence.MediaKept](rec); err == nil {
			files[b.Blob.SHA256] = true
		}
		return post(rec)
	})
	if err == nil && len(files) > 0 {
		err = r.Vault.Vault.Records(ctx, 0, func(rec evidence.Record) error {
			if b, err := evidence.Decode[*evidence.MediaKept](rec); err == nil && files[b.Blob.SHA256] && rec.Subject != q.Post {
				g.records = append(g.records, rec.Seq)
			}
			return nil
		})
	}
	if err == nil {
		err = r.Vault.Vault.About(ctx, q.Post.Whole(), g.rawReplies)
	}
	if err == nil {
		err = g.decisions(q.Post.Whole(), func(c review.Case) bool { return r.Vault.withholdsCase(c.Ordinal) })
	}
	if err != nil {
		return vault.Erasure{}, err
	}
	name, err := r.Vault.Name(ctx, q.Post.Whole())
	if err != nil {
		return vault.Erasure{}, err
	}
	name.Part = q.Post.Part()
	by := q.Destroyer()
	did, err := g.erase(vault.ErasePlan{
		By: evidence.Person(by), Subject: name, Rule: "quarantine: the law demands destruction, two people",
		Reason: fmt.Sprintf("put out of sight by record %d", q.Seq), If: []evidence.Expect{expect},
	})
	if err == nil && did.Bodies+did.Replies > 0 && !q.Did(evidence.OrderDestroy) {
		err = r.Desk.CarriedOut(ctx, by, q.Post, evidence.QuarantineCarried{What: evidence.OrderDestroy})
	}
	return did, err
}
