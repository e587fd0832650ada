package review

import (
	"context"
	"fmt"
	"slices"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// DecisionInput is what the first person says about posts of one account.
type DecisionInput struct {
	Posts       []evidence.Ordinal `json:"posts"`   // become the exhibits 1, 2 …; the rest of their albums comes after them
	Outcome     string             `json:"outcome"` // OutcomeReport, OutcomeNoAction
	Passages    []evidence.Passage `json:"passages,omitempty"`
	Affiliation string             `json:"affiliation,omitempty"` // the basis, as reviewed
	Languages   []string           `json:"languages,omitempty"`   // that the reviewer reads
	Comment     string             `json:"comment,omitempty"`
}

// PrepareDecision returns the statement that the person is to sign. It opens a case of the account where none can be decided;
// posts of a case that still waits for its second person are decided again there, all of them.
func (d *Desk) PrepareDecision(ctx context.Context, person string, in DecisionInput) (string, error) {
	p, err := d.person(ctx, person)
	if err != nil {
		return "", err
	}
	if err := needRole(p, "decide", RoleAnalyst, RoleReviewer, RoleSenior); err != nil {
		return "", err
	}
	_, fingerprint, err := p.key()
	if err == nil {
		err = d.checkClock()
	}
	if err != nil {
		return "", err
	}
	exhibits, err := d.exhibits(ctx, in.Posts)
	if err != nil {
		return "", err
	}
	account := exhibits[0].Post.Whole()
	t, err := d.targetOf(ctx, account)
	if err != nil {
		return "", err
	}
	st := evidence.Statement{
		Type: evidence.StatementDecision, Vault: d.Log.ID(), Person: p.ID, Fingerprint: fingerprint, Time: evidence.At(d.now()),
		Exhibits: exhibits, Comment: in.Comment, Outcome: in.Outcome, Blind: d.Blind,
		Grounds: &evidence.Ground{
			Designation: t.Set, Affiliation: in.Affiliation,
			Passages: slices.Concat([]evidence.Passage{}, in.Passages), Languages: slices.Concat([]string{}, in.Languages),
		},
	}
	if err := frozen(t); err != nil {
		return "", err
	}
	if err := d.checkGrounds(ctx, t, st); err != nil {
		return "", err
	}
	if err := d.checkOpened(ctx, p, exhibits); err != nil {
		return "", err
	}
	c, err := d.caseFor(ctx, p, t, exhibits)
	if err != nil {
		return "", err
	}
	st.Case, st.CaseVersion = c.Ordinal, c.Version
	if err := d.checkCase(c, t, st); err != nil {
		return "", err
	}
	if err := d.checkFree(ctx, t, st); err != nil {
		return "", err
	}
	return EncodeStatement(st)
}

func (d *Desk) exhibits(ctx context.Context, posts []evidence.Ordinal) ([]evidence.Exhibit, error) {
	if len(posts) == 0 {
		return nil, refuse(Incomplete, "name at least one post, such as a12/456")
	}
	out := make([]evidence.Exhibit, 0, len(posts))
	for i, o := range posts {
		if slices.Contains(posts[:i], o) {
			return nil, refuse(Incomplete, "post %s is named twice", o)
		}
		p, err := d.post(ctx, o)
		if err != nil {
			return nil, err
		}
		if p.Account != posts[0].Whole() {
			return nil, refuse(ManyAccounts, "%s and %s are of different accounts; decide one account at a time", posts[0], o)
		}
		out = append(out, evidence.Exhibit{Number: i + 1, Post: o, RecordRef: p.Latest().RecordRef})
	}
	return d.whole(ctx, out)
}

// caseFor finds the case in which the exhibits are to be decided, or opens it.
func (d *Desk) caseFor(ctx context.Context, p Person, t Target, exhibits []evidence.Exhibit) (Case, error) {
	for _, e := range exhibits {
		var dec decidedPost
		if _, err := d.get(ctx, ViewCases, postKey(e.Post), &dec); err != nil || dec.Case == "" {
			if err != nil {
				return Case{}, err
			}
			continue
		}
		if c, err := d.Case(ctx, dec.Case); err != nil || c.Status == CaseDecided || c.stale(t) {
			return c, err
		}
	}
	key := openKey(exhibits[0].Post.Whole())
	open, version, err := d.Log.Get(ctx, ViewCases, key)
	if err != nil {
		return Case{}, fmt.Errorf("look for an open case: %w", err)
	}
	if open != nil {
		return d.Case(ctx, evidence.Ordinal(open))
	}
	c, err := d.openCase(ctx, p, t, evidence.Expect{View: ViewCases, Key: key, Version: version})
	if CodeOf(err) != Conflict {
		return c, err
	}
	// Somebody else opened it at the same moment: then that is the account's case.
	if open, _, gerr := d.Log.Get(ctx, ViewCases, key); gerr == nil && open != nil {
		return d.Case(ctx, evidence.Ordinal(open))
	}
	return c, err
}

func (d *Desk) openCase(ctx context.Context, p Person, t Target, none evidence.Expect) (Case, error) {
	account, err := d.Log.Name(ctx, t.Account)
	if err != nil {
		return Case{}, fmt.Errorf("name account %s: %w", t.Account, err)
	}
	name := evidence.Case(evidence.NewAcq(d.now()))
	b := &evidence.CaseOpened{Key: name.Key, Account: evidence.Ref{Name: account}, Target: t.ID}
	if b.Follows, err = d.follows(ctx, t.Account); err != nil {
		return Case{}, err
	}
	lost := fmt.Sprintf("somebody else opened a case of %s at the same moment; prepare the decision again", t.Account)
	r, err := d.act(ctx, p, name, b, lost, none)
	if err != nil {
		return Case{}, err
	}
	return d.Case(ctx, r.Subject)
}

// follows names the account's case that further exhibits come after: one that is approved, or has left.
func (d *Desk) follows(ctx context.Context, account evidence.Ordinal) (evidence.Ordinal, error) {
	last, _, err := d.Log.Get(ctx, ViewCases, lastKey(account))
	if err != nil || last == nil {
		return "", wrap("look for the case before", err)
	}
	c, err := d.Case(ctx, evidence.Ordinal(last))
	if err != nil || c.Status != CaseApproved && c.Status != CaseNoticed {
		return "", err
	}
	return c.Ordinal, nil
}

// Decide records a signed decision and returns its case.
func (d *Desk) Decide(ctx context.Context, person string, s evidence.Signed) (Case, error) {
	p, st, err := d.verify(ctx, person, evidence.StatementDecision, s)
	if err != nil {
		return Case{}, err
	}
	if err := needRole(p, "decide", RoleAnalyst, RoleReviewer, RoleSenior); err != nil {
		return Case{}, err
	}
	c, err := d.Case(ctx, st.Case)
	if err != nil {
		return c, err
	}
	t, err := d.targetOf(ctx, c.Account)
	if err != nil {
		return c, err
	}
	if err := d.checkCase(c, t, st); err != nil {
		return c, err
	}
	if err := d.checkExhibits(ctx, c, st.Exhibits); err != nil {
		return c, err
	}
	if err := d.checkAlbums(ctx, st.Exhibits); err != nil {
		return c, err
	}
	if err := frozen(t); err != nil {
		return c, err
	}
	if err := d.checkGrounds(ctx, t, st); err != nil {
		return c, err
	}
	if err := d.checkOpened(ctx, p, st.Exhibits); err != nil {
		return c, err
	}
	named, err := d.namesPerson(ctx, st.Exhibits)
	if err != nil {
		return c, err
	}
	if _, err := d.act(ctx, p, evidence.Case(c.Key), &evidence.Decision{Signed: s, NamesAPerson: named}, caseLost(c),
		evidence.Expect{View: ViewCases, Key: string(c.Ordinal), Version: st.CaseVersion}); err != nil {
		return c, err
	}
	return d.Case(ctx, c.Ordinal)
}

// namesPerson reports whether an exhibit names a private person, whom a quote from it may name too.
func (d *Desk) namesPerson(ctx context.Context, exhibits []evidence.Exhibit) (bool, error) {
	for _, e := range exhibits {
		p, err := d.post(ctx, e.Post)
		if err != nil {
			return false, err
		}
		if v := p.Latest().Post; v == nil || v.NamesPerson() {
			return true, nil // what is erased may have named one
		}
	}
	return false, nil
}

func caseLost(c Case) string {
	return fmt.Sprintf("somebody else acted on case %s at the same moment; look at it again", c.Ordinal)
}

// stale reports whether an approved case rests on a ground that was set anew since: it is in no notice, and waits to be decided
// again. So does one whose decision was erased.
func (c Case) stale(t Target) bool {
	return c.Status == CaseApproved && (c.Decision == nil || c.Decision.Designation != t.Set)
}

// checkCase asks whether the case can take this decision.
func (d *Desk) checkCase(c Case, t Target, st evidence.Statement) error {
	switch {
	case st.Confirms != nil || st.Agree || !st.Until.IsZero() || st.Adjudicates != nil || st.Lifts != nil || st.Lists != nil || st.Orders != nil:
		return refuse(BadStatement, "the statement holds fields of another type; prepare it again")
	case st.Blind != d.Blind:
		return refuse(BadStatement, "review became blind, or ceased to be, since the decision was prepared; prepare it again")
	case c.Status != CaseOpen && c.Status != CaseRejected && c.Status != CaseDecided && !c.stale(t):
		return refuse(WrongCase, "case %s is %s and takes no further decision; prepare one on its newer posts", c.Ordinal, c.Status)
	case st.CaseVersion != c.Version:
		return refuse(Conflict, "case %s has changed (record %d) since it was looked at; look at it and decide again", c.Ordinal, c.Version-1)
	case c.Status != CaseDecided && c.Status != CaseApproved:
		return nil
	}
	for _, e := range c.decided().Exhibits {
		if !slices.ContainsFunc(st.Exhibits, func(n evidence.Exhibit) bool { return n.Post == e.Post }) {
			return refuse(WrongCase, "case %s is %s and also holds %s; name all of its posts to decide it again", c.Ordinal, c.Status, e.Post)
		}
	}
	return nil
}
