package telegramtest

import "github.com/gotd/td/tg"

// described encodes the media that have no file of their own.
func (w *World) described(p *Post) tg.MessageMediaClass {
	switch {
	case p.Venue != nil:
		v := p.Venue
		return &tg.MessageMediaVenue{Geo: point(&v.Geo), Title: v.Title, Address: v.Address, VenueType: v.Type, Provider: v.Provider, VenueID: v.ID}
	case p.Geo != nil && p.Geo.Period != 0:
		return &tg.MessageMediaGeoLive{Geo: point(p.Geo), Period: p.Geo.Period, Heading: p.Geo.Heading}
	case p.Geo != nil:
		return &tg.MessageMediaGeo{Geo: point(p.Geo)}
	case p.Contact != nil:
		c := p.Contact
		return &tg.MessageMediaContact{PhoneNumber: c.Phone, FirstName: c.FirstName, LastName: c.LastName, Vcard: c.Card, UserID: c.User}
	case p.Game != nil:
		g := p.Game
		return &tg.MessageMediaGame{Game: tg.Game{ID: g.ID, AccessHash: hashOf("game", g.ID), ShortName: "simulated", Title: g.Title, Description: g.Description, Photo: w.photo(g.Photo)}}
	case p.Invoice != nil:
		return invoice(p.Invoice)
	case p.Giveaway != nil:
		return giveaway(p.Giveaway)
	case p.Dice != nil:
		return &tg.MessageMediaDice{Emoticon: p.Dice.Emoji, Value: p.Dice.Value}
	case p.Todo != nil:
		return todo(p.Todo, p.Date)
	case p.Story != nil:
		return &tg.MessageMediaStory{Peer: peerOf(p.Story.Channel, p.Story.User), ID: p.Story.ID}
	case p.Paid != nil:
		return w.paid(p.Paid, p.Date)
	case p.Unsupported:
		return &tg.MessageMediaUnsupported{}
	}
	return nil
}

func point(g *Geo) tg.GeoPointClass {
	return &tg.GeoPoint{Lat: g.Lat, Long: g.Long, AccessHash: 1, AccuracyRadius: g.Accuracy}
}

func peerOf(channel, user int64) tg.PeerClass {
	if user != 0 {
		return &tg.PeerUser{UserID: user}
	}
	return &tg.PeerChannel{ChannelID: channel}
}

func (w *World) paid(p *Paid, date int) tg.MessageMediaClass {
	m := &tg.MessageMediaPaidMedia{StarsAmount: p.Stars}
	for _, x := range p.Photos {
		if !p.Bought {
			m.ExtendedMedia = append(m.ExtendedMedia, &tg.MessageExtendedMediaPreview{W: x.Width, H: x.Height})
			continue
		}
		m.ExtendedMedia = append(m.ExtendedMedia, &tg.MessageExtendedMedia{Media: &tg.MessageMediaPhoto{Photo: w.photo(x)}})
	}
	for _, x := range p.Videos {
		if !p.Bought {
			m.ExtendedMedia = append(m.ExtendedMedia, &tg.MessageExtendedMediaPreview{W: x.Width, H: x.Height, VideoDuration: int(x.Duration)})
			continue
		}
		m.ExtendedMedia = append(m.ExtendedMedia, &tg.MessageExtendedMedia{Media: &tg.MessageMediaDocument{Document: w.document(x, date), Video: true}})
	}
	return m
}

func invoice(v *Invoice) tg.MessageMediaClass {
	m := &tg.MessageMediaInvoice{Title: v.Title, Description: v.Description, Currency: v.Currency, TotalAmount: v.Amount, StartParam: "simulated"}
	if v.Picture != "" {
		m.Photo = &tg.WebDocumentNoProxy{URL: v.Picture, MimeType: "image/png"}
	}
	return m
}

func giveaway(g *Giveaway) tg.MessageMediaClass {
	if !g.Ended {
		return &tg.MessageMediaGiveaway{Channels: g.Channels, PrizeDescription: g.Prize, Quantity: g.Quantity, Months: g.Months, UntilDate: g.Until}
	}
	m := &tg.MessageMediaGiveawayResults{
		WinnersCount: len(g.Winners), Winners: g.Winners, UnclaimedCount: g.Unclaimed, Months: g.Months, PrizeDescription: g.Prize, UntilDate: g.Until,
	}
	if len(g.Channels) > 0 {
		m.ChannelID = g.Channels[0]
	}
	return m
}

