package telegram

import (
	"context"
	"time"

	"github.com/gotd/td/tg"
)

// freeMost is how many known posts a read in rotation takes along, so that a page still has room for news.
const freeMost = 80

// onTheWay returns from where on the newest page is read: above the highest known post, or further down where a rung is due for posts
// that fit on it as well. The page then shows their edits, and its holes what was deleted.
func (c *cursor) onTheWay(now time.Time) (bottom, k int) {
	k, at, ok := c.next()
	if !ok || now.Before(at) || k == len(c.Aged)-1 {
		return c.Top, -1
	}
	ids := c.Known.above(c.Aged[k].ID, freeMost+1)
	if len(ids) == 0 || len(ids) > freeMost || ids[0] > c.Top {
		return c.Top, -1
	}
	return ids[0] - 1, k
}

// divided parts a page into what is new and what lies at or below the highest known post.
func divided(msgs []tg.MessageClass, top int) (fresh, known []tg.MessageClass) {
	for _, m := range msgs {
		if m.GetID() > top {
			fresh = append(fresh, m)
		} else {
			known = append(known, m)
		}
	}
	return fresh, known
}

// recheckPage takes a page of history that was read down to bottom as a look at the known posts that it covers. Below the lowest message
// of a page that is full it says nothing.
func (w *watch) recheckPage(ctx context.Context, k int, rep reply[tg.MessagesMessagesClass], all, known []tg.MessageClass, bottom int) error {
	c := w.cursor()
	if len(rep.value.(messages).GetMessages()) >= pageSize {
		bottom = max(bottom, lowestID(all)-1)
	}
	var ids, missing []int
	there := map[int]bool{}
	for _, m := range all {
		if _, hole := m.(*tg.MessageEmpty); !hole {
			there[m.GetID()] = true
		}
	}
	for _, id := range c.Known.above(bottom, pageSize) {
		if id > c.Top {
			break
		}
		ids = append(ids, id)
		if !there[id] {
			missing = append(missing, id)
		}
	}
	if due := c.Known.above(c.Aged[k].ID, 1); len(ids) == 0 || len(due) == 0 || due[0] != ids[0] {
		return nil // the page did not reach down to the posts that are due
	}
	// What is new on the page has come to no age yet, though its numbers are among those that are known by now.
	upTo, young := w.oldEnough(k, ids, all)
	return w.compare(ctx, looked{
		method: "messages.getHistory", request: historyRequest(w.channel(), 0, bottom), rep: rep,
		list:    &tg.MessagesChannelMessages{Messages: known, Chats: rep.value.(messages).GetChats()},
		missing: missing, of: len(ids), sure: len(all) > len(known),
	}, func(c *cursor) { c.looked(k, upTo, young, &w.r.o, w.r.o.Now()) })
}

// glance looks at how the platform describes the channel beside its posts. Where that is not what the latest snapshot said, another one
// is taken at once.
func (w *watch) glance(v tg.MessagesMessagesClass) {
	list, ok := v.(messages)
	if !ok {
		return
	}
	id := w.channel()
	for _, c := range list.GetChats() {
		ch, ok := c.(*tg.Channel)
		if !ok || ch.ID != id || ch.Min {
			continue
		}
		restricted := len(restrictions(ch.RestrictionReason)) > 0
		if w.named(usernames(ch)) != w.bearsName || restricted != w.restricted {
			w.nextLook = w.r.o.Now()
		}
	}
}
