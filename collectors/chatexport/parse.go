package chatexport

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// A page is full at this many entries or this much text.
const (
	pageEntries = 1000
	pageBytes   = 4 << 20
)

// page is a stretch of entries that goes into one batch.
type page struct {
	entries []entry
	skipped []evidence.Skipped // that belong to no entry
	size    int
	end     int64 // offset behind it
	err     error // of reading; nothing comes after it
	cut     bool  // the file ends here, in the middle
}

// parse reads the messages of the chat that r holds and calls emit for each page; emit returns false to stop.
func parse(ctx context.Context, r io.Reader, rd *reader, emit func(page) bool) {
	s := newScanner(&fileReader{ctx: ctx, r: r})
	p := &pager{s: s, rd: rd, emit: emit}
	err := s.object(func(key []byte) error {
		if string(key) != "messages" {
			return s.read(nil, 0)
		}
		if c, err := s.peek(); err != nil || c != '[' {
			return errors.Join(err, s.read(nil, 0))
		}
		return s.array(p.element, p.junk)
	})
	if c, errEnd := s.peek(); err == nil && errEnd == nil {
		p.page.skipped = append(p.page.skipped, evidence.Skipped{
			Where: fmt.Sprintf("byte %d", s.offset()), Reason: fmt.Sprintf("more stands behind the end of the chat, beginning with %q; it was not read", c),
		})
	}
	p.finish(err)
}

// pager collects entries into pages.
type pager struct {
	s     *scanner
	rd    *reader
	emit  func(page) bool
	page  page
	v     value
	index int
}

var errStop = errors.New("stop")

// element reads one element of `messages`.
func (p *pager) element() error {
	err := p.s.read(&p.v, maxElement)
	var e entry
	switch {
	case err == nil || errors.Is(err, errTooLarge) || errors.Is(err, errStructure):
		e = p.rd.entry(p.index, &p.v, err, 0)
	case errors.Is(err, io.ErrUnexpectedEOF):
		e.skip(fmt.Sprintf("messages[%d]", p.index), ReasonCutOff, fmt.Sprintf("%s (byte %d)", ReasonCutOff, p.v.offset))
	default:
		return err
	}
	p.index++
	p.page.entries = append(p.page.entries, e)
	p.page.size += len(p.v.raw)
	if errors.Is(err, errStructure) {
		err = p.s.resync()
	}
	if errors.Is(err, errTooLarge) {
		err = nil
	}
	if err == nil && (len(p.page.entries) >= pageEntries || p.page.size >= pageBytes) {
		return p.flush()
	}
	return err
}

// junk notes what stands between two elements and is neither.
func (p *pager) junk(offset, length int64) {
	p.page.skipped = append(p.page.skipped, evidence.Skipped{
		Where: fmt.Sprintf("byte %d, behind messages[%d]", offset, p.index-1), Reason: fmt.Sprintf("%d bytes that are no message", length),
	})
}

func (p *pager) flush() error {
	p.page.end = p.s.offset()
	full := p.page
	p.page = page{entries: make([]entry, 0, pageEntries)}
	if !p.emit(full) {
		return errStop
	}
	return nil
}

// finish emits what is left, with what ended the reading.
func (p *pager) finish(err error) {
	switch {
	case errors.Is(err, errStop):
		return
	case errors.Is(err, io.ErrUnexpectedEOF):
		p.page.cut = true
		p.page.skipped = append(p.page.skipped, evidence.Skipped{
			Where: fmt.Sprintf("byte %d", p.s.offset()), Reason: fmt.Sprintf("the file ends here, after %d entries and before the end of the chat", p.index),
		})
	case errors.Is(err, errStructure):
		p.page.skipped = append(p.page.skipped, evidence.Skipped{
			Where: fmt.Sprintf("byte %d", p.s.offset()), Reason: "the rest of the file was not read: " + err.Error(),
		})
	default:
		p.page.err = err
	}
	p.page.end = p.s.offset()
	p.emit(p.page)
}
