package telegramtest

import (
	"slices"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// Members returns how many accounts of ours are in the channel: one a login.
func (s *Server) Members(ch *Channel) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.joined[ch.id])
}

func (s *Server) joinChannel(by caller, q *tg.ChannelsJoinChannelRequest) (bin.Encoder, error) {
	ch, err := s.visible(q.Channel)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.joined[ch.id], by.key) {
		return nil, tgerr.New(400, "USER_ALREADY_PARTICIPANT")
	}
	if s.joined == nil {
		s.joined = map[int64][][8]byte{}
	}
	s.joined[ch.id] = append(s.joined[ch.id], by.key)
	return &tg.MessagesChatInviteJoinResultOk{Updates: &tg.Updates{Date: s.world.unix()}}, nil
}

func (s *Server) leaveChannel(by caller, q *tg.ChannelsLeaveChannelRequest) (bin.Encoder, error) {
	ch, err := s.visible(q.Channel)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.joined[ch.id], by.key) {
		return nil, tgerr.New(400, "USER_NOT_PARTICIPANT")
	}
	s.joined[ch.id] = slices.DeleteFunc(s.joined[ch.id], func(k [8]byte) bool { return k == by.key })
	return &tg.Updates{Date: s.world.unix()}, nil
}

func (s *Server) visible(in any) (*Channel, error) {
	w := s.world
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.visible(in)
}
