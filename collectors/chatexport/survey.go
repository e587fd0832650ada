package chatexport

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// head is what a file says of one chat before its messages.
type head struct {
	start, end int64 // of the chat's object in the file; end is -1 where the file was not read that far
	full       bool  // part of a full account export
	name, typ  string
	id         []byte
	local      bool // the 2021 form: dates without a zone
	hasList    bool // there is a `messages` array
}

// errFound ends a survey early: one chat alone in its file, and all is known.
var errFound = errors.New("found")

// survey lists the chats of a file and keeps nothing of what they say. A file that ends early gives what was read so far, and no error.
func survey(r io.Reader) ([]head, error) {
	s := newScanner(r)
	top := head{end: -1}
	var list []head
	if _, err := s.peek(); err != nil {
		return nil, notExport(err)
	}
	top.start = s.offset()
	err := s.object(func(key []byte) error {
		switch string(key) {
		case "chats", "left_chats":
			return s.chats(&list)
		}
		return s.headField(string(key), &top, true)
	})
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errFound) {
		err = nil
	}
	if err != nil {
		return nil, notExport(err)
	}
	if top.hasList || top.typ != "" {
		list = append([]head{top}, list...)
	}
	if len(list) == 0 {
		return nil, notExport(errors.New("it holds no chat"))
	}
	return list, nil
}

func notExport(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the file is empty")
	}
	return fmt.Errorf("this is not a Telegram Desktop export in JSON: %w; export the channel again with the format `Machine-readable JSON`", err)
}

// chats reads `chats` or `left_chats` of a full export.
func (s *scanner) chats(list *[]head) error {
	return s.object(func(key []byte) error {
		if string(key) != "list" {
			return s.read(nil, 0)
		}
		return s.array(func() error {
			if c, err := s.peek(); err != nil || c != '{' {
				return errors.Join(err, s.read(nil, 0))
			}
			h := head{start: s.offset(), end: -1, full: true}
			err := s.object(func(key []byte) error { return s.headField(string(key), &h, false) })
			if err == nil {
				h.end = s.offset()
			}
			if err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
				*list = append(*list, h)
			}
			return err
		}, nil)
	})
}

func (s *scanner) headField(key string, h *head, early bool) error {
	var v value
	switch key {
	case "name", "type", "id":
		if err := s.read(&v, maxHeader); err != nil && !errors.Is(err, errTooLarge) {
			return err
		}
		switch text, _, _ := unquote(v.raw); key {
		case "name":
			h.name = text
		case "type":
			h.typ = text
		default:
			h.id = v.raw
		}
		return nil
	case "messages":
		h.hasList = true
		return s.sample(h, early)
	}
	return s.read(nil, 0)
}

// sample looks at the first message for its dates and passes over the others.
func (s *scanner) sample(h *head, early bool) error {
	var v value
	looked := false
	if c, err := s.peek(); err != nil || c != '[' {
		return errors.Join(err, s.read(nil, 0))
	}
	return s.array(func() error {
		if looked {
			return s.read(nil, 0)
		}
		err := s.read(&v, maxElement)
		if f, bad := readFields(v.raw, ""); err == nil && bad == nil && !isNull(f.date) {
			looked = true
			h.local = isNull(f.dateUnix)
		}
		if errors.Is(err, errTooLarge) {
			err = nil
		}
		if err == nil && looked && early && h.typ != "" && len(h.id) > 0 {
			return errFound
		}
		return err
	}, func(int64, int64) {})
}

// channelType is the one type of chat that is read.
const channelType = "public_channel"

// choose picks the chat to import: the bound one, or the only public channel.
func choose(list []head, bound string) (head, int64, error) {
	var found []head
	var ids []int64
	var others []string
	for _, h := range list {
		id, err := channelID(h.id, h.local)
		if h.typ != channelType || err != nil || !h.hasList {
			others = append(others, refusal(h, err))
			continue
		}
		if bound != "" && h.full && decimal(id) != bound {
			continue
		}
		found, ids = append(found, h), append(ids, id)
	}
	switch {
	case len(found) > 1:
		return head{}, 0, fmt.Errorf("%w: this full export holds %d public channels; import a target whose account is known, or export the one channel", ErrRefused, len(found))
	case len(found) == 0 && len(list) == 1:
		return head{}, 0, fmt.Errorf("%w: %s", ErrRefused, others[0])
	case len(found) == 0:
		return head{}, 0, fmt.Errorf("%w: none of the %d chats of this full export is the target's public channel; export the channel itself", ErrRefused, len(list))
	case bound != "" && decimal(ids[0]) != bound:
		return head{}, 0, fmt.Errorf("%w: this export is of channel %d, the target is channel %s; choose the target that belongs to it", ErrRefused, ids[0], bound)
	}
	return found[0], ids[0], nil
}

func refusal(h head, idErr error) string {
	switch {
	case h.typ == "":
		return "the file does not say of what type its chat is; export the channel again as JSON"
	case h.typ != channelType:
		return fmt.Sprintf("this is an export of a chat of type %q; only public channels are imported, never groups, private channels or conversations", clip(h.typ))
	case !h.hasList:
		return "the file holds no messages; export the channel again as JSON"
	}
	return fmt.Sprintf("the chat's id %q is not a channel's (%v); export the channel again as JSON", clip(string(h.id)), idErr)
}

func clip(s string) string {
	if len(s) > 80 {
		s = s[:80] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
