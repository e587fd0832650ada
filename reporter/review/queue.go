package review

import (
	"container/heap"
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Item is a post in the queue. It holds no content: whoever wants to read it, asks for it, and that is recorded.
type Item struct {
	Post         evidence.Ordinal `json:"post"`
	Target       string           `json:"target"`
	Organisation string           `json:"organisation"`
	Platform     string           `json:"platform"`
	Claimed      string           `json:"claimed"` // the platform's date; without a zone where an export had none
	RecordedAt   evidence.Time    `json:"recorded_at"`
	Versions     int              `json:"versions"`
	Characters   int              `json:"characters"`
	Media        []string         `json:"media,omitempty"` // types
	Gone         string           `json:"gone,omitempty"`
	// Album names all posts of the album that Post is the first of; the figures above are of all of them.
	Album []evidence.Ordinal `json:"album,omitempty"`
	// Changed names the case in which an earlier version was decided.
	Changed evidence.Ordinal `json:"changed,omitempty"`

	order time.Time
}

// Work is what waits for people.
type Work struct {
	Posts   []Item `json:"posts"`   // undecided, newest first
	More    bool   `json:"more"`    // there are more undecided posts than the limit
	Waiting []Case `json:"waiting"` // decided, and waiting for a second person
	Open    []Case `json:"open"`    // begun or rejected, and waiting for a decision
	Targets int    `json:"targets"` // whose posts are looked through
}

// Queue lists the undecided posts of targets that are approved and to be reported, at most limit of them (0: 50), and the cases
// that wait. The look is recorded.
func (d *Desk) Queue(ctx context.Context, person string, limit int) (Work, error) {
	var w Work
	if limit <= 0 {
		limit = 50
	}
	if _, err := d.person(ctx, person); err != nil {
		return w, err
	}
	if err := d.access(ctx, person, look{evidence.Vault(), "queue", "limit " + strconv.Itoa(limit)}); err != nil {
		return w, err
	}
	var err error
	if w.Waiting, err = d.CasesInSight(ctx, CaseDecided); err != nil {
		return w, err
	}
	if w.Open, err = d.Cases(ctx, CaseOpen, CaseRejected); err != nil {
		return w, err
	}
	for _, cases := range [][]Case{w.Waiting, w.Open} {
		if err := d.freeze(ctx, cases); err != nil {
			return w, err
		}
	}
	heads, err := d.heads(ctx)
	if err != nil {
		return w, err
	}
	w.Targets = heads.targets
	for len(heads.items) > 0 {
		if len(w.Posts) == limit {
			w.More = true
			break
		}
		top := heads.items[0]
		w.Posts = append(w.Posts, top)
		next, ok, err := d.undecided(ctx, heads.of[top.Post.Whole()], top.Post)
		if err != nil {
			return w, err
		}
		if ok {
			heads.items[0] = next
			heap.Fix(heads, 0)
		} else {
			heap.Pop(heads)
		}
	}
	return w, nil
}

// lastPart is the greatest part that an ordinal can have.
const lastPart = "~18446744073709551615"

// heads holds each account's newest undecided post, the newest of all on top, so that a queue reads few more posts than it shows.
type heads struct {
	items   []Item
	of      map[evidence.Ordinal]Target
	targets int
}

func (d *Desk) heads(ctx context.Context) (*heads, error) {
	h := &heads{of: map[evidence.Ordinal]Target{}}
	all, err := d.Targets(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range all {
		if t.Account == "" || !t.Reportable(d.now()) {
			continue
		}
		h.targets++
		if _, twice := h.of[t.Account]; twice {
			continue
		}
		h.of[t.Account] = t
		item, ok, err := d.undecided(ctx, t, t.Account.With(lastPart))
		if err != nil {
			return nil, err
		}
		if ok {
			h.items = append(h.items, item)
		}
	}
	heap.Init(h)
	return h, nil
}

// undecided finds the newest post of a target's account before the given one that nobody has decided as it is now.
func (d *Desk) undecided(ctx context.Context, t Target, before evidence.Ordinal) (Item, bool, error) {
	const page = 64
	for {
		var posts []evidence.Ordinal
		err := d.Log.PostsBefore(ctx, before, func(o evidence.Ordinal) error {
			if posts = append(posts, o); len(posts) == page {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			return Item{}, false, fmt.Errorf("read posts of %s: %w", t.Account, err)
		}
		for _, o := range posts {
			if item, ok, err := d.item(ctx, t, o); err != nil || ok {
				return item, ok, err
			}
		}
		if len(posts) < page {
			return Item{}, false, nil
		}
		before = posts[len(posts)-1]
	}
}

func (d *Desk) item(ctx context.Context, t Target, o evidence.Ordinal) (Item, bool, error) {
	p, err := d.post(ctx, o)
	if c := CodeOf(err); c == NotFound || c == InQuarantine {
		return Item{}, false, nil // out of sight; or a file or an absence of a post that was never seen
	}
	if err != nil {
		return Item{}, false, err
	}
	v := p.Latest()
	if v.Post == nil || v.Post.Service != nil {
		return Item{}, false, nil
	}
	dec, members, open, err := d.waits(ctx, p)
	if err != nil || !open {
		return Item{}, false, err
	}
	it := Item{
		Post: o, Target: t.ID, Organisation: t.Organisation, Platform: t.Platform, RecordedAt: v.RecordedAt,
		Versions: len(p.Versions), Characters: utf8.RuneCountInString(v.Post.Text), Gone: p.Gone, Changed: dec.Case,
		Claimed: v.Post.ClaimedLocal, order: v.RecordedAt.Time,
	}
	if !v.Post.ClaimedAt.IsZero() {
		it.Claimed, it.order = v.Post.ClaimedAt.Format(time.RFC3339), v.Post.ClaimedAt.Time
	}
	for _, m := range v.Post.Media {
		it.Media = append(it.Media, m.Type)
	}
	it.takeIn(members)
	return it, true, nil
}

// waits reports whether a post, or any of the album that it leads, has a version that nobody decided on, and what was decided before.
func (d *Desk) waits(ctx context.Context, p Post) (dec decidedPost, members []Post, open bool, err error) {
	first, err := d.leads(ctx, p)
	if err != nil || !first {
		return dec, nil, false, err
	}
	if members, err = d.album(ctx, p); err != nil {
		return dec, nil, false, err
	}
	list := members
	if list == nil {
		list = []Post{p}
	}
	for _, m := range list {
		var one decidedPost
		if _, err := d.get(ctx, ViewCases, postKey(m.Ordinal), &one); err != nil {
			return dec, nil, false, err
		}
		if one.Case != "" {
			dec = one
		}
		open = open || one.Case == "" || one.Seq < m.Latest().Seq
	}
	return dec, members, open, nil
}

// takeIn adds the rest of an album.
func (it *Item) takeIn(members []Post) {
	for _, m := range members {
		it.Album = append(it.Album, m.Ordinal)
		if m.Ordinal == it.Post {
			continue
		}
		v := m.Latest().Post
		it.Characters += utf8.RuneCountInString(v.Text)
		for _, x := range v.Media {
			it.Media = append(it.Media, x.Type)
		}
	}
}

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (h *heads) Len() int           { return len(h.items) }
func (h *heads) Less(i, j int) bool { return h.items[i].order.After(h.items[j].order) }
func (h *heads) Swap(i, j int)      { h.items[i], h.items[j] = h.items[j], h.items[i] }
func (h *heads) Push(x any)         { h.items = append(h.items, x.(Item)) }

func (h *heads) Pop() any {
	last := h.items[len(h.items)-1]
	h.items = h.items[:len(h.items)-1]
	return last
}
