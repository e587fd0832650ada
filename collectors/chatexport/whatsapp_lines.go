package chatexport

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxTextMessage is how much of one message of a text export is read; WhatsApp's own limit lies at 65,536 characters.
const maxTextMessage = 1 << 20

// lines reads messages out of a WhatsApp export: each begins with a line that has a header in the file's shape and takes in the
// lines up to the next one.
type lines struct {
	r     *bufio.Reader
	given order  // that the dates must have
	shape *shape // of the first header; nil: none seen yet

	off  int64 // behind what was read
	line int   // count of lines begun
	open bool  // the last chunk did not end its line

	other      int // lines that begin as messages do, but cannot be of the given order of dates
	firstOther int // line of the first of them

	ahead  *message // whose header is read
	before int64    // bytes before the first header that are no white space
}

// message is one message, undecoded.
type message struct {
	header  header
	offset  int64  // of its header in the file
	length  int64  // up to the next one, without the line end
	line    int    // of its header, from 1
	body    []byte // what follows the header; at most maxTextMessage bytes
	cut     bool   // there was more
	pending int64  // line ends that count only if another line follows
}

func newLines(r io.Reader, given order) *lines {
	return &lines{r: bufio.NewReaderSize(r, 64<<10), given: given}
}

// next returns the next message; io.EOF behind the last. The message is the caller's.
func (l *lines) next() (*message, error) {
	m := l.ahead
	l.ahead = nil
	for {
		chunk, err := l.r.ReadSlice('\n')
		if len(chunk) > 0 {
			if done := l.chunk(chunk, &m); done != nil {
				return done, nil
			}
		}
		switch {
		case err == nil || errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && m != nil:
			return m, nil
		default:
			return nil, err
		}
	}
}

// chunk adds a line, or a part of one, to m. At the header of another message it returns the one that is complete.
func (l *lines) chunk(chunk []byte, m **message) (done *message) {
	start, fresh := l.off, !l.open
	l.off += int64(len(chunk))
	l.open = chunk[len(chunk)-1] != '\n'
	if fresh {
		l.line++
		if h, ok := l.header(chunk); ok {
			done = *m
			*m = &message{header: h, offset: start, line: l.line, length: int64(h.rest)}
			(*m).add(chunk[h.rest:])
			if done != nil {
				l.ahead = *m
			}
			return done
		}
	}
	if *m == nil {
		for _, c := range chunk {
			if c > ' ' {
				l.before++
			}
		}
		return nil
	}
	(*m).add(chunk)
	return nil
}

func (l *lines) header(chunk []byte) (header, bool) {
	c := chunk[0]
	if c != '[' && (c < '0' || c > '9') && c < 0x80 {
		return header{}, false
	}
	h, ok := readHeader(chunk)
	if !ok || l.shape != nil && *l.shape != h.shape {
		return h, false
	}
	if h.candidates&l.given == 0 {
		if l.other++; l.other == 1 {
			l.firstOther = l.line
		}
		return h, false
	}
	if l.shape == nil {
		l.shape = &h.shape
	}
	return h, true
}

// add takes in a stretch of the file. The line end at its end is part of the message only where more follows.
func (m *message) add(chunk []byte) {
	text, ended := bytes.CutSuffix(chunk, []byte{'\n'})
	if ended {
		text = bytes.TrimRight(text, "\r")
	}
	if m.pending > 0 {
		m.keep([]byte{'\n'})
	}
	m.length += m.pending + int64(len(text))
	m.keep(text)
	m.pending = int64(len(chunk) - len(text))
}

func (m *message) keep(b []byte) {
	if room := maxTextMessage - len(m.body); len(b) > room {
		m.cut, b = true, b[:room]
	}
	m.body = append(m.body, b...)
}
