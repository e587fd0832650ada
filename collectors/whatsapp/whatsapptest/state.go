package whatsapptest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/google/renameio/v2"
)

// stateFormat is the version of the state file.
const stateFormat = 1

type worldState struct {
	Format   int
	LastID   int64
	Channels []channelState
	Devices  []*device
	Follows  map[string][]string // phone to channel ids
}

type channelState struct {
	Profile Profile
	Next    int
	Posts   []Post
}

// Save writes the world to path, replacing it at once or not at all; the bytes of files go to the folder path + ".media", each written
// once. The file holds no private key: a paired device is known by its public ones.
func (w *World) Save(path string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.write(path)
}

// Autosave saves the world now, and from now on with every mutation before any client can see it. Acknowledgements alone are saved with
// the next mutation, so that after a kill a push may come twice.
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
		panic("whatsapptest: " + err.Error())
	}
}

func (w *World) write(path string) error {
	st := worldState{Format: stateFormat, LastID: w.last, Follows: map[string][]string{}}
	for _, ch := range w.channels {
		c := channelState{Profile: ch.profile, Next: ch.next}
		for _, e := range ch.posts {
			c.Posts = append(c.Posts, e.post)
		}
		st.Channels = append(st.Channels, c)
	}
	for _, d := range w.devices {
		c := *d
		c.Queue = d.pending()
		st.Devices = append(st.Devices, &c)
	}
	for phone, set := range w.follows {
		st.Follows[phone] = slices.Sorted(maps.Keys(set))
	}
	slices.SortFunc(st.Channels, func(a, b channelState) int { return cmp.Compare(a.Profile.ID, b.Profile.ID) })
	slices.SortFunc(st.Devices, func(a, b *device) int { return cmp.Compare(a.JID.String(), b.JID.String()) })
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

func mediaFile(path string, id int64) string {
	return filepath.Join(path+".media", strconv.FormatInt(id, 10))
}

func (w *World) writeFiles(path string) error {
	if err := os.MkdirAll(path+".media", 0o700); err != nil {
		return err
	}
	for id, m := range w.files {
		name := mediaFile(path, id)
		if info, err := os.Stat(name); err == nil && info.Size() == int64(len(m.Bytes)) {
			continue
		}
		if err := renameio.WriteFile(name, m.Bytes, 0o600); err != nil {
			return err
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
	w.last = st.LastID
	for _, c := range st.Channels {
		if err := w.restore(path, c); err != nil {
			return nil, fmt.Errorf("read the world %s: channel %s: %w", path, c.Profile.ID, err)
		}
	}
	for _, d := range st.Devices {
		if d == nil || d.JID.User == "" || w.devices[d.JID] != nil {
			return nil, fmt.Errorf("read the world %s: a device without a number, or twice", path)
		}
		pending := d.Queue
		d.Queue = nil
		for _, e := range pending {
			if e != nil {
				d.queue(e)
			}
		}
		w.devices[d.JID] = d
	}
	for phone, ids := range st.Follows {
		for _, id := range ids {
			w.follow(phone, id, true)
		}
	}
	return w, nil
}

func (w *World) restore(path string, st channelState) error {
	ch := &Channel{w: w, profile: st.Profile, next: st.Next}
	last := 0
	if err := readMedia(path, ch.profile.Picture); err != nil {
		return err
	}
	for _, p := range st.Posts {
		if p.ServerID <= last || p.ServerID > st.Next {
			return fmt.Errorf("post %d is out of order", p.ServerID)
		}
		last = p.ServerID
		if err := readMedia(path, p.Media); err != nil {
			return err
		}
		w.adopt(p.Media)
		ch.posts = append(ch.posts, &entry{post: p})
	}
	return w.admit(ch)
}

func readMedia(path string, m *Media) (err error) {
	if m != nil {
		m.Bytes, err = os.ReadFile(mediaFile(path, m.ID))
	}
	return err
}
