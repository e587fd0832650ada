package telegramtest

import (
	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// topMessages is how many messages come with a difference that is too long.
const topMessages = 10

func (s *Server) getChannelDifference(_ caller, q *tg.UpdatesGetChannelDifferenceRequest) (bin.Encoder, error) {
	limit := s.pageLimit(q.Limit)
	planned := false
	if c, ok := q.Channel.(*tg.InputChannel); ok {
		planned = s.takeTooLong(c.ChannelID)
	}
	w := s.world
	w.mu.Lock()
	defer w.mu.Unlock()
	ch, err := w.visible(q.Channel)
	switch {
	case err != nil:
		return nil, err
	case q.Pts <= 0:
		return nil, tgerr.New(400, "PERSISTENT_TIMESTAMP_EMPTY")
	case q.Pts > ch.pts:
		return nil, tgerr.New(400, "PERSISTENT_TIMESTAMP_INVALID")
	}
	if ch.asked[0] == 0 {
		ch.asked[0] = q.Pts
	}
	ch.asked[1] = max(ch.asked[1], q.Pts)
	switch {
	case planned || q.Pts < ch.floor:
		return ch.tooLong(s.opts.PollTimeout), nil
	case q.Pts == ch.pts:
		return &tg.UpdatesChannelDifferenceEmpty{Final: true, Pts: ch.pts, Timeout: s.opts.PollTimeout}, nil
	}
	return ch.difference(q.Pts, limit, s.opts.PollTimeout), nil
}

// difference holds the events after pts, limit at most. New messages come as they are now, and not at all when they are gone;
// edits and deletions are the other updates.
func (ch *Channel) difference(pts, limit, timeout int) *tg.UpdatesChannelDifference {
	d := &tg.UpdatesChannelDifference{Pts: pts, Timeout: timeout}
	var about []*entry
	for _, ev := range ch.events {
		if ev.Pts <= pts {
			continue
		}
		if limit == 0 {
			break
		}
		limit--
		d.Pts = ev.Pts
		found := ch.entries(ev.IDs)
		about = append(about, found...)
		switch {
		case ev.Kind == eventNew && len(found) > 0:
			d.NewMessages = append(d.NewMessages, ch.encode(found[0]))
		case ev.Kind != eventNew:
			if u := ch.update(ev); u != nil {
				d.OtherUpdates = append(d.OtherUpdates, u)
			}
		}
	}
	d.Final = d.Pts == ch.pts
	d.Chats, d.Users = ch.others(about)
	return d
}

func (ch *Channel) tooLong(timeout int) *tg.UpdatesChannelDifferenceTooLong {
	d := &tg.UpdatesChannelDifferenceTooLong{Final: true, Timeout: timeout}
	about := ch.page(&tg.MessagesGetHistoryRequest{}, topMessages)
	for _, e := range about {
		d.Messages = append(d.Messages, ch.encode(e))
	}
	dialog := &tg.Dialog{Peer: &tg.PeerChannel{ChannelID: ch.id}, Pts: ch.pts}
	if len(about) > 0 {
		dialog.TopMessage = about[0].post.ID
	}
	d.Dialog = dialog
	d.Chats, d.Users = ch.others(about)
	return d
}
