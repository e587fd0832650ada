package telegram

import (
	"strconv"
	"strings"

	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// service translates an event in the channel. Actions that concern people keep their type alone: who it was stands in the raw bytes.
func (t *translator) service(m *tg.MessageService) post {
	p := post{
		id: m.ID,
		body: &evidence.PostSeen{
			Method:    evidence.MethodMTProto,
			ClaimedAt: date(m.Date),
			ReplyTo:   t.replyTo(m.ReplyTo),
			Service:   &evidence.Service{},
		},
		counts: evidence.Post{Post: strconv.Itoa(m.ID), Views: -1, Forwards: -1, Replies: -1},
	}
	s := p.body.Service
	if m.Action == nil {
		return p
	}
	s.Action = snake(strings.TrimPrefix(m.Action.TypeName(), "messageAction"))
	switch a := m.Action.(type) {
	case *tg.MessageActionChatEditTitle:
		s.Detail, p.body.InvalidUTF8 = evidence.ValidText(a.Title)
		p.snapshot = true
	case *tg.MessageActionChannelCreate:
		s.Detail, p.body.InvalidUTF8 = evidence.ValidText(a.Title)
	case *tg.MessageActionCustomAction:
		s.Detail, p.body.InvalidUTF8 = evidence.ValidText(a.Message)
	case *tg.MessageActionChatEditPhoto:
		t.photo(&p, a.Photo)
		p.snapshot = true
	case *tg.MessageActionChatDeletePhoto, *tg.MessageActionPinMessage:
		p.snapshot = true
	case *tg.MessageActionChannelMigrateFrom:
		s.Detail = valid(a.Title)
	case *tg.MessageActionSetMessagesTTL:
		s.Detail = strconv.Itoa(a.Period)
	}
	return p
}
