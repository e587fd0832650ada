package config

import (
	"fmt"
	"unicode"
)

// badRune reports whether r has no place in any of our texts: a control character, or one that changes the order in which a line
// shows, so that a reviewer reads something else than the program. The joiners and the direction marks U+200E, U+200F and U+061C
// are left alone: Urdu, Pashto and Arabic need them.
func badRune(r rune) bool {
	switch {
	case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0x2028, r == 0x2029, r == 0xFEFF:
		return true
	}
	return unicode.IsControl(r)
}

var runeNames = map[rune]string{
	0x00: "NUL", 0x09: "TAB", 0x0A: "LINE FEED", 0x0D: "CARRIAGE RETURN", 0x20: "SPACE", 0x7F: "DELETE", 0x85: "NEXT LINE",
	0xA0: "NO-BREAK SPACE", 0xAD: "SOFT HYPHEN", 0x034F: "COMBINING GRAPHEME JOINER", 0x061C: "ARABIC LETTER MARK",
	0x115F: "HANGUL CHOSEONG FILLER", 0x1160: "HANGUL JUNGSEONG FILLER", 0x1680: "OGHAM SPACE MARK", 0x180E: "MONGOLIAN VOWEL SEPARATOR",
	0x2000: "EN QUAD", 0x2001: "EM QUAD", 0x2002: "EN SPACE", 0x2003: "EM SPACE", 0x2004: "THREE-PER-EM SPACE",
	0x2005: "FOUR-PER-EM SPACE", 0x2006: "SIX-PER-EM SPACE", 0x2007: "FIGURE SPACE", 0x2008: "PUNCTUATION SPACE", 0x2009: "THIN SPACE",
	0x200A: "HAIR SPACE", 0x200B: "ZERO WIDTH SPACE", 0x200C: "ZERO WIDTH NON-JOINER", 0x200D: "ZERO WIDTH JOINER",
	0x200E: "LEFT-TO-RIGHT MARK", 0x200F: "RIGHT-TO-LEFT MARK", 0x2028: "LINE SEPARATOR", 0x2029: "PARAGRAPH SEPARATOR",
	0x202A: "LEFT-TO-RIGHT EMBEDDING", 0x202B: "RIGHT-TO-LEFT EMBEDDING", 0x202C: "POP DIRECTIONAL FORMATTING",
	0x202D: "LEFT-TO-RIGHT OVERRIDE", 0x202E: "RIGHT-TO-LEFT OVERRIDE", 0x202F: "NARROW NO-BREAK SPACE",
	0x205F: "MEDIUM MATHEMATICAL SPACE", 0x2060: "WORD JOINER", 0x2066: "LEFT-TO-RIGHT ISOLATE", 0x2067: "RIGHT-TO-LEFT ISOLATE",
	0x2068: "FIRST STRONG ISOLATE", 0x2069: "POP DIRECTIONAL ISOLATE", 0x3000: "IDEOGRAPHIC SPACE", 0x3164: "HANGUL FILLER",
	0xFEFF: "BYTE ORDER MARK", 0xFFFD: "REPLACEMENT CHARACTER",
}

// runeName returns the code point with its name, or with the character and its script.
func runeName(r rune) string {
	if n := runeNames[r]; n != "" {
		return fmt.Sprintf("U+%04X %s", r, n)
	}
	if unicode.IsGraphic(r) && !unicode.Is(unicode.M, r) {
		for name, table := range unicode.Scripts {
			if name != "Common" && unicode.Is(table, r) {
				return fmt.Sprintf("U+%04X %q (%s)", r, r, name)
			}
		}
		return fmt.Sprintf("U+%04X %q", r, r)
	}
	return fmt.Sprintf("U+%04X", r)
}

// RuneName returns a code point with its name, or with the character and its script, as this package's errors write it.
func RuneName(r rune) string { return runeName(r) }

// BadRune reports whether a character is refused in every text of the configuration: controls, and those that turn a line around.
func BadRune(r rune) bool { return badRune(r) }
