package telegram_test

import (
	"net"
	"slices"
	"sync"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
)

// witness keeps what the platform told us, as it was sent: which text of which post, which post as missing, and when a channel's newest
// posts were shown. By it the check knows whether something that is not recorded was ever to be seen.
type witness struct {
	mu      sync.Mutex
	of      map[int64]*shown
	latency func() time.Duration
	cuts    []time.Time // ends of connections, ascending
}

// shown is what was told of one channel.
type shown struct {
	reads []arrival
	texts map[int]map[string][]arrival
	empty map[int][]arrival
}

// arrival is when an answer was made and when it reaches us unless the connection ends before.
type arrival struct{ at, there time.Time }

func newWitness() *witness { return &witness{of: map[int64]*shown{}} }

// answered is told every answer.
func (w *witness) answered(request any, answer bin.Encoder) {
	var id int64
	news := false
	switch q := request.(type) {
	case *tg.MessagesGetHistoryRequest:
		if p, ok := q.Peer.(*tg.InputPeerChannel); ok {
			id, news = p.ChannelID, q.OffsetID == 0
		}
	case *tg.ChannelsGetMessagesRequest:
		if c, ok := q.Channel.(*tg.InputChannel); ok {
			id = c.ChannelID
		}
	case *tg.UpdatesGetChannelDifferenceRequest:
		if c, ok := q.Channel.(*tg.InputChannel); ok {
			id, news = c.ChannelID, true
		}
	}
	if id == 0 {
		return
	}
	msgs := messagesIn(answer)
	w.mu.Lock()
	defer w.mu.Unlock()
	a := arrival{time.Now(), time.Now().Add(w.latency())}
	x := w.of[id]
	if x == nil {
		x = &shown{texts: map[int]map[string][]arrival{}, empty: map[int][]arrival{}}
		w.of[id] = x
	}
	if news {
		x.reads = append(x.reads, a)
	}
	for _, m := range msgs {
		x.add(m, a)
	}
}

func (x *shown) add(m tg.MessageClass, a arrival) {
	text := ""
	switch m := m.(type) {
	case *tg.MessageEmpty:
		x.empty[m.ID] = append(x.empty[m.ID], a)
		return
	case *tg.Message:
		text = m.Message
	}
	if x.texts[m.GetID()] == nil {
		x.texts[m.GetID()] = map[string][]arrival{}
	}
	x.texts[m.GetID()][text] = append(x.texts[m.GetID()][text], a)
}

// messagesIn reads an answer as a client does.
func messagesIn(answer bin.Encoder) []tg.MessageClass {
	var b bin.Buffer
	switch x := answer.(type) {
	case *tg.UpdatesChannelDifferenceEmpty:
		return nil
	case *tg.MessagesChannelMessages:
		if len(x.Messages) == 0 {
			return nil
		}
	}
	if err := answer.Encode(&b); err != nil {
		panic(err)
	}
	switch answer.(type) {
	case *tg.MessagesChannelMessages:
		v, err := tg.DecodeMessagesMessages(&b)
		if err != nil {
			panic(err)
		}
		return v.(*tg.MessagesChannelMessages).Messages
	case *tg.UpdatesChannelDifference:
		v, err := tg.DecodeUpdatesChannelDifference(&b)
		if err != nil {
			panic(err)
		}
		d := v.(*tg.UpdatesChannelDifference)
		msgs := slices.Clone(d.NewMessages)
		for _, u := range d.OtherUpdates {
			if e, ok := u.(*tg.UpdateEditChannelMessage); ok {
				msgs = append(msgs, e.Message)
			}
		}
		return msgs
	}
	return nil
}

// channel returns what was told of a channel.
func (w *witness) channel(id int64) *shown {
	w.mu.Lock()
	defer w.mu.Unlock()
	if x := w.of[id]; x != nil {
		return x
	}
	return &shown{}
}

// digestion is how long we may take to store what arrived.
const digestion = time.Second

// reached reports whether an answer got through: no connection ended while it was under way or had just arrived.
func (w *witness) reached(a arrival) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i, _ := slices.BinarySearchFunc(w.cuts, a.at, func(c, at time.Time) int { return c.Compare(at) })
	return i == len(w.cuts) || w.cuts[i].After(a.there.Add(digestion))
}

// first returns the first answer that got through.
func (w *witness) first(as []arrival) (arrival, bool) {
	for _, a := range as {
		if w.reached(a) {
			return a, true
		}
	}
	return arrival{}, false
}

// listening is a connection of ours whose end is noted.
type listening struct {
	net.Conn
	once sync.Once
	w    *witness
}

// Close implements net.Conn.
func (l *listening) Close() error {
	l.once.Do(func() {
		l.w.mu.Lock()
		defer l.w.mu.Unlock()
		l.w.cuts = append(l.w.cuts, time.Now())
	})
	return l.Conn.Close()
}
