package whatsapptest

import (
	"math/rand/v2"
	"slices"
	"strconv"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

const (
	pageSize    = 300 // at most
	defaultPage = 50
)

// channel is the id of the channel that a query is about; empty when it is about none.
func (q *query) channel() string {
	w := q.conn.s.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if ch := q.find(); ch != nil {
		return ch.profile.ID
	}
	return ""
}

// find needs the world's mutex.
func (q *query) find() *Channel {
	w := q.conn.s.world
	switch q.kind {
	case "newsletter.messages":
		if text(q.body, "type") == "invite" {
			return w.known("invite", text(q.body, "key"))
		}
		if jid, ok := q.body.Attrs["jid"].(types.JID); ok {
			return w.known("jid", jid.String())
		}
	case "newsletter.message_updates", "newsletter.live_updates":
		if jid, ok := q.node.Attrs["to"].(types.JID); ok {
			return w.known("jid", jid.String())
		}
	case "mex.info":
		v := q.variables().Variables.Input
		return w.known(v.Type, v.Key)
	case "mex.follow", "mex.unfollow":
		return w.known("jid", q.variables().Variables.Newsletter)
	}
	return nil
}

// visible finds the channel of a query if its posts may be seen. It needs the world's mutex.
func (q *query) visible() (*Channel, *refused) {
	ch := q.find()
	switch {
	case ch == nil:
		return nil, iqError(404, "item-not-found")
	case ch.profile.State != Active:
		return nil, iqError(403, "forbidden")
	}
	return ch, nil
}

func (q *query) number(attr string) int {
	n, err := strconv.Atoi(text(q.body, attr))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func messages(q *query) (any, *refused) {
	limit, order := q.conn.s.pages()
	w := q.conn.s.world
	w.mu.Lock()
	defer w.mu.Unlock()
	ch, bad := q.visible()
	if bad != nil {
		return nil, bad
	}
	var list []waBinary.Node
	for _, e := range ch.fitting(ch.page(q.number("before"), q.number("after"), q.count(limit))) {
		list = append(list, ch.node(e))
	}
	arrange(list, order)
	return []waBinary.Node{{
		Tag: "messages", Attrs: waBinary.Attrs{"jid": ch.jid(), "t": w.now().Unix()}, Content: list,
	}}, nil
}

func (q *query) count(limit int) int {
	n := q.number("count")
	if n == 0 {
		n = defaultPage
	}
	return min(n, limit)
}

// page returns the last n posts before a number, or the first n after one.
func (ch *Channel) page(before, after, n int) []*entry {
	lo, hi := 0, len(ch.posts)
	if before > 0 {
		hi, _ = ch.find(before)
	}
	if after > 0 {
		lo, _ = ch.find(after + 1)
		hi = max(hi, lo)
		return ch.posts[lo:min(hi, lo+n)]
	}
	return ch.posts[max(lo, hi-n):hi]
}

// fitting leaves out the oldest posts of a page that would not fit into a frame, but for one.
func (ch *Channel) fitting(page []*entry) []*entry {
	size := 0
	for i := len(page) - 1; i >= 0; i-- {
		if _, ok := ch.plaintext(page[i]); ok {
			size += len(page[i].raw)
		}
		if size > maxAnswer/2 && i < len(page)-1 {
			return page[i+1:]
		}
	}
	return page
}

func arrange(list []waBinary.Node, order Order) {
	switch order {
	case Descending:
		slices.Reverse(list)
	case Shuffled:
		r := rand.New(rand.NewPCG(uint64(len(list)), 1))
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
}

func messageUpdates(q *query) (any, *refused) {
	limit, order := q.conn.s.pages()
	w := q.conn.s.world
	w.mu.Lock()
	defer w.mu.Unlock()
	ch, bad := q.visible()
	if bad != nil {
		return nil, bad
	}
	var list []waBinary.Node
	for _, e := range ch.page(0, q.number("after"), q.count(limit)) {
		if e.post.Date >= int64(q.number("since")) {
			list = append(list, ch.countsOnly(e))
		}
	}
	arrange(list, order)
	return []waBinary.Node{{Tag: "message_updates", Content: []waBinary.Node{{
		Tag: "messages", Attrs: waBinary.Attrs{"jid": ch.jid(), "t": w.now().Unix()}, Content: list,
	}}}}, nil
}

func liveSubscribe(q *query) (any, *refused) {
	w := q.conn.s.world
	w.mu.Lock()
	defer w.mu.Unlock()
	ch, bad := q.visible()
	if bad != nil {
		return nil, bad
	}
	if d := w.devices[q.conn.jid]; d != nil {
		if d.subs == nil {
			d.subs = map[string]int64{}
		}
		d.subs[ch.profile.ID] = w.now().Unix() + liveUpdates
	}
	return []waBinary.Node{{Tag: "live_updates", Attrs: waBinary.Attrs{"duration": liveUpdates}}}, nil
}
