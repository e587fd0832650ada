package telegramtest

import "github.com/gotd/td/tg"

// update is an event as the platform tells it; nil for a message that is gone by now.
func (ch *Channel) update(ev event) tg.UpdateClass {
	if ev.Kind == eventDelete {
		return &tg.UpdateDeleteChannelMessages{ChannelID: ch.id, Messages: ev.IDs, Pts: ev.Pts, PtsCount: ev.Count}
	}
	i, ok := ch.find(ev.IDs[0])
	if !ok {
		return nil
	}
	m := ch.encode(ch.posts[i])
	if ev.Kind == eventEdit {
		return &tg.UpdateEditChannelMessage{Message: m, Pts: ev.Pts, PtsCount: ev.Count}
	}
	return &tg.UpdateNewChannelMessage{Message: m, Pts: ev.Pts, PtsCount: ev.Count}
}

// envelope is an update with the peers that it and the posts in it speak of.
func (ch *Channel) envelope(about []*entry, u ...tg.UpdateClass) *tg.Updates {
	chats, users := ch.others(about)
	return &tg.Updates{Updates: u, Chats: chats, Users: users, Date: ch.w.unix()}
}

func (ch *Channel) announce() *tg.Updates {
	return ch.envelope(nil, &tg.UpdateChannel{ChannelID: ch.id})
}

func (ch *Channel) tooLongUpdate() *tg.Updates {
	return ch.envelope(nil, &tg.UpdateChannelTooLong{ChannelID: ch.id, Pts: ch.pts})
}
