package review

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// ViewQuarantine is the name of the view of posts that are out of sight, under `post/` and the post's ordinal. One that two people
// released is not in it.
const (
	ViewQuarantine = "quarantine"
	QuarantineKeys = "post/"
)

// Quarantine is an entry of that view.
type Quarantine struct {
	evidence.RecordRef                  // that put it out of sight
	Post               evidence.Ordinal `json:"post"`
	By                 string           `json:"by"`
	At                 evidence.Time    `json:"at"`
	Reason             string           `json:"reason"`
	Orders             []Ordered        `json:"orders"`
	Carried            []Carried        `json:"carried"`
}

// Ordered is what people want done with a post that is out of sight. Without a second it is one person's word, which does nothing.
type Ordered struct {
	What      string        `json:"what"`
	Recipient string        `json:"recipient,omitempty"`
	Reason    string        `json:"reason,omitempty"`
	First     Signer        `json:"first"`
	FirstAt   evidence.Time `json:"first_at"`
	Second    *Signer       `json:"second,omitempty"`
	SecondAt  evidence.Time `json:"second_at,omitzero"`
}

// Carried is an order that was carried out.
type Carried struct {
	What      string          `json:"what"`
	Recipient string          `json:"recipient,omitempty"`
	Packet    evidence.Digest `json:"packet,omitzero"` // of the sealed packet
	By        string          `json:"by"`
	At        evidence.Time   `json:"at"`
}

// Ordered reports whether two people ordered something.
func (q Quarantine) Ordered(what, recipient string) bool {
	o := q.order(what, recipient)
	return o != nil && o.Second != nil
}

func (q *Quarantine) order(what, recipient string) *Ordered {
	for i := range q.Orders {
		if o := &q.Orders[i]; o.What == what && o.Recipient == recipient {
			return o
		}
	}
	return nil
}

// Did reports whether an order was carried out.
func (q Quarantine) Did(what string) bool {
	return slices.ContainsFunc(q.Carried, func(c Carried) bool { return c.What == what })
}

// applyQuarantine notes posts that are out of sight. An erased body takes the reason away and not the quarantine.
func applyQuarantine(r evidence.Record, kv evidence.KV) error {
	key := QuarantineKeys + string(r.Subject)
	var q Quarantine
	switch r.Kind {
	case evidence.KindQuarantined:
		if there, err := load(kv, key, &q); err != nil || there {
			return err
		}
		q = Quarantine{RecordRef: refOf(r), Post: r.Subject, At: r.At, Orders: []Ordered{}, Carried: []Carried{}}
		if b, ok := body[*evidence.Quarantined](r); ok {
			q.By, q.Reason = b.Person, b.Reason
		}
		return put(kv, key, q)
	case evidence.KindQuarantineOrdered, evidence.KindQuarantineCarried:
	default:
		return nil
	}
	if ok, err := load(kv, key, &q); !ok {
		return err
	}
	if r.Kind == evidence.KindQuarantineCarried {
		if b, ok := body[*evidence.QuarantineCarried](r); ok {
			q.Carried = append(q.Carried, Carried{b.What, b.Recipient, b.Packet.SHA256, b.Person, r.At})
		}
		return put(kv, key, q)
	}
	if !q.ordered(r) {
		return nil
	}
	if q.Ordered(evidence.OrderRelease, "") {
		return kv.Delete(key)
	}
	return put(kv, key, q)
}

// ordered notes one of the two words, and reports whether it is one.
func (q *Quarantine) ordered(r evidence.Record) bool {
	b, ok := body[*evidence.QuarantineOrdered](r)
	if !ok {
		return false
	}
	st, ok := statement(b.Signed)
	if !ok || st.Orders == nil || st.Confirms == nil || *st.Confirms != q.RecordRef {
		return false
	}
	who := Signer{st.Person, st.Fingerprint}
	o := q.order(st.Orders.What, st.Orders.Recipient)
	switch {
	case o == nil:
		q.Orders = append(q.Orders, Ordered{What: st.Orders.What, Recipient: st.Orders.Recipient, Reason: st.Comment, First: who, FirstAt: r.At})
	case o.Second == nil && o.First.Person != who.Person && o.First.Fingerprint != who.Fingerprint:
		o.Second, o.SecondAt = &who, r.At
	default:
		return false
	}
	return true
}

