package whatsapptest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.mau.fi/whatsmeow/types"
)

// World is the platform's state: channels with their posts and media, and the accounts with their linked devices and what these did
// not acknowledge yet. It is safe for concurrent use. A mutation is kept, if the world is kept, before any client can see it; a failure
// to autosave panics, since the world would forget what its clients saw.
type World struct {
	now func() time.Time

	mu       sync.Mutex
	last     int64 // the last id given to a file or message
	channels map[string]*Channel
	invites  map[string]string // invite code to channel
	files    map[int64]*Media
	devices  map[types.JID]*device
	follows  map[string]map[string]bool // phone to channels
	muted    bool
	autosave string
}

const (
	firstChannel = 120363400000000001
	firstID      = 5_000_000
)

// NewWorld returns an empty world. now dates posts and edits; nil stands for time.Now.
func NewWorld(now func() time.Time) *World {
	if now == nil {
		now = time.Now
	}
	return &World{
		now: now, last: firstID,
		channels: map[string]*Channel{},
		invites:  map[string]string{},
		files:    map[int64]*Media{},
		devices:  map[types.JID]*device{},
		follows:  map[string]map[string]bool{},
	}
}

// AddChannel adds a channel that nobody posted in yet. It panics when the id or invite code is taken.
func (w *World) AddChannel(p Profile) *Channel {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.ID == "" {
		p.ID = strconv.Itoa(firstChannel + len(w.channels))
	}
	if p.Invite == "" {
		p.Invite = "0029Va" + strings.ToUpper(strconv.FormatInt(int64(1_000_000_000+len(w.channels)), 36))
	}
	if p.State == "" {
		p.State = Active
	}
	if p.Created == 0 {
		p.Created = w.now().Unix()
	}
	ch := &Channel{w: w, profile: p, next: firstPost - 1}
	if err := w.admit(ch); err != nil {
		panic("whatsapptest: " + err.Error())
	}
	w.save()
	return ch
}

func (w *World) admit(ch *Channel) error {
	p := &ch.profile
	if w.channels[p.ID] != nil {
		return fmt.Errorf("channel id %s is taken", p.ID)
	}
	if _, taken := w.invites[p.Invite]; taken {
		return fmt.Errorf("invite code %s is taken", p.Invite)
	}
	w.channels[p.ID], w.invites[p.Invite] = ch, p.ID
	w.adopt(p.Picture)
	return nil
}

// Channel returns the channel that an invite code names now, or nil.
func (w *World) Channel(invite string) *Channel {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.channels[w.invites[invite]]
}

// Channels returns all channels by id.
func (w *World) Channels() []*Channel {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]*Channel, 0, len(w.channels))
	for _, ch := range w.channels {
		all = append(all, ch)
	}
	slices.SortFunc(all, func(a, b *Channel) int { return strings.Compare(a.profile.ID, b.profile.ID) })
	return all
}

// MoveInvite takes an invite code from whoever has it and gives it to another channel, so that a known link names somebody else. The
// former owner gets a new code.
func (w *World) MoveInvite(code string, to *Channel) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if old := w.channels[w.invites[code]]; old != nil && old != to {
		old.profile.Invite = code + "X"
		w.invites[old.profile.Invite] = old.profile.ID
	}
	delete(w.invites, to.profile.Invite)
	to.profile.Invite = code
	w.invites[code] = to.profile.ID
	w.save()
}

// Follows tells whether an account follows a channel.
func (w *World) Follows(phone string, ch *Channel) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.follows[phone][ch.profile.ID]
}

// Follow makes an account follow a channel, or leave it, as on its phone.
func (w *World) Follow(phone string, ch *Channel, on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.follow(phone, ch.profile.ID, on)
	w.save()
}

func (w *World) follow(phone, channel string, on bool) {
	if w.follows[phone] == nil {
		w.follows[phone] = map[string]bool{}
	}
	if on {
		w.follows[phone][channel] = true
	} else {
		delete(w.follows[phone], channel)
	}
}

// adopt gives a file an id and keeps it to be served.
func (w *World) adopt(m *Media) {
	if m == nil {
		return
	}
	if m.ID == 0 {
		m.ID = w.newID()
	}
	w.files[m.ID] = m
}

func (w *World) newID() int64 {
	w.last++
	return w.last
}
