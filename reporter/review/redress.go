package review

import (
	"context"
	"slices"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// categories of an innocent mark.
var categories = [...]string{"journalist", "researcher", "rights_group", "news_outlet", "other"}

// Categories lists what an innocent mark can say that an account is.
func Categories() []string { return slices.Clone(categories[:]) }

// Suspend stops collection and unsent notices of a target at once; any one person may. Every other target of the same address or
// account stops with it. Its content is hidden from then on, and its open cases are frozen. Lifting it takes two people.
func (d *Desk) Suspend(ctx context.Context, person, target, reason string) error {
	p, t, err := d.personAndTarget(ctx, person, target)
	if err != nil {
		return err
	}
	if strings.TrimSpace(reason) == "" {
		return refuse(Incomplete, "say why target %s is suspended", t.ID)
	}
	if t.Stopped() || t.State == TargetRemoved {
		return refuse(WrongTarget, "target %s is already %s", t.ID, t.State)
	}
	return d.stop(ctx, p, t, func(s Target) []evidence.Body {
		if s.Stopped() {
			return nil
		}
		return []evidence.Body{&evidence.TargetSuspended{Reason: reason}}
	})
}

// Mark says that a target was listed by mistake; any one person may, and it suspends the target too. Its address and its account
// cannot be listed again, under whatever id, before two other people have signed a Relist each.
func (d *Desk) Mark(ctx context.Context, person, target, category, reason string) (Target, error) {
	p, t, err := d.personAndTarget(ctx, person, target)
	if err != nil {
		return t, err
	}
	switch {
	case !slices.Contains(categories[:], category):
		return t, refuse(Incomplete, "say what the account is, as one of: %s", strings.Join(categories[:], ", "))
	case strings.TrimSpace(reason) == "":
		return t, refuse(Incomplete, "say how you know that target %s is innocent", t.ID)
	case t.State == TargetInnocent:
		return t, refuse(WrongTarget, "target %s is already marked innocent", t.ID)
	}
	err = d.stop(ctx, p, t, func(s Target) []evidence.Body {
		var out []evidence.Body
		if !s.Stopped() && s.State != TargetRemoved {
			out = append(out, &evidence.TargetSuspended{Reason: reason})
		}
		if s.State == TargetInnocent {
			return out
		}
		return append(out, &evidence.TargetMarked{
			Mark: evidence.MarkInnocent, Category: category, Reason: reason, Address: s.Address, Account: s.Account,
		})
	})
	if err != nil {
		return t, err
	}
	t, _, err = d.Target(ctx, t.ID)
	return t, err
}

func (d *Desk) personAndTarget(ctx context.Context, person, target string) (Person, Target, error) {
	p, err := d.person(ctx, person)
	if err != nil {
		return p, Target{}, err
	}
	t, _, err := d.Target(ctx, target)
	return p, t, err
}

// stop writes what the bodies say of a target and of every other one with its address or account, all of it or nothing.
func (d *Desk) stop(ctx context.Context, p Person, t Target, bodies func(Target) []evidence.Body) error {
	all, err := d.Targets(ctx)
	if err != nil {
		return err
	}
	acq := evidence.NewAcq(d.now())
	var b evidence.Batch
	for _, s := range all {
		same := s.Ordinal == t.Ordinal ||
			s.State != TargetRemoved && (strings.EqualFold(s.Address, t.Address) || s.Account != "" && s.Account == t.Account)
		if !same {
			continue
		}
		for _, body := range bodies(s) {
			b.Drafts = append(b.Drafts, evidence.Draft{
				ID: evidence.ID{Acq: acq, N: uint32(len(b.Drafts))}, Actor: evidence.Person(p.ID), Subject: evidence.Target(s.ID), Body: body,
			})
		}
	}
	_, err = d.Log.Put(ctx, b)
	return wrap("stop target "+t.ID, err)
}

// PrepareRelisting returns the statement that a person is to sign who says that a marked target belongs on the list after all.
func (d *Desk) PrepareRelisting(ctx context.Context, person, target, reason string) (string, error) {
	return d.prepareTargetWord(ctx, person, target, evidence.Statement{Type: evidence.StatementRelisting, Comment: reason})
}

// Relist records one of the two signed words that it takes to set an innocent mark aside. After the second, the target is listed
// and waits for its approval as any other.
func (d *Desk) Relist(ctx context.Context, person, target string, s evidence.Signed) (Target, error) {
	p, t, version, err := d.targetWord(ctx, person, target, evidence.StatementRelisting, s)
	if err != nil {
		return t, err
	}
	return d.actOnTarget(ctx, p, t, version, &evidence.TargetRelisted{Signed: s}, "target "+t.ID+" changed while it was being relisted; look at it and sign again")
}

func (d *Desk) checkRelisting(ctx context.Context, p Person, t Target, st evidence.Statement) error {
	if err := needRole(p, "relist a marked target", RoleReviewer, RoleSenior); err != nil {
		return err
	}
	switch {
	case t.State != TargetInnocent:
		return refuse(WrongTarget, "target %s is %s; only one that is marked innocent is relisted", t.ID, t.State)
	case st.Confirms == nil || *st.Confirms != t.Set || st.Lifts == nil || *st.Lifts != t.Stop.RecordRef || st.CaseVersion != t.Round:
		return refuse(ChangedSince, "target %s changed (record %d) since it was looked at; look at it and sign again", t.ID, t.Round-1)
	case st.Blind || st.Case != "" || st.Outcome != "" || st.Grounds != nil || len(st.Exhibits) > 0 || !st.Agree || !st.Until.IsZero() || st.Adjudicates != nil || st.Lists != nil || st.Orders != nil:
		return refuse(BadStatement, "the statement holds fields of another type; prepare it again")
	case strings.TrimSpace(st.Comment) == "":
		return refuse(Incomplete, "say why target %s belongs on the list although it was marked innocent", t.ID)
	}
	for _, o := range []evidence.Ordinal{t.Stop.By, t.Stop.Also} {
		if o == "" {
			continue
		}
		n, err := d.Log.Name(ctx, o)
		if err != nil {
			return wrap("name "+string(o), err)
		}
		if err := d.another(ctx, p, n.Key, "marked or suspended target "+t.Stop.ID, st.Fingerprint); err != nil {
			return err
		}
	}
	for _, id := range []string{t.ListedBy, t.Stop.ListedBy} {
		if err := d.another(ctx, p, id, "put target "+t.ID+" on the list", st.Fingerprint); err != nil {
			return err
		}
	}
	return d.checkLifting(ctx, p, t, st)
}

// another refuses the person who did what is to be judged by somebody else, and anybody with their key.
func (d *Desk) another(ctx context.Context, p Person, did, what, fingerprint string) error {
	if p.ID == did {
		return refuse(SamePerson, "%s %s, so two other people must relist it", p.ID, what)
	}
	return d.differInKey(ctx, p, did, fingerprint)
}
