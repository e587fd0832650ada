package evidence

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// canonical returns the digest of v's JSON and an LF; it is for values whose Go type fixes the field order. Text that is not UTF-8
// gives the digest of what is left of it once it is stored.
func canonical(v any) Digest {
	buf := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buf)
	buf.Reset()
	appendCanonical(buf, v)
	buf.WriteByte('\n')
	return Sum(buf.Bytes())
}

// appendCanonical writes v's JSON.
func appendCanonical(buf *bytes.Buffer, v any) {
	start := buf.Len()
	if err := encodeJSON(buf, v); err != nil {
		panic("evidence: " + err.Error()) // only reachable with a type that JSON cannot hold
	}
	buf.Truncate(buf.Len() - 1)
	if js := buf.Bytes()[start:]; bytes.Contains(js, []byte(replaced)) {
		mended := mend(js)
		buf.Truncate(start)
		buf.Write(mended)
	}
}

// replaced is how encoding/json writes a byte that is not UTF-8. Read back and written again, it is the character itself.
const replaced = `\ufffd`

// mend writes U+FFFD in place of every escape of it.
func mend(js []byte) []byte {
	out := make([]byte, 0, len(js))
	for i := 0; i < len(js); i++ {
		switch {
		case bytes.HasPrefix(js[i:], []byte(replaced)):
			out = utf8.AppendRune(out, utf8.RuneError)
			i += len(replaced) - 1
		case js[i] == '\\':
			out = append(out, js[i], js[i+1])
			i++
		default:
			out = append(out, js[i])
		}
	}
	return out
}

// appendText writes s as appendCanonical would, without its detours where nothing in s needs an escape.
func appendText(buf *bytes.Buffer, s string) {
	if !plain(s) {
		appendCanonical(buf, s)
		return
	}
	buf.WriteByte('"')
	buf.WriteString(s)
	buf.WriteByte('"')
}

// plain reports whether JSON holds s as it is.
func plain(s string) bool {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	whole := s
	// Eight bytes at a time: (x - ones*n) &^ x & highs is not 0 if and only if a byte of x is below n.
	var special, high uint64
	for ; len(s) >= 8; s = s[8:] {
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		quote, slash, del := w^ones*'"', w^ones*'\\', w^ones*0x7f
		special |= (w-ones*' ')&^w | (quote-ones)&^quote | (slash-ones)&^slash | (del-ones)&^del
		high |= w
	}
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c == '"' || c == '\\' || c == 0x7f {
			return false
		}
		high |= uint64(c)
	}
	return special&highs == 0 && (high&highs == 0 || validPlain(whole))
}

// validPlain reports whether encoding/json would leave the characters beyond ASCII alone.
func validPlain(s string) bool {
	return utf8.ValidString(s) && !strings.Contains(s, "\u2028") && !strings.Contains(s, "\u2029")
}
