package telegramtest

import (
	"sort"

	"github.com/gotd/td/tg"
)

// Deepen gives a channel that has no posts yet a history of n posts, numbered from 1, which are made by post each time that they are
// asked for and kept nowhere: a channel of a million costs no memory. They can be neither edited nor deleted, carry no files, and are not in
// Posts; what is posted later comes above them.
func (ch *Channel) Deepen(n int, post func(id int) Post) {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	if len(ch.posts) > 0 || ch.next > 0 {
		panic("telegramtest: the channel has posts already")
	}
	ch.deep, ch.make, ch.next = n, post, n
	ch.pts += n
	ch.events, ch.floor = nil, ch.pts
}

// size is the number of all posts, of which those that are made on demand come first.
func (ch *Channel) size() int { return ch.deep + len(ch.posts) }

func (ch *Channel) at(i int) *entry {
	if i >= ch.deep {
		return ch.posts[i-ch.deep]
	}
	p := ch.make(i + 1)
	p.ID = i + 1
	return &entry{post: p}
}

// below is the position of the first post whose number is not below id.
func (ch *Channel) below(id int) int {
	if id <= ch.deep {
		return max(0, id-1)
	}
	i, _ := ch.find(id)
	return ch.deep + i
}

// before is the position of the first post that is not older than a date.
func (ch *Channel) before(date int) int {
	return sort.Search(ch.size(), func(i int) bool { return ch.at(i).post.Date >= date })
}

func (ch *Channel) page(q *tg.MessagesGetHistoryRequest, limit int) []*entry {
	// end is the position after the newest message that is selected.
	end := ch.size()
	if q.OffsetID > 0 {
		end = ch.below(q.OffsetID)
	}
	if q.OffsetDate > 0 {
		end = min(end, ch.before(q.OffsetDate))
	}
	end -= q.AddOffset
	start := end - limit
	end, start = min(max(end, 0), ch.size()), min(max(start, 0), ch.size())
	var list []*entry
	for i := end - 1; i >= start; i-- {
		e := ch.at(i)
		if id := e.post.ID; (q.MaxID <= 0 || id < q.MaxID) && id > q.MinID {
			list = append(list, e)
		}
	}
	return list
}
