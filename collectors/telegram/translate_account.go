package telegram

import (
	"slices"
	"strconv"

	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// snapshot translates a channel's public metadata.
func snapshot(ch *tg.Channel, full *tg.ChannelFull) *evidence.AccountSeen {
	title, bad1 := evidence.ValidText(ch.Title)
	about, bad2 := evidence.ValidText(full.About)
	a := &evidence.AccountSeen{
		Method:      evidence.MethodMTProto,
		Usernames:   usernames(ch),
		Title:       title,
		About:       about,
		InvalidUTF8: bad1 || bad2,
		CreatedAt:   date(ch.Date),
		Verified:    ch.Verified,
		Scam:        ch.Scam,
		Fake:        ch.Fake,
		Restriction: restrictions(ch.RestrictionReason),
		Subscribers: int64(full.ParticipantsCount),
	}
	if p, ok := full.ChatPhoto.(*tg.Photo); ok {
		a.PhotoID = strconv.FormatInt(p.ID, 10)
	}
	if full.LinkedChatID != 0 {
		a.LinkedChat = strconv.FormatInt(full.LinkedChatID, 10)
	}
	return a
}

// usernames lists a channel's active public names, the editable one first.
func usernames(ch *tg.Channel) []string {
	var out []string
	add := func(s string) {
		if s = valid(s); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	add(ch.Username)
	for _, u := range ch.Usernames {
		if u.Active {
			add(u.Username)
		}
	}
	return out
}

// refusal says why a resolved peer is not a public broadcast channel, or nothing where it is one.
func refusal(chats []tg.ChatClass, users []tg.UserClass, peer tg.PeerClass) (*tg.Channel, string) {
	switch p := peer.(type) {
	case *tg.PeerUser:
		for _, u := range users {
			if u, ok := u.(*tg.User); ok && u.ID == p.UserID && u.Bot {
				return nil, "the address is a bot's; only public broadcast channels are observed"
			}
		}
		return nil, "the address is a person's; only public broadcast channels are observed"
	case *tg.PeerChannel:
		for _, c := range chats {
			switch c := c.(type) {
			case *tg.Channel:
				if c.ID == p.ChannelID {
					return c, refuseChannel(c)
				}
			case *tg.ChannelForbidden:
				if c.ID == p.ChannelID && c.Broadcast {
					return nil, "the channel does not let our account in"
				}
			}
		}
	}
	return nil, "the address is a group's; only public broadcast channels are observed"
}

func refuseChannel(c *tg.Channel) string {
	const only = "; only public broadcast channels are observed"
	switch {
	case c.Megagroup:
		return "the address is a group's (supergroup)" + only
	case c.Forum:
		return "the address is a forum's" + only
	case c.Monoforum:
		return "the address is a channel's direct messages" + only
	case !c.Broadcast && c.Gigagroup:
		return "the address is a broadcast group's, whose members are listed" + only
	case !c.Broadcast:
		return "the address is not a broadcast channel's" + only
	case len(usernames(c)) == 0:
		return "the channel has no public address" + only
	}
	return ""
}