// Quarantine puts a post out of sight at once; any one person may. From then on nothing shows, sends or hands out what it holds. The other
// posts of an album are posts of their own.
func (d *Desk) Quarantine(ctx context.Context, person string, post evidence.Ordinal, reason string) (Quarantine, error) {
	p, err := d.person(ctx, person)
	if err != nil {
		return Quarantine{}, err
	}
	if strings.TrimSpace(reason) == "" {
		return Quarantine{}, refuse(Incomplete, "say in a few words, without describing it, why post %s is put out of sight", clip(string(post)))
	}
	name, err := d.nameOf(ctx, post, evidence.SpaceAccount, true, "a post is written like a12/456")
	if err != nil {
		return Quarantine{}, err
	}
	q, there, err := d.Quarantined(ctx, post)
	if err != nil || there {
		return q, err
	}
	if _, err := d.act(ctx, p, name, &evidence.Quarantined{Reason: reason, Person: p.ID}, ""); err != nil {
		return q, err
	}
	q, _, err = d.Quarantined(ctx, post)
	return q, err
}

// Quarantined returns the entry of a post, and false where it is in sight.
func (d *Desk) Quarantined(ctx context.Context, post evidence.Ordinal) (Quarantine, bool, error) {
	var q Quarantine
	_, err := d.get(ctx, ViewQuarantine, QuarantineKeys+string(post), &q)
	return q, err == nil && q.Post != "", err
}

// Quarantines lists what is out of sight, by ordinal.
func (d *Desk) Quarantines(ctx context.Context) ([]Quarantine, error) {
	out := []Quarantine{}
	err := d.Log.Each(ctx, ViewQuarantine, QuarantineKeys, func(_ string, value []byte, _ int64) error {
		var q Quarantine
		err := json.Unmarshal(value, &q)
		out = append(out, q)
		return err
	})
	return out, wrap("read quarantine", err)
}

// NeedInSight refuses a post that is out of sight.
func (d *Desk) NeedInSight(ctx context.Context, post evidence.Ordinal) error {
	_, there, err := d.Quarantined(ctx, post)
	if err == nil && there {
		err = refuse(InQuarantine, "%s", outOfSight(post))
	}
	return err
}

func outOfSight(post evidence.Ordinal) string {
	return fmt.Sprintf("post %s is in quarantine: nothing of it is shown or handed out; two people hand it to a hotline, destroy it or release it: muhafiz quarantine list", post)
}

// CaseInSight refuses a case of which an exhibit is out of sight.
func (d *Desk) CaseInSight(ctx context.Context, c Case) error {
	if c.Decision == nil {
		return nil
	}
	for _, e := range c.Decision.Exhibits {
		if err := d.NeedInSight(ctx, e.Post); err != nil {
			return err
		}
	}
	return nil
}

// PrepareOrder returns the statement that a person is to sign who wants something done with a post that is out of sight.
func (d *Desk) PrepareOrder(ctx context.Context, person string, o evidence.Order, reason string) (string, error) {
	p, err := d.person(ctx, person)
	if err != nil {
		return "", err
	}
	_, fingerprint, err := p.key()
	if err == nil {
		err = d.checkClock()
	}
	if err != nil {
		return "", err
	}
	q, there, err := d.Quarantined(ctx, o.Post)
	if err == nil && !there {
		err = refuse(NotFound, "post %s is not in quarantine", clip(string(o.Post)))
	}
	if err != nil {
		return "", err
	}
	st := evidence.Statement{
		Type: evidence.StatementOrder, Vault: d.Log.ID(), Person: p.ID, Fingerprint: fingerprint, Time: evidence.At(d.now()), Comment: reason,
		Confirms: &q.RecordRef, Agree: true, Orders: &o,
	}
	if err := d.checkOrder(ctx, p, q, st); err != nil {
		return "", err
	}
	return EncodeStatement(st)
}

// Order records one of the two signed words that it takes. After the second, the caller carries the order out.
func (d *Desk) Order(ctx context.Context, person string, post evidence.Ordinal, s evidence.Signed) (Quarantine, evidence.Order, error) {
	p, st, err := d.verify(ctx, person, evidence.StatementOrder, s)
	if err != nil {
		return Quarantine{}, evidence.Order{}, err
	}
	var q Quarantine
	version, err := d.get(ctx, ViewQuarantine, QuarantineKeys+string(post), &q)
	switch {
	case err != nil:
	case q.Post == "":
		err = refuse(NotFound, "post %s is not in quarantine", clip(string(post)))
	default:
		err = d.checkOrder(ctx, p, q, st)
	}
	if err != nil {
		return q, evidence.Order{}, err
	}
	name, err := d.nameOf(ctx, post, evidence.SpaceAccount, true, "a post is written like a12/456")
	if err != nil {
		return q, *st.Orders, err
	}
	if _, err := d.act(ctx, p, name, &evidence.QuarantineOrdered{Signed: s}, "somebody else acted on post "+string(post)+" meanwhile; look at it and sign again",
		evidence.Expect{View: ViewQuarantine, Key: QuarantineKeys + string(post), Version: version}); err != nil {
		return q, *st.Orders, err
	}
	now, there, err := d.Quarantined(ctx, post)
	if there {
		q = now
	} else if err == nil { // the second word released it
		o := q.order(st.Orders.What, st.Orders.Recipient)
		o.Second = &Signer{p.ID, st.Fingerprint}
	}
	return q, *st.Orders, err
}

