package chatexport

import (
	"errors"
	"fmt"
	"io"
)

// over returns a scanner of bytes that are in memory, for next.
func over(b []byte) *scanner { return &scanner{buf: b, err: io.EOF} }

// next returns the next value's bytes in place; it is only for a scanner of bytes that are in memory.
func (s *scanner) next() ([]byte, error) {
	if _, err := s.peek(); err != nil {
		return nil, err
	}
	start := s.pos
	err := s.read(nil, 0)
	return s.buf[start:s.pos], err
}

// object calls fn for each key of the object that stands next; fn consumes the value. The key is only good during the call.
func (s *scanner) object(fn func(key []byte) error) error {
	if err := s.expect('{'); err != nil {
		return err
	}
	var k value
	for first := true; ; first = false {
		c, err := s.peek()
		if err != nil {
			return err
		}
		if c == '}' {
			s.pos++
			return nil
		}
		if !first {
			if err := s.expect(','); err != nil {
				return err
			}
		}
		if c, err = s.peek(); err != nil {
			return err
		}
		if c != '"' {
			return fmt.Errorf("byte %d: %q where a key should be: %w", s.offset(), c, errStructure)
		}
		key, err := s.key(&k)
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		if err := fn(key); err != nil {
			return err
		}
	}
}

// key consumes a key and returns it without its quotes. Escapes stay as they are: no key of an export holds one.
func (s *scanner) key(v *value) (key []byte, err error) {
	if s.r == nil {
		key, err = s.next()
	} else {
		err = s.read(v, maxHeader)
		key = v.raw
	}
	if errors.Is(err, errTooLarge) {
		return nil, nil
	}
	if err != nil || len(key) < 2 {
		return nil, err
	}
	return key[1 : len(key)-1], nil
}

// array calls fn before each element of the array that stands next; fn consumes it. Where something other than a comma follows an
// element, junk is told the stretch up to the next comma or the end; with a nil junk that is an error.
func (s *scanner) array(fn func() error, junk func(offset, length int64)) error {
	if err := s.expect('['); err != nil {
		return err
	}
	for first := true; ; first = false {
		c, err := s.peek()
		if err != nil {
			return err
		}
		if c == ']' {
			s.pos++
			return nil
		}
		if !first && c != ',' && junk != nil {
			start := s.offset()
			err := s.resync()
			junk(start, s.offset()-start)
			if err != nil {
				return err
			}
			continue
		}
		if !first {
			if err := s.expect(','); err != nil {
				return err
			}
			if c, err = s.peek(); err != nil {
				return err
			}
			if c == ']' || c == ',' { // a comma too many
				continue
			}
		}
		if err := fn(); err != nil {
			return err
		}
	}
}

// resync consumes whatever stands before the next comma or closing bracket of the array that is being read.
func (s *scanner) resync() error {
	for {
		c, err := s.peek()
		if err != nil {
			return err
		}
		switch c {
		case ',', ']':
			return nil
		case '}', ':':
			s.pos++
		default:
			if err := s.read(nil, 0); err != nil {
				return err
			}
		}
	}
}
