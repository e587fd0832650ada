package telegramtest

import "github.com/gotd/td/tg"

// chat is the channel as it goes with every answer that speaks of it.
func (ch *Channel) chat() tg.ChatClass {
	p := ch.profile
	if p.Private {
		return &tg.ChannelForbidden{
			ID: p.ID, AccessHash: p.AccessHash, Title: p.Title, Broadcast: p.Kind == Broadcast, Megagroup: p.Kind != Broadcast,
		}
	}
	c := &tg.Channel{
		Left: true, ID: p.ID, AccessHash: p.AccessHash, Title: p.Title, Date: p.Date,
		Broadcast: p.Kind == Broadcast, Megagroup: p.Kind == Megagroup || p.Kind == Forum, Gigagroup: p.Kind == Gigagroup,
		Forum: p.Kind == Forum, Verified: p.Verified, Scam: p.Scam, Fake: p.Fake, Noforwards: p.NoForwards,
		Signatures: p.Signatures, HasLink: p.LinkedChat != 0, Restricted: len(p.Restriction) > 0,
		RestrictionReason: restrictions(p.Restriction), Photo: &tg.ChatPhotoEmpty{}, ParticipantsCount: p.Subscribers,
	}
	if len(p.Usernames) == 0 {
		c.Username = p.Username
	} else {
		for _, n := range p.names() {
			c.Usernames = append(c.Usernames, tg.Username{Username: n, Active: true, Editable: n == p.Username})
		}
	}
	if n := ch.storiesMax(); n > 0 {
		c.StoriesMaxID = tg.RecentStory{MaxID: n}
	}
	if p.Photo != nil {
		c.Photo = &tg.ChatPhoto{PhotoID: p.Photo.ID, DCID: ch.w.dc}
	}
	return c
}

func (ch *Channel) full() *tg.ChannelFull {
	p := ch.profile
	return &tg.ChannelFull{
		ID: p.ID, About: p.About, ParticipantsCount: p.Subscribers, ChatPhoto: ch.w.photo(p.Photo),
		LinkedChatID: p.LinkedChat, Pts: ch.pts, PinnedMsgID: ch.pinned(),
	}
}

// pinned is the newest pinned post's number.
func (ch *Channel) pinned() int {
	for i := len(ch.posts) - 1; i >= 0; i-- {
		if ch.posts[i].post.Pinned {
			return ch.posts[i].post.ID
		}
	}
	return 0
}

func (u *User) user() *tg.User {
	return &tg.User{
		ID: u.ID, AccessHash: u.AccessHash, Username: u.Username, FirstName: u.FirstName, LastName: u.LastName, Bot: u.Bot,
		BotInfoVersion: botVersion(u.Bot),
	}
}

// botVersion is 1 for a bot: the schema ties the flag and the number together.
func botVersion(bot bool) int {
	if bot {
		return 1
	}
	return 0
}

// others are the peers that posts speak of and that go with them: where they were forwarded from, whom they mention.
func (ch *Channel) others(entries []*entry) (chats []tg.ChatClass, users []tg.UserClass) {
	chats = []tg.ChatClass{ch.chat()}
	seen := map[int64]bool{ch.id: true}
	add := func(id int64) {
		if id == 0 || seen[id] {
			return
		}
		seen[id] = true
		if c := ch.w.channels[id]; c != nil {
			chats = append(chats, c.chat())
		}
		if u := ch.w.users[id]; u != nil {
			users = append(users, u.user())
		}
	}
	for _, e := range entries {
		if f := e.post.Forward; f != nil {
			add(f.Channel)
			add(f.User)
		}
		for _, n := range e.post.Entities {
			add(n.User)
		}
	}
	return chats, users
}
