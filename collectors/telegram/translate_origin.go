package telegram

import (
	"strconv"

	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// forward is where the post says that it comes from: the account or the person, and, where it went through another chat on its way,
// that chat too (core.telegram.org/constructor/messageFwdHeader).
func forward(m *tg.Message) *evidence.Forward {
	h, ok := m.GetFwdFrom()
	if !ok {
		return nil
	}
	f := &evidence.Forward{At: date(h.Date), From: whoever(h.FromID, h.FromName), Imported: h.Imported, SavedAt: date(h.SavedDate)}
	switch {
	case h.PostAuthor == "":
	case f.From == nil:
		f.From = hidden("hidden", h.PostAuthor)
	default:
		f.Signature = hidden("signature", originKey(h.FromID)+":"+h.PostAuthor)
	}
	if h.ChannelPost > 0 {
		f.Post = strconv.Itoa(h.ChannelPost)
	}
	if f.SavedFrom = peerRef(h.SavedFromPeer); f.SavedFrom == nil {
		f.SavedFrom = whoever(h.SavedFromID, h.SavedFromName)
	}
	if h.SavedFromMsgID > 0 {
		f.SavedPost = strconv.Itoa(h.SavedFromMsgID)
	}
	return f
}

// whoever is a peer, or else a name that stands for somebody who hides: a pseudonym of that name.
func whoever(p tg.PeerClass, name string) *evidence.Ref {
	if r := peerRef(p); r != nil || name == "" {
		return r
	}
	return hidden("hidden", name)
}

// originKey makes equal signatures in different channels different pseudonyms, as in translator.author.
func originKey(p tg.PeerClass) string {
	if c, ok := p.(*tg.PeerChannel); ok {
		return strconv.FormatInt(c.ChannelID, 10)
	}
	return ""
}

// replyTo is the number of the post of this channel that m answers.
func (t *translator) replyTo(r tg.MessageReplyHeaderClass) string {
	h, ok := r.(*tg.MessageReplyHeader)
	if !ok || h.ReplyToMsgID <= 0 {
		return ""
	}
	if h.ReplyToPeerID != nil && !t.ours(h.ReplyToPeerID) {
		return "" // the number would point at a post of this channel that it does not mean
	}
	return strconv.Itoa(h.ReplyToMsgID)
}

// reply is what replyTo leaves out: a quote, a post of another chat, a story. Nothing where replyTo says all. The second result says
// that the quote names a private person.
func (t *translator) reply(r tg.MessageReplyHeaderClass) (*evidence.Reply, bool) {
	switch h := r.(type) {
	case *tg.MessageReplyStoryHeader:
		return &evidence.Reply{To: t.elsewhere(h.Peer), Story: strconv.Itoa(h.StoryID)}, false
	case *tg.MessageReplyHeader:
		v := &evidence.Reply{To: t.elsewhere(h.ReplyToPeerID), Quote: valid(h.QuoteText), Quoted: h.Quote, Offset: h.QuoteOffset}
		if f, ok := h.GetReplyFrom(); ok {
			v.From, v.At = whoever(f.FromID, f.FromName), date(f.Date)
		}
		if h.ReplyMedia != nil {
			v.Carried = mediaWord(h.ReplyMedia)
		}
		if v.To != nil && h.ReplyToMsgID > 0 {
			v.Post = strconv.Itoa(h.ReplyToMsgID)
		}
		if *v == (evidence.Reply{}) {
			return nil, false
		}
		_, names := t.entities(h.QuoteText, h.QuoteEntities)
		return v, names
	}
	return nil, false
}

// elsewhere names a chat other than this channel.
func (t *translator) elsewhere(p tg.PeerClass) *evidence.Ref {
	if t.ours(p) {
		return nil
	}
	return peerRef(p)
}

func factCheck(m *tg.Message) *evidence.FactCheck {
	f, ok := m.GetFactcheck()
	if !ok || f.Text.Text == "" && f.Country == "" {
		return nil
	}
	return &evidence.FactCheck{Country: valid(f.Country), Text: valid(f.Text.Text)}
}

// viaBot names the bot that made the post for its author. A bot is no person, so it has an account's ordinal.
func viaBot(id int64) *evidence.Ref {
	if id == 0 {
		return nil
	}
	return &evidence.Ref{Name: evidence.Account(platform, "bot", strconv.FormatInt(id, 10))}
}
