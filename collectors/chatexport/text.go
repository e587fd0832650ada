package chatexport

import (
	"errors"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

var errText = errors.New("not a text as an export has it")

// text is a message's text with its formatting.
type text struct {
	s        strings.Builder
	units    int // length of s in UTF-16 code units
	entities []evidence.Entity
	invalid  bool // something in it was not Unicode
	names    bool // it names a private person, or may
}

// readText reads `text` or `text_entities`: a string, or an array of strings and objects. own is the channel's user name in lower
// case: to mention it names nobody.
func readText(raw []byte, own string) (*text, error) {
	if isNull(raw) {
		return &text{}, nil
	}
	return readTextAt(over(raw), own)
}

// readTextAt is readText of the value that stands next. After an error s stands anywhere in it.
func readTextAt(s *scanner, own string) (*text, error) {
	t := &text{}
	if c, err := s.peek(); err != nil || c != '[' {
		raw, errNext := s.next()
		if err = errors.Join(err, errNext); err != nil || isNull(raw) {
			return t, err
		}
		str, bad, err := unquote(raw)
		if err != nil {
			return t, errText
		}
		t.add(str, bad)
		return t, nil
	}
	return t, s.array(func() error { return t.part(s, own) }, nil)
}

func (t *text) add(s string, bad bool) (offset, length int) {
	offset, length = t.units, utf16Len(s)
	t.s.WriteString(s)
	t.units += length
	t.invalid = t.invalid || bad
	return offset, length
}

// part reads the element that stands next: a string, or an object with type and text.
func (t *text) part(s *scanner, own string) error {
	if c, err := s.peek(); err != nil || c != '{' {
		raw, errNext := s.next()
		if err = errors.Join(err, errNext); err != nil {
			return err
		}
		str, bad, err := unquote(raw)
		if err == nil {
			t.add(str, bad)
		}
		return err
	}
	var typ, content, href, lang, user, document []byte
	err := s.object(func(key []byte) error {
		v, err := s.next()
		switch string(key) {
		case "type":
			typ = v
		case "text":
			content = v
		case "href":
			href = v
		case "language":
			lang = v
		case "user_id":
			user = v
		case "document_id":
			document = v
		}
		return err
	})
	if err != nil {
		return err
	}
	c, bad, err := unquote(content)
	if err != nil {
		return err
	}
	offset, length := t.add(c, bad)
	name := entityType(typ)
	if name == "" {
		return nil
	}
	e := evidence.Entity{Type: name, Offset: offset, Length: length, URL: t.str(href), Lang: t.str(lang)}
	switch name {
	case "mention_name":
		t.names = true
		if id, err := number(user); err == nil && id > 0 {
			e.Person = person("user", id)
		}
	case "mention":
		t.names = t.names || own == "" || strings.ToLower(strings.TrimPrefix(c, "@")) != own
	case "phone", "bank_card":
		t.names = true
	case "custom_emoji":
		if id, err := number(document); err == nil { // later exports give a file's path instead
			e.ID = decimal(id)
		}
	}
	t.entities = append(t.entities, e)
	return nil
}

func (t *text) str(raw []byte) string {
	if isNull(raw) {
		return ""
	}
	s, bad, err := unquote(raw)
	t.invalid = t.invalid || bad || err != nil
	return s
}

// entityType translates an export's word into that of the protocol, which the other source of posts uses; nothing for plain text.
func entityType(raw []byte) string {
	switch string(raw) {
	case `"plain"`, "":
		return ""
	case `"link"`:
		return "url"
	case `"strikethrough"`:
		return "strike"
	case `"bold"`: // the common ones, without an allocation
		return "bold"
	case `"hashtag"`:
		return "hashtag"
	case `"text_link"`:
		return "text_link"
	case `"code"`:
		return "code"
	}
	s, _, err := unquote(raw)
	if err != nil {
		return "unknown"
	}
	return s
}
