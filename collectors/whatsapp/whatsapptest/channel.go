package whatsapptest

import (
	"slices"

	"go.mau.fi/whatsmeow/types"
)

// State is whether the platform shows a channel.
type State string

// The states that the platform tells of.
const (
	Active       State = "ACTIVE"
	Suspended    State = "SUSPENDED"
	GeoSuspended State = "GEOSUSPENDED"
)

// Profile is a channel's metadata. ID, Invite, State and Created are assigned when empty.
type Profile struct {
	ID          string // the JID's user part, digits
	Invite      string // the code behind whatsapp.com/channel/
	Name        string
	Description string
	State       State
	Created     int64 // Unix seconds
	Verified    bool
	Followers   int
	Picture     *Media
	Gone        bool // deleted: neither its id nor its invite code is known any more
	// Renamed and Described are when name and description changed last, in microseconds since 1970.
	Renamed, Described int64
}

// firstPost is the number of a channel's first post.
const firstPost = 100

// Channel is one channel of a world.
type Channel struct {
	w *World

	// Guarded by the world's mutex.
	profile Profile
	posts   []*entry // by ascending server id
	next    int      // the last server id given
}

// entry is a post and its plaintext, made when it is first needed.
type entry struct {
	post Post
	raw  []byte
}

// JID returns the channel's id.
func (ch *Channel) JID() types.JID {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	return ch.jid()
}

func (ch *Channel) jid() types.JID { return types.NewJID(ch.profile.ID, types.NewsletterServer) }

// Profile returns the metadata as it is now.
func (ch *Channel) Profile() Profile {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	return ch.profile
}

// Link returns the invite link as people pass it on.
func (ch *Channel) Link() string { return "https://whatsapp.com/channel/" + ch.Profile().Invite }

// Posts returns copies of the posts that history shows, deleted ones included, by ascending number.
func (ch *Channel) Posts() []Post {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	all := make([]Post, len(ch.posts))
	for i, e := range ch.posts {
		all[i] = e.post.clone()
	}
	return all
}

// Post adds a post, pushes it to the channel's followers, and returns its server id.
func (ch *Channel) Post(p Post) int {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	e := ch.add(p)
	ch.w.save()
	ch.push(e)
	return e.post.ServerID
}

// Fill adds n posts made by post for i from 0 to n-1, without pushes. It is how a long history is made cheaply.
func (ch *Channel) Fill(n int, post func(i int) Post) {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	ch.posts = slices.Grow(ch.posts, n)
	for i := range n {
		ch.add(post(i))
	}
	ch.w.save()
}

// Edit changes a post, dates the edit and pushes it as edit "3". It panics when the post is not there.
func (ch *Channel) Edit(id int, change func(*Post)) { ch.edit(id, change, true, true) }

// EditSilently changes a post of whose edit no push tells.
func (ch *Channel) EditSilently(id int, change func(*Post)) { ch.edit(id, change, true, false) }

// Count changes counters of a post, without an edit date and without a push.
func (ch *Channel) Count(id int, change func(*Post)) { ch.edit(id, change, false, false) }

// Delete deletes posts for everyone: each is pushed as edit "8" in one of the wire forms, and history shows it in the same form.
func (ch *Channel) Delete(form Deletion, ids ...int) { ch.erase(form, ids, true) }

// DeleteSilently deletes posts of whose deletion no push tells; history shows it.
func (ch *Channel) DeleteSilently(form Deletion, ids ...int) { ch.erase(form, ids, false) }

// Vanish removes posts from history, without a trace and without a push.
func (ch *Channel) Vanish(ids ...int) {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	ch.posts = slices.DeleteFunc(ch.posts, func(e *entry) bool { return slices.Contains(ids, e.post.ServerID) })
	ch.w.save()
}

// Tamper changes how a post's file is served.
func (ch *Channel) Tamper(id int, t Tamper) {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	m := ch.mustFind(id).post.Media
	if m == nil {
		panic("whatsapptest: a post without a file to tamper with")
	}
	m.Tamper = t
	ch.w.save()
}

func (ch *Channel) add(p Post) *entry {
	p = p.clone()
	if p.ServerID == 0 {
		p.ServerID = ch.next + 1
	}
	if p.ServerID <= ch.next {
		panic("whatsapptest: server ids only rise")
	}
	if len(p.Raw) > maxAnswer/2 {
		panic("whatsapptest: a post that fits into no frame")
	}
	ch.next = p.ServerID
	if p.MessageID == "" {
		p.MessageID = messageID(ch.w.newID())
	}
	if p.Date == 0 {
		p.Date = ch.w.now().Unix()
	}
	ch.w.adopt(p.Media)
	e := &entry{post: p}
	ch.posts = append(ch.posts, e)
	return e
}

func (ch *Channel) edit(id int, change func(*Post), dated, push bool) {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	e := ch.mustFind(id)
	p := e.post.clone()
	change(&p)
	p.ServerID = id
	if dated && p.EditMS == e.post.EditMS {
		p.EditMS = ch.w.now().UnixMilli()
	}
	if e.post.Media != nil && p.Media != nil && e.post.Media.ID == p.Media.ID {
		p.Media = e.post.Media // a changed file is a new Media
	}
	ch.w.adopt(p.Media)
	e.post, e.raw = p, nil
	ch.w.save()
	if push {
		ch.push(e)
	}
}

func (ch *Channel) erase(form Deletion, ids []int, push bool) {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	var erased []*entry
	for _, id := range ids {
		e := ch.mustFind(id)
		old := e.post
		e.post = Post{ServerID: old.ServerID, MessageID: old.MessageID, Date: old.Date, EditMS: ch.w.now().UnixMilli(), Deleted: form}
		e.raw = nil
		erased = append(erased, e)
	}
	ch.w.save()
	for _, e := range erased {
		if push {
			ch.push(e)
		}
	}
}

// find returns the position of a post, or where it would be.
func (ch *Channel) find(id int) (int, bool) {
	return slices.BinarySearchFunc(ch.posts, id, func(e *entry, id int) int { return e.post.ServerID - id })
}

func (ch *Channel) mustFind(id int) *entry {
	i, ok := ch.find(id)
	if !ok {
		panic("whatsapptest: no such post")
	}
	return ch.posts[i]
}
