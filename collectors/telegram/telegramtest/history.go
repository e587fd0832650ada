package telegramtest

import (
	"slices"

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
	out := &tg.MessagesChannelMessages{Pts: ch.pts, Count: len(ch.posts)}
	for _, e := range about {
		out.Messages = append(out.Messages, ch.encode(e))
	}
	out.Chats, out.Users = ch.others(about)
	return out, nil
}

func (ch *Channel) page(q *tg.MessagesGetHistoryRequest, limit int) []*entry {
	// end is the position after the newest message that is selected.
	end := len(ch.posts)
	if q.OffsetID > 0 {
		end, _ = ch.find(q.OffsetID)
	}
	if q.OffsetDate > 0 {
		older, _ := slices.BinarySearchFunc(ch.posts, q.OffsetDate, func(e *entry, date int) int { return e.post.Date - date })
		end = min(end, older)
	}
	end -= q.AddOffset
	start := end - limit
	end, start = min(max(end, 0), len(ch.posts)), min(max(start, 0), len(ch.posts))
	var list []*entry
	for i := end - 1; i >= start; i-- {
		id := ch.posts[i].post.ID
		if (q.MaxID <= 0 || id < q.MaxID) && id > q.MinID {
			list = append(list, ch.posts[i])
		}
	}
	return list
}
