package telegram

import (
	"strconv"

	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// peerRef names whoever stands behind a peer: an account for a channel or group, a pseudonym for a person.
func peerRef(p tg.PeerClass) *evidence.Ref {
	switch p := p.(type) {
	case *tg.PeerUser:
		return &evidence.Ref{Name: evidence.Private(platform, "user", strconv.FormatInt(p.UserID, 10))}
	case *tg.PeerChannel:
		return &evidence.Ref{Name: account(p.ChannelID)}
	case *tg.PeerChat:
		return &evidence.Ref{Name: evidence.Account(platform, "chat", strconv.FormatInt(p.ChatID, 10))}
	}
	return nil
}

func account(channel int64) evidence.Name {
	return evidence.Account(platform, "channel", strconv.FormatInt(channel, 10))
}

// author is whoever signed the post: the profile where the channel signs with profiles, else the bare name. A bare name is a
// pseudonym within this channel only, since equal names elsewhere need not be one person.
func (t *translator) author(m *tg.Message) *evidence.Ref {
	if m.FromID != nil && !t.ours(m.FromID) {
		return peerRef(m.FromID)
	}
	if m.PostAuthor != "" {
		return hidden("signature", strconv.FormatInt(t.channel, 10)+":"+m.PostAuthor)
	}
	return nil
}

func hidden(typ, name string) *evidence.Ref {
	return &evidence.Ref{Name: evidence.Private(platform, typ, valid(name))}
}
