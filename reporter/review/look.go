package review

import (
	"context"
	"fmt"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// The looks at content, as access records name them. Only lookAtPost counts as having opened an exhibit.
const (
	lookAtPost   = "show"
	lookAtCase   = "show case"
	lookAtHidden = "show hidden" // the content was left out
	lookExport   = "export"      // content was taken out
)

// Show returns a post with its content. The look is recorded first. Of a suspended or marked target the content is left out, and
// Hidden says so; legal and auditor see it who give a reason (Desk.Reason), which is recorded with the look.
func (d *Desk) Show(ctx context.Context, person string, post evidence.Ordinal) (Post, error) {
	if _, err := d.person(ctx, person); err != nil {
		return Post{}, err
	}
	p, err := d.post(ctx, post)
	if err != nil {
		return Post{}, err
	}
	account, err := d.Log.Name(ctx, p.Account)
	if err != nil {
		return Post{}, fmt.Errorf("name account %s: %w", p.Account, err)
	}
	t, err := d.targetOf(ctx, p.Account)
	if err != nil && CodeOf(err) != WrongTarget {
		return Post{}, err
	}
	hidden, err := d.hidden(ctx, person, t)
	if err != nil {
		return Post{}, err
	}
	about, what := account, lookAtPost
	about.Part = post.Part()
	if hidden != "" {
		what = lookAtHidden
		p.hide(hidden)
	}
	if err := d.access(ctx, person, look{about, what, d.Reason}); err != nil {
		return Post{}, err
	}
	p.Platform = account.Key
	p.Target, p.Organisation, p.Link = t.ID, t.Organisation, link(t, post)
	var dec decidedPost
	_, err = d.get(ctx, ViewCases, postKey(post), &dec)
	p.Case = dec.Case
	return p, err
}

// lookAtCase records that a person sees a case, and each exhibit in it.
func (d *Desk) lookAtCase(ctx context.Context, person string, c Case, hidden string) error {
	if hidden != "" {
		return d.access(ctx, person, look{evidence.Case(c.Key), lookAtHidden, d.Reason})
	}
	looks := []look{{evidence.Case(c.Key), lookAtCase, d.Reason}}
	if c.Decision != nil {
		account, err := d.Log.Name(ctx, c.Account)
		if err != nil {
			return fmt.Errorf("name account %s: %w", c.Account, err)
		}
		for _, e := range c.Decision.Exhibits {
			post := account
			post.Part = e.Post.Part()
			looks = append(looks, look{post, lookAtPost, "in case " + string(c.Ordinal)})
		}
	}
	return d.access(ctx, person, looks...)
}

// hidden says why a target's content is not for this person now; empty where it is.
func (d *Desk) hidden(ctx context.Context, person string, t Target) (string, error) {
	if !t.Stopped() {
		return "", nil
	}
	p, err := d.person(ctx, person)
	if err != nil {
		return "", err
	}
	if p.Has(RoleLegal, RoleAuditor) && strings.TrimSpace(d.Reason) != "" {
		return "", nil
	}
	state := "suspended"
	if t.State == TargetInnocent {
		state = "marked innocent"
	}
	return fmt.Sprintf("target %s is %s (%s): its content is hidden; the roles legal and auditor see it with --reason", t.ID, state, t.Reason), nil
}

// MayTake refuses content of a suspended or marked target's account to those who may not see it; legal and auditor take it with a
// reason (Desk.Reason).
func (d *Desk) MayTake(ctx context.Context, person string, account evidence.Ordinal) error {
	t, err := d.targetOf(ctx, account)
	if CodeOf(err) == WrongTarget {
		return nil
	}
	if err != nil {
		return err
	}
	hidden, err := d.hidden(ctx, person, t)
	if err != nil || hidden == "" {
		return err
	}
	code := Suspended
	if t.State == TargetInnocent {
		code = Innocent
	}
	return refuse(code, "target %s is stopped (%s): its content does not leave; the roles legal and auditor take it, and say for what purpose", t.ID, t.Reason)
}

// checkOpened asks whether the person has opened every exhibit in the version that they sign for.
func (d *Desk) checkOpened(ctx context.Context, p Person, exhibits []evidence.Exhibit) error {
	for _, e := range exhibits {
		post, err := d.post(ctx, e.Post)
		if err != nil {
			return err
		}
		if post.opened[p.Ordinal] <= e.Seq {
			return refuse(NotOpened, "%s has not opened exhibit %d as it is now (record %d); open it and sign then: muhafiz review show %s --as %s",
				p.ID, e.Number, e.Seq, e.Post, p.ID)
		}
	}
	return nil
}

// frozen refuses to go on with the cases of a stopped target.
func frozen(t Target) error {
	switch t.State {
	case TargetSuspended:
		return refuse(Suspended, "target %s is suspended (%s); its cases are frozen until two people approve it again", t.ID, t.Reason)
	case TargetInnocent:
		return refuse(Innocent, "target %s is marked innocent (%s: %s); its cases are frozen", t.ID, t.Stop.Category, t.Reason)
	}
	return nil
}

// freeze says of each case whether its target is stopped.
func (d *Desk) freeze(ctx context.Context, cases []Case) error {
	for i, c := range cases {
		t, err := d.targetOf(ctx, c.Account)
		if err != nil && CodeOf(err) != WrongTarget {
			return err
		}
		if no := frozen(t); no != nil {
			cases[i].Frozen = no.Error()
		}
	}
	return nil
}

// look is one look of a person at something.
type look struct {
	at   evidence.Name
	what string
	note string
}

// access records looks before anything is shown.
func (d *Desk) access(ctx context.Context, person string, looks ...look) error {
	acq := evidence.NewAcq(d.now())
	var b evidence.Batch
	for i, l := range looks {
		b.Drafts = append(b.Drafts, evidence.Draft{
			ID: evidence.ID{Acq: acq, N: uint32(i)}, Actor: evidence.Person(person), Subject: l.at,
			Body: &evidence.Access{What: l.what, Via: d.Via, Note: l.note},
		})
	}
	_, err := d.Log.Put(ctx, b)
	return wrap("record the look", err)
}
