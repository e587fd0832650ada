package intake

import (
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/muhafiz/muhafiz/config"
)

// perFile is how many targets go into one file; a person still opens it, and the reader's limits are far.
const perFile = 5_000

// Entry is what the targets of one list have in common.
type Entry struct {
	Organisation string
	OrgName      string
	Basis        string // in words; empty: the list named the account
	ListedBy     string
	Report       bool
	Title        string // of the source
	URL          string
	SourceFile   string // relative to the watchlist's folder
	ListName     string
	ListSHA256   string // hex
	At           time.Time
}

// heading is the comment that begins a list's entries.
func (e Entry) heading(part, parts, targets int) string {
	var b strings.Builder
	of := ""
	if parts > 1 {
		of = fmt.Sprintf(", part %d of %d", part, parts)
	}
	fmt.Fprintf(&b, "# %d targets from the list %s%s, added %s by %s.\n", targets, comment(e.ListName), of, e.At.UTC().Format("2006-01-02 15:04 UTC"), comment(e.ListedBy))
	fmt.Fprintf(&b, "# The list's SHA-256: %s\n# Source: %s\n", e.ListSHA256, comment(e.Title))
	b.WriteString("# A second person approves each before anything is collected: muhafiz watch approve ID …\n")
	return b.String()
}

// target writes one entry with its comment.
func (e Entry) target(b *strings.Builder, o Outcome) {
	fmt.Fprintf(b, "\n  # Row %d, cell %s: %s\n", o.Row, o.Cell, comment(o.Text))
	for _, line := range []struct{ label, text string }{{"Dated", dated(o)}, {"Name", o.Name}, {"Note", o.Note}} {
		if line.text != "" {
			fmt.Fprintf(b, "  # %s: %s\n", line.label, comment(line.text))
		}
	}
	basis := fmt.Sprintf("Row %d of the cited list: ", o.Row)
	if o.Date != "" {
		basis = fmt.Sprintf("Row %d of the cited list (dated %s): ", o.Row, o.Date)
	}
	if e.Basis != "" {
		basis += e.Basis
	} else {
		basis += "named there as an account of " + e.OrgName
	}
	e.entry(b, o.ID, o.Address, basis)
}

func (e Entry) entry(b *strings.Builder, id, address, basis string) {
	fmt.Fprintf(b, "  - id: %s\n    address: %s\n    organisation: %s\n    affiliation:\n      basis: %s\n      citation:\n        title: %s\n",
		quote(id), quote(address), quote(e.Organisation), quote(basis), quote(e.Title))
	if e.URL != "" {
		fmt.Fprintf(b, "        url: %s\n", quote(e.URL))
	}
	fmt.Fprintf(b, "        file: %s\n", quote(e.SourceFile))
	if e.Report {
		b.WriteString("    report: true\n")
	}
	fmt.Fprintf(b, "    listed_by: %s\n", quote(e.ListedBy))
}

func dated(o Outcome) string {
	if o.Date != "" && o.Date != o.DateText {
		return o.Date + " (" + o.DateText + ")"
	}
	return o.DateText
}

// Watchlists writes the new ones among the outcomes as watchlists of at most 5,000 targets each, without the first line `targets:`.
func (r *Result) Watchlists(e Entry) []string {
	var fresh []Outcome
	for _, o := range r.Outcomes {
		if o.Status == New {
			fresh = append(fresh, o)
		}
	}
	parts := (len(fresh) + perFile - 1) / perFile
	files := make([]string, parts)
	var all sync.WaitGroup // a long list's files are written side by side
	for part := range parts {
		all.Go(func() {
			files[part] = e.watchlist(part+1, parts, fresh[part*perFile:min(len(fresh), (part+1)*perFile)])
		})
	}
	all.Wait()
	return files
}

func (e Entry) watchlist(part, parts int, some []Outcome) string {
	var b strings.Builder
	b.Grow(len(some) * 640) // about what an entry takes; growing copies all that is there
	b.WriteString(e.heading(part, parts, len(some)))
	for _, o := range some {
		e.target(&b, o)
	}
	return b.String()
}

// comment is a text of foreign origin as a line of a YAML comment: what does not show, turns the line around or ends it stands as its
// code point.
func comment(s string) string {
	var b strings.Builder
	space := false
	for _, r := range s {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == ' ':
			space = b.Len() > 0
			continue
		case r == utf8.RuneError, config.BadRune(r), unicode.Is(unicode.Bidi_Control, r), unicode.Is(unicode.Cf, r) && r != 0x200C && r != 0x200D:
			if space {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, "<U+%04X>", r)
		default:
			if space {
				b.WriteByte(' ')
			}
			b.WriteRune(r)
		}
		space = false
	}
	return clip(b.String(), 300)
}

// quote writes a text as a YAML scalar on one line: plain where nothing can be misread, in double quotes otherwise.
func quote(s string) string {
	if plainScalar(s) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n' || r == '\t':
			b.WriteByte(' ')
		case config.BadRune(r) || r == utf8.RuneError:
			b.WriteString(config.RuneName(r)[:strings.IndexByte(config.RuneName(r)+" ", ' ')])
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func plainScalar(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' && i > 0
		if letter || i > 0 && (r >= '0' && r <= '9' || strings.ContainsRune("-_./", r)) || r == ':' && strings.HasPrefix(s[i:], "://") {
			continue
		}
		return false
	}
	return s != "" && !strings.HasSuffix(s, ":") && !wordy[strings.ToLower(s)]
}

// wordy are plain scalars that YAML takes for something else than a text.
var wordy = map[string]bool{"true": true, "false": true, "yes": true, "no": true, "on": true, "off": true, "null": true, "y": true, "n": true}
