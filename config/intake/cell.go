package intake

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/muhafiz/muhafiz/config"
)

var (
	linkForm = regexp.MustCompile(`(?i)(?:^|[\s<>("'\[,;|])((?:(?:https?|hxxps?|tg|ftp)(?::|\[:\])/?/?|(?:www\.|[a-z]{1,9}\.)?(?:t|telegram|x|twitter|facebook|fb|instagram|instagr|whatsapp|wa|bit|youtube|tiktok)(?:\.|\[\.\]|\(\.\))(?:me|com|dog|am|ly|org)\b)[^\s<>"'\])|]*(?:\[\.\][^\s<>"'\])|]*)*)`)
	refang   = strings.NewReplacer("hxxps", "https", "hxxp", "http", "hXXps", "https", "hXXp", "http", "[.]", ".", "(.)", ".", "[dot]", ".", "[:]", ":", `\/`, "/")
	// formulaForm is what a spreadsheet would run. A leading @ begins a handle, + and - a number or a list's dash: only a call or a
	// reference counts there.
	formulaForm = regexp.MustCompile(`^\s*(?:=|[+\-@]\s*[A-Za-z0-9_.|'!]+\s*[(|!])`)
	handleForm  = regexp.MustCompile(`^@[^\s/]+$`)
	phoneForm   = regexp.MustCompile(`^\+?\d[\d\s().-]{7,}$`)
)

func looksLink(s string) bool { return linkForm.MatchString(s) }

// trimEdges takes away what copying leaves around a link: spaces, direction marks, quotes, brackets, a sentence's end. Marks within a link
// stay, and make it refused.
func trimEdges(s string) string {
	return strings.TrimFunc(s, func(r rune) bool {
		switch {
		case unicode.IsSpace(r), r == 0x200E, r == 0x200F, r == 0x061C, r == 0xFEFF, r == 0x200B, r == 0x202A, r == 0x202B, r == 0x202C, r >= 0x2066 && r <= 0x2069:
			return true
		}
		return strings.ContainsRune(`"'<>()[]{},;،؛|`+"`", r)
	})
}

// candidate is one text of a row that may be an account's address.
type candidate struct {
	cell     int
	text     string // as it stands in the list, edges trimmed
	platform string // that its column's header names
	reason   string // why it is refused, decided already
}

// candidates returns every text of a cell that may be an address: each link, or the handle.
func candidates(cell string, index int, handles bool, platform string) []candidate {
	text := trimEdges(cell)
	switch {
	case text == "":
		return nil
	case formulaForm.MatchString(cell):
		return []candidate{{cell: index, text: text, reason: "the cell holds a formula, and formulas are not evaluated: write the link itself"}}
	}
	if m := linkForm.FindAllStringSubmatch(refang.Replace(text), 50); m != nil {
		var out []candidate
		for _, x := range m {
			out = append(out, candidate{cell: index, text: strings.TrimRight(trimEdges(x[1]), ".!?:"), platform: platform})
		}
		return out
	}
	if handleForm.MatchString(text) || handles || strings.ContainsRune(text, '/') && !strings.ContainsAny(text, " \t") && strings.ContainsRune(text, '.') {
		return []candidate{{cell: index, text: text, platform: platform}}
	}
	if phoneForm.MatchString(text) && !numericDate.MatchString(text) {
		return []candidate{{cell: index, text: text, reason: "is a phone number, which is a person's: only public broadcast channels are collected"}}
	}
	return nil
}

// address reads a candidate. platform is the row's, empty where nothing says it; mixed says that the list has accounts of several
// platforms, so that a name alone may be anybody's.
func (c candidate) address(platform string, mixed bool) (a config.Address, note string, err error) {
	if c.reason != "" {
		return a, "", fmt.Errorf("%s", c.reason)
	}
	if c.platform != "" {
		platform = c.platform
	}
	link := strings.ContainsAny(c.text, "/.:") && !strings.HasPrefix(c.text, "@") && (looksLink(c.text) || strings.Contains(c.text, "/"))
	switch {
	case link:
		if a, err = config.ParseAddress(c.text); err == nil && platform != "" && platform != a.Platform {
			note = fmt.Sprintf("the list says %s, the link is on %s: the link counts", config.PlatformName(platform), config.PlatformName(a.Platform))
		}
		return a, note, err
	case phoneForm.MatchString(c.text) && platform != config.PlatformFacebook:
		return a, "", fmt.Errorf("is a phone number, which is a person's: only public broadcast channels are collected")
	case platform != "":
		a, err = config.Handle(platform, c.text)
		return a, "", err
	case strings.HasPrefix(c.text, "@") && mixed:
		// Who reads the same list may take it for another platform's; a wrong guess would name a stranger.
		if _, err := config.ParseAddress(c.text); err != nil {
			return a, "", err
		}
		return a, "", fmt.Errorf("%q does not say on which platform it is, and the list has several; give the link", clip(c.text, 60))
	}
	a, err = config.ParseAddress(c.text)
	return a, "", err
}
