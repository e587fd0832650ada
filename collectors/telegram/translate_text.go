package telegram

import (
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// entities translates the formatting. The second result says that the text names a private person: it shows a telephone
// number, mentions a user, or mentions a name that is not known to be a channel's.
func (t *translator) entities(text string, list []tg.MessageEntityClass) ([]evidence.Entity, bool) {
	if len(list) == 0 {
		return nil, false
	}
	units := utf16.Encode([]rune(text))
	names := false
	out := make([]evidence.Entity, 0, len(list))
	for _, e := range list {
		if e == nil {
			continue
		}
		v := evidence.Entity{Type: snake(strings.TrimPrefix(e.TypeName(), "messageEntity")), Offset: e.GetOffset(), Length: e.GetLength()}
		v.Outside = outside(units, v.Offset, v.Length)
		switch e := e.(type) {
		case *tg.MessageEntityTextURL:
			v.Type, v.URL = "text_link", valid(e.URL)
		case *tg.MessageEntityPre:
			v.Lang = valid(e.Language)
		case *tg.MessageEntityCustomEmoji:
			v.ID = strconv.FormatInt(e.DocumentID, 10)
		case *tg.MessageEntityBlockquote:
			v.Collapsed = e.Collapsed
		case *tg.MessageEntityFormattedDate:
			v.Date = date(e.Date)
		case *tg.MessageEntityMentionName:
			v.Person, names = peerRef(&tg.PeerUser{UserID: e.UserID}), true
		case *tg.MessageEntityPhone, *tg.MessageEntityBankCard:
			names = true
		case *tg.MessageEntityMention:
			names = names || !t.channels[mentioned(units, v.Offset, v.Length)]
		}
		out = append(out, v)
	}
	return out, names
}

// outside reports whether a stretch leaves the text or cuts a surrogate pair. Offsets come from the wire and are kept as they are.
func outside(units []uint16, offset, length int) bool {
	if offset < 0 || length < 0 || offset > len(units) || length > len(units)-offset {
		return true
	}
	cuts := func(at int) bool {
		return at > 0 && at < len(units) && utf16.IsSurrogate(rune(units[at-1])) && units[at-1] < 0xdc00 && units[at] >= 0xdc00 && units[at] < 0xe000
	}
	return cuts(offset) || cuts(offset+length)
}

// mentioned cuts the name out of the text; offsets come from the wire and may lie outside of it.
func mentioned(units []uint16, offset, length int) string {
	if offset < 0 || length < 0 || offset > len(units) || length > len(units)-offset {
		return ""
	}
	s := string(utf16.Decode(units[offset : offset+length]))
	return strings.ToLower(strings.TrimPrefix(s, "@"))
}

// valid returns s as UTF-8.
func valid(s string) string {
	v, _ := evidence.ValidText(s)
	return v
}