// Signers are the people who signed an order.
func (q Quarantine) Signers(what, recipient string) []string {
	o := q.order(what, recipient)
	if o == nil {
		return nil
	}
	if o.Second == nil {
		return []string{o.First.Person}
	}
	return []string{o.First.Person, o.Second.Person}
}

// Destroyer is the second of the two people who ordered that the post is destroyed.
func (q Quarantine) Destroyer() string {
	if o := q.order(evidence.OrderDestroy, ""); o != nil && o.Second != nil {
		return o.Second.Person
	}
	return ""
}

// MayDestroy says why a post that two people want destroyed is not destroyed now; nil where it is. The condition holds it together with
// the holds as they were looked at.
func (d *Desk) MayDestroy(ctx context.Context, q Quarantine) (evidence.Expect, error) {
	holds, err := d.get(ctx, ViewHolds, HoldsHead, new(int64))
	expect := evidence.Expect{View: ViewHolds, Key: HoldsHead, Version: holds}
	switch {
	case err != nil:
		return expect, err
	case !q.Ordered(evidence.OrderDestroy, ""):
		return expect, refuse(Incomplete, "one person alone destroys nothing: a second must sign")
	}
	t, err := d.targetOf(ctx, q.Post.Whole())
	if CodeOf(err) == WrongTarget {
		t, err = Target{Account: q.Post.Whole()}, nil
	}
	if err == nil {
		err = d.notHeld(ctx, t)
	}
	return expect, err
}

// CarriedOut records that an order was carried out.
func (d *Desk) CarriedOut(ctx context.Context, person string, post evidence.Ordinal, b evidence.QuarantineCarried) error {
	p, err := d.person(ctx, person)
	if err != nil {
		return err
	}
	name, err := d.nameOf(ctx, post, evidence.SpaceAccount, true, "a post is written like a12/456")
	if err != nil {
		return err
	}
	b.Person = p.ID
	_, err = d.act(ctx, p, name, &b, "")
	return err
}

func (d *Desk) checkOrder(ctx context.Context, p Person, q Quarantine, st evidence.Statement) error {
	if st.Orders == nil || st.Orders.Post != q.Post || st.Confirms == nil || *st.Confirms != q.RecordRef {
		return refuse(ChangedSince, "post %s was put out of sight by another record than the statement names; prepare it again", q.Post)
	}
	o := st.Orders
	first := q.order(o.What, o.Recipient)
	if err := needRole(p, "order anything about a quarantined post", RoleReviewer, RoleSenior, RoleLegal); err != nil {
		return err
	}
	switch {
	case o.What != evidence.OrderHandOver && o.What != evidence.OrderDestroy && o.What != evidence.OrderRelease:
		return refuse(Incomplete, "an order is %s, %s or %s", evidence.OrderHandOver, evidence.OrderDestroy, evidence.OrderRelease)
	case (o.What == evidence.OrderHandOver) != (o.Recipient != ""):
		return refuse(Incomplete, "a hand-over names its recipient, and nothing else does")
	case st.Blind || st.Case != "" || st.CaseVersion != 0 || st.Outcome != "" || st.Grounds != nil || len(st.Exhibits) > 0 || !st.Agree || !st.Until.IsZero() || st.Adjudicates != nil || st.Lifts != nil || st.Lists != nil:
		return refuse(BadStatement, "the statement holds fields of another type; prepare it again")
	case strings.TrimSpace(st.Comment) == "":
		return refuse(Incomplete, "say why, without describing what the post shows")
	case first == nil:
		return nil
	case first.Second != nil:
		return refuse(WrongTarget, "two people ordered that already (%s and %s)", first.First.Person, first.Second.Person)
	case first.First.Person == p.ID:
		return refuse(SamePerson, "%s signed already; one person alone does nothing here, a second must sign as well", p.ID)
	case first.First.Fingerprint == st.Fingerprint:
		return refuse(SameKey, "that was signed with this very key; the second person signs with their own")
	}
	return d.differInKey(ctx, p, first.First.Person, st.Fingerprint)
}
