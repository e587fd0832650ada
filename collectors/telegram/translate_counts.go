package telegram

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// counts are the post's totals. Who viewed, commented, reacted, paid or voted is in none of them, though the platform names some of
// them: recent reactors, top reactors, recent repliers and recent voters stay in the raw bytes.
func counts(m *tg.Message) evidence.Post {
	p := evidence.Post{Post: strconv.Itoa(m.ID), Views: -1, Forwards: -1, Replies: -1}
	if v, ok := m.GetViews(); ok {
		p.Views = int64(v)
	}
	if v, ok := m.GetForwards(); ok {
		p.Forwards = int64(v)
	}
	if v, ok := m.GetReplies(); ok {
		p.Replies = int64(v.Replies)
	}
	if v, ok := m.GetReactions(); ok {
		p.Reactions = reactions(v.Results)
	}
	if v, ok := m.Media.(*tg.MessageMediaPoll); ok {
		votes(&p, v)
	}
	return p
}

func reactions(list []tg.ReactionCount) map[string]int64 {
	if len(list) == 0 {
		return nil
	}
	out := make(map[string]int64, len(list))
	for _, r := range list {
		out[reaction(r.Reaction)] += int64(r.Count)
	}
	return out
}

func reaction(r tg.ReactionClass) string {
	switch r := r.(type) {
	case *tg.ReactionEmoji:
		return valid(r.Emoticon)
	case *tg.ReactionCustomEmoji:
		return "custom " + strconv.FormatInt(r.DocumentID, 10)
	case nil:
		return "unknown"
	default:
		return snake(strings.TrimPrefix(r.TypeName(), "reaction"))
	}
}

// votes takes the totals of a poll, by option in the order in which the poll lists them.
func votes(p *evidence.Post, m *tg.MessageMediaPoll) {
	p.Closed = m.Poll.Closed
	if n, ok := m.Results.GetTotalVoters(); ok {
		total := int64(n)
		p.Voters = &total
	}
	if len(m.Results.Results) == 0 {
		return
	}
	for _, a := range m.Poll.Answers {
		a, ok := a.(*tg.PollAnswer)
		if !ok {
			continue
		}
		n := int64(-1)
		i := slices.IndexFunc(m.Results.Results, func(r tg.PollAnswerVoters) bool { return slices.Equal(r.Option, a.Option) })
		if i >= 0 {
			n = int64(m.Results.Results[i].Voters)
		}
		p.Votes = append(p.Votes, n)
	}
}