func todo(t *Todo, date int) tg.MessageMediaClass {
	m := &tg.MessageMediaToDo{Todo: tg.TodoList{Title: tg.TextWithEntities{Text: t.Title}}}
	for i, x := range t.Items {
		m.Todo.List = append(m.Todo.List, tg.TodoItem{ID: i + 1, Title: tg.TextWithEntities{Text: x}})
	}
	for i, u := range t.DoneBy {
		m.Completions = append(m.Completions, tg.TodoCompletion{ID: i + 1, CompletedBy: &tg.PeerUser{UserID: u}, Date: date})
	}
	return m
}

func poll(p *Poll, recent []int64) tg.MessageMediaClass {
	m := &tg.MessageMediaPoll{Poll: tg.Poll{
		ID: p.ID, Question: tg.TextWithEntities{Text: p.Question}, Closed: p.Closed, Quiz: p.Quiz, MultipleChoice: p.Multiple,
		PublicVoters: len(recent) > 0, CloseDate: p.Closes,
	}}
	for i, a := range p.Answers {
		m.Poll.Answers = append(m.Poll.Answers, &tg.PollAnswer{Text: tg.TextWithEntities{Text: a}, Option: option(i)})
	}
	for i, n := range p.Votes {
		m.Results.Results = append(m.Results.Results, tg.PollAnswerVoters{Option: option(i), Voters: n, Correct: p.Quiz && i == p.Right})
	}
	if p.Votes != nil {
		m.Results.SetTotalVoters(p.Voters)
	}
	m.Results.Solution = p.Solution
	for _, u := range recent {
		m.Results.RecentVoters = append(m.Results.RecentVoters, &tg.PeerUser{UserID: u})
	}
	return m
}

func option(i int) []byte { return []byte{byte('0' + i)} }

// replyHeader is what the post answers; nil where it answers nothing.
func replyHeader(p *Post) tg.MessageReplyHeaderClass {
	r := p.Reply
	switch {
	case r == nil && p.ReplyTo == 0:
		return nil
	case r == nil:
		return &tg.MessageReplyHeader{ReplyToMsgID: p.ReplyTo}
	case r.Story != 0:
		return &tg.MessageReplyStoryHeader{Peer: &tg.PeerChannel{ChannelID: r.Channel}, StoryID: r.Story}
	}
	h := &tg.MessageReplyHeader{ReplyToMsgID: max(p.ReplyTo, r.Post), Quote: r.Quote != "", QuoteText: r.Quote, QuoteOffset: r.Offset}
	if r.Channel != 0 {
		h.ReplyToPeerID = &tg.PeerChannel{ChannelID: r.Channel}
	}
	if r.Name != "" {
		h.ReplyFrom = tg.MessageFwdHeader{FromName: r.Name, Date: p.Date}
	}
	if r.Media {
		h.ReplyMedia = &tg.MessageMediaPhoto{}
	}
	return h
}

// more sets what few messages carry.
func (p *Post) more(m *tg.Message) {
	m.ViaBotID, m.Effect, m.TTLPeriod, m.EditHide, m.PaidMessageStars = p.ViaBot, p.Effect, p.TTL, p.EditHide, p.Stars
	if f := p.FactCheck; f != nil {
		m.Factcheck = tg.FactCheck{Country: f.Country, Text: tg.TextWithEntities{Text: f.Text}, Hash: 1}
	}
	if p.Comments && p.Replies == 0 {
		m.Replies = tg.MessageReplies{Comments: true}
	}
	if p.PaidReactions > 0 {
		m.Reactions.Results = append(m.Reactions.Results, tg.ReactionCount{Reaction: &tg.ReactionPaid{}, Count: p.PaidReactions})
	}
	for _, u := range p.Recent {
		who := &tg.PeerUser{UserID: u}
		if len(m.Reactions.Results) > 0 {
			m.Reactions.RecentReactions = append(m.Reactions.RecentReactions, tg.MessagePeerReaction{PeerID: who, Date: p.Date, Reaction: &tg.ReactionEmoji{Emoticon: "👍"}})
			m.Reactions.TopReactors = append(m.Reactions.TopReactors, tg.MessageReactor{PeerID: who, Count: 1})
		}
		if m.Replies.Comments {
			m.Replies.RecentRepliers = append(m.Replies.RecentRepliers, who)
		}
	}
}
