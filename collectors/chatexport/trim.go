package chatexport

import (
	"fmt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// A message of more bytes than largeEntry is no message of Telegram, whose limit lies at 4,096 characters. What is made of it must
// still fit into a record: JSON may write a byte of it as six.
const (
	largeEntry   = 2 << 20
	maxText      = 2 * maxString
	maxEntities  = 50_000
	maxAttribute = 64 << 10
)

// trim takes away what would not fit.
func (e *entry) trim() {
	b := e.body
	if n := encodedLen(b.Text); n > maxText {
		b.Text, b.Entities = "", nil
		e.lose("text", fmt.Sprintf("%d bytes as JSON: left empty, whole in the raw bytes", n))
	}
	if n := len(b.Entities); n > maxEntities {
		b.Entities = b.Entities[:maxEntities]
		e.lose("text_entities", fmt.Sprintf("%d, the first %d are kept", n, maxEntities))
	}
	left := maxText / 8 // for all attributes together
	cut := func(s *string) {
		if left -= len(*s); len(*s) > maxAttribute || left < 0 {
			*s = ""
			e.lose("attributes", "too large: left empty, whole in the raw bytes")
		}
	}
	for i := range b.Entities {
		x := &b.Entities[i]
		cut(&x.Type)
		cut(&x.URL)
		cut(&x.Lang)
	}
	for i := range b.Media {
		x := &b.Media[i]
		if len(x.ID) > maxAttribute {
			x.ID = x.Type + " " + evidence.Sum([]byte(x.ID)).String()
			e.rename(x.ID)
		}
		cut(&x.MIME)
		cut(&x.Name)
		cut(&x.Detail)
	}
	if b.Service != nil {
		cut(&b.Service.Action)
		cut(&b.Service.Detail)
	}
	if e.counts != nil && len(e.counts.Reactions) > 1000 {
		e.counts = nil
		e.lose("reactions", "more than 1000 kinds")
	}
}

// rename gives the entry's files the identity of their medium.
func (e *entry) rename(id string) {
	for i := range e.files {
		e.files[i].media = id
		if len(e.files[i].name) > maxAttribute {
			e.files[i].name = ""
		}
	}
}

// encodedLen is at least the length of s as a JSON string.
func encodedLen(s string) int {
	n := len(s)
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ':
			n += 5
		case c == '"' || c == '\\' || c == 0xE2: // U+2028 and U+2029 begin with E2
			n += 3
		}
	}
	return n
}
