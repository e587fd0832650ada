package whatsapp

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/muhafiz/muhafiz/collectors/pace"
)

// cursor is what a source must find again after a restart, per target. It moves only in the same Put as what it stands for.
type cursor struct {
	V         int       `json:"v"`
	Address   string    `json:"address"`           // that Channel was resolved from
	Channel   string    `json:"channel,omitempty"` // the channel's id, with its server
	Lowest    int       `json:"lowest,omitempty"`  // lowest number that the history was read down to
	Filled    bool      `json:"filled,omitempty"`  // the history ended in an empty page
	Top       int       `json:"top,omitempty"`     // highest number below which nothing is left to be read
	Observed  time.Time `json:"observed_until,omitzero"`
	Recent    []int     `json:"recent,omitempty"`  // numbers that are there, descending: what a recheck looks for
	Confirm   []int     `json:"confirm,omitempty"` // known posts that a push told of and no answer has shown since
	Pending   []pending `json:"pending,omitempty"`
	Followed  bool      `json:"followed,omitempty"` // by us, for the target
	Stopped   string    `json:"stopped,omitempty"`  // refused, identity-changed
	Candidate string    `json:"candidate,omitempty"`

	Rate pace.Posting `json:"rate,omitzero"`
}

// pending is a file that is wanted and neither kept nor missed. Post 0 stands for the channel's picture.
type pending struct {
	Post  int       `json:"p"`
	Media string    `json:"m"`
	At    time.Time `json:"t,omitzero"`  // of the post, by the platform: from then on its time on the server runs
	Room  bool      `json:"r,omitempty"` // it waits for room on the disk
	Size  int64     `json:"s,omitempty"` // then: the platform's claim
}

const cursorVersion = 1

func (c cursor) clone() cursor {
	c.Recent = slices.Clone(c.Recent)
	c.Confirm = slices.Clone(c.Confirm)
	c.Pending = slices.Clone(c.Pending)
	return c
}

func (c cursor) encode() ([]byte, error) {
	c.V = cursorVersion
	return json.Marshal(c)
}

func parseCursor(b []byte) (cursor, error) {
	var c cursor
	if len(b) == 0 {
		return c, nil
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return c, fmt.Errorf("read the target's cursor: %w", err)
	}
	if c.V != cursorVersion {
		return c, fmt.Errorf("the target's cursor has version %d, this build reads %d; use the build that wrote it", c.V, cursorVersion)
	}
	return c, nil
}

// saw adds numbers to the recent ones and keeps the highest depth of them.
func (c *cursor) saw(ids []int, depth int) {
	if len(ids) == 0 {
		return
	}
	all := append(c.Recent, ids...)
	slices.SortFunc(all, func(a, b int) int { return b - a })
	all = slices.Compact(all)
	c.Recent = all[:min(len(all), depth)]
}

func (c *cursor) gone(ids []int) {
	c.Recent = slices.DeleteFunc(c.Recent, func(id int) bool { return slices.Contains(ids, id) })
}

// maxConfirm bounds the posts that wait to be shown; beyond it the oldest wait for the recheck.
const maxConfirm = 1000

func (c *cursor) confirm(ids []int) {
	for _, id := range ids {
		if id <= c.Top && !slices.Contains(c.Confirm, id) {
			c.Confirm = append(c.Confirm, id)
		}
	}
	if over := len(c.Confirm) - maxConfirm; over > 0 {
		c.Confirm = c.Confirm[over:]
	}
}

func (c *cursor) confirmed(in func(id int) bool) {
	c.Confirm = slices.DeleteFunc(c.Confirm, in)
}

func (c *cursor) want(ps []pending) {
	for _, p := range ps {
		if !slices.ContainsFunc(c.Pending, p.same) {
			c.Pending = append(c.Pending, p)
		}
	}
}

func (c *cursor) settled(p pending) {
	c.Pending = slices.DeleteFunc(c.Pending, p.same)
}

// key is what tells files apart.
func (p pending) key() pending { return pending{Post: p.Post, Media: p.Media} }

func (p pending) same(q pending) bool { return p.key() == q.key() }

// retention is about how long the platform serves a file.
const retention = 30 * 24 * time.Hour

// sooner orders files: the one whose time on the server runs out first; those whose time seems to be over come last, the youngest of them
// first.
func sooner(a, b pending, now time.Time) int {
	over := func(p pending) bool { return !p.At.IsZero() && now.Sub(p.At) > retention }
	switch {
	case over(a) && !over(b):
		return 1
	case over(b) && !over(a):
		return -1
	case over(a):
		return b.At.Compare(a.At)
	}
	return a.At.Compare(b.At)
}
