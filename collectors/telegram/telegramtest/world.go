package telegramtest

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gotd/td/tg"
)

// World is the platform's state: channels with their posts, media and event logs, and other peers. It is safe for concurrent use.
// A mutation of posts is one event of its channel's log, raises the channel's pts by the number of posts that it changes, and is
// handed to every server that serves the world, in order. A failure to autosave panics, since the world would forget what its clients saw.
type World struct {
	now func() time.Time

	mu       sync.Mutex
	dc       int   // that holds the files
	refs     int   // generation of the file references that are accepted
	last     int64 // the last id given to a file, album or poll
	channels map[int64]*Channel
	users    map[int64]*User
	names    map[string]int64 // lower-case username to channel or user id; the two never share a number
	files    map[int64]*file
	feeds    map[*feed]struct{}
	autosave string
}

const (
	firstChannel = 1_700_000_001
	firstUser    = 700_000_001
	firstFile    = 5_000_000_000_000
	defaultDC    = 2
)

// NewWorld returns an empty world. now dates posts and edits; nil stands for time.Now.
func NewWorld(now func() time.Time) *World {
	if now == nil {
		now = time.Now
	}
	return &World{
		now: now, dc: defaultDC, refs: 1, last: firstFile,
		channels: map[int64]*Channel{},
		users:    map[int64]*User{},
		names:    map[string]int64{},
		files:    map[int64]*file{},
		feeds:    map[*feed]struct{}{},
	}
}

// AddChannel adds a channel that nobody posted in yet. It panics when the id or a username is taken.
func (w *World) AddChannel(p Profile) *Channel {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.ID == 0 {
		p.ID = firstChannel + int64(len(w.channels))
	}
	if w.channels[p.ID] != nil {
		panic("telegramtest: channel id " + strconv.FormatInt(p.ID, 10) + " is taken")
	}
	if p.AccessHash == 0 {
		p.AccessHash = hashOf("channel", p.ID)
	}
	if p.Kind == "" {
		p.Kind = Broadcast
	}
	if p.Date == 0 {
		p.Date = w.unix()
	}
	for _, n := range p.names() {
		w.claim(n, p.ID)
	}
	w.adopt(p.Photo)
	ch := &Channel{w: w, id: p.ID, profile: p, pts: 1, floor: 1}
	w.channels[p.ID] = ch
	w.save()
	return ch
}

// AddUser adds a person or a bot, which can be resolved, mentioned and forwarded from.
func (w *World) AddUser(u User) User {
	w.mu.Lock()
	defer w.mu.Unlock()
	if u.ID == 0 {
		u.ID = firstUser + int64(len(w.users))
	}
	if u.AccessHash == 0 {
		u.AccessHash = hashOf("user", u.ID)
	}
	if u.Username != "" {
		w.claim(u.Username, u.ID)
	}
	w.users[u.ID] = &u
	w.save()
	return u
}

// Channel returns the channel with a username in any case, or nil.
func (w *World) Channel(username string) *Channel {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.channels[w.names[strings.ToLower(username)]]
}

// Channels returns all channels by id.
func (w *World) Channels() []*Channel {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]*Channel, 0, len(w.channels))
	for _, ch := range w.channels {
		all = append(all, ch)
	}
	slices.SortFunc(all, func(a, b *Channel) int { return int(a.id - b.id) })
	return all
}

// MoveUsername takes a username from whoever has it and gives it to another channel, as when an address is abandoned and taken by
// somebody else. The former owner is left without it.
func (w *World) MoveUsername(name string, to *Channel) {
	w.mu.Lock()
	defer w.mu.Unlock()
	old := w.names[strings.ToLower(name)]
	if ch := w.channels[old]; ch != nil {
		ch.profile.Username = ""
	}
	if u := w.users[old]; u != nil {
		u.Username = ""
	}
	delete(w.names, strings.ToLower(name))
	delete(w.names, strings.ToLower(to.profile.Username))
	w.claim(name, to.id)
	to.profile.Username = name
	w.save()
}

// ExpireFileReferences makes every file reference that was given out so far invalid; messages that are read from now on carry new
// ones.
func (w *World) ExpireFileReferences() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refs++
	w.save()
}

// NewGroup returns an album id for Post.Group.
func (w *World) NewGroup() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.save()
	return w.newID()
}

// claim gives a username to an id; what a test scripts wrongly stops it.
func (w *World) claim(name string, id int64) {
	if err := w.tryClaim(name, id); err != nil {
		panic("telegramtest: " + err.Error())
	}
}

func (w *World) tryClaim(name string, id int64) error {
	key := strings.ToLower(name)
	if _, taken := w.names[key]; taken {
		return fmt.Errorf("username %q is taken", name)
	}
	w.names[key] = id
	return nil
}

func (w *World) newID() int64 {
	w.last++
	return w.last
}

func (w *World) unix() int { return int(w.now().Unix()) }

// feed is the queue of what happened in the world, from which one server pushes.
type feed struct {
	mu    sync.Mutex
	queue []*tg.Updates
	ready chan struct{} // holds a token while the queue may not be empty
	off   bool          // guarded by the world's mutex
}

// mute ends or resumes a feed; what happens while it is muted never gets into it.
func (w *World) mute(f *feed, off bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f.off = off
}

func (w *World) subscribe() *feed {
	f := &feed{ready: make(chan struct{}, 1)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.feeds[f] = struct{}{}
	return f
}

func (w *World) unsubscribe(f *feed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.feeds, f)
}

func (w *World) publish(u *tg.Updates) {
	for f := range w.feeds {
		if f.off {
			continue
		}
		f.mu.Lock()
		f.queue = append(f.queue, u)
		f.mu.Unlock()
		select {
		case f.ready <- struct{}{}:
		default:
		}
	}
}

func (f *feed) take() []*tg.Updates {
	f.mu.Lock()
	defer f.mu.Unlock()
	q := f.queue
	f.queue = nil
	return q
}

// hashOf makes an access hash that is the same in every run.
func hashOf(kind string, id int64) int64 {
	h := fnv.New64a()
	h.Write([]byte(kind + " " + strconv.FormatInt(id, 10)))
	return int64(h.Sum64() >> 1)
}
