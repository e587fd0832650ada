package telegramtest

import (
	"sort"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
)

// encoded is a message that was encoded before: a page of history is a copy of bytes. The embedded interface carries the methods
// that encoding a page does not need.
type encoded struct {
	tg.MessageClass
	raw []byte
}

// Encode implements bin.Encoder.
func (e encoded) Encode(b *bin.Buffer) error {
	b.Put(e.raw)
	return nil
}

// encode returns a message's wire form with file references that are valid now.
func (ch *Channel) encode(e *entry) encoded {
	if e.raw == nil || e.refs != ch.w.refs && e.post.hasFile() {
		var b bin.Buffer
		if err := ch.message(&e.post).Encode(&b); err != nil {
			panic("telegramtest: encode message: " + err.Error())
		}
		e.raw, e.refs = b.Buf, ch.w.refs
	}
	return encoded{raw: e.raw}
}

func (ch *Channel) message(p *Post) tg.MessageClass {
	if p.Action != nil {
		return ch.service(p)
	}
	m := &tg.Message{
		Post: ch.profile.Kind == Broadcast, ID: p.ID, PeerID: &tg.PeerChannel{ChannelID: ch.id}, Date: p.Date,
		Message: p.Text, Entities: entities(p.Entities), Media: ch.w.media(p),
		Views: p.Views, Forwards: p.Forwards, EditDate: p.EditDate, PostAuthor: p.Signature, GroupedID: p.Group,
		RestrictionReason: restrictions(p.Restriction), Noforwards: p.NoForwards, Pinned: p.Pinned, Silent: p.Silent,
		Reactions: reactions(p.Reactions),
	}
	if f := p.Forward; f != nil {
		m.FwdFrom = forward(f)
	}
	m.ReplyTo = replyHeader(p)
	if p.Replies != 0 {
		m.Replies = tg.MessageReplies{Comments: true, Replies: p.Replies, ChannelID: ch.profile.LinkedChat}
	}
	p.more(m)
	return m
}

func (ch *Channel) service(p *Post) tg.MessageClass {
	m := &tg.MessageService{
		Post: ch.profile.Kind == Broadcast, ID: p.ID, PeerID: &tg.PeerChannel{ChannelID: ch.id}, Date: p.Date, Silent: p.Silent,
	}
	m.ReplyTo = replyHeader(p)
	switch p.Action.Type {
	case "create":
		m.Action = &tg.MessageActionChannelCreate{Title: p.Action.Detail}
	case "title":
		m.Action = &tg.MessageActionChatEditTitle{Title: p.Action.Detail}
	case "photo":
		m.Action = &tg.MessageActionChatEditPhoto{Photo: ch.w.photo(p.Photo)}
	case "photo_deleted":
		m.Action = &tg.MessageActionChatDeletePhoto{}
	case "pin":
		m.Action = &tg.MessageActionPinMessage{}
	case "ttl":
		m.Action = &tg.MessageActionSetMessagesTTL{Period: p.Action.Period}
	case "migrated":
		m.Action = &tg.MessageActionChannelMigrateFrom{Title: p.Action.Detail, ChatID: p.Action.From}
	case "boost":
		m.Action = &tg.MessageActionBoostApply{Boosts: p.Action.Period}
	case "call":
		m.Action = &tg.MessageActionGroupCall{Call: &tg.InputGroupCall{ID: 1, AccessHash: 1}, Duration: p.Action.Period}
	case "giveaway_ended":
		m.Action = &tg.MessageActionGiveawayResults{WinnersCount: p.Action.Period}
	default:
		m.Action = &tg.MessageActionCustomAction{Message: p.Action.Detail}
	}
	return m
}

func entities(list []Entity) []tg.MessageEntityClass {
	out := make([]tg.MessageEntityClass, 0, len(list))
	for _, e := range list {
		o, n := e.Offset, e.Length
		var m tg.MessageEntityClass
		switch e.Type {
		case "bold":
			m = &tg.MessageEntityBold{Offset: o, Length: n}
		case "italic":
			m = &tg.MessageEntityItalic{Offset: o, Length: n}
		case "underline":
			m = &tg.MessageEntityUnderline{Offset: o, Length: n}
		case "strike":
			m = &tg.MessageEntityStrike{Offset: o, Length: n}
		case "spoiler":
			m = &tg.MessageEntitySpoiler{Offset: o, Length: n}
		case "code":
			m = &tg.MessageEntityCode{Offset: o, Length: n}
		case "pre":
			m = &tg.MessageEntityPre{Offset: o, Length: n, Language: e.Lang}
		case "quote":
			m = &tg.MessageEntityBlockquote{Offset: o, Length: n}
		case "collapsed_quote":
			m = &tg.MessageEntityBlockquote{Offset: o, Length: n, Collapsed: true}
		case "cashtag":
			m = &tg.MessageEntityCashtag{Offset: o, Length: n}
		case "bank_card":
			m = &tg.MessageEntityBankCard{Offset: o, Length: n}
		case "bot_command":
			m = &tg.MessageEntityBotCommand{Offset: o, Length: n}
		case "date":
			m = &tg.MessageEntityFormattedDate{Offset: o, Length: n, Date: e.Date}
		case "url":
			m = &tg.MessageEntityURL{Offset: o, Length: n}
		case "text_url":
			m = &tg.MessageEntityTextURL{Offset: o, Length: n, URL: e.URL}
		case "mention":
			m = &tg.MessageEntityMention{Offset: o, Length: n}
		case "mention_name":
			m = &tg.MessageEntityMentionName{Offset: o, Length: n, UserID: e.User}
		case "hashtag":
			m = &tg.MessageEntityHashtag{Offset: o, Length: n}
		case "email":
			m = &tg.MessageEntityEmail{Offset: o, Length: n}
		case "phone":
			m = &tg.MessageEntityPhone{Offset: o, Length: n}
		case "custom_emoji":
			m = &tg.MessageEntityCustomEmoji{Offset: o, Length: n, DocumentID: e.Emoji}
		default:
			m = &tg.MessageEntityUnknown{Offset: o, Length: n}
		}
		out = append(out, m)
	}
	return out
}

func forward(f *Forward) tg.MessageFwdHeader {
	h := tg.MessageFwdHeader{FromName: f.Name, Date: f.Date, ChannelPost: f.Post, PostAuthor: f.Signature, Imported: f.Imported, SavedFromMsgID: f.SavedPost}
	if f.SavedChannel != 0 {
		h.SavedFromPeer = &tg.PeerChannel{ChannelID: f.SavedChannel}
	}
	switch {
	case f.Channel != 0:
		h.FromID = &tg.PeerChannel{ChannelID: f.Channel}
	case f.User != 0:
		h.FromID = &tg.PeerUser{UserID: f.User}
	}
	return h
}

func reactions(counts map[string]int) tg.MessageReactions {
	var r tg.MessageReactions
	for emoji, n := range counts {
		r.Results = append(r.Results, tg.ReactionCount{Reaction: &tg.ReactionEmoji{Emoticon: emoji}, Count: n})
	}
	sort.Slice(r.Results, func(i, j int) bool {
		a, b := r.Results[i], r.Results[j]
		if a.Count != b.Count {
			return a.Count > b.Count
		}
		return a.Reaction.(*tg.ReactionEmoji).Emoticon < b.Reaction.(*tg.ReactionEmoji).Emoticon
	})
	return r
}

func restrictions(list []Restriction) []tg.RestrictionReason {
	out := make([]tg.RestrictionReason, 0, len(list))
	for _, r := range list {
		out = append(out, tg.RestrictionReason(r))
	}
	return out
}
