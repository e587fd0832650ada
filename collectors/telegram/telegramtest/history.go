package telegramtest

import (
	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
)

// pageSize is the most messages that one answer holds.
const pageSize = 100

// getHistory answers newest first. As https://core.telegram.org/api/offsets says, limit and offsets select, in this order, and only
// then max_id and min_id filter what was selected.
func (s *Server) getHistory(_ caller, q *tg.MessagesGetHistoryRequest) (bin.Encoder, error) {
	limit := s.pageLimit(q.Limit)
	w := s.world
	w.mu.Lock()
	defer w.mu.Unlock()
	ch, err := w.visible(q.Peer)
	if err != nil {
		return nil, err
	}
	var about []*entry
	if ch.profile.Hidden != HidePosts {
		about = ch.page(q, limit)
	}
	out := &tg.MessagesChannelMessages{Pts: ch.pts, Count: ch.size()}
	for _, e := range about {
		out.Messages = append(out.Messages, ch.encode(e))
	}
	out.Chats, out.Users = ch.others(about)
	return out, nil
}
