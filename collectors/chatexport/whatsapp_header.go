package chatexport

import (
	"bytes"
	"time"
	"unicode/utf8"
)

// header is what stands before a message of a WhatsApp export: `12/31/21, 10:01 p. m. - ` or `[31.12.21, 22:01:07] `.
type header struct {
	shape      shape
	date       [3]int // as they stand, in an order that only the whole file tells
	hour, min  int    // of 24
	sec        int
	rest       int   // where the sender or the platform's own words begin
	candidates order // under which the three numbers are a date
}

// shape is how a phone writes dates. One export has one of them: a line in another shape is part of a message.
type shape struct {
	bracket, comma, seconds, half bool
	separator, clock              byte
	year                          int8 // the place of a year of four digits: 1, 3, or 0 for none
}

// readHeader reads the header at the start of a line. Digits may be Arabic or Persian ones; the marks of direction that phones put
// between them, and narrow spaces before AM and PM, are passed over.
func readHeader(line []byte) (h header, ok bool) {
	c := &cursor{b: line}
	c.marks()
	h.shape.bracket = c.take('[')
	if !c.date(&h) || !c.clock(&h) {
		return h, false
	}
	c.spaces()
	if h.shape.bracket {
		if !c.take(']') {
			return h, false
		}
		c.spaces()
	} else {
		if !c.take('-') && !c.take('–') {
			return h, false
		}
		if c.spaces() == 0 && c.at < len(c.b) {
			return h, false
		}
	}
	h.rest = c.at
	h.candidates = candidates(h.date, h.shape.year)
	return h, h.candidates != 0
}

func (c *cursor) date(h *header) bool {
	var digits [3]int
	for i := range h.date {
		if h.date[i], digits[i] = c.number(4); digits[i] == 0 || digits[i] == 3 {
			return false
		}
		if i == 2 {
			break
		}
		sep := c.one("/.-")
		if sep == 0 || i == 1 && sep != h.shape.separator {
			return false
		}
		h.shape.separator = sep
	}
	switch {
	case digits[1] > 2 || digits[0] == 4 && digits[2] == 4:
		return false
	case digits[0] == 4:
		h.shape.year = 1
	case digits[2] == 4:
		h.shape.year = 3
	}
	h.shape.comma = c.take(',') || c.take('،')
	return c.spaces() > 0
}

func (c *cursor) clock(h *header) bool {
	var n int
	if h.hour, n = c.number(2); n == 0 {
		return false
	}
	if h.shape.clock = c.one(":."); h.shape.clock == 0 {
		return false
	}
	if h.min, n = c.number(2); n != 2 || h.min > 59 {
		return false
	}
	if c.take(rune(h.shape.clock)) {
		if h.sec, n = c.number(2); n != 2 || h.sec > 59 {
			return false
		}
		h.shape.seconds = true
	}
	c.spaces()
	half := c.half()
	if half == 0 {
		return h.hour <= 23
	}
	h.shape.half = true
	if h.hour > 12 {
		return false
	}
	h.hour %= 12 // some phones write midnight as 00
	if half == 'p' {
		h.hour += 12
	}
	return true
}

// local is the header's time as it stands, without a zone: a time in UTC only to be calculated with.
func (h header) local(o order) time.Time {
	y, m, d := o.read(h.date)
	return time.Date(y, time.Month(m), d, h.hour, h.min, h.sec, 0, time.UTC)
}

// cursor reads a line from its start.
type cursor struct {
	b  []byte
	at int
}

func (c *cursor) peek() (rune, int) {
	if c.at >= len(c.b) {
		return utf8.RuneError, 0
	}
	if b := c.b[c.at]; b < utf8.RuneSelf {
		return rune(b), 1
	}
	return utf8.DecodeRune(c.b[c.at:])
}

// directional reports whether r only says in which direction text runs, or marks the start of a file.
func directional(r rune) bool {
	return r == 0x200E || r == 0x200F || r == 0x061C || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0xFEFF
}

func (c *cursor) marks() {
	for {
		r, n := c.peek()
		if n < 2 || !directional(r) {
			return
		}
		c.at += n
	}
}

func (c *cursor) take(want rune) bool {
	c.marks()
	r, n := c.peek()
	if n == 0 || r != want {
		return false
	}
	c.at += n
	return true
}

// one takes one of the ASCII characters; 0 where none of them stands next.
func (c *cursor) one(of string) byte {
	c.marks()
	if c.at < len(c.b) && bytes.IndexByte([]byte(of), c.b[c.at]) >= 0 {
		c.at++
		return c.b[c.at-1]
	}
	return 0
}

// number reads up to most digits; a further digit makes it none.
func (c *cursor) number(most int) (v, digits int) {
	c.marks()
	for {
		r, n := c.peek()
		d := digit(r)
		if n == 0 || d < 0 {
			return v, digits
		}
		if digits == most {
			return 0, 0
		}
		v, digits, c.at = v*10+d, digits+1, c.at+n
	}
}

func digit(r rune) int {
	switch {
	case r >= '0' && r <= '9':
		return int(r - '0')
	case r >= 0x0660 && r <= 0x0669: // Arabic
		return int(r - 0x0660)
	case r >= 0x06F0 && r <= 0x06F9: // Persian, Urdu, Pashto
		return int(r - 0x06F0)
	}
	return -1
}

func (c *cursor) spaces() (n int) {
	for {
		c.marks()
		r, size := c.peek()
		if size == 0 || r != ' ' && r != 0xA0 && r != 0x202F && r != 0x2009 {
			return n
		}
		c.at += size
		n++
	}
}

// half reads AM or PM, also as `a. m.`, `p.m.` and in Arabic: 'a', 'p', or 0 where neither stands there.
func (c *cursor) half() byte {
	from := *c
	r, n := c.peek()
	c.at += n
	switch r {
	case 'ص':
		return 'a'
	case 'م':
		return 'p'
	case 'a', 'A', 'p', 'P':
		c.take('.')
		c.spaces()
		if c.one("mM") != 0 {
			c.take('.')
			return byte(r | 0x20)
		}
	}
	*c = from
	return 0
}
