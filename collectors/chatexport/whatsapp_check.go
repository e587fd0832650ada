package chatexport

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// who says from whom a message is.
type who uint8

const (
	whoChannel who = iota
	whoPlatform
	whoOther
)

// names are those by which the log knows the channel, tidied.
type names []string

// sender tells from whom a message is, under which of the names, and where its text begins. A name may hold colons itself.
func (n names) sender(body []byte) (w who, name string, text int) {
	line := body
	for i, c := range body {
		if c == '\n' {
			line = body[:i]
			break
		}
	}
	head := string(line[:min(len(line), maxSender)])
	for _, name := range n {
		at := 0
		for range strings.Count(name, ":") + 1 {
			i := strings.IndexByte(head[at:], ':')
			if i < 0 {
				at = -1
				break
			}
			at += i + 1
		}
		if at > 0 && tidy(head[:at-1]) == name {
			return whoChannel, name, at
		}
	}
	if i := strings.IndexByte(string(line), ':'); i >= 0 {
		return whoOther, "", i + 1
	}
	return whoPlatform, "", 0
}

// maxSender is how long a sender's name can be, in bytes: WhatsApp allows 100 characters.
const maxSender = 1024

// surveyed is what the first reading of a text export found.
type surveyed struct {
	order    order
	orderBy  string
	name     string // the channel's, of those that are known
	messages int
	before   int64 // bytes before the first message
	size     int64
	digest   evidence.Digest
}

// checkChat reads the whole export, keeps nothing, and refuses what is, or may be, anything but the export of the channel: a message of
// anybody else, a telephone number as a sender, a line of the platform's own that belongs to a conversation or that is not known
// to belong to a channel. Reasons name lines and no persons.
func checkChat(ctx context.Context, r io.Reader, known names, given order) (surveyed, error) {
	h := sha256.New()
	l := newLines(io.TeeReader(&fileReader{ctx: ctx, r: r}, h), given)
	s, o := surveyed{}, orders{possible: given}
	for {
		m, err := l.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return s, fmt.Errorf("read export: %w", err)
		}
		if s.messages++; s.messages > maxChatMessages {
			return s, fmt.Errorf("%w: it holds over %d messages, which no export does", ErrRefused, maxChatMessages)
		}
		o.add(m.header)
		if err := s.message(m, known); err != nil {
			return s, err
		}
	}
	if l.other > 0 && l.other >= s.messages {
		return s, fmt.Errorf("%w: %d of its dates, that of line %d first, cannot be read as %s; give the order that they have", ErrRefused, l.other, l.firstOther, given)
	}
	if s.messages == 0 {
		return s, fmt.Errorf("%w: no line in it begins as a message of a WhatsApp export does; export the chat again, as text", ErrRefused)
	}
	if s.name == "" {
		return s, fmt.Errorf("%w: it holds no message of the channel", ErrRefused)
	}
	var err error
	if s.order, s.orderBy, err = o.decide(); err != nil {
		return s, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if given&(given-1) == 0 {
		s.orderBy = "whoever imported it"
	}
	s.before, s.size = l.before, l.off
	h.Sum(s.digest[:0])
	return s, nil
}

const onlyChannels = "only public channels are imported, never groups or conversations"

func (s *surveyed) message(m *message, known names) error {
	w, name, at := known.sender(m.body)
	switch w {
	case whoOther:
		if looksLikePhone(tidy(string(m.body[:at-1]))) {
			return fmt.Errorf("%w: line %d has a telephone number as its sender: %s", ErrRefused, m.line, onlyChannels)
		}
		return fmt.Errorf("%w: line %d has a sender other than the channel, which the log knows as %s: %s", ErrRefused, m.line, quoted(known), onlyChannels)
	case whoPlatform:
		return platformLine(m)
	}
	if s.name != "" && s.name != name {
		return fmt.Errorf("%w: line %d has another sender than the lines before it: %s", ErrRefused, m.line, onlyChannels)
	}
	s.name = name
	if text := strings.TrimLeft(string(m.body[at:min(len(m.body), at+maxSender)]), " "); ownWords(text) && contains(spoken(text), words.secret) {
		return fmt.Errorf("%w: line %d is a remark of WhatsApp as only groups and conversations have it: %s", ErrRefused, m.line, onlyChannels)
	}
	return nil
}

// platformLine judges a line without a sender. Only one that speaks of a channel, and of nobody else, passes.
func platformLine(m *message) error {
	text := string(m.body[:min(len(m.body), maxSender)])
	said := spoken(text)
	switch {
	case hasPhone(text):
		return fmt.Errorf("%w: line %d names a telephone number: %s", ErrRefused, m.line, onlyChannels)
	case contains(said, words.secret), contains(said, words.group):
		return fmt.Errorf("%w: line %d is a remark of WhatsApp as only groups and conversations have it: %s", ErrRefused, m.line, onlyChannels)
	case !contains(said, words.channel):
		return fmt.Errorf("%w: line %d has no sender and is no remark of WhatsApp that is known from channels; where the export surely is of the channel, export it again with the phone's language set to English", ErrRefused, m.line)
	}
	return nil
}

func quoted(n names) string {
	list := make([]string, len(n))
	for i, s := range n {
		list[i] = fmt.Sprintf("%q", clip(s))
	}
	return strings.Join(list, ", ")
}
