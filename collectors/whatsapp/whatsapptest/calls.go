package whatsapptest

import (
	"context"
	"strings"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

// Call is one thing that a client sent, answered or not.
//
// Kind is login, register, page or media for what is not a node, garbage for what cannot be read, and else tells the node: ping, media_conn,
// passive.active, encrypt.count, encrypt.set, mex.info, mex.subscribed, mex.follow, mex.unfollow, newsletter.messages,
// newsletter.message_updates, newsletter.live_updates, md.link_code_companion_reg, iq.result, iq.error, ack.message, ack.notification,
// receipt.view and so on: namespace and first child for a query, tag and class or type for the rest.
type Call struct {
	Kind    string
	Time    time.Time
	From    types.JID      // the device, when it is known
	Node    *waBinary.Node // nil for what is not a node
	Host    string         // of a web request
	Path    string         // of a web request, with its query
	Version string         // of the web client, at login
}

type callLog struct {
	calls   []Call
	count   map[string]int
	changed chan struct{} // closed and replaced with every call and every connection that ends
}

func (s *Server) note(c Call) {
	c.Time = time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.log.count == nil {
		s.log.count = map[string]int{}
	}
	s.log.calls = append(s.log.calls, c)
	if s.log.count[c.Kind]++; s.log.count[c.Kind] == 1 {
		tell(c.Kind)
	}
	s.log.wake()
}

func (l *callLog) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// mexKinds names the GraphQL queries, by the ids that the web and the desktop client use.
var mexKinds = map[string]string{
	"6563316087068696": "mex.info", "9779843322044422": "mex.info",
	"6388546374527196": "mex.subscribed",
	"9926858900719341": "mex.follow",
	"6392786840836363": "mex.unfollow", "8782612271820087": "mex.unfollow",
	"9800646650009898": "mex.subscribers", "25403502652570342": "mex.subscribers",
}

// kindOf names what a client sent.
func kindOf(n *waBinary.Node) string {
	if n.Tag != "iq" {
		return dotted(n.Tag, first(text(n, "class"), text(n, "type")))
	}
	typ, ns := text(n, "type"), text(n, "xmlns")
	if typ == "result" || typ == "error" {
		return dotted("iq", typ)
	}
	child := ""
	if list := n.GetChildren(); len(list) > 0 {
		child = list[0].Tag
		if ns == "w:mex" {
			q := text(&list[0], "query_id")
			return first(mexKinds[q], dotted("mex", q))
		}
	}
	switch ns {
	case "w:p":
		return "ping"
	case "w:m":
		return "media_conn"
	case "encrypt":
		if typ == "set" {
			return "encrypt.set"
		}
	}
	return dotted(ns, child)
}

func dotted(a, b string) string { return strings.Trim(a+"."+b, ".") }

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func text(n *waBinary.Node, attr string) string {
	s, _ := n.Attrs[attr].(string)
	return s
}

// Calls returns everything so far, in order of arrival.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.log.calls...)
}

// Kinds returns how often each kind of call came.
func (s *Server) Kinds() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := make(map[string]int, len(s.log.count))
	for k, n := range s.log.count {
		m[k] = n
	}
	return m
}

// CallCount returns how often a kind of call came; * counts all.
func (s *Server) CallCount(kind string) int {
	n, _ := s.callCount(kind)
	return n
}

func (s *Server) callCount(kind string) (int, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if kind == "*" {
		return len(s.log.calls), s.log.changed
	}
	return s.log.count[kind], s.log.changed
}

// WaitCalls returns when a kind of call has come at least n times since the start. A call counts when it arrives, so its answer may
// not be sent yet.
func (s *Server) WaitCalls(ctx context.Context, kind string, n int) error {
	for {
		have, changed := s.callCount(kind)
		if have >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Settle returns when every push that was sent over a connection which still lives has been acknowledged.
func (s *Server) Settle(ctx context.Context) error {
	for {
		_, changed := s.callCount("*")
		settled := true
		for _, c := range s.connections() {
			settled = settled && c.settled()
		}
		if settled {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
