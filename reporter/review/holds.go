package review

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// ViewHolds is the name of the view of holds. Under `hold/SEQ`, the number in twenty digits, stands each Hold, released ones too; under
// `head` the number of the record that last placed or released one.
const (
	ViewHolds = "holds"
	HoldsHead = "head"
	holdKeys  = "hold/"
)

// Hold keeps something from being erased. It is known by the number of the record that placed it.
type Hold struct {
	Seq      int64            `json:"hold"`
	What     string           `json:"what"` // evidence.HoldTarget …
	Subject  evidence.Ordinal `json:"subject"`
	Query    *evidence.Span   `json:"query,omitempty"`
	Reason   string           `json:"reason"`
	Basis    string           `json:"basis,omitempty"`
	Until    evidence.Time    `json:"until,omitzero"`
	At       evidence.Time    `json:"at"`
	By       string           `json:"by"`
	Released evidence.Time    `json:"released,omitzero"`
	Release  string           `json:"release,omitempty"` // why it was released
	Releaser string           `json:"released_by,omitempty"`
}

// Holds reports whether the hold stands at the time.
func (h Hold) Holds(now time.Time) bool {
	return h.Released.IsZero() && (h.Until.IsZero() || now.Before(h.Until.Time))
}

func holdKey(seq int64) string { return holdKeys + digits(seq) }

// applyHolds notes holds. One whose body cannot be read holds all of its subject: nothing goes because a word is missing.
func applyHolds(r evidence.Record, kv evidence.KV) error {
	switch r.Kind {
	case evidence.KindHoldPlaced:
		h := Hold{Seq: r.Seq, Subject: r.Subject, At: r.At}
		if b, ok := body[*evidence.HoldPlaced](r); ok {
			h.What, h.Query, h.Reason, h.Basis, h.Until, h.By = b.What, b.Query, b.Reason, b.Basis, b.Until, b.Person
		}
		if err := put(kv, holdKey(r.Seq), h); err != nil {
			return err
		}
	case evidence.KindHoldReleased:
		b, ok := body[*evidence.HoldReleased](r)
		if !ok {
			return nil
		}
		var h Hold
		if ok, err := load(kv, holdKey(b.Hold), &h); !ok || !h.Released.IsZero() {
			return err
		}
		h.Released, h.Release, h.Releaser = r.At, b.Reason, b.Person
		if err := put(kv, holdKey(b.Hold), h); err != nil {
			return err
		}
	default:
		return nil
	}
	return put(kv, HoldsHead, r.Seq)
}

// HoldInput says what is to be held. One of Target, Post, Notice and Account.
type HoldInput struct {
	Target  string           `json:"target,omitempty"` // configured id
	Post    evidence.Ordinal `json:"post,omitempty"`
	Notice  evidence.Ordinal `json:"notice,omitempty"`
	Account evidence.Ordinal `json:"account,omitempty"` // with From and To, a query
	From    evidence.Time    `json:"from,omitzero"`
	To      evidence.Time    `json:"to,omitzero"`
	Reason  string           `json:"reason"`
	Basis   string           `json:"basis,omitempty"`
	Until   evidence.Time    `json:"until,omitzero"`
}

// PlaceHold keeps something from being erased, by retention or by two people; any one of the roles reviewer, senior and legal may.
func (d *Desk) PlaceHold(ctx context.Context, person string, in HoldInput) (Hold, error) {
	p, err := d.person(ctx, person)
	if err == nil {
		err = needRole(p, "place a hold", RoleReviewer, RoleSenior, RoleLegal)
	}
	if err != nil {
		return Hold{}, err
	}
	switch {
	case strings.TrimSpace(in.Reason) == "":
		return Hold{}, refuse(Incomplete, "say why it is held: the order, the proceedings or the request")
	case !in.Until.IsZero() && !in.Until.After(d.now()):
		return Hold{}, refuse(Incomplete, "the hold would end before it begins (%s); give a later moment, or none", in.Until)
	case !in.From.IsZero() && !in.To.IsZero() && in.To.Before(in.From.Time):
		return Hold{}, refuse(Incomplete, "the query ends (%s) before it begins (%s)", in.To, in.From)
	}
	b := &evidence.HoldPlaced{Reason: in.Reason, Basis: in.Basis, Until: in.Until, Person: p.ID}
	subject, err := d.heldSubject(ctx, in, b)
	if err != nil {
		return Hold{}, err
	}
	rec, err := d.act(ctx, p, subject, b, "")
	if err != nil {
		return Hold{}, err
	}
	return d.Hold(ctx, rec.Seq)
}

