package telegram

import (
	"context"

	"github.com/gotd/td/tg"
)

// hint wakes the pollers of the channels that a push is about. Its content is not used: pushes are incomplete by design, and the
// difference brings the same with its position.
func (r *run) hint(_ context.Context, u tg.UpdatesClass) error {
	var updates []tg.UpdateClass
	switch u := u.(type) {
	case *tg.Updates:
		updates = u.Updates
	case *tg.UpdatesCombined:
		updates = u.Updates
	case *tg.UpdateShort:
		updates = []tg.UpdateClass{u.Update}
	default:
		r.wake(0)
		return nil
	}
	for _, u := range updates {
		if id := hinted(u); id != 0 {
			r.wake(id)
		}
	}
	return nil
}

func hinted(u tg.UpdateClass) int64 {
	peer := func(m tg.MessageClass) int64 {
		if m, ok := m.(interface{ GetPeerID() tg.PeerClass }); ok {
			if p, ok := m.GetPeerID().(*tg.PeerChannel); ok {
				return p.ChannelID
			}
		}
		return 0
	}
	switch u := u.(type) {
	case *tg.UpdateNewChannelMessage:
		return peer(u.Message)
	case *tg.UpdateEditChannelMessage:
		return peer(u.Message)
	case interface{ GetChannelID() int64 }:
		return u.GetChannelID()
	}
	return 0
}

// wake tells one poller, or all for channel 0, that there may be news.
func (r *run) wake(channel int64) {
	for _, w := range r.listeners(channel) {
		w.hurry()
	}
}

func (r *run) listeners(channel int64) []*watch {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []*watch
	for id, w := range r.hints {
		if channel == 0 || id == channel {
			out = append(out, w)
		}
	}
	return out
}
