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
	b := p.body
	b.Reply, b.NamesAPerson = t.reply(m.ReplyTo)
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
	default:
		s.Facts = eventFacts(a)
	}
	return p
}

// eventFacts tells the numbers and names of things that an event carries, never those of people.
func eventFacts(a tg.MessageActionClass) []evidence.Fact {
	var v evidence.Media
	switch a := a.(type) {
	case *tg.MessageActionChatMigrateTo:
		fact(&v, "becomes channel", strconv.FormatInt(a.ChannelID, 10))
	case *tg.MessageActionGroupCall:
		fact(&v, "lasted", ifSome(a.Duration, "seconds"))
	case *tg.MessageActionGroupCallScheduled:
		fact(&v, "planned for", instant(a.ScheduleDate))
	case *tg.MessageActionBoostApply:
		fact(&v, "boosts", ifSome(a.Boosts, ""))
	case *tg.MessageActionGiveawayLaunch:
		fact(&v, "prize", ifSome(a.Stars, "Stars"))
	case *tg.MessageActionGiveawayResults:
		fact(&v, "winners", strconv.Itoa(a.WinnersCount))
		fact(&v, "unclaimed", ifSome(a.UnclaimedCount, ""))
	case *tg.MessageActionNoForwardsToggle:
		fact(&v, "saving and forwarding", ifTrue(a.NewValue, "forbidden")+ifTrue(!a.NewValue, "allowed"))
	case *tg.MessageActionTodoCompletions:
		fact(&v, "done", ifSome(len(a.Completed), ""))
		fact(&v, "undone", ifSome(len(a.Incompleted), ""))
	case *tg.MessageActionTodoAppendTasks:
		for _, x := range a.List {
			fact(&v, "item", x.Title.Text)
		}
	case *tg.MessageActionPollAppendAnswer:
		fact(&v, "option", answerText(a.Answer))
	case *tg.MessageActionPollDeleteAnswer:
		fact(&v, "option", answerText(a.Answer))
	case *tg.MessageActionPaidMessagesPrice:
		fact(&v, "price", strconv.FormatInt(a.Stars, 10)+" Stars")
	case *tg.MessageActionTopicCreate:
		fact(&v, "topic", a.Title)
	}
	return v.Facts
}

func answerText(a tg.PollAnswerClass) string {
	if a, ok := a.(*tg.PollAnswer); ok {
		return a.Text.Text
	}
	return ""
}
