package whatsapptest

import (
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
)

// script is the trouble that the server plays.
type script struct {
	troubles []*trouble
	latency  time.Duration
	page     int // history page limit, 0 for the platform's
	order    Order
	refusal  Refusal
	refusals int // logins still to be refused; negative without end
}

// Order is how a page of history is sorted.
type Order string

// The orders of a page. The platform promises none.
const (
	Ascending  Order = ""
	Descending Order = "descending"
	Shuffled   Order = "shuffled"
)

// Trouble is what happens to a call instead of, or on top of, the answer that it would get.
type Trouble struct {
	Code    int                  // an IQ error with this code …
	Text    string               // … and text
	GraphQL bool                 // as an error within a mex result, where Code is the error_code
	Mangle  func(*waBinary.Node) // changes the answer
	Garbage bool                 // a frame that opens and is no node, and no answer
	Stall   bool                 // no answer, while the connection lives
	Cut     bool                 // the connection is cut instead of the answer
	Delay   time.Duration        // before whatever else happens
}

type trouble struct {
	Trouble
	kind    string // * is every query
	channel string // "" is every channel
	left    int
}

// Flood answers the next calls of a kind with IQ error 429 rate-overlimit.
func (s *Server) Flood(kind string, times int, on ...*Channel) {
	s.Fail(kind, Trouble{Code: 429, Text: "rate-overlimit"}, times, on...)
}

// Fail plans trouble for the next calls of a kind, see Call; * stands for all queries. With channels, only calls about them count.
func (s *Server) Fail(kind string, t Trouble, times int, on ...*Channel) {
	var ids []string
	for _, ch := range on {
		ids = append(ids, ch.JID().User)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(on) == 0 {
		ids = []string{""}
	}
	for _, id := range ids {
		s.script.troubles = append(s.script.troubles, &trouble{Trouble: t, kind: kind, channel: id, left: times})
	}
}

// EachMessage is a Mangle that changes every message element of an answer.
func EachMessage(change func(*waBinary.Node)) func(*waBinary.Node) {
	var walk func(n *waBinary.Node)
	walk = func(n *waBinary.Node) {
		if n.Tag == "message" {
			change(n)
			return
		}
		for i := range n.GetChildren() {
			walk(&n.GetChildren()[i])
		}
	}
	return walk
}

// WithoutAttr is a Mangle that takes attributes off every message element.
func WithoutAttr(names ...string) func(*waBinary.Node) {
	return EachMessage(func(n *waBinary.Node) {
		for _, a := range names {
			delete(n.Attrs, a)
		}
	})
}

// WithoutContent is a Mangle that leaves an answer empty.
func WithoutContent(n *waBinary.Node) { n.Content = nil }

// Pending returns how many calls the script still has trouble for.
func (s *Server) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := max(s.script.refusals, 0)
	for _, t := range s.script.troubles {
		n += t.left
	}
	return n
}

// Calm takes back all trouble that did not happen yet, refusals, latency, page limit and order, and the silence of pushes. Tampered
// media stays tampered.
func (s *Server) Calm() {
	s.PushOff(false)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = script{}
}

// Latency delays every answer; zero ends it.
func (s *Server) Latency(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script.latency = d
}

// SetPageLimit caps pages of history at n messages; zero restores 300.
func (s *Server) SetPageLimit(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script.page = n
}

// SetOrder sorts pages of history.
func (s *Server) SetOrder(o Order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script.order = o
}

// PushOff stops pushes; what happens meanwhile is not pushed later.
func (s *Server) PushOff(off bool) { s.world.mute(off) }

// take uses up the first trouble that fits a call.
func (s *Server) take(kind, channel string) *Trouble {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.script.troubles {
		if t.left > 0 && (t.kind == "*" || t.kind == kind) && (t.channel == "" || t.channel == channel) {
			t.left--
			return &t.Trouble
		}
	}
	return nil
}

func (s *Server) latency() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.script.latency
}

func (s *Server) pages() (limit int, order Order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit = pageSize
	if s.script.page > 0 {
		limit = min(limit, s.script.page)
	}
	return limit, s.script.order
}
