package bundle

import (
	"fmt"
	"html/template"
	"strings"
	"unicode"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// visible escapes a stranger's text for the page and shows the characters that would otherwise act on the reader unseen: those
// that turn the direction of writing, those without width and control characters. The joiners that Urdu, Pashto and emoji need
// stay as they are.
func visible(s string) template.HTML {
	var b strings.Builder
	from := 0
	for i, r := range s {
		if !acts(r) {
			continue
		}
		template.HTMLEscape(&b, []byte(s[from:i]))
		fmt.Fprintf(&b, `<span class="ctl" dir="ltr">U+%04X</span>`, r)
		from = i + len(string(r))
	}
	template.HTMLEscape(&b, []byte(s[from:]))
	return template.HTML(b.String())
}

func acts(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case unicode.Is(unicode.Cc, r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r >= 0xe0000 && r <= 0xe007f:
		return true
	}
	switch r {
	case 0x00ad, 0x061c, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0x2060, 0xfeff:
		return true
	}
	return false
}

// clock writes an instant as people read it. Every time on the page is UTC.
func clock(t evidence.Time) string {
	if t.IsZero() {
		return "not known"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func during(s evidence.Span) string {
	if s.From.IsZero() || s.From.Truncate(1e9).Equal(s.To.Truncate(1e9)) {
		return clock(s.To)
	}
	if s.From.Format("2006-01-02") == s.To.Format("2006-01-02") {
		return s.From.UTC().Format("2006-01-02 15:04:05") + s.To.UTC().Format(" to 15:04:05 UTC")
	}
	return s.From.UTC().Format("2006-01-02 15:04:05") + s.To.UTC().Format(" to 2006-01-02 15:04:05 UTC")
}

func size(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}

func percent(f *float64) string {
	if f == nil {
		return "not stated"
	}
	if *f < 1 && *f > 0.9999 {
		return "over 99.99 %"
	}
	return fmt.Sprintf("%.2f %%", 100**f)
}

// counted gives a number its noun.
func counted(n any, one, many string) string {
	if s := fmt.Sprint(n); s != "1" {
		return s + " " + many
	}
	return "1 " + one
}