func (d *Desk) heldSubject(ctx context.Context, in HoldInput, b *evidence.HoldPlaced) (evidence.Name, error) {
	given := 0
	for _, s := range []string{in.Target, string(in.Post), string(in.Notice), string(in.Account)} {
		if s != "" {
			given++
		}
	}
	if given != 1 {
		return evidence.Name{}, refuse(Incomplete, "name one thing to hold: a target, a post, a notice, or an account with a time")
	}
	switch {
	case in.Target != "":
		t, _, err := d.Target(ctx, in.Target)
		b.What, b.Target = evidence.HoldTarget, t.Ordinal
		return evidence.Target(t.ID), err
	case in.Post != "":
		b.What = evidence.HoldPost
		return d.nameOf(ctx, in.Post, evidence.SpaceAccount, true, "a post is written like a12/456")
	case in.Notice != "":
		b.What = evidence.HoldNotice
		return d.nameOf(ctx, in.Notice, evidence.SpaceNotice, false, "a notice is written like n3")
	}
	b.What, b.Query = evidence.HoldQuery, &evidence.Span{From: in.From, To: in.To}
	return d.nameOf(ctx, in.Account, evidence.SpaceAccount, false, "an account is written like a12")
}

// nameOf returns the name of something that the vault knows.
func (d *Desk) nameOf(ctx context.Context, o evidence.Ordinal, space evidence.Space, part bool, form string) (evidence.Name, error) {
	if _, err := evidence.ParseOrdinal(string(o)); err != nil || o.Space() != space || (o.Part() != "") != part {
		return evidence.Name{}, refuse(NotFound, "%q is not one: %s", clip(string(o)), form)
	}
	n, err := d.Log.Name(ctx, o.Whole())
	if err != nil {
		return n, refuse(NotFound, "there is no %s in this vault", o.Whole())
	}
	n.Part = o.Part()
	if !part {
		return n, nil
	}
	known := false
	err = d.Log.About(ctx, o, func(evidence.Record) error { known = true; return nil })
	if err == nil && !known {
		err = refuse(NotFound, "there is no post %s in this vault", o)
	}
	return n, err
}

// ReleaseHold ends a hold; it takes the role senior or legal. What it held goes by the usual terms, no sooner than their next run.
func (d *Desk) ReleaseHold(ctx context.Context, person string, hold int64, reason string) (Hold, error) {
	p, err := d.person(ctx, person)
	if err == nil {
		err = needRole(p, "release a hold", RoleSenior, RoleLegal)
	}
	if err != nil {
		return Hold{}, err
	}
	h, err := d.Hold(ctx, hold)
	if err != nil {
		return h, err
	}
	switch {
	case !h.Released.IsZero():
		return h, refuse(WrongHold, "hold %d was released by %s on %s", h.Seq, h.Releaser, h.Released.Format(time.DateOnly))
	case strings.TrimSpace(reason) == "":
		return h, refuse(Incomplete, "say why hold %d is released", h.Seq)
	}
	subject, err := d.Log.Name(ctx, h.Subject.Whole())
	if err != nil {
		return h, wrap("name "+string(h.Subject), err)
	}
	subject.Part = h.Subject.Part()
	if _, err := d.act(ctx, p, subject, &evidence.HoldReleased{Hold: hold, Reason: reason, Person: p.ID}, ""); err != nil {
		return h, err
	}
	return d.Hold(ctx, hold)
}

// Hold returns a hold by its number.
func (d *Desk) Hold(ctx context.Context, hold int64) (Hold, error) {
	var h Hold
	if hold < 0 {
		return h, refuse(WrongHold, "there is no hold %d; `muhafiz hold list` lists them", hold)
	}
	_, err := d.get(ctx, ViewHolds, holdKey(hold), &h)
	if err == nil && h.Subject == "" {
		err = refuse(WrongHold, "there is no hold %d; `muhafiz hold list` lists them", hold)
	}
	return h, err
}

// AllHolds lists the holds by number, those that stand now, or with all released and ended ones too.
func (d *Desk) AllHolds(ctx context.Context, all bool) ([]Hold, error) {
	out := []Hold{}
	now := d.now()
	err := d.Log.Each(ctx, ViewHolds, holdKeys, func(_ string, value []byte, _ int64) error {
		var h Hold
		err := json.Unmarshal(value, &h)
		if all || h.Holds(now) {
			out = append(out, h)
		}
		return err
	})
	return out, wrap("read holds", err)
}

// heldOf returns the hold that stands on anything of a target, its account or what hangs on them.
func (d *Desk) heldOf(ctx context.Context, t Target) (Hold, bool, error) {
	all, err := d.AllHolds(ctx, false)
	if err != nil || len(all) == 0 {
		return Hold{}, false, err
	}
	accounts, err := d.accountsOf(ctx, t)
	if err != nil {
		return Hold{}, false, err
	}
	subjects := append([]evidence.Ordinal{t.Ordinal, t.Account}, accounts...)
	targets, err := d.Targets(ctx)
	if err != nil {
		return Hold{}, false, err
	}
	for _, o := range targets {
		if o.Account != "" && o.Account == t.Account {
			subjects = append(subjects, o.Ordinal)
		}
	}
	cases, err := d.Cases(ctx)
	if err != nil {
		return Hold{}, false, err
	}
	for _, c := range cases {
		if c.Notice != "" && c.Account == t.Account {
			subjects = append(subjects, c.Notice)
		}
	}
	for _, h := range all {
		if slices.Contains(subjects, h.Subject.Whole()) {
			return h, true, nil
		}
	}
	return Hold{}, false, nil
}
