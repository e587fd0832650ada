package daemon

import (
	"context"
	"errors"
	"os"

	"golang.org/x/crypto/ssh"

	"github.com/muhafiz/muhafiz/collectors/anchor"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter/bundle"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// BundleRequest asks for a bundle.
type BundleRequest struct {
	Person     string             `json:"person"`
	Case       evidence.Ordinal   `json:"case,omitempty"`
	Posts      []evidence.Ordinal `json:"posts,omitempty"`
	Account    evidence.Ordinal   `json:"account,omitempty"`
	Out        string             `json:"out"` // absolute, as the daemon's user sees it
	Name       string             `json:"name,omitempty"`
	Edition    bundle.Edition     `json:"edition,omitempty"`
	Neighbours int                `json:"neighbours,omitempty"`
	Purpose    string             `json:"purpose,omitempty"`
	Recipient  string             `json:"recipient,omitempty"` // age public key
}

func (r *Rooms) buildBundle(ctx context.Context, c *call, in BundleRequest) (any, error) {
	if err := r.mayBundle(ctx, in); err != nil {
		return nil, err
	}
	signer, done, err := bundleSigner(r.Config, r.Getenv)
	if err != nil {
		return nil, err
	}
	o := bundle.Options{
		Log: r.Vault, Case: in.Case, Posts: in.Posts, Account: in.Account,
		Out: in.Out, Name: in.Name, Edition: in.Edition, Neighbours: in.Neighbours,
		Signer: signer, Identity: r.Config.Bundle.Identity, Organisation: r.ourName(),
		Actor: evidence.Person(in.Person), Purpose: in.Purpose, Now: r.Now, Build: r.Build,
		Progress: func(n, total int64) { c.progress("bundle", n, total) },
		Anchors:  anchor.Index{Log: r.Vault}, Authorities: stampers(r.Config),
	}
	if in.Recipient != "" {
		if o.Recipient, err = bundle.ParseRecipient(in.Recipient); err != nil {
			return nil, errors.Join(usagef("%v", err), done())
		}
	}
	res, err := bundle.Build(ctx, o)
	if errors.Is(err, bundle.ErrOptions) {
		err = usagef("%v", err)
	}
	return res, errors.Join(err, done())
}

// mayBundle asks who may take evidence out: people of the roster, and for the full edition, which names private persons, only
// the legal team.
func (r *Rooms) mayBundle(ctx context.Context, in BundleRequest) error {
	p, err := r.person(ctx, in.Person)
	if err != nil {
		return err
	}
	if in.Edition == bundle.Full && !p.Has(config.RoleLegal) {
		return &review.Refusal{Code: review.Role, Sentence: p.ID + " may not take a full edition, which names private persons: that takes the role legal"}
	}
	return r.mayTake(ctx, in)
}

// mayTake keeps the content of stopped targets in.
func (r *Rooms) mayTake(ctx context.Context, in BundleRequest) error {
	desk := *r.Desk
	desk.Reason, desk.Blind = in.Purpose, r.Config.Review.Blind
	accounts := map[evidence.Ordinal]bool{}
	if in.Account != "" {
		accounts[in.Account.Whole()] = true
	}
	for _, p := range in.Posts {
		if err := desk.NeedInSight(ctx, p); err != nil {
			return err
		}
		accounts[p.Whole()] = true
	}
	if in.Case != "" {
		c, err := desk.Case(ctx, in.Case)
		if err != nil {
			return err
		}
		if desk.Conceals(in.Person, c) {
			return &review.Refusal{Code: review.WrongCase, Sentence: "case " + string(c.Ordinal) + " waits for its second person, and review is blind: its bundle is built once they have answered"}
		}
		if err := desk.CaseInSight(ctx, c); err != nil {
			return err
		}
		accounts[c.Account] = true
	}
	for a := range accounts {
		if err := desk.MayTake(ctx, in.Person, a); err != nil {
			return err
		}
	}
	return nil
}

// person finds somebody on the roster.
func (r *Rooms) person(ctx context.Context, id string) (review.Person, error) {
	roster, err := r.Desk.Roster(ctx)
	if err != nil {
		return review.Person{}, err
	}
	for _, p := range roster {
		if p.ID == id && !p.Removed {
			return p, nil
		}
	}
	return review.Person{}, &review.Refusal{Code: review.NotOnRoster, Sentence: id + " is not on the roster; add the person to the configuration first"}
}

func bundleSigner(c *config.Config, getenv func(string) string) (ssh.Signer, func() error, error) {
	none := func() error { return nil }
	switch b := c.Bundle; {
	case b == nil:
		return nil, nil, usagef("the configuration says nothing about who signs bundles: add a bundle section with ssh_key and identity")
	case b.SSHKey != "":
		s, err := review.FileSigner(b.SSHKey, nil)
		return s, none, err
	default:
		return review.AgentSigner(getenv("SSH_AUTH_SOCK"), b.Agent)
	}
}

// ourName is the organisation that runs this.
func (r *Rooms) ourName() string {
	if r.Config.Reporter != nil {
		return r.Config.Reporter.OrganisationName
	}
	host, _ := os.Hostname()
	return host
}
