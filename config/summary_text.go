package config

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Write prints the summary for people.
func (s Summary) Write(w io.Writer) error {
	b := bufio.NewWriter(w)
	sealed := "no: whoever copies the vault or a backup can read it; `muhafiz key vault` makes a key for vault_key"
	if s.Sealed {
		sealed = "yes: texts, raw bytes and files, at rest"
	}
	fmt.Fprintf(b, "Vault        %s\nSealed       %s\nLegal basis  %s\nRetention    %s\nDisk         %s\n", s.Vault, sealed, oneLine(s.LegalBasis), s.Retention, s.Space)
	s.writeFiles(b)
	s.writePeople(b)
	s.writeOrganisations(b)
	s.writeTargets(b)
	s.writeRoutes(b)
	s.writeWarnings(b)
	return b.Flush()
}

func (s Summary) writeFiles(w io.Writer) {
	fmt.Fprintf(w, "\n%s\n", count(len(s.Files), "file"))
	table(w, len(s.Files), func(i int) []string { return []string{s.Files[i].Name, "sha256 " + s.Files[i].SHA256[:16] + "…"} })
}

func (s Summary) writePeople(w io.Writer) {
	fmt.Fprintf(w, "\n%s\n", countAs(len(s.People), "person", "people"))
	table(w, len(s.People), func(i int) []string {
		p := s.People[i]
		return []string{p.ID, strings.Join(p.Roles, ", "), p.KeyType, p.Fingerprint}
	})
}

func (s Summary) writeOrganisations(w io.Writer) {
	fmt.Fprintf(w, "\n%s\n", count(len(s.Organisations), "organisation"))
	for _, o := range s.Organisations {
		targets := "no targets"
		if len(o.Targets) > 0 {
			var parts []string
			for _, t := range o.Targets {
				parts = append(parts, fmt.Sprintf("%s on %s, %d to be reported", count(t.Targets, "target"), t.Platform, t.Reported))
			}
			targets = strings.Join(parts, "; ")
		}
		fmt.Fprintf(w, "  %s  %s: %s\n", o.ID, o.Name, targets)
		for _, d := range o.Designations {
			fmt.Fprintf(w, "      %s, %s, %s\n", d.Authority, d.Reference, d.Date)
			if d.Note != "" {
				fmt.Fprintf(w, "          note: %s\n", oneLine(d.Note))
			}
		}
	}
}

func (s Summary) writeTargets(w io.Writer) {
	fmt.Fprintf(w, "\n%s\n", count(len(s.Targets), "target"))
	table(w, len(s.Targets), func(i int) []string {
		t := s.Targets[i]
		report := "collect only"
		switch {
		case t.ListedOnly && t.Report:
			report = "listed only, report"
		case t.ListedOnly:
			report = "listed only"
		case t.Report:
			report = "report"
		}
		return []string{t.ID, t.Address, t.Organisation, report, "by " + t.ListedBy, t.File}
	})
}

func (s Summary) writeRoutes(w io.Writer) {
	fmt.Fprintf(w, "\nAccounts     %s\n", orNone(strings.Join(s.Accounts, ", ")))
	if s.Schedule != "" {
		fmt.Fprintf(w, "Schedule     %s\n", s.Schedule)
	}
	for _, r := range s.Routes {
		var to []string
		if len(r.To) > 0 {
			to = append(to, "mail to "+strings.Join(r.To, ", "))
		}
		if r.Outbox != "" {
			to = append(to, "outbox "+r.Outbox)
		}
		fmt.Fprintf(w, "Route        %s, %s: %s\n", r.Platform, r.Kind, strings.Join(to, "; "))
	}
}

func (s Summary) writeWarnings(w io.Writer) {
	if len(s.Warnings) == 0 {
		fmt.Fprintf(w, "\nNo errors, no warnings.\n")
		return
	}
	fmt.Fprintf(w, "\nNo errors, %s\n", count(len(s.Warnings), "warning"))
	for _, x := range s.Warnings {
		path := ""
		if x.Path != "" {
			path = x.Path + ": "
		}
		fmt.Fprintf(w, "  %s: %s%s\n", x.At, path, x.Text)
	}
}

func table(w io.Writer, n int, row func(int) []string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := range n {
		fmt.Fprintf(t, "  %s\n", strings.Join(row(i), "\t"))
	}
	// It fails only as w does, and w is a bufio.Writer that keeps its error for Flush.
	_ = t.Flush()
}

func count(n int, what string) string { return countAs(n, what, what+"s") }

func countAs(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
