package telegram

import (
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// peerRef names whoever stands behind a peer: an account for a channel or group, a pseudonym for a person.
func peerRef(p tg.PeerClass) *evidence.Ref {
	switch p := p.(type) {
	case *tg.PeerUser:
		return &evidence.Ref{Name: evidence.Private(platform, "user", strconv.FormatInt(p.UserID, 10))}
	case *tg.PeerChannel:
		return &evidence.Ref{Name: account(p.ChannelID)}
	case *tg.PeerChat:
		return &evidence.Ref{Name: evidence.Account(platform, "chat", strconv.FormatInt(p.ChatID, 10))}
	}
	return nil
}

func account(channel int64) evidence.Name {
	return evidence.Account(platform, "channel", strconv.FormatInt(channel, 10))
}

// author is whoever signed the post: the profile where the channel signs with profiles, else the bare name. A bare name is a
// pseudonym within this channel only, since equal names elsewhere need not be one person.
func (t *translator) author(m *tg.Message) *evidence.Ref {
	if m.FromID != nil && !t.ours(m.FromID) {
		return peerRef(m.FromID)
	}
	if m.PostAuthor != "" {
		return hidden("signature", strconv.FormatInt(t.channel, 10)+":"+m.PostAuthor)
	}
	return nil
}

func hidden(typ, name string) *evidence.Ref {
	return &evidence.Ref{Name: evidence.Private(platform, typ, valid(name))}
}

func forward(m *tg.Message) *evidence.Forward {
	h, ok := m.GetFwdFrom()
	if !ok {
		return nil
	}
	f := &evidence.Forward{At: date(h.Date), From: peerRef(h.FromID)}
	if f.From == nil && h.FromName != "" {
		f.From = hidden("hidden", h.FromName)
	}
	if f.From == nil && h.PostAuthor != "" {
		f.From = hidden("hidden", h.PostAuthor)
	}
	if h.ChannelPost > 0 {
		f.Post = strconv.Itoa(h.ChannelPost)
	}
	return f
}

// entities translates the formatting. The second result says that the text names a private person: it shows a telephone
// number, mentions a user, or mentions a name that is not known to be a channel's.
func (t *translator) entities(m *tg.Message) ([]evidence.Entity, bool) {
	var out []evidence.Entity
	var units []uint16
	names := false
	for _, e := range m.Entities {
		v := evidence.Entity{Type: snake(strings.TrimPrefix(e.TypeName(), "messageEntity")), Offset: e.GetOffset(), Length: e.GetLength()}
		switch e := e.(type) {
		case *tg.MessageEntityTextURL:
			v.Type, v.URL = "text_link", valid(e.URL)
		case *tg.MessageEntityPre:
			v.Lang = valid(e.Language)
		case *tg.MessageEntityCustomEmoji:
			v.ID = strconv.FormatInt(e.DocumentID, 10)
		case *tg.MessageEntityMentionName:
			v.Person, names = peerRef(&tg.PeerUser{UserID: e.UserID}), true
		case *tg.MessageEntityPhone:
			names = true
		case *tg.MessageEntityMention:
			if units == nil {
				units = utf16.Encode([]rune(m.Message))
			}
			names = names || !t.channels[mentioned(units, v.Offset, v.Length)]
		}
		out = append(out, v)
	}
	return out, names
}

// mentioned cuts the name out of the text; offsets come from the wire and may lie outside of it.
func mentioned(units []uint16, offset, length int) string {
	if offset < 0 || length < 0 || offset > len(units) || length > len(units)-offset {
		return ""
	}
	s := string(utf16.Decode(units[offset : offset+length]))
	return strings.ToLower(strings.TrimPrefix(s, "@"))
}
