package notice

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

const whoWhat = "Who and what are different things: the designation says which organisation the account belongs to; " +
	"the rule says what the quoted content breaks. Each item states both, and neither stands in for the other."

// The isolates of Unicode Annex 9 that this package puts around foreign text.
const (
	firstStrongIsolate = "\u2068"
	popIsolate         = "\u2069"
)

// Title is the subject line: ours alone, without foreign text.
func (n Notice) Title() string {
	things := "1 account"
	if len(n.Items) != 1 {
		things = fmt.Sprintf("%d accounts", len(n.Items))
	}
	k, _ := LawOf(n.Kind)
	title := fmt.Sprintf("%s %s: %s for review, severity up to %s", k.Title, n.Reference, things, n.Severity)
	if n.Urgent {
		title = "THREAT TO LIFE: " + title
	}
	return title
}

// Text returns the part for people: plain text in lines that end in LF.
func (n Notice) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", n.Title())
	field(&b, "", "From", n.Sender.Organisation)
	field(&b, "", "Status of the notifier", n.Sender.Status)
	field(&b, "", "Corrections and questions", n.Sender.Contact)
	field(&b, "", "Platform", n.Platform)
	field(&b, "", "Date", day(n.Date.Time))
	fmt.Fprintf(&b, "Case numbers are of the log %s.\n\n", n.Vault)
	k, _ := LawOf(n.Kind)
	field(&b, "", "Made under", n.Basis)
	fmt.Fprintf(&b, "%s\n\n", k.Statement)
	fmt.Fprintf(&b, "Requested action\n  %s\n\n%s\n", n.Sender.Action, n.WhoWhat)
	for i, it := range n.Items {
		fmt.Fprintf(&b, "\n%s\n%d of %d. Case %s, severity %s\n\n", strings.Repeat("-", 72), i+1, len(n.Items), it.Case, it.Severity)
		it.text(&b)
	}
	fmt.Fprintf(&b, "\n%s\n%s\n", strings.Repeat("-", 72), n.Sender.GoodFaith)
	fmt.Fprintf(&b, "No media is attached. Media and the signed log can be supplied on request to %s,\n", n.Sender.Contact)
	fmt.Fprintf(&b, "who also takes corrections: if an account here is wrongly listed, tell us and we withdraw the case.\n")
	return b.String()
}

func (it Item) text(b *strings.Builder) {
	a := it.Account
	b.WriteString("Account\n")
	field(b, "  ", "Permanent id", a.Platform+" "+a.Type+" "+a.ID)
	field(b, "  ", "Address", a.Address)
	field(b, "  ", "Title", isolate(a.Title))
	a.names(b)
	if a.Audience != nil {
		field(b, "  ", "Audience", fmt.Sprintf("%d subscribers at the snapshot of %s", a.Audience.Subscribers, day(a.Audience.At.Time)))
	}
	field(b, "  ", "Account first recorded", day(a.FirstSeen.Time))
	field(b, "  ", "Account last recorded", day(a.LastSeen.Time))
	field(b, "  ", "Exhibits first recorded", day(it.FirstSeen.Time))
	field(b, "  ", "Exhibits last recorded", day(it.LastSeen.Time))
	field(b, "  ", "Requested action", it.Action)
	b.WriteString("Who: the organisation\n")
	field(b, "  ", "Organisation", isolate(it.Organisation))
	if len(it.Designations) == 0 {
		b.WriteString("  No listing is cited here: this notice rests on the content.\n")
	}
	for _, d := range it.Designations {
		s := fmt.Sprintf("%s, %s, %s (%s)", d.Authority, d.Reference, d.Date, d.Source)
		if d.Note != "" {
			s += "; " + d.Note
		}
		field(b, "  ", "Designated by", isolate(s))
	}
	field(b, "  ", "Why this account is theirs", isolate(it.Affiliation))
	b.WriteString("What: the content\n")
	for _, p := range it.Passages {
		p.text(b)
	}
	if len(it.Hashes) > 0 {
		b.WriteString("Hash list (SHA-256 of the exhibits' media)\n")
		for _, h := range it.Hashes {
			fmt.Fprintf(b, "  %s\n", h)
		}
	}
	b.WriteString("Evidence\n")
	fmt.Fprintf(b, "  Decision: record %d, leaf %s\n", it.Decision.Seq, it.Decision.Leaf)
	fmt.Fprintf(b, "  Approval: record %d, leaf %s\n", it.Approval.Seq, it.Approval.Leaf)
}

func (a Account) names(b *strings.Builder) {
	if len(a.Names) == 0 {
		field(b, "  ", "Names", isolate(strings.Join(a.Usernames, ", ")))
	}
	for _, n := range a.Names {
		fmt.Fprintf(b, "  Name: %s, recorded from %s to %s\n", isolate(n.Name), day(n.First.Time), day(n.Last.Time))
	}
}

func (p Passage) text(b *strings.Builder) {
	fmt.Fprintf(b, "  Exhibit %d, post %s\n", p.Exhibit, p.PostID)
	field(b, "    ", "Link", p.Link)
	field(b, "    ", "Posted", p.Claimed)
	field(b, "    ", "First recorded", day(p.FirstSeen.Time))
	field(b, "    ", "Last recorded", day(p.LastSeen.Time))
	if p.Gone != "" {
		field(b, "    ", "Not there at the last look", strings.ReplaceAll(p.Gone, "_", " "))
	}
	if p.Edited {
		b.WriteString("    It was edited after the version that is quoted.\n")
	}
	field(b, "    ", "Rule broken", isolate(p.Rule))
	if p.Offence != "" {
		field(b, "    ", "Offence", isolate(OffenceSays(p.Offence)))
	}
	field(b, "    ", "Severity", p.Severity)
	b.WriteString("    Original:\n")
	quote(b, p.Quote)
	if p.Gloss != "" {
		by := "by a person"
		if p.GlossBy == "machine" {
			by = "by a machine, not checked by a translator"
		}
		fmt.Fprintf(b, "    In English (%s):\n", by)
		quote(b, p.Gloss)
	}
	fmt.Fprintf(b, "    Record %d, leaf %s\n", p.Record.Seq, p.Record.Leaf)
	fmt.Fprintf(b, "    Body SHA-256 %s\n", p.BodyHash)
	for _, m := range p.Media {
		fmt.Fprintf(b, "    Media, %s, %d bytes, SHA-256 %s\n", isolate(m.Type), m.Size, m.SHA256)
	}
}

func field(b *strings.Builder, indent, name, value string) {
	if value != "" {
		fmt.Fprintf(b, "%s%s: %s\n", indent, name, value)
	}
}

func quote(b *strings.Builder, s string) {
	for line := range strings.SplitSeq(strings.ReplaceAll(s, "\r\n", "\n"), "\n") {
		fmt.Fprintf(b, "      > %s\n", isolate(line))
	}
}

// isolate sets foreign text apart and writes out what could reach beyond it: controls, line ends and the bidi controls.
func isolate(s string) string {
	if s == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString(firstStrongIsolate)
	for _, r := range s {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r) {
			fmt.Fprintf(&b, "<U+%04X>", r)
			continue
		}
		b.WriteRune(r)
	}
	b.WriteString(popIsolate)
	return b.String()
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}
