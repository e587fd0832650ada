package main

import (
	"cmp"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

type reviewShowCmd struct {
	who
	What   string `arg:"" help:"A post, such as a1/456, or a case, such as c1."`
	Reason string `help:"Why legal or an auditor must see what is hidden, such as content of a suspended target; it is recorded."`
}

func (c reviewShowCmd) Run(s *session) error {
	return s.with("review show", func(cl *daemon.Client) error {
		if evidence.Ordinal(c.What).Space() == evidence.SpaceCase {
			return c.showCase(s, cl)
		}
		var p review.Post
		q := url.Values{"person": {c.As}, "post": {c.What}, "reason": {c.Reason}}
		if err := cl.Call(s, "GET", "/v1/review/show?"+q.Encode(), nil, &p); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(p)
		}
		s.printPost(p)
		return nil
	})
}

func (c reviewShowCmd) showCase(s *session, cl *daemon.Client) error {
	var f review.CaseFile
	q := url.Values{"person": {c.As}, "case": {c.What}, "reason": {c.Reason}}
	if err := cl.Call(s, "GET", "/v1/review/case?"+q.Encode(), nil, &f); err != nil {
		return err
	}
	if s.json {
		return s.printJSON(f)
	}
	fmt.Fprintf(s.out, "case %s of account %s, %s\n", f.Case.Ordinal, f.Case.Account, f.Case.Status)
	if f.Case.Follows != "" {
		fmt.Fprintf(s.out, "it follows case %s of the same account\n", f.Case.Follows)
	}
	s.printGround(f)
	if f.Case.Frozen != "" {
		fmt.Fprintln(s.out, "\n"+safe(f.Case.Frozen))
	}
	if f.Hidden != "" {
		fmt.Fprintln(s.out, safe(f.Hidden))
	}
	for i, p := range f.Exhibits {
		fmt.Fprintf(s.out, "\nexhibit %d\n", i+1)
		s.printPost(p)
	}
	if f.Stands != "" {
		fmt.Fprintln(s.out, "\nas things are now this cannot be approved:", safe(f.Stands))
	}
	return nil
}

// printGround prints who is said to be behind the account, and what was decided.
func (s *session) printGround(f review.CaseFile) {
	if f.Target != nil {
		fmt.Fprintf(s.out, "\n%s\nlisted by %s: %s\n  source: %s %s\n", safe(f.Target.Organisation.Name), f.Target.ListedBy, safe(f.Target.Affiliation.Basis), safe(f.Target.Affiliation.Citation.Title), safe(f.Target.Affiliation.Citation.URL))
		for _, d := range f.Target.Organisation.Designations {
			fmt.Fprintf(s.out, "  designated: %s, %s, %s (%s)\n", safe(d.Authority), safe(d.Reference), d.Date, safe(d.Source))
		}
	}
	if f.Blind != "" {
		fmt.Fprintln(s.out, "\n"+f.Blind)
	}
	if f.Decision == nil {
		return
	}
	fmt.Fprintf(s.out, "\ndecided by %s: %s\n", f.Decision.Person, f.Decision.Outcome)
	if g := f.Decision.Grounds; g != nil {
		fmt.Fprintf(s.out, "  affiliation as reviewed: %s; languages read: %s\n", safe(g.Affiliation), strings.Join(g.Languages, ", "))
		for _, p := range g.Passages {
			fmt.Fprintf(s.out, "  exhibit %d: “%s”\n    rule: %s (%s); severity: %s; exclusion: %s\n", p.Exhibit, safe(p.Quote), safe(p.Rule), orDash(p.Offence), p.Severity, p.Exclusion)
			if p.Gloss != "" {
				fmt.Fprintf(s.out, "    in English (%s): %s\n", p.GlossBy, safe(p.Gloss))
			}
		}
	}
	if r := f.Case.Refused; r != nil {
		fmt.Fprintf(s.out, "second person %s: agrees no: %s\n", r.Person, safe(r.Comment))
	}
	if f.Approval != nil {
		who := "second"
		if f.Approval.Type == evidence.StatementAdjudication {
			who = "third"
		}
		if f.Approval.Blind {
			fmt.Fprintf(s.out, "%s person %s answered blind: %s\n", who, f.Approval.Person, f.Approval.Outcome)
		}
		fmt.Fprintf(s.out, "%s person %s: agrees %s %s\n", who, f.Approval.Person, yesNo(f.Approval.Agrees(*f.Decision)), safe(f.Approval.Comment))
	}
}

func (s *session) printPost(p review.Post) {
	fmt.Fprintln(s.out, strings.TrimSpace(fmt.Sprintf("%s  %s  %s", p.Ordinal, safe(p.Platform), p.Link)))
	if p.Organisation != "" {
		fmt.Fprintf(s.out, "listed as %s of %s\n", safe(p.Target), safe(p.Organisation))
	}
	if p.Gone != "" {
		fmt.Fprintf(s.out, "no longer there: %s\n", p.Gone)
	}
	if p.Hidden != "" {
		fmt.Fprintln(s.out, safe(p.Hidden))
	}
	for i, v := range p.Versions {
		fmt.Fprintf(s.out, "\nversion %d, record %d, recorded %s\n", i+1, v.Seq, v.RecordedAt.Format("2006-01-02 15:04:05Z"))
		if v.Post == nil {
			if p.Hidden == "" {
				fmt.Fprintln(s.out, "  (erased)")
			} else {
				fmt.Fprintln(s.out, "  (hidden)")
			}
			continue
		}
		for _, l := range strings.Split(v.Post.Text, "\n") {
			fmt.Fprintln(s.out, "  "+safe(l))
		}
		s.printTold(v.Post)
	}
	for _, m := range p.Media {
		if m.Missed != "" {
			fmt.Fprintf(s.out, "\nfile %s: not kept, %s\n", safe(m.MediaID), safe(cmp.Or(m.Says, m.Missed)))
		} else {
			fmt.Fprintf(s.out, "\nfile %s: %s, %d bytes, SHA-256 %s\n", safe(m.MediaID), m.MIME, m.Blob.Size, m.Blob.SHA256)
		}
		if m.PreviewSays != "" {
			fmt.Fprintf(s.out, "  instead of it: %s", safe(m.PreviewSays))
			if !m.Preview.IsZero() {
				fmt.Fprintf(s.out, ", %d bytes, SHA-256 %s", m.Preview.Size, m.Preview.SHA256)
			}
			fmt.Fprintln(s.out)
		}
	}
	fmt.Fprintln(s.out)
	rows := [][]string{{"RECORD", "WHEN", "WHAT", ""}}
	for _, h := range p.History {
		rows = append(rows, []string{strconv.FormatInt(h.Seq, 10), h.At.Format("2006-01-02 15:04:05Z"), h.What, h.Detail})
	}
	s.table(rows)
	for i, m := range p.Album {
		fmt.Fprintf(s.out, "\nthe same album, %d of %d further posts; a decision binds all of it\n", i+1, len(p.Album))
		s.printPost(m)
	}
}
