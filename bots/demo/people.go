package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/bundle"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// people plays Amna, Bilal and Lubna, who speak to the daemon through its control socket as the commands do.
type people struct {
	*stage
	c *daemon.Client
}

// sign signs a prepared statement with a person's key.
func (p people) sign(person string, pr daemon.Prepared) (daemon.SignedBy, error) {
	key, err := review.FileSigner(p.path("keys", person), nil)
	if err != nil {
		return daemon.SignedBy{}, err
	}
	signed, err := review.Sign(pr.Payload, key)
	return daemon.SignedBy{Person: person, Signed: signed}, err
}

// signListing lets Amna sign what she listed, where she has not yet.
func (p people) signListing(ctx context.Context) error {
	var targets []daemon.TargetView
	if err := p.c.Call(ctx, "GET", "/v1/targets", nil, &targets); err != nil {
		return err
	}
	var unsigned []review.Listing
	for _, t := range targets {
		if t.Unsigned != "" && t.ListedBy == analyst {
			unsigned = append(unsigned, review.Listing{ID: t.ID, Effective: t.Effective})
		}
	}
	if len(unsigned) == 0 {
		return nil
	}
	p.o.Say("%s signs the listing of %d targets", analyst, len(unsigned))
	list := review.NewList(unsigned)
	root, err := list.Root()
	if err != nil {
		return err
	}
	var pr daemon.Prepared
	if err := p.c.Call(ctx, "POST", "/v1/targets/sign/prepare", daemon.ListingRequest{Person: analyst, Targets: int64(list.Len()), Root: root}, &pr); err != nil {
		return err
	}
	signed, err := p.sign(analyst, pr)
	if err != nil {
		return err
	}
	return p.c.Call(ctx, "POST", "/v1/targets/sign", daemon.SignedListing{Person: analyst, Signed: signed.Signed, List: list.Text()}, nil)
}

// approveTargets lets Bilal approve what Amna listed, where he has not yet.
func (p people) approveTargets(ctx context.Context) error {
	var targets []review.Target
	if err := p.c.Call(ctx, "GET", "/v1/targets", nil, &targets); err != nil {
		return err
	}
	for _, t := range targets {
		if t.State != review.TargetListed {
			continue
		}
		p.o.Say("%s approves the target %s (%s), which %s listed", reviewer, t.ID, t.Address, t.ListedBy)
		var pr daemon.Prepared
		if err := p.c.Call(ctx, "POST", "/v1/targets/prepare", daemon.TargetRequest{Person: reviewer, Target: t.ID}, &pr); err != nil {
			return err
		}
		signed, err := p.sign(reviewer, pr)
		if err != nil {
			return err
		}
		signed.Target = t.ID
		if err := p.c.Call(ctx, "POST", "/v1/targets/approve", signed, nil); err != nil {
			return err
		}
	}
	return nil
}

// review lets Amna decide on two posts and Bilal confirm, where no case has come that far.
func (p people) review(ctx context.Context) error {
	c, err := p.ourCase(ctx)
	if err != nil {
		return err
	}
	if c.Status == "" || c.Status == review.CaseOpen {
		if c, err = p.decide(ctx); err != nil {
			return err
		}
	}
	if c.Status == review.CaseDecided {
		p.o.Say("%s opens the case and confirms it with another key", reviewer)
		for _, e := range c.Decision.Exhibits {
			if err := p.look(ctx, reviewer, e.Post); err != nil {
				return err
			}
		}
		var pr daemon.Prepared
		if err := p.c.Call(ctx, "POST", "/v1/review/approval/prepare", daemon.ApprovalRequest{Person: reviewer, Case: c.Ordinal, Agree: true}, &pr); err != nil {
			return err
		}
		signed, err := p.sign(reviewer, pr)
		if err != nil {
			return err
		}
		return p.c.Call(ctx, "POST", "/v1/review/approval", signed, nil)
	}
	return nil
}

func (p people) ourCase(ctx context.Context) (review.Case, error) {
	var cases []review.Case
	if err := p.c.Call(ctx, "GET", "/v1/review/cases", nil, &cases); err != nil || len(cases) == 0 {
		return review.Case{}, err
	}
	return cases[0], nil
}

func (p people) look(ctx context.Context, person string, post evidence.Ordinal) error {
	return p.c.Call(ctx, "GET", fmt.Sprintf("/v1/review/show?person=%s&post=%s", person, post), nil, nil)
}

