package main

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
)

type watchShowCmd struct {
	Target string `arg:"" help:"The target's id or its ordinal, such as t7."`
}

func (c watchShowCmd) Run(s *session) error {
	return s.with("watch show", func(cl *daemon.Client) error {
		var d daemon.TargetDetail
		if err := cl.Call(s, "GET", "/v1/targets/show?"+url.Values{"target": {c.Target}}.Encode(), nil, &d); err != nil {
			return err
		}
		if s.json {
			return s.printJSON(d)
		}
		s.showTarget(d)
		return nil
	})
}

func (s *session) showTarget(d daemon.TargetDetail) {
	line := func(label, format string, args ...any) {
		if text := fmt.Sprintf(format, args...); strings.TrimSpace(text) != "" {
			fmt.Fprintf(s.out, "%-13s %s\n", label, safe(text))
		}
	}
	line("Target", "%s (%s)", d.ID, d.Ordinal)
	line("Address", "%s", d.Address)
	line("State", "%s", standing(d.TargetView, time.Now()))
	line("Reason", "%s", d.Reason)
	if d.ListedOnly {
		line("", "no collector for %s here: reviewed and reported from captures", d.Platform)
	}
	line("Report", "%s", yesNo(d.Report))
	if set := d.Set; set != nil {
		line("Organisation", "%s (%s)", set.Organisation.Name, set.Organisation.ID)
		for _, x := range set.Organisation.Designations {
			line("  designated", "%s, %s, %s; source: %s", x.Authority, x.Reference, x.Date, x.Source)
			line("    note", "%s", x.Note)
		}
		line("Affiliation", "%s", set.Affiliation.Basis)
		cite := set.Affiliation.Citation
		line("  cited", "%s", strings.TrimSpace(cite.Title+" "+cite.URL+" "+cite.Date))
		if !cite.SHA256.IsZero() {
			line("  SHA-256", "%s", cite.SHA256)
		}
		line("Legal basis", "%s", set.LegalBasis)
		line("Watchlist", "%s, SHA-256 %s", set.File, set.FileSHA256)
	}
	line("Listed by", "%s, record %d", d.ListedBy, d.Target.Set.Seq)
	line("  not signed", "%s", d.Unsigned)
	if d.ApprovedBy != "" {
		line("Approved by", "%s, %s", d.ApprovedBy, d.ApprovedAt.Format("2006-01-02 15:04Z"))
	}
	line("Account", "%s %s", d.Account, d.Identity)
	if d.Seen != nil {
		line("  last seen as", "%s, names: %s, subscribers: %d", d.Seen.Title, strings.Join(d.Seen.Usernames, ", "), d.Seen.Subscribers)
	}
	line("Collected", "%d versions of posts, %d gone, %d files, %d files missed, %d snapshots of the account, %d gaps", d.Versions, d.Gone, d.Files, d.Missed, d.Snapshots, d.Gaps)
	fmt.Fprintln(s.out, "\nHistory")
	for _, e := range d.History {
		fmt.Fprintln(s.out, " ", safe(e.String()))
	}
}
