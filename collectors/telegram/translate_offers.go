package telegram

import (
	"strconv"

	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// poll keeps the question and the options; the totals are counters (see counts), and who voted is never read.
func (t *translator) poll(p *post, v *evidence.Media, m *tg.MessageMediaPoll) {
	q := &m.Poll
	v.ID, v.Detail = "poll "+strconv.FormatInt(q.ID, 10), q.Question.Text
	fact(v, "question", q.Question.Text)
	for _, a := range q.Answers {
		switch a := a.(type) {
		case *tg.PollAnswer:
			v.Detail += " | " + a.Text.Text
			fact(v, "option", a.Text.Text)
			t.within(p, v, "option shows", a.Media)
		case nil:
		default:
			p.body.Unknown = append(p.body.Unknown, a.TypeName())
		}
	}
	v.Detail = valid(v.Detail)
	for _, k := range []struct {
		on   bool
		name string
	}{
		{q.Closed, "closed"},
		{q.Quiz, "quiz"},
		{q.MultipleChoice, "multiple_choice"},
		{q.PublicVoters, "public_voters"},
		{q.OpenAnswers, "open_answers"},
		{q.SubscribersOnly, "subscribers_only"},
	} {
		if k.on {
			v.Marks = append(v.Marks, k.name)
		}
	}
	fact(v, "open for", ifSome(q.ClosePeriod, "seconds"))
	fact(v, "closes", instant(q.CloseDate))
	for i, r := range m.Results.Results {
		fact(v, "right answer", ifTrue(r.Correct, optionText(q, r.Option, i)))
	}
	fact(v, "explanation", m.Results.Solution)
	t.within(p, v, "explanation shows", m.Results.SolutionMedia)
}

func optionText(q *tg.Poll, option []byte, i int) string {
	for _, a := range q.Answers {
		if a, ok := a.(*tg.PollAnswer); ok && string(a.Option) == string(option) {
			return a.Text.Text
		}
	}
	return "number " + strconv.Itoa(i+1)
}

func (t *translator) game(p *post, v *evidence.Media, g *tg.Game) {
	v.ID, v.Detail = "game "+strconv.FormatInt(g.ID, 10), valid(g.Title)
	fact(v, "title", g.Title)
	fact(v, "description", g.Description)
	t.withinPhoto(p, v, "picture", g.Photo)
	t.withinDocument(p, v, "animation", g.Document)
}

// invoice names the picture's address but never opens it: it lies outside of the platform.
func (t *translator) invoice(p *post, v *evidence.Media, m *tg.MessageMediaInvoice) {
	v.Detail = valid(m.Title)
	fact(v, "title", m.Title)
	fact(v, "description", m.Description)
	fact(v, "amount", strconv.FormatInt(m.TotalAmount, 10)+" of the smallest unit of "+m.Currency)
	fact(v, "test", ifTrue(m.Test, "yes"))
	if m.Photo != nil {
		fact(v, "picture elsewhere", m.Photo.GetURL())
	}
	switch x := m.ExtendedMedia.(type) {
	case *tg.MessageExtendedMedia:
		t.within(p, v, "sold", x.Media)
	case *tg.MessageExtendedMediaPreview:
		fact(v, "sold", outline(x).Type)
	}
}

// todo counts what is done; by whom stays in the raw bytes.
func todo(v *evidence.Media, m *tg.MessageMediaToDo) {
	v.Detail = valid(m.Todo.Title.Text)
	fact(v, "title", m.Todo.Title.Text)
	for _, x := range m.Todo.List {
		fact(v, "item", x.Title.Text)
	}
	fact(v, "done", ifSome(len(m.Completions), ""))
}

func (t *translator) sharedStory(p *post, v *evidence.Media, m *tg.MessageMediaStory) {
	v.ID, v.Origin = "story "+strconv.Itoa(m.ID), peerRef(m.Peer)
	switch s := m.Story.(type) {
	case *tg.StoryItem:
		fact(v, "caption", s.Caption)
		fact(v, "expires", instant(s.ExpireDate))
		t.within(p, v, "shows", s.Media)
	case *tg.StoryItemDeleted:
		fact(v, "story", "deleted")
	}
}

func giveaway(v *evidence.Media, m *tg.MessageMediaGiveaway) {
	fact(v, "prizes", ifSome(m.Quantity, ""))
	fact(v, "prize", ifSome(m.Months, "months of Premium"))
	fact(v, "prize", ifSome(m.Stars, "Stars"))
	fact(v, "prize", m.PrizeDescription)
	fact(v, "until", instant(m.UntilDate))
	for _, c := range m.Channels {
		fact(v, "for subscribers of channel", strconv.FormatInt(c, 10))
	}
	for _, c := range m.CountriesISO2 {
		fact(v, "country", c)
	}
}

// giveawayResults counts the winners; who they are is never read.
func giveawayResults(v *evidence.Media, m *tg.MessageMediaGiveawayResults) {
	if m.ChannelID != 0 {
		v.Origin = &evidence.Ref{Name: account(m.ChannelID)}
	}
	fact(v, "winners", strconv.Itoa(m.WinnersCount))
	fact(v, "unclaimed", ifSome(m.UnclaimedCount, ""))
	fact(v, "prize", ifSome(m.Months, "months of Premium"))
	fact(v, "prize", ifSome(m.Stars, "Stars"))
	fact(v, "prize", m.PrizeDescription)
	fact(v, "refunded", ifTrue(m.Refunded, "yes"))
}

// outline is a medium that is sold and was not bought: only its shape is shown, and its blurred preview stays in the raw bytes.
func outline(x *tg.MessageExtendedMediaPreview) evidence.Media {
	v := evidence.Media{Type: "photo", Locked: true, Width: x.W, Height: x.H}
	if n, ok := x.GetVideoDuration(); ok {
		v.Type, v.Duration = "video", strconv.Itoa(n)
	}
	return v
}
