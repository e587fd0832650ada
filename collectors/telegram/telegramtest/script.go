package telegramtest

import (
	"strconv"
	"time"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// script is the trouble that the server plays.
type script struct {
	troubles []*trouble
	latency  time.Duration
	tooLong  map[int64]bool
	page     int // history page limit, 0 for the platform's
	short    bool
	gzip     bool
	skew     time.Duration

	bend func(PartCall, []byte) []byte // of files
	cdn  cdnScript

	tokenLife time.Duration // of QR codes, 0 for the platform's
}

// trouble happens to the next calls of a method and is used up by them.
type trouble struct {
	method  string // * is every method
	channel int64  // 0 is every channel
	left    int
	err     *tgerr.Error
	silent  bool // acknowledge and never answer
	cut     bool // and cut the connection
	mangle  func([]byte) []byte
}

// Flood answers the next calls of a method with FLOOD_WAIT of a number of seconds, as many times as said. Method * stands for all;
// with channels, only calls about them count.
func (s *Server) Flood(method string, seconds, times int, on ...*Channel) {
	s.Fail(method, 420, "FLOOD_WAIT_"+strconv.Itoa(seconds), times, on...)
}

// Fail answers the next calls of a method with an RPC error, such as 400 CHANNEL_PRIVATE or 420 FROZEN_METHOD_INVALID.
func (s *Server) Fail(method string, code int, typ string, times int, on ...*Channel) {
	s.plan(trouble{method: method, left: times, err: tgerr.New(code, typ)}, on)
}

// DropAfter takes the next call of a method, acknowledges it, and cuts the connection before the answer: the client neither gets
// an answer nor sends the call again.
func (s *Server) DropAfter(method string, on ...*Channel) {
	s.plan(trouble{method: method, left: 1, silent: true, cut: true}, on)
}

// Stall acknowledges the next calls of a method and never answers them, while the connection lives.
func (s *Server) Stall(method string, times int, on ...*Channel) {
	s.plan(trouble{method: method, left: times, silent: true}, on)
}

// Mangle changes the bytes of the next answers to a method: what f returns is sent in place of the TL value.
func (s *Server) Mangle(method string, times int, f func(reply []byte) []byte, on ...*Channel) {
	s.plan(trouble{method: method, left: times, mangle: f}, on)
}

// Pending returns how many calls the script still has trouble for.
func (s *Server) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.script.tooLong)
	for _, t := range s.script.troubles {
		n += t.left
	}
	return n
}

// Calm takes back all trouble that did not happen yet, and latency, skew, compression, page limits and the
// silence of pushes.
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

// Skew sets the platform's clock ahead of ours, as help.getConfig, updates.getState and updates.getDifference tell it. Message ids
// keep the true time, without which no client would talk to the server.
func (s *Server) Skew(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script.skew = d
}

func (s *Server) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.script.skew)
}

// ExpireFileReferences makes every file reference that was given out so far invalid.
func (s *Server) ExpireFileReferences() { s.world.ExpireFileReferences() }

// TooLong makes the next updates.getChannelDifference of a channel answer channelDifferenceTooLong.
func (s *Server) TooLong(ch *Channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.script.tooLong == nil {
		s.script.tooLong = map[int64]bool{}
	}
	s.script.tooLong[ch.id] = true
}

// SetPageLimit caps pages of history and of differences at n messages; zero restores the platform's 100.
func (s *Server) SetPageLimit(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script.page = n
}

// ShortPages makes pages of history one message shorter than asked, without being the last.
func (s *Server) ShortPages(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script.short = on
}

// Compress packs every answer with gzip, as the platform does with large ones.
func (s *Server) Compress(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script.gzip = on
}

// PushOff stops pushing updates; what happens meanwhile is not pushed later.
func (s *Server) PushOff(off bool) { s.world.mute(s.feed, off) }

func (s *Server) plan(t trouble, on []*Channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(on) == 0 {
		s.script.troubles = append(s.script.troubles, &t)
	}
	for _, ch := range on {
		c := t
		c.channel = ch.id
		s.script.troubles = append(s.script.troubles, &c)
	}
}

// trouble uses up the first trouble that fits a call.
func (s *Server) trouble(method string, channel int64) *trouble {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.script.troubles {
		if t.left > 0 && (t.method == "*" || t.method == method) && (t.channel == 0 || t.channel == channel) {
			t.left--
			return t
		}
	}
	return nil
}

// delivery is how answers travel now.
func (s *Server) delivery() (latency time.Duration, gzip bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.script.latency, s.script.gzip
}

func (s *Server) takeTooLong(id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	planned := s.script.tooLong[id]
	delete(s.script.tooLong, id)
	return planned
}

// pageLimit turns the limit that a client asks for into the one that it gets.
func (s *Server) pageLimit(asked int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := pageSize
	if s.script.page > 0 && s.script.page < n {
		n = s.script.page
	}
	if asked > 0 && asked < n {
		n = asked
	}
	if s.script.short && n > 1 {
		n--
	}
	return n
}

// channelID finds the channel that a request is about; 0 when it is about none.
func (s *Server) channelID(q any) int64 {
	switch q := q.(type) {
	case interface{ GetChannel() tg.InputChannelClass }:
		if c, ok := q.GetChannel().(*tg.InputChannel); ok {
			return c.ChannelID
		}
	case interface{ GetPeer() tg.InputPeerClass }:
		if c, ok := q.GetPeer().(*tg.InputPeerChannel); ok {
			return c.ChannelID
		}
	case *tg.ContactsResolveUsernameRequest:
		if ch := s.world.Channel(q.Username); ch != nil {
			return ch.id
		}
	}
	return 0
}
