package telegram

import (
	"slices"
	"time"
)

// retry is a file whose last attempt failed for a reason that may pass. It stays in the cursor until it is kept or the attempts are
// used up; a restart neither loses nor hastens it.
type retry struct {
	pending
	Tries int       `json:"n"` // attempts so far
	At    time.Time `json:"at"`
	Room  bool      `json:"room,omitempty"` // it waits for room on the disk
	Size  int64     `json:"size,omitempty"` // then: the platform's claim
}

// pauses are those between one attempt for a file and the next: a data centre's bad hour, a long wait, a weekend's outage. After the
// last one the file is given up, and media.missed says so.
func pauses() []time.Duration {
	return []time.Duration{15 * time.Minute, 2 * time.Hour, 12 * time.Hour, 48 * time.Hour}
}

// failed moves a file among those to be tried later, and returns when, or false when that was the last attempt.
func (c *cursor) failed(p pending, now time.Time, progress bool) (next time.Time, again bool) {
	tries := c.tries(p)
	c.settled(p)
	if progress {
		tries = 0
	}
	if tries >= len(pauses()) {
		return time.Time{}, false
	}
	next = now.Add(pauses()[tries]).UTC().Truncate(time.Second)
	c.Later = append(c.Later, retry{pending: p, Tries: tries + 1, At: next})
	return next, true
}

// tries is how often a file was tried in vain.
func (c *cursor) tries(p pending) int {
	for _, l := range c.Later {
		if l.pending == p {
			return l.Tries
		}
	}
	return 0
}

// due lists the files to be fetched now: those that are new, then those whose time has come. next is the time of the next one.
func (c *cursor) due(now time.Time) (ps []pending, next time.Time) {
	ps = slices.Clone(c.Pending)
	for _, l := range c.Later {
		if !l.At.After(now) {
			ps = append(ps, l.pending)
		} else if next.IsZero() || l.At.Before(next) {
			next = l.At
		}
	}
	return ps, next
}

// signal wakes whoever listens, now or next.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
