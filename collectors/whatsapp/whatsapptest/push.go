package whatsapptest

import (
	"slices"
	"strconv"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

// envelope is a push that a device has yet to acknowledge.
type envelope struct {
	ID   string
	From types.JID
	Node []byte // encoded

	done bool // acknowledged, while an older one is not
}

// queue adds an envelope; the oldest goes when there are too many.
func (d *device) queue(e *envelope) {
	if len(d.Queue) >= maxPending {
		d.done(d.Queue[0])
	}
	d.Queue = append(d.Queue, e)
	if d.open == nil {
		d.open = map[string][]*envelope{}
	}
	d.open[e.ID] = append(d.open[e.ID], e)
}

// done takes an envelope off; acknowledgements come in any order.
func (d *device) done(e *envelope) {
	e.done = true
	d.open[e.ID] = slices.DeleteFunc(d.open[e.ID], func(o *envelope) bool { return o == e })
	if len(d.open[e.ID]) == 0 {
		delete(d.open, e.ID)
	}
	for len(d.Queue) > 0 && d.Queue[0].done {
		d.Queue = d.Queue[1:]
	}
}

// pending are the envelopes that are not acknowledged, in order.
func (d *device) pending() []*envelope {
	var list []*envelope
	for _, e := range d.Queue {
		if !e.done {
			list = append(list, e)
		}
	}
	return list
}

// maxPending is how many unacknowledged pushes are kept for a device; the oldest go first.
const maxPending = 100_000

// liveUpdates is how long a subscription to live updates lasts, in seconds.
const liveUpdates = 300

// push sends a post, an edit or a deletion to the channel's followers. The caller holds the world's mutex.
func (ch *Channel) push(e *entry) { ch.deliver(e.post.MessageID, ch.live(e)) }

// deliver sends a node to the devices of all followers, now or when they are back.
func (ch *Channel) deliver(id string, n waBinary.Node) {
	w := ch.w
	if w.muted {
		return
	}
	var plain []byte
	for _, d := range w.devices {
		if !w.follows[d.JID.User][ch.profile.ID] {
			continue
		}
		if plain == nil {
			plain = encode(n)
		}
		d.queue(&envelope{ID: id, From: ch.jid(), Node: plain})
		if d.conn != nil {
			d.conn.push(plain)
		}
	}
}

// announce tells followers that the metadata changed. The library ignores it; a collector finds out by asking.
func (ch *Channel) announce(state bool) {
	body := map[string]any{"xwa2_notify_newsletter_on_metadata_update": ch.metadata("")}
	op := "NotificationNewsletterUpdate"
	if state {
		body = map[string]any{"xwa2_notify_newsletter_on_state_change": map[string]any{
			"id": ch.jid().String(), "is_requestor": false, "state": map[string]any{"type": string(ch.profile.State)},
		}}
		op = "NotificationNewsletterStateChange"
	}
	id := messageID(ch.w.newID())
	ch.deliver(id, waBinary.Node{
		Tag:   "notification",
		Attrs: waBinary.Attrs{"from": ch.jid(), "type": "mex", "id": id, "t": ch.w.now().Unix()},
		Content: []waBinary.Node{{
			Tag: "update", Attrs: waBinary.Attrs{"op_name": op}, Content: mustJSON(map[string]any{"data": body}),
		}},
	})
}

// PushCounts pushes the counters of posts to the devices that subscribed to live updates.
func (ch *Channel) PushCounts(ids ...int) {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	var list []waBinary.Node
	for _, id := range ids {
		list = append(list, ch.countsOnly(ch.mustFind(id)))
	}
	now := ch.w.now().Unix()
	n := waBinary.Node{
		Tag:     "notification",
		Attrs:   waBinary.Attrs{"from": ch.jid(), "type": "newsletter", "id": strconv.FormatInt(ch.w.newID(), 10), "t": now},
		Content: []waBinary.Node{{Tag: "live_updates", Content: list}},
	}
	if ch.w.muted {
		return
	}
	for _, d := range ch.w.devices {
		if d.conn != nil && d.subs[ch.profile.ID] > now {
			d.conn.push(encode(n))
		}
	}
}

// countsOnly is a message element with counters and without content.
func (ch *Channel) countsOnly(e *entry) waBinary.Node {
	return waBinary.Node{
		Tag: "message",
		Attrs: waBinary.Attrs{
			"id": e.post.MessageID, "server_id": e.post.ServerID, "t": e.post.Date, "type": e.post.wireType(),
		},
		Content: counts(&e.post),
	}
}

// attach makes a connection the one that pushes go to: it answers the wish for that, and sends what is pending.
func (w *World) attach(c *conn, answer waBinary.Node) {
	w.withDevice(c.jid, func(d *device) {
		d.conn = c
		c.sendNode(answer)
		list := d.pending()
		n := len(list)
		if n > 0 {
			c.sendNode(info("offline_preview", waBinary.Attrs{"count": n, "message": n}))
		}
		for _, e := range list {
			c.push(e.Node)
		}
		c.sendNode(info("offline", waBinary.Attrs{"count": n}))
	})
}

func info(tag string, attrs waBinary.Attrs) waBinary.Node {
	return waBinary.Node{Tag: "ib", Attrs: waBinary.Attrs{"from": types.ServerJID}, Content: []waBinary.Node{{Tag: tag, Attrs: attrs}}}
}

func (w *World) detach(c *conn) {
	w.withDevice(c.jid, func(d *device) {
		if d.conn == c {
			d.conn, d.subs = nil, nil
		}
	})
}

// acknowledge takes a push off a device's queue.
func (w *World) acknowledge(jid types.JID, n *waBinary.Node) {
	id, _ := n.Attrs["id"].(string)
	to, _ := n.Attrs["to"].(types.JID)
	if _, failed := n.Attrs["error"]; failed {
		return
	}
	w.withDevice(jid, func(d *device) {
		for _, e := range d.open[id] {
			if e.From == to {
				d.done(e)
				return // not saved: a push that comes twice does no harm
			}
		}
	})
}

// mute ends or resumes pushes; what happens meanwhile is not pushed later.
func (w *World) mute(off bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.muted = off
}
