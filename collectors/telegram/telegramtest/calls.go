package telegramtest

import (
	"context"
	"slices"
	"time"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgtest"
)

// Call is one request that the server received, answered or not.
type Call struct {
	Method string // TL name, such as messages.getHistory
	Time   time.Time
}

type callLog struct {
	calls   []Call
	count   map[string]int
	parts   []PartCall
	changed chan struct{} // closed and replaced with every call
}

func (s *Server) note(name string) {
	s.opts.Ledger.Add(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.log.count == nil {
		s.log.count = map[string]int{}
	}
	s.log.calls = append(s.log.calls, Call{Method: name, Time: time.Now()})
	if s.log.count[name]++; s.log.count[name] == 1 {
		tell(name)
	}
	close(s.log.changed)
	s.log.changed = make(chan struct{})
}

// remember notes a session for pushes.
func (s *Server) remember(srv *tgtest.Server, k tgtest.Session, updates bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sessions[k.ID] == nil {
		s.sessions[k.ID] = &session{Session: k, srv: srv}
	}
	s.sessions[k.ID].updates = s.sessions[k.ID].updates || updates
}

// Calls returns every request so far, in order of arrival.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.log.calls...)
}

// CallCount returns how often a method was called; * counts all methods.
func (s *Server) CallCount(method string) int {
	n, _ := s.callCount(method)
	return n
}

func (s *Server) callCount(method string) (int, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if method == "*" {
		return len(s.log.calls), s.log.changed
	}
	return s.log.count[method], s.log.changed
}

// WaitCalls returns when a method has been called at least n times since the start. A call counts when it arrives, so its answer may
// not be sent yet.
func (s *Server) WaitCalls(ctx context.Context, method string, n int) error {
	for {
		have, changed := s.callCount(method)
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

// Device is what a client said of itself when it connected.
type Device struct {
	Model, System, AppVersion, Language string
}

func (s *Server) noteDevice(q *tg.InitConnectionRequest) {
	if q == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.device = Device{q.DeviceModel, q.SystemVersion, q.AppVersion, q.LangCode}
}

// LastDevice returns what the client said of itself that connected last.
func (s *Server) LastDevice() Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.device
}

// Strangers returns the methods that were called and are in none of the lists, in order.
func (s *Server) Strangers(allowed ...[]string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for m := range s.log.count {
		if !slices.Contains(slices.Concat(allowed...), m) {
			out = append(out, m)
		}
	}
	slices.Sort(out)
	return out
}
