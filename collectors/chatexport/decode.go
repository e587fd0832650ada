package chatexport

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

var (
	errString = errors.New("not a string")
	errNumber = errors.New("not a whole number")
)

// unquote decodes a JSON string. Beyond JSON it reads \xHH, with which Telegram Desktop writes control characters, and bare
// control characters. What is not Unicode becomes U+FFFD and is reported as invalid: lone surrogates and broken UTF-8.
func unquote(raw []byte) (s string, invalid bool, err error) {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return "", false, errString
	}
	b := raw[1 : len(raw)-1]
	if bytes.IndexByte(b, '\\') >= 0 {
		if b, invalid, err = unescape(b); err != nil {
			return "", false, err
		}
	}
	if utf8.Valid(b) { // much quicker than a copy of what is valid
		return string(b), invalid, nil
	}
	v, _ := evidence.ValidText(string(b))
	return v, true, nil
}

func unescape(b []byte) (out []byte, invalid bool, err error) {
	out = make([]byte, 0, len(b))
	for {
		i := bytes.IndexByte(b, '\\')
		if i < 0 {
			return append(out, b...), invalid, nil
		}
		out = append(out, b[:i]...)
		b = b[i+1:]
		if len(b) == 0 {
			return nil, false, errString
		}
		c := b[0]
		b = b[1:]
		switch c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'b', 'f', 'n', 'r', 't':
			out = append(out, "\b\f\n\r\t"[strings.IndexByte("bfnrt", c)])
		case 'x':
			r, ok := hex(b, 2)
			if !ok {
				return nil, false, errString
			}
			out, b = utf8.AppendRune(out, r), b[2:]
		case 'u':
			r, n, ok := codePoint(b)
			if !ok {
				return nil, false, errString
			}
			invalid = invalid || utf16.IsSurrogate(r)
			out, b = utf8.AppendRune(out, r), b[n:]
		default:
			return nil, false, errString
		}
	}
}

// codePoint reads what follows `\u`, with the second half of a surrogate pair; half a pair is returned as it stands.
func codePoint(b []byte) (r rune, n int, ok bool) {
	if r, ok = hex(b, 4); !ok {
		return 0, 0, false
	}
	if utf16.IsSurrogate(r) && len(b) >= 10 && b[4] == '\\' && b[5] == 'u' {
		if low, ok := hex(b[6:], 4); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 10, true
			}
		}
	}
	return r, 4, true
}

func hex(b []byte, n int) (rune, bool) {
	if len(b) < n {
		return 0, false
	}
	v, err := strconv.ParseUint(string(b[:n]), 16, 32)
	return rune(v), err == nil
}

// number reads a whole number that an export gives as a number or as a string.
func number(raw []byte) (int64, error) {
	if len(raw) > 1 && raw[0] == '"' && raw[len(raw)-1] == '"' {
		raw = raw[1 : len(raw)-1]
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return 0, errNumber
	}
	return n, nil
}

// integer is number for attributes of a file: nothing where it is absent, negative or no number.
func integer(raw []byte) int {
	n, err := number(raw)
	if err != nil || n < 0 || n > math.MaxInt32 {
		return 0
	}
	return int(n)
}

// isNull reports whether a field is absent or null.
func isNull(raw []byte) bool { return len(raw) == 0 || string(raw) == "null" }

// utf16Len is the length of s in UTF-16 code units.
func utf16Len(s string) int {
	n := len(s)
	for i := 0; i < len(s); i++ {
		// A rune of 2 bytes is one unit, of 3 one, of 4 two: continuation bytes do not count, but one of four does.
		switch c := s[i]; {
		case c >= 0xF0:
			n -= 2
		case c >= 0xE0:
			n -= 2
		case c >= 0xC0:
			n--
		}
	}
	return n
}
