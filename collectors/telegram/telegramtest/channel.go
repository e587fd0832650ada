package telegramtest

import (
	"slices"
	"strings"
)

// Kind is what a channel is.
type Kind string

// The kinds of channel. Everything but Broadcast is for tests of refusal: it answers like a channel, without members and topics.
const (
	Broadcast Kind = "broadcast"
	Megagroup Kind = "megagroup"
	Forum     Kind = "forum"
	Gigagroup Kind = "gigagroup"
)

// Profile is a channel's metadata. ID and AccessHash are assigned when zero.
type Profile struct {
	ID          int64
	AccessHash  int64
	Kind        Kind     // Broadcast when empty
	Username    string   // without @; empty for none
	Usernames   []string // further active ones; with any, the wire carries the list instead of the single name
	Title       string
	About       string
	Date        int // of creation, Unix seconds, UTC
	Verified    bool
	Scam        bool
	Fake        bool
	NoForwards  bool
	Signatures  bool
	Restriction []Restriction
	Photo       *Photo
	Subscribers int
	LinkedChat  int64
	Private     bool // no longer visible: CHANNEL_PRIVATE, channelForbidden
	Gone        bool // no longer there: CHANNEL_INVALID
	Hidden      Hiding
}

func (p Profile) names() []string {
	var names []string
	if p.Username != "" {
		names = append(names, p.Username)
	}
	return append(names, p.Usernames...)
}

// Channel is one channel of a world.
type Channel struct {
	w  *World
	id int64

	// Guarded by the world's mutex.
	profile Profile
	pts     int
	floor   int // a difference from an older pts than this is too long
	events  []event
	posts   []*entry // by ascending id
	next    int      // the last id given
	stories []Story
	asked   [2]int            // the first and the highest pts after which a client asked for changes
	deep    int               // how many posts are made on demand
	make    func(id int) Post // nil where none are
}

// entry is a post and its encoding, made when it is first needed.
type entry struct {
	post Post
	raw  []byte
	refs int // generation of the file references within raw
}

type eventKind int

const (
	eventNew eventKind = iota
	eventEdit
	eventDelete
)

// event is one step of a channel's log: pts is the channel's afterwards.
type event struct {
	Pts, Count int
	Kind       eventKind
	IDs        []int
}

// keptEvents is how far back a channel's log reaches; the platform too forgets, and then answers channelDifferenceTooLong.
const keptEvents = 5000

// ID returns the channel's bare id.
func (ch *Channel) ID() int64 { return ch.id }

// Profile returns the metadata as it is now.
func (ch *Channel) Profile() Profile {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	return ch.profile
}

// Pts returns the number of the channel's last event.
func (ch *Channel) Pts() int {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	return ch.pts
}

// Confirmed returns the first and the highest pts after which a client asked for changes: what came after the first, up to the highest, it
// says that it has. What came before the first it has to read as history.
func (ch *Channel) Confirmed() (after, upTo int) {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	return ch.asked[0], ch.asked[1]
}

// Posts returns copies of the posts that are there, by ascending id.
func (ch *Channel) Posts() []Post {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	all := make([]Post, len(ch.posts))
	for i, e := range ch.posts {
		all[i] = e.post.clone()
	}
	return all
}

// Post adds a message and returns its id.
func (ch *Channel) Post(p Post) int {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	e := ch.add(p)
	ch.record(eventNew, []int{e.post.ID})
	return e.post.ID
}

// Fill adds n messages made by post for i from 0 to n-1, without updates: a difference from before is too long. It is how a long
// history is made cheaply.
func (ch *Channel) Fill(n int, post func(i int) Post) {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	ch.posts = slices.Grow(ch.posts, n)
	for i := range n {
		ch.encode(ch.add(post(i)))
	}
	ch.pts += n
	ch.events, ch.floor = nil, ch.pts
	ch.w.save()
}

// Edit changes a message and dates the edit. It panics when the message is not there.
func (ch *Channel) Edit(id int, change func(*Post)) {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	ch.edit(id, change, true)
	ch.record(eventEdit, []int{id})
}

// EditSilently changes a message of which no update tells, dating the edit: what the platform fails to deliver.
func (ch *Channel) EditSilently(id int, change func(*Post)) {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	ch.edit(id, change, true)
	ch.w.save()
}

