package whatsapptest

import (
	"slices"
	"strconv"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
)

// End is how the server ends a session.
type End string

// The ends of a session, and what the client library makes of them.
const (
	Unavailable   End = "503"     // Disconnected, connects again
	Replaced      End = "replace" // StreamReplaced, stays down
	DeviceRemoved End = "removed" // LoggedOut, deletes its store; the device is unlinked
	Reconnect     End = "515"     // connects again
	Cut           End = "cut"     // the TCP connection alone: Disconnected, connects again
)

func (e End) node() waBinary.Node {
	conflict := func(code, typ string) waBinary.Node {
		return waBinary.Node{Tag: "stream:error", Attrs: waBinary.Attrs{"code": code}, Content: []waBinary.Node{
			{Tag: "conflict", Attrs: waBinary.Attrs{"type": typ}},
		}}
	}
	switch e {
	case Replaced:
		return conflict("", "replaced")
	case DeviceRemoved:
		return conflict("401", "device_removed")
	}
	return waBinary.Node{Tag: "stream:error", Attrs: waBinary.Attrs{"code": string(e)}}
}

// End ends the sessions of accounts, of all when none is named, and returns how many there were.
func (s *Server) End(e End, phones ...string) int {
	n := 0
	for _, c := range s.connections() {
		jid := c.device()
		if jid.IsEmpty() || len(phones) > 0 && !slices.Contains(phones, jid.User) {
			continue
		}
		n++
		switch e {
		case Cut:
			c.cut()
		case Reconnect:
			c.sendNode(e.node()) // the client goes by itself
		case DeviceRemoved:
			s.world.Unlink(jid)
			c.dismiss(e.node())
		case Replaced:
			c.dismiss(e.node())
		default:
			c.end(e.node())
		}
	}
	return n
}

// Refusal is a failure at login. 401, 403 and 406 unlink the device; 402 is a temporary ban; 405 an outdated client; 500 and
// 503 let the client try again.
type Refusal struct {
	Reason int
	Code   int           // of 402, such as 101
	Expire time.Duration // of 402
}

// Refuse answers the next logins and registrations with a failure, as many times as said, without end when times is negative.
func (s *Server) Refuse(r Refusal, times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script.refusal, s.script.refusals = r, times
}

func (s *Server) refusal() *Refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.script.refusals == 0 {
		return nil
	}
	if s.script.refusals > 0 {
		s.script.refusals--
	}
	r := s.script.refusal
	return &r
}

func (r Refusal) unlinks() bool { return r.Reason == 401 || r.Reason == 403 || r.Reason == 406 }

func (r Refusal) node() waBinary.Node {
	attrs := waBinary.Attrs{"reason": strconv.Itoa(r.Reason), "location": "lo"}
	if r.Reason == 402 {
		attrs["code"], attrs["expire"] = strconv.Itoa(r.Code), strconv.Itoa(int(r.Expire/time.Second))
	}
	return waBinary.Node{Tag: "failure", Attrs: attrs}
}
