package whatsapptest

import (
	"context"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

// query is an IQ that asks for an answer.
type query struct {
	conn *conn
	node *waBinary.Node
	kind string
	body *waBinary.Node // first child, or an empty node
}

// route answers a kind of query with the content of a result.
type route func(q *query) (any, *refused)

// refused is an error answer.
type refused struct {
	Trouble
}

func iqError(code int, text string) *refused { return &refused{Trouble{Code: code, Text: text}} }

func routeOf(kind string) route {
	switch kind {
	case "ping", "passive.passive":
		return func(*query) (any, *refused) { return nil, nil }
	case "passive.active":
		return active
	case "encrypt.count":
		return preKeyCount
	case "encrypt.set":
		return preKeySet
	case "media_conn":
		return mediaConn
	case "mex.info":
		return mexInfo
	case "mex.subscribed":
		return mexSubscribed
	case "mex.follow":
		return mexFollow(true)
	case "mex.unfollow":
		return mexFollow(false)
	case "newsletter.messages":
		return messages
	case "newsletter.message_updates":
		return messageUpdates
	case "newsletter.live_updates":
		return liveSubscribe
	case "md.link_code_companion_reg":
		return linkCode
	case "md.remove-companion-device":
		return removeDevice
	}
	return nil
}

// receive notes a node and answers it. What a client sends may be anything.
func (c *conn) receive(n *waBinary.Node) {
	kind := kindOf(n)
	if n.Tag == "ack" {
		c.acknowledged()
		c.s.world.acknowledge(c.jid, n)
	}
	c.s.note(Call{Kind: kind, From: c.jid, Node: n})
	switch {
	case kind == "iq.result", kind == "iq.error":
		if c.pair != nil {
			c.pair.signed(c, n)
		}
	case n.Tag == "iq":
		q := &query{conn: c, node: n, kind: kind, body: &waBinary.Node{}}
		if list := n.GetChildren(); len(list) > 0 {
			q.body = &list[0]
		}
		c.answer(q)
	}
}

func (c *conn) answer(q *query) {
	t := c.s.take(q.kind, q.channel())
	if t == nil {
		t = &Trouble{}
	}
	wait := t.Delay + c.s.latency()
	switch {
	case t.Cut || t.Stall || t.Garbage:
		c.after(wait, func() { c.spoil(t) })
		return
	case t.Code != 0:
		c.after(wait, func() { c.sendNode(q.failed(&refused{*t})) })
		return
	}
	r := q.serve()
	if t.Mangle != nil {
		t.Mangle(&r)
	}
	if len(encode(r)) > maxAnswer {
		r = q.failed(iqError(500, "internal-server-error"))
	}
	c.after(wait, func() {
		if q.kind == "passive.active" && !c.jid.IsEmpty() {
			c.s.world.attach(c, r)
			return
		}
		c.sendNode(r)
	})
}

func (c *conn) spoil(t *Trouble) {
	switch {
	case t.Garbage:
		c.send([]byte{0, 0xF8, 0xFF, 0x01, 0x02})
	case t.Cut:
		c.cut()
	}
}

// after runs f at once, or later while the server runs.
func (c *conn) after(d time.Duration, f func()) {
	if d <= 0 {
		f()
		return
	}
	_ = c.s.spawn(func(ctx context.Context) {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			f()
		case <-c.w.ctx.Done():
		case <-ctx.Done():
		}
	})
}

// serve makes the answer that there is without trouble.
func (q *query) serve() waBinary.Node {
	h := routeOf(q.kind)
	if h == nil {
		return q.failed(iqError(501, "feature-not-implemented"))
	}
	if q.conn.jid.IsEmpty() && q.kind != "md.link_code_companion_reg" && q.kind != "ping" {
		return q.failed(iqError(401, "not-authorized"))
	}
	content, bad := h(q)
	if bad != nil {
		return q.failed(bad)
	}
	return q.result(content)
}

func (q *query) result(content any) waBinary.Node { return q.reply("result", content) }

func (q *query) failed(r *refused) waBinary.Node {
	if r.GraphQL {
		return q.result([]waBinary.Node{mexResult(nil, map[string]any{
			"message": r.Text, "path": []string{"xwa2_newsletter"},
			"extensions": map[string]any{"error_code": r.Code, "is_retryable": r.Code == 429 || r.Code >= 500, "severity": "CRITICAL"},
		})})
	}
	return q.reply("error", []waBinary.Node{{Tag: "error", Attrs: waBinary.Attrs{"code": r.Code, "text": r.Text}}})
}

func (q *query) reply(typ string, content any) waBinary.Node {
	n := waBinary.Node{Tag: "iq", Attrs: waBinary.Attrs{"from": types.ServerJID, "type": typ, "id": text(q.node, "id")}}
	if to, ok := q.node.Attrs["to"].(types.JID); ok {
		n.Attrs["from"] = to
	}
	if list, ok := content.([]waBinary.Node); ok {
		n.Content = list
	}
	return n
}

func active(*query) (any, *refused) { return nil, nil }

func preKeyCount(q *query) (any, *refused) {
	n := 0
	q.conn.s.world.withDevice(q.conn.jid, func(d *device) { n = d.PreKeys })
	return []waBinary.Node{{Tag: "count", Attrs: waBinary.Attrs{"value": n}}}, nil
}

func preKeySet(q *query) (any, *refused) {
	list := q.node.GetChildByTag("list")
	n := len(list.GetChildrenByTag("key"))
	w := q.conn.s.world
	w.withDevice(q.conn.jid, func(d *device) {
		d.PreKeys += n
		w.save()
	})
	return nil, nil
}

func mediaConn(q *query) (any, *refused) {
	var hosts []waBinary.Node
	for _, h := range q.conn.s.opts.MediaHosts {
		hosts = append(hosts, waBinary.Node{Tag: "host", Attrs: waBinary.Attrs{"hostname": h}})
	}
	return []waBinary.Node{{
		Tag:     "media_conn",
		Attrs:   waBinary.Attrs{"auth": "loopback", "ttl": 3600, "auth_ttl": 3600, "max_buckets": 12},
		Content: hosts,
	}}, nil
}

func removeDevice(q *query) (any, *refused) {
	q.conn.s.world.Unlink(q.conn.jid)
	return nil, nil
}