// decide finds the two posts by their text in the queue's accounts, looks at them, and signs.
func (p people) decide(ctx context.Context) (review.Case, error) {
	p.o.Say("%s works the queue, opens two posts and signs a decision", analyst)
	var c review.Case
	if err := p.c.Call(ctx, "GET", "/v1/review/queue?limit=20&person="+analyst, nil, nil); err != nil {
		return c, err
	}
	in := review.DecisionInput{
		Outcome: review.OutcomeReport, Affiliation: "The channel signs as the fictional front and is linked from its simulated announcement.",
		Languages: []string{"en", "ur"},
	}
	for i, passage := range []evidence.Passage{
		{Quote: textCall, Offence: "solicits_participation"},
		{Quote: textCallUrdu, Gloss: glossUrdu, GlossBy: "human", Offence: "solicits_participation"},
	} {
		post, err := p.postWith(ctx, passage.Quote)
		if err != nil {
			return c, err
		}
		if err := p.look(ctx, analyst, post); err != nil {
			return c, err
		}
		passage.Exhibit, passage.Severity, passage.Exclusion = i+1, "medium", "none"
		passage.Rule = "Platform rules: calls to take part in acts of a listed organisation (simulated)"
		in.Posts, in.Passages = append(in.Posts, post), append(in.Passages, passage)
	}
	var pr daemon.Prepared
	if err := p.c.Call(ctx, "POST", "/v1/review/decision/prepare", daemon.DecisionRequest{Person: analyst, DecisionInput: in}, &pr); err != nil {
		return c, err
	}
	signed, err := p.sign(analyst, pr)
	if err != nil {
		return c, err
	}
	return c, p.c.Call(ctx, "POST", "/v1/review/decision", signed, &c)
}

func (p people) postWith(ctx context.Context, text string) (evidence.Ordinal, error) {
	var found evidence.Ordinal
	err := p.ledger.v.Records(ctx, 0, func(r evidence.Record) error {
		if seen, err := evidence.Decode[*evidence.PostSeen](r); err == nil && seen.Text == text {
			found = r.Subject
		}
		return nil
	})
	if err == nil && found == "" {
		err = fmt.Errorf("no post reads %q", text)
	}
	return found, err
}

// notices waits until the reporter's schedule has sent the case, and checks that it arrived exactly once.
func (p people) notices(ctx context.Context) error {
	p.o.Say("the reporter sends what two people signed")
	wait, cancel := context.WithTimeout(ctx, p.o.Limit)
	defer cancel()
	var states []notice.State
	var cerr error
	err := p.ledger.await(wait, func() bool {
		states = nil
		cerr = p.c.Call(wait, "GET", "/v1/notices", nil, &states)
		settled := len(states) > 0
		for _, n := range states {
			settled = settled && n.Status != notice.Drafted && n.Status != notice.Attempted && n.Status != notice.Failed
		}
		return settled || cerr != nil
	})
	if err != nil || cerr != nil {
		return fmt.Errorf("no notice was settled within %s: %w", p.o.Limit, firstError(cerr, err))
	}
	for _, n := range states {
		if n.Status == notice.Uncertain {
			if err := p.settle(ctx, n); err != nil {
				return err
			}
		}
	}
	return p.c.Call(ctx, "GET", "/v1/notices", nil, &p.result.Notices)
}

// settle lets Bilal find out what became of a notice whose sending was interrupted: he looks into the mailbox.
func (p people) settle(ctx context.Context, n notice.State) error {
	sent, err := p.mail.holds(n.MessageID)
	if err != nil {
		return err
	}
	p.o.Say("%s looks into the mailbox for the notice %s, whose sending was interrupted", reviewer, n.Ordinal)
	req := daemon.NoticeRequest{Person: reviewer, Notice: n.Ordinal, Sent: sent, Reason: "looked into the recipient's mailbox"}
	if err := p.c.Call(ctx, "POST", "/v1/notices/resolve", req, nil); err != nil || sent {
		return err
	}
	return p.c.Call(ctx, "POST", "/v1/notices/run", daemon.NoticeRequest{Person: reviewer}, nil)
}

// bundle lets Lubna take the case out as a bundle; one that an earlier run finished is taken again.
func (p people) bundle(ctx context.Context) error {
	old, err := filepath.Glob(p.path("bundles", "*", "bagit.txt"))
	if err != nil {
		return err
	}
	if len(old) > 0 {
		slices.Sort(old)
		p.result.Bundle = filepath.Dir(old[0])
		return nil
	}
	c, err := p.ourCase(ctx)
	if err != nil {
		return err
	}
	p.o.Say("%s builds a bundle of case %s", lawyer, c.Ordinal)
	var res bundle.Result
	req := daemon.BundleRequest{Person: lawyer, Case: c.Ordinal, Out: p.path("bundles"), Edition: bundle.Full, Purpose: "demonstration"}
	if err := p.c.Stream(ctx, "POST", "/v1/bundles", req, nil, &res); err != nil {
		return err
	}
	p.result.Bundle = res.Path
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// holds reports whether a message with the id arrived.
func (m *mailbox) holds(messageID string) (bool, error) {
	n, err := m.count(messageID)
	return n > 0, err
}

// count returns how many copies of a message arrived.
func (m *mailbox) count(messageID string) (int, error) {
	files, err := m.messages()
	if err != nil {
		return 0, err
	}
	n := 0
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return 0, err
		}
		if slices.Contains(messageIDs(b), messageID) {
			n++
		}
	}
	return n, nil
}