// Count changes counters of a message, without an edit date and without an update.
func (ch *Channel) Count(id int, change func(*Post)) {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	ch.edit(id, change, false)
	ch.w.save()
}

// Delete removes messages, in one event. Numbers that are not there are announced all the same, as the platform does.
func (ch *Channel) Delete(ids ...int) {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	ch.remove(ids)
	ch.record(eventDelete, slices.Clone(ids))
}

// DeleteSilently removes messages of whose removal no update tells.
func (ch *Channel) DeleteSilently(ids ...int) {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	ch.remove(ids)
	ch.w.save()
}

// Change changes the metadata but for the id; the access hash may change, and then the old one is invalid.
func (ch *Channel) Change(change func(*Profile)) {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	for _, n := range ch.profile.names() {
		delete(ch.w.names, strings.ToLower(n))
	}
	change(&ch.profile)
	ch.profile.ID = ch.id
	for _, n := range ch.profile.names() {
		ch.w.claim(n, ch.id)
	}
	ch.w.adopt(ch.profile.Photo)
	ch.w.save()
	ch.w.publish(ch.announce())
}

// Rename changes the username; an empty one leaves the channel without.
func (ch *Channel) Rename(username string) { ch.Change(func(p *Profile) { p.Username = username }) }

// Retitle changes the title, and says so in a service message, as the platform does.
func (ch *Channel) Retitle(title string) {
	ch.Change(func(p *Profile) { p.Title = title })
	ch.Post(Post{Action: &Action{Type: "title", Detail: title}})
}

// PushTooLong tells connected sessions that the channel moved too far for single updates, without anything having happened.
func (ch *Channel) PushTooLong() {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	ch.w.publish(ch.tooLongUpdate())
}

// Forget drops the channel's event log: a difference from an older pts is too long from now on.
func (ch *Channel) Forget() {
	ch.w.mu.Lock()
	defer ch.w.mu.Unlock()
	ch.events, ch.floor = nil, ch.pts
	ch.w.save()
}

func (ch *Channel) add(p Post) *entry {
	p = p.clone()
	if p.ID == 0 {
		p.ID = ch.next + 1
	}
	if p.ID <= ch.next {
		panic("telegramtest: message numbers only rise")
	}
	ch.next = p.ID
	if p.Date == 0 {
		p.Date = ch.w.unix()
	}
	ch.w.adoptAll(&p)
	e := &entry{post: p}
	ch.posts = append(ch.posts, e)
	return e
}

func (ch *Channel) edit(id int, change func(*Post), dated bool) {
	i, ok := ch.find(id)
	if !ok {
		panic("telegramtest: no such message to edit")
	}
	p := ch.posts[i].post.clone()
	before := p.EditDate
	change(&p)
	p.ID = id
	if dated && p.EditDate == before {
		p.EditDate = ch.w.unix()
	}
	ch.w.adoptAll(&p)
	ch.posts[i] = &entry{post: p}
}

func (ch *Channel) remove(ids []int) {
	ch.posts = slices.DeleteFunc(ch.posts, func(e *entry) bool { return slices.Contains(ids, e.post.ID) })
}

// find returns the position of a message, or where it would be.
func (ch *Channel) find(id int) (int, bool) {
	return slices.BinarySearchFunc(ch.posts, id, func(e *entry, id int) int { return e.post.ID - id })
}

// entries returns those of the messages that are there.
func (ch *Channel) entries(ids []int) []*entry {
	var list []*entry
	for _, id := range ids {
		if id > 0 && id <= ch.deep {
			list = append(list, ch.at(id-1))
		} else if i, ok := ch.find(id); ok {
			list = append(list, ch.posts[i])
		}
	}
	return list
}

// record writes an event, keeps it if the world is kept, and only then shows it.
func (ch *Channel) record(kind eventKind, ids []int) {
	count := 1
	if kind == eventDelete {
		count = len(ids)
	}
	ch.pts += count
	ev := event{Pts: ch.pts, Count: count, Kind: kind, IDs: ids}
	ch.events = append(ch.events, ev)
	if n := len(ch.events) - keptEvents; n > 0 {
		ch.floor = ch.events[n-1].Pts
		ch.events = slices.Delete(ch.events, 0, n)
	}
	ch.w.save()
	if u := ch.update(ev); u != nil {
		ch.w.publish(ch.envelope(ch.entries(ids), u))
	}
}
