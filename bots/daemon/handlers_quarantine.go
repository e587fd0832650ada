package daemon

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// QuarantineRequest puts a post out of sight, asks for the statement of an order about one, or takes the packet that two people ordered.
type QuarantineRequest struct {
	Person    string           `json:"person"`
	Post      evidence.Ordinal `json:"post"`
	What      string           `json:"what,omitempty"` // evidence.OrderHandOver …
	Recipient string           `json:"recipient,omitempty"`
	Reason    string           `json:"reason,omitempty"`
	Out       string           `json:"out,omitempty"` // of a packet: absolute, as the daemon's user sees it
}

// Quarantined is a post that is out of sight, with what was done.
type Quarantined struct {
	review.Quarantine
	Law       string `json:"law"` // what the configuration says the law demands
	Released  bool   `json:"released,omitempty"`
	Destroyed bool   `json:"destroyed,omitempty"`
}

func (r *Rooms) quarantines(ctx context.Context, c *call, _ none) (any, error) {
	all, err := r.desk(c).Quarantines(ctx)
	out := []Quarantined{}
	for _, q := range all {
		out = append(out, r.quarantined(q))
	}
	return out, err
}

func (r *Rooms) quarantined(q review.Quarantine) Quarantined {
	return Quarantined{Quarantine: q, Law: r.Config.Quarantine.Law, Destroyed: q.Did(evidence.OrderDestroy)}
}

func (r *Rooms) quarantine(ctx context.Context, c *call, in QuarantineRequest) (any, error) {
	q, err := r.desk(c).Quarantine(ctx, in.Person, in.Post, in.Reason)
	if err != nil {
		return nil, err
	}
	return r.quarantined(q), nil
}

// lawDestroys refuses to destroy what the configured law says is to be kept.
func (r *Rooms) lawDestroys() error {
	if r.Config.Quarantine.Law == config.QuarantineDestroy {
		return nil
	}
	return &review.Refusal{Code: review.Law, Sentence: "the configuration says that your law demands that such material is kept (quarantine.law: keep), so nothing of it is destroyed; ask counsel, and hand it over: muhafiz quarantine order POST --hand-over --recipient age1…"}
}

// mayOrder asks whether the configuration lets an order be given at all.
func (r *Rooms) mayOrder(o evidence.Order) error {
	switch o.What {
	case evidence.OrderDestroy:
		return r.lawDestroys()
	case evidence.OrderHandOver:
		if !slices.Contains(r.Config.Quarantine.Recipients, o.Recipient) {
			return &review.Refusal{Code: review.Law, Sentence: "nothing is handed over to that key: put the hotline's or the authority's age public key, got from them by another way, under quarantine.recipients first"}
		}
	}
	return nil
}

func (r *Rooms) prepareOrder(ctx context.Context, c *call, in QuarantineRequest) (any, error) {
	o := evidence.Order{What: in.What, Post: in.Post, Recipient: in.Recipient}
	if err := r.mayOrder(o); err != nil {
		return nil, err
	}
	p, err := r.desk(c).PrepareOrder(ctx, in.Person, o, in.Reason)
	return Prepared{p}, err
}

// order records one of the two words; with the second, a destruction and a release are carried out, and a packet may be taken.
func (r *Rooms) order(ctx context.Context, c *call, in SignedBy) (any, error) {
	st, err := review.ParseStatement(in.Signed.Payload)
	if err != nil {
		return nil, err
	}
	if st.Orders != nil {
		if err := r.mayOrder(*st.Orders); err != nil {
			return nil, err
		}
	}
	q, o, err := r.desk(c).Order(ctx, in.Person, evidence.Ordinal(in.Target), in.Signed)
	if err != nil {
		return nil, err
	}
	out := r.quarantined(q)
	switch {
	case !q.Ordered(o.What, o.Recipient):
	case o.What == evidence.OrderRelease:
		out.Released = true
	case o.What == evidence.OrderDestroy:
		did, err := r.destroy(context.WithoutCancel(ctx), q)
		if err != nil {
			return nil, standing(err)
		}
		out.Destroyed = did.Bodies > 0 || out.Destroyed
	}
	return out, nil
}

// standing says that both words are recorded although what they order cannot be done now.
func standing(err error) error {
	var no *review.Refusal
	if !errors.As(err, &no) {
		return err
	}
	return &review.Refusal{Code: no.Code, Sentence: "two people signed, and retention does it as soon as it can: " + no.Sentence}
}

// Packet is a hand-over packet that was written.
type Packet struct {
	Out       string          `json:"out"`
	Recipient string          `json:"recipient"`
	Files     int             `json:"files"`
	SHA256    evidence.Digest `json:"sha256"` // of the sealed packet
	Size      int64           `json:"size"`
}

// takePacket writes the packet that two people ordered, sealed to its recipient. One of the two takes it.
func (r *Rooms) takePacket(ctx context.Context, c *call, in QuarantineRequest) (any, error) {
	desk := r.desk(c)
	p, err := desk.Person(ctx, in.Person)
	if err != nil {
		return nil, err
	}
	q, there, err := desk.Quarantined(ctx, in.Post)
	switch {
	case err != nil:
		return nil, err
	case !there:
		return nil, &review.Refusal{Code: review.NotFound, Sentence: "post " + string(in.Post) + " is not in quarantine"}
	case !q.Ordered(evidence.OrderHandOver, in.Recipient) || !slices.Contains(q.Signers(evidence.OrderHandOver, in.Recipient), p.ID):
		return nil, &review.Refusal{Code: review.Incomplete, Sentence: "a packet leaves when two people signed that it goes to this recipient, and one of the two takes it: muhafiz quarantine order " + string(in.Post) + " --hand-over --recipient " + in.Recipient}
	case !filepath.IsAbs(in.Out):
		return nil, usagef("name the file to write, with its whole path")
	}
	if err := r.mayOrder(evidence.Order{What: evidence.OrderHandOver, Post: q.Post, Recipient: in.Recipient}); err != nil {
		return nil, err
	}
	// Before the first byte, so that no packet is outside of which the log does not know.
	name, err := r.Vault.Name(ctx, q.Post.Whole())
	if err != nil {
		return nil, err
	}
	name.Part = q.Post.Part()
	if err := r.write(ctx, evidence.Person(p.ID), name, &evidence.Access{What: "hand-over packet", Via: c.peer.Via, Note: "for " + in.Recipient}); err != nil {
		return nil, err
	}
	out := Packet{Out: in.Out, Recipient: in.Recipient}
	if err := r.writePacket(ctx, q, &out); err != nil {
		return nil, err
	}
	return out, desk.CarriedOut(ctx, p.ID, q.Post, evidence.QuarantineCarried{
		What: evidence.OrderHandOver, Recipient: in.Recipient, Packet: evidence.Object{SHA256: out.SHA256, Size: out.Size},
	})
}
