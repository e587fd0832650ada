package telegram

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/muhafiz/muhafiz/collectors/pace"
)

// cursor is what a source must find again after a restart, per target. It moves only in the same Put as what it stands for.
// It is not evidence and holds the access hash, which is worthless to any other account.
type cursor struct {
	V          int       `json:"v"`
	Address    string    `json:"address"` // that Channel was resolved from
	Channel    int64     `json:"channel,omitempty"`
	AccessHash int64     `json:"access_hash,omitempty"`
	Pts        int       `json:"pts,omitempty"`
	Lowest     int       `json:"lowest,omitempty"` // lowest id that the backfill reached
	Filled     bool      `json:"filled,omitempty"` // the backfill met an empty page
	Top        int       `json:"top,omitempty"`    // highest id below which nothing is left to be read
	Observed   time.Time `json:"observed_until,omitzero"`
	Recent     []int     `json:"recent,omitempty"` // ids that are there, descending: what a recheck asks for
	Pending    []pending `json:"pending,omitempty"`
	Later      []retry   `json:"later,omitempty"`   // files that are tried again
	Stopped    string    `json:"stopped,omitempty"` // refused, identity-changed
	Candidate  int64     `json:"candidate,omitempty"`
	Names      []string  `json:"names,omitempty"` // that the channel bore when it was seen last, as its account.seen says

	Rate    pace.Posting `json:"rate,omitzero"`
	Rotated bool         `json:"rotated,omitempty"` // posts were read past pts, which is to be taken anew before it is used
	Joined  bool         `json:"joined,omitempty"`  // our account is in the channel
	Name    nameLook     `json:"name,omitzero"`     // the address was looked up in vain
	Stand   stand        `json:"stand,omitzero"`    // as this vantage saw it last
	Known   idset        `json:"known,omitzero"`    // posts that are there
	Aged    []rung       `json:"aged,omitempty"`    // how far they were looked at again, by age
}

// pending is a file that is wanted and neither kept nor missed.
type pending struct {
	Post  int    `json:"p"`
	Media string `json:"m"`
	Thumb bool   `json:"t,omitempty"` // what stands for it, since it is over its limit itself
}

const cursorVersion = 1

func (c cursor) clone() cursor {
	c.Recent = slices.Clone(c.Recent)
	c.Known.bits, c.Aged = slices.Clone(c.Known.bits), slices.Clone(c.Aged)
	c.Pending, c.Names = slices.Clone(c.Pending), slices.Clone(c.Names)
	c.Later = slices.Clone(c.Later)
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

// adopt returns the cursor for a target that a sibling observed until later than this one: all that it knew but for what is its
// account's own.
func (c cursor) adopt(sibling cursor) cursor {
	if sibling.Channel == 0 || !sibling.Observed.After(c.Observed) {
		return c
	}
	next := sibling.clone()
	next.AccessHash, next.Joined, next.Stand, next.Name = 0, false, c.Stand, c.Name
	if c.Channel == sibling.Channel {
		next.AccessHash, next.Joined = c.AccessHash, c.Joined
		next.Filled = next.Filled || c.Filled
	}
	return next
}

// saw adds ids to the recent ones and keeps the highest depth of them.
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
	c.Known.remove(ids)
	c.Recent = slices.DeleteFunc(c.Recent, func(id int) bool { return slices.Contains(ids, id) })
}

func (c *cursor) want(ps []pending) {
	for _, p := range ps {
		if _, waits := c.shelved(p); !waits && !slices.Contains(c.Pending, p) && c.tries(p) == 0 {
			c.Pending = append(c.Pending, p)
		}
	}
}

func (c *cursor) settled(p pending) {
	c.Pending = slices.DeleteFunc(c.Pending, func(q pending) bool { return q == p })
	c.Later = slices.DeleteFunc(c.Later, func(l retry) bool { return l.pending == p })
}
