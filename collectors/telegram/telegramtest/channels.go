package telegramtest

import (
	"regexp"
	"strings"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

var username = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{3,31}$`)

func (s *Server) resolveUsername(_ caller, q *tg.ContactsResolveUsernameRequest) (bin.Encoder, error) {
	if !username.MatchString(q.Username) {
		return nil, tgerr.New(400, "USERNAME_INVALID")
	}
	w := s.world
	w.mu.Lock()
	defer w.mu.Unlock()
	id := w.names[strings.ToLower(q.Username)]
	if ch := w.channels[id]; ch != nil {
		return &tg.ContactsResolvedPeer{Peer: &tg.PeerChannel{ChannelID: id}, Chats: []tg.ChatClass{ch.chat()}}, nil
	}
	if u := w.users[id]; u != nil {
		return &tg.ContactsResolvedPeer{Peer: &tg.PeerUser{UserID: id}, Users: []tg.UserClass{u.user()}}, nil
	}
	return nil, tgerr.New(400, "USERNAME_NOT_OCCUPIED")
}

// known finds a channel by id and access hash, private or not. The caller holds the world's mutex.
func (w *World) known(id, hash int64) (*Channel, error) {
	ch := w.channels[id]
	if ch == nil || ch.profile.AccessHash != hash || ch.profile.Gone {
		return nil, tgerr.New(400, "CHANNEL_INVALID")
	}
	return ch, nil
}

// visible finds a channel whose content may be read.
func (w *World) visible(in any) (*Channel, error) {
	var id, hash int64
	switch in := in.(type) {
	case *tg.InputChannel:
		id, hash = in.ChannelID, in.AccessHash
	case *tg.InputPeerChannel:
		id, hash = in.ChannelID, in.AccessHash
	default:
		return nil, tgerr.New(400, "PEER_ID_INVALID")
	}
	ch, err := w.known(id, hash)
	if err != nil {
		return nil, err
	}
	if ch.profile.Private {
		return nil, tgerr.New(400, "CHANNEL_PRIVATE")
	}
	return ch, nil
}

func (s *Server) getChannels(_ caller, q *tg.ChannelsGetChannelsRequest) (bin.Encoder, error) {
	w := s.world
	w.mu.Lock()
	defer w.mu.Unlock()
	out := &tg.MessagesChats{}
	for _, in := range q.ID {
		c, ok := in.(*tg.InputChannel)
		if !ok {
			return nil, tgerr.New(400, "CHANNEL_INVALID")
		}
		ch, err := w.known(c.ChannelID, c.AccessHash)
		if err != nil {
			return nil, err
		}
		out.Chats = append(out.Chats, ch.chat())
	}
	return out, nil
}

func (s *Server) getFullChannel(_ caller, q *tg.ChannelsGetFullChannelRequest) (bin.Encoder, error) {
	w := s.world
	w.mu.Lock()
	defer w.mu.Unlock()
	ch, err := w.visible(q.Channel)
	if err != nil {
		return nil, err
	}
	chats := []tg.ChatClass{ch.chat()}
	if linked := w.channels[ch.profile.LinkedChat]; linked != nil {
		chats = append(chats, linked.chat())
	}
	return &tg.MessagesChatFull{FullChat: ch.full(), Chats: chats}, nil
}

// maxIDs is how many messages may be asked for by number at once.
const maxIDs = 100

func (s *Server) getMessages(_ caller, q *tg.ChannelsGetMessagesRequest) (bin.Encoder, error) {
	w := s.world
	w.mu.Lock()
	defer w.mu.Unlock()
	ch, err := w.visible(q.Channel)
	if err != nil {
		return nil, err
	}
	if len(q.ID) == 0 {
		return nil, tgerr.New(400, "MESSAGE_IDS_EMPTY")
	}
	if len(q.ID) > maxIDs {
		return nil, tgerr.New(400, "LIMIT_INVALID")
	}
	out := &tg.MessagesChannelMessages{Pts: ch.pts, Count: len(q.ID)}
	var about []*entry
	for _, in := range q.ID {
		m, ok := in.(*tg.InputMessageID)
		if !ok {
			return nil, tgerr.New(400, "MSG_ID_INVALID")
		}
		var found []*entry
		if ch.profile.Hidden == HideNothing {
			found = ch.entries([]int{m.ID})
		}
		if len(found) == 0 {
			out.Messages = append(out.Messages, &tg.MessageEmpty{ID: m.ID, PeerID: &tg.PeerChannel{ChannelID: ch.id}})
			continue
		}
		about = append(about, found...)
		out.Messages = append(out.Messages, ch.encode(found[0]))
	}
	out.Chats, out.Users = ch.others(about)
	return out, nil
}
