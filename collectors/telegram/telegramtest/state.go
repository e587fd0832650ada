package telegramtest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/google/renameio/v2"
)

// stateFormat is the version of the state file.
const stateFormat = 1

type worldState struct {
	Format   int
	LastID   int64
	Refs     int
	Users    []User
	Channels []channelState
}

type channelState struct {
	Profile    Profile
	Pts, Floor int
	Next       int
	Events     []event
	Posts      []postState
}

type postState struct {
	Post
	// RawText is the text when it is not UTF-8, which JSON cannot carry.
	RawText []byte `json:",omitempty"`
}

// Save writes the world to path, replacing it at once or not at all; the bytes of files go to the folder path + ".media", each
// written once. Only Post.Text survives with bytes that are not UTF-8.
func (w *World) Save(path string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.write(path)
}

// Autosave saves the world now, and from now on with every mutation before any client can see it: a process that is killed finds
// nothing in the file that it did not serve, and served nothing that is not in the file.
func (w *World) Autosave(path string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.write(path); err != nil {
		return err
	}
	w.autosave = path
	return nil
}

// save keeps a mutation when the world is saved by itself.
func (w *World) save() {
	if w.autosave == "" {
		return
	}
	if err := w.write(w.autosave); err != nil {
		panic("telegramtest: " + err.Error())
	}
}

func (w *World) write(path string) error {
	st := worldState{Format: stateFormat, LastID: w.last, Refs: w.refs}
	for _, u := range w.users {
		st.Users = append(st.Users, *u)
	}
	for _, ch := range w.channels {
		st.Channels = append(st.Channels, ch.state())
	}
	slices.SortFunc(st.Users, func(a, b User) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(st.Channels, func(a, b channelState) int { return cmp.Compare(a.Profile.ID, b.Profile.ID) })
	b, err := json.MarshalIndent(st, "", " ")
	if err != nil {
		return fmt.Errorf("encode the world: %w", err)
	}
	if err := w.writeFiles(path); err != nil {
		return fmt.Errorf("save the world's files: %w", err)
	}
	if err := renameio.WriteFile(path, b, 0o600); err != nil {
		return fmt.Errorf("save the world: %w", err)
	}
	return nil
}

func (ch *Channel) state() channelState {
	st := channelState{Profile: ch.profile, Pts: ch.pts, Floor: ch.floor, Next: ch.next, Events: ch.events}
	for _, e := range ch.posts {
		p := postState{Post: e.post}
		if !utf8.ValidString(p.Text) {
			p.RawText, p.Text = []byte(p.Text), ""
		}
		st.Posts = append(st.Posts, p)
	}
	return st
}

func mediaFile(path string, id int64, size string) string {
	return filepath.Join(path+".media", strconv.FormatInt(id, 10)+size)
}

func (w *World) writeFiles(path string) error {
	if err := os.MkdirAll(path+".media", 0o700); err != nil {
		return err
	}
	for id, f := range w.files {
		for size, b := range f.sizes {
			name := mediaFile(path, id, size)
			if info, err := os.Stat(name); err == nil && info.Size() == int64(len(b)) {
				continue
			}
			if err := renameio.WriteFile(name, b, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// Load reads a world that Save or Autosave wrote; an absent file is fs.ErrNotExist. The world is not saved by itself until Autosave
// says so again.
func Load(path string, now func() time.Time) (*World, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the world: %w", err)
	}
	var st worldState
	if err := json.Unmarshal(b, &st); err != nil {
		return nil, fmt.Errorf("read the world %s: %w", path, err)
	}
	if st.Format != stateFormat {
		return nil, fmt.Errorf("read the world %s: format %d is not %d; remove the file to begin a new world", path, st.Format, stateFormat)
	}
	w := NewWorld(now)
	w.last, w.refs = st.LastID, st.Refs
	for _, u := range st.Users {
		if u.Username != "" {
			if err := w.tryClaim(u.Username, u.ID); err != nil {
				return nil, fmt.Errorf("read the world %s: %w", path, err)
			}
		}
		w.users[u.ID] = &u
	}
	for _, c := range st.Channels {
		if err := w.restore(path, c); err != nil {
			return nil, fmt.Errorf("read the world %s: channel %d: %w", path, c.Profile.ID, err)
		}
	}
	return w, nil
}

func (w *World) restore(path string, st channelState) error {
	ch := &Channel{
		w: w, id: st.Profile.ID, profile: st.Profile, pts: st.Pts, floor: st.Floor, next: st.Next, events: st.Events,
	}
	if err := st.check(); err != nil {
		return err
	}
	if w.channels[ch.id] != nil {
		return errors.New("is there twice")
	}
	for _, n := range ch.profile.names() {
		if err := w.tryClaim(n, ch.id); err != nil {
			return err
		}
	}
	if err := readPhoto(path, ch.profile.Photo); err != nil {
		return err
	}
	w.adopt(ch.profile.Photo)
	for _, p := range st.Posts {
		if p.RawText != nil {
			p.Text = string(p.RawText)
		}
		for _, x := range p.photos() {
			if err := readPhoto(path, x); err != nil {
				return err
			}
		}
		for _, x := range p.documents() {
			if err := readDocument(path, x); err != nil {
				return err
			}
		}
		w.adoptAll(&p.Post)
		ch.posts = append(ch.posts, &entry{post: p.Post})
	}
	w.channels[ch.id] = ch
	return nil
}

// check refuses what no world writes: it would break the order that everything else relies on.
func (st *channelState) check() error {
	last := 0
	for _, p := range st.Posts {
		if p.ID <= last || p.ID > st.Next {
			return fmt.Errorf("message number %d is out of order", p.ID)
		}
		last = p.ID
	}
	pts := st.Floor
	for _, ev := range st.Events {
		if ev.Pts <= pts || len(ev.IDs) == 0 {
			return fmt.Errorf("event %d is out of order", ev.Pts)
		}
		pts = ev.Pts
	}
	if pts > st.Pts || st.Pts < 1 {
		return fmt.Errorf("pts %d is before its events", st.Pts)
	}
	return nil
}

func readPhoto(path string, p *Photo) (err error) {
	if p == nil {
		return nil
	}
	if p.Bytes, err = os.ReadFile(mediaFile(path, p.ID, largeSize)); err != nil {
		return err
	}
	p.Thumb, err = optional(mediaFile(path, p.ID, thumbSize))
	return err
}

func readDocument(path string, d *Document) (err error) {
	if d == nil {
		return nil
	}
	if d.Bytes, err = os.ReadFile(mediaFile(path, d.ID, "")); err != nil {
		return err
	}
	d.Thumb, err = optional(mediaFile(path, d.ID, thumbSize))
	return err
}

func optional(name string) ([]byte, error) {
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}
