package bundle

import (
	"context"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// caseEvent is the opening of a case, or what somebody signed in it.
type caseEvent struct {
	proof
	Title     string
	Account   evidence.Ordinal
	Target    string
	Signed    bool
	Agrees    bool // of a word on a decision
	Statement evidence.Statement
}

// targetPage is a target: each version of its ground, approvals and bindings.
type targetPage struct {
	Ordinal  evidence.Ordinal
	Key      string
	Versions []targetVersion
	Events   []targetEvent
}

type targetVersion struct {
	proof
	*evidence.TargetSet
}

type targetEvent struct {
	proof
	What, Detail string
}

// accountPage is an account: what its ordinal stands for and how it showed itself.
type accountPage struct {
	Ordinal  evidence.Ordinal
	Bound    *evidence.AccountBound
	Proof    proof
	Versions []accountVersion
}

type accountVersion struct {
	proof
	*evidence.AccountSeen
}

type personPage struct {
	proof
	*evidence.PersonSet
}

func (b *builder) casePage(ctx context.Context, f *front) error {
	if b.o.Case == "" {
		return nil
	}
	titles := map[evidence.Kind]string{
		evidence.KindCaseOpened: "Case opened", evidence.KindDecision: "Decision of the first person", evidence.KindApproval: "Word of the second person",
	}
	decisions := map[int64]evidence.Statement{} // a withheld one too: a blind word that is shown is compared with it
	return b.packed(ctx, b.o.Case, func(r evidence.Record, body evidence.Body, p proof) {
		if r.Kind == evidence.KindDecision {
			decisions[r.Seq], _ = statementOf(r)
		}
		e := caseEvent{proof: p, Title: titles[r.Kind]}
		if e.Title == "" {
			e.Title = string(r.Kind)
		}
		if o, ok := body.(*evidence.CaseOpened); ok {
			e.Account, e.Target = o.Account.Ordinal, o.Target
		}
		if body != nil {
			e.Statement, e.Signed = statementOf(r)
		}
		if e.Statement.Type == evidence.StatementAdjudication {
			e.Title = "Word of the third person, between the two"
		}
		if e.Statement.Confirms != nil {
			e.Agrees = e.Statement.Agrees(decisions[e.Statement.Confirms.Seq])
		}
		f.Case = append(f.Case, e)
	})
}

func (b *builder) targetPages(ctx context.Context, f *front) error {
	for _, t := range b.sel.targets.sorted() {
		page := targetPage{Ordinal: t}
		if n, err := b.o.Log.Name(ctx, t); err == nil {
			page.Key = n.Key
		}
		err := b.packed(ctx, t, func(r evidence.Record, body evidence.Body, p proof) {
			e := targetEvent{proof: p, What: string(r.Kind)}
			switch x := body.(type) {
			case *evidence.TargetSet:
				page.Versions = append(page.Versions, targetVersion{p, x})
				return
			case *evidence.Gap, *evidence.Acquisition:
				return // gaps have a section of their own
			case *evidence.TargetApproved:
				e.What = "Approved for collection"
				if st, ok := statementOf(r); ok {
					e.Detail = "by " + st.Person
					if !st.Until.IsZero() {
						e.Detail += ", until " + clock(st.Until)
					}
				}
			case *evidence.TargetBound:
				e.What, e.Detail = "Resolved", x.Address+" to "+string(x.Account.Ordinal)
			case *evidence.TargetSuspended:
				e.What, e.Detail = "Suspended", x.Reason
			case *evidence.TargetMarked:
				e.What, e.Detail = "Marked "+x.Mark, strings.TrimSuffix(x.Category+": "+x.Reason, ": ")
			case *evidence.TargetRelisted:
				e.What = "One of two who say that it belongs on the list after all"
				if st, ok := statementOf(r); ok {
					e.Detail = st.Person + ": " + st.Comment
				}
			case *evidence.TargetRemoved:
				e.What, e.Detail = "Removed from the watchlist", x.Reason
			}
			page.Events = append(page.Events, e)
		})
		if err != nil {
			return err
		}
		f.Targets = append(f.Targets, page)
	}
	return nil
}

func (b *builder) accountPages(ctx context.Context, f *front) error {
	for _, a := range b.sel.accounts.sorted() {
		page := accountPage{Ordinal: a}
		err := b.packed(ctx, a, func(_ evidence.Record, body evidence.Body, p proof) {
			switch x := body.(type) {
			case *evidence.AccountBound:
				page.Bound, page.Proof = x, p
			case *evidence.AccountSeen:
				page.Versions = append(page.Versions, accountVersion{p, x})
			}
		})
		if err != nil {
			return err
		}
		f.Accounts = append(f.Accounts, page)
	}
	return nil
}

func (b *builder) personPages(ctx context.Context, f *front) error {
	for _, u := range b.sel.people.sorted() {
		err := b.packed(ctx, u, func(_ evidence.Record, body evidence.Body, p proof) {
			if x, ok := body.(*evidence.PersonSet); ok {
				f.People = append(f.People, personPage{p, x})
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}
