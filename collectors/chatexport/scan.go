package chatexport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// The limits of what is held in memory at once.
const (
	maxString  = 8 << 20  // one string of a message
	maxElement = 16 << 20 // one message
	maxHeader  = 64 << 10 // one value of a chat's header, or a key
	window     = 256 << 10
)

var (
	errTooLarge  = fmt.Errorf("larger than %d MiB", maxElement>>20)
	errStructure = errors.New("not JSON as an export has it")
)

// scanner finds where JSON values begin and end without holding them. It is here because the decoders at hand buffer a whole
// token (encoding/json, jx), and one string of an export may be larger than memory. It looks at brackets and quotes only;
// whether a value is well-formed is found by whoever decodes its bytes.
type scanner struct {
	r   io.Reader
	buf []byte // what was read and not yet consumed is buf[pos:]
	pos int
	off int64 // offset of buf[0]
	err error // of the reader, once buf is used up
}

func newScanner(r io.Reader) *scanner { return &scanner{r: r, buf: make([]byte, 0, window)} }

// value is a JSON value's bytes and where they stand.
type value struct {
	raw      []byte // strings over maxString are replaced by empty ones
	offset   int64
	length   int64
	oversize []oversize
	escaped  bool // some \u escape occurs
}

// oversize is a string that was left out of a value.
type oversize struct{ offset, length int64 }

func (v *value) reset() { *v = value{raw: v.raw[:0], oversize: v.oversize[:0]} }

func (s *scanner) offset() int64 { return s.off + int64(s.pos) }

// fill reads more once buf is used up; false means that nothing comes any more, and s.err says why.
func (s *scanner) fill() bool {
	for s.pos >= len(s.buf) {
		if s.err != nil {
			return false
		}
		s.off += int64(len(s.buf))
		s.pos = 0
		var n int
		n, s.err = s.r.Read(s.buf[:cap(s.buf)])
		s.buf = s.buf[:n]
	}
	return true
}

// ended returns the reader's error, with the plain end of the file as an unexpected one.
func (s *scanner) ended() error {
	if s.err == nil || errors.Is(s.err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return s.err
}

// peek returns the next byte that is not white space.
func (s *scanner) peek() (byte, error) {
	for {
		for i, c := range s.buf[s.pos:] {
			if c > ' ' || (c != ' ' && c != '\n' && c != '\t' && c != '\r') {
				s.pos += i
				return c, nil
			}
		}
		s.pos = len(s.buf)
		if !s.fill() {
			return 0, s.ended()
		}
	}
}

// expect consumes c.
func (s *scanner) expect(c byte) error {
	b, err := s.peek()
	if err == nil && b != c {
		err = fmt.Errorf("byte %d: %q where %q should be: %w", s.offset(), b, c, errStructure)
	}
	if err == nil {
		s.pos++
	}
	return err
}

// read consumes the next value. With a nil v it only passes over it. A value of more than limit bytes is consumed to its end and
// is errTooLarge; v then still tells where it stands.
func (s *scanner) read(v *value, limit int) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	w := writer{limit: limit}
	if v != nil {
		v.reset()
		v.offset = s.offset()
		w.v = v
	}
	start := s.offset()
	switch c {
	case '{', '[':
		err = s.nested(&w)
	case '"':
		err = s.str(&w)
	default:
		err = s.bare(&w)
	}
	if v != nil {
		v.length = s.offset() - start
	}
	if err == nil && w.over {
		err = errTooLarge
	}
	return err
}

// writer collects a value's bytes up to a limit.
type writer struct {
	v     *value
	limit int
	over  bool
}

func (w *writer) add(b []byte) {
	if w.v == nil || w.over {
		return
	}
	if len(w.v.raw)+len(b) > w.limit {
		w.over, w.v.raw = true, w.v.raw[:0]
		return
	}
	w.v.raw = append(w.v.raw, b...)
}

// nested consumes an object or array.
func (s *scanner) nested(w *writer) error {
	depth := 0
	for s.fill() {
		b := s.buf[s.pos:]
		i, quote := 0, false
	bytes:
		for ; i < len(b); i++ {
			c := b[i]
			if c <= ' ' {
				continue
			}
			switch c {
			case '"':
				quote = true
				break bytes
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					i++
					break bytes
				}
			}
		}
		w.add(b[:i])
		s.pos += i
		if depth == 0 {
			return nil
		}
		if quote {
			if err := s.str(w); err != nil {
				return err
			}
		}
	}
	return s.ended()
}

// str consumes a string. One of more than maxString bytes is noted and left empty.
func (s *scanner) str(w *writer) error {
	start, begin := s.offset(), 0
	if w.v != nil {
		begin = len(w.v.raw) + 1
	}
	w.add(s.buf[s.pos : s.pos+1])
	s.pos++
	cut := false
	escape := false // the last byte before the window was a backslash
	for s.fill() {
		b := s.buf[s.pos:]
		n, done, esc, u := stringEnd(b, escape)
		escape = esc
		if w.v != nil {
			w.v.escaped = w.v.escaped || u
		}
		if !cut && s.offset()+int64(n)-start > maxString {
			cut = true
			if w.v != nil && !w.over {
				w.v.raw = w.v.raw[:begin]
			}
		}
		if !cut {
			w.add(b[:n])
		}
		s.pos += n
		if done {
			if cut {
				w.add([]byte{'"'})
				if w.v != nil {
					w.v.oversize = append(w.v.oversize, oversize{start, s.offset() - start})
				}
			}
			return nil
		}
	}
	return s.ended()
}

// stringEnd looks for the closing quote in b and returns the number of bytes up to and with it. Both searches move forward only,
// so that a string of nothing but escapes costs no more than another.
func stringEnd(b []byte, escape bool) (n int, done, pending, unicode bool) {
	i := 0
	if !escape { // most strings are short: keys, types, dates
		for ; i < len(b) && i < 24; i++ {
			if b[i] == '"' {
				return i + 1, true, false, false
			}
			if b[i] == '\\' {
				break
			}
		}
	}
	if escape && len(b) > 0 {
		unicode = b[0] == 'u'
		i = 1
	}
	quote := -1
	for {
		if quote < i {
			q := bytes.IndexByte(b[i:], '"')
			if q < 0 {
				quote = len(b)
			} else {
				quote = i + q
			}
		}
		e := bytes.IndexByte(b[i:quote], '\\')
		if e < 0 {
			if quote == len(b) {
				return len(b), false, false, unicode
			}
			return quote + 1, true, false, unicode
		}
		i += e + 1
		if i == len(b) {
			return len(b), false, true, unicode
		}
		unicode = unicode || b[i] == 'u'
		i++
	}
}

// bare consumes a number, true, false, null or whatever else stands there up to the next delimiter.
func (s *scanner) bare(w *writer) error {
	any := false
	for s.fill() {
		b := s.buf[s.pos:]
		n := bytes.IndexAny(b, ",:]}\"{[ \n\r\t")
		if n < 0 {
			n = len(b)
		}
		w.add(b[:n])
		s.pos += n
		any = any || n > 0
		if n < len(b) {
			if !any {
				return fmt.Errorf("byte %d: %q where a value should be: %w", s.offset(), b[n], errStructure)
			}
			return nil
		}
	}
	if any && errors.Is(s.err, io.EOF) {
		return nil
	}
	return s.ended()
}
