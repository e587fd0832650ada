package telegram

import (
	"math"
	"slices"
	"time"
)

// rung is a step of the ladder of ages at which posts are looked at again. All known posts up to ID were looked at when they were at
// least that old. Due is when the next post comes to that age, in Unix milliseconds; 0 where there is none.
type rung struct {
	ID  int   `json:"i,omitempty"`
	Due int64 `json:"d,omitempty"`
}

// The last rung is of the posts that are past all ages: they are walked through round after round.

// ages are the ages at which a post is looked at again.
func (o *Options) ages() []time.Duration {
	if o.RecheckAges != nil {
		return o.RecheckAges
	}
	e := o.RecheckEvery
	return []time.Duration{e, 4 * e, 24 * e, 96 * e, 336 * e, 1440 * e}
}

// climb makes the cursor's ladder as long as the options have it. Where it was another one, posts are looked at once more than needed.
func (c *cursor) climb(steps int) {
	if len(c.Aged) != steps+1 {
		c.Aged = make([]rung, steps+1)
	}
}

// aged takes posts that are read for the first time, as of now, into the ladder: what is past an age already needs no look at that age.
// It comes before they are known.
func (c *cursor) aged(posts []post, ages []time.Duration, now time.Time) {
	c.climb(len(ages))
	for k, age := range ages {
		r := &c.Aged[k]
		past := 0
		for _, x := range posts {
			if x.id > past && x.date() > 0 && !x.date().after(now, age) {
				past = x.id
			}
		}
		next := c.Known.above(r.ID, 1)
		if past > r.ID && (len(next) == 0 || next[0] > past) {
			r.ID = past
		}
		for _, x := range posts {
			if x.id > r.ID && x.date() > 0 {
				r.soon(x.date().at().Add(age))
			}
		}
	}
}

func (r *rung) soon(at time.Time) {
	if ms := at.UnixMilli(); r.Due == 0 || ms < r.Due {
		r.Due = ms
	}
}

// seconds is a moment as the platform dates posts.
type seconds int64

func (s seconds) at() time.Time { return time.Unix(int64(s), 0) }

// after reports whether a post of that date has yet to come to an age.
func (s seconds) after(now time.Time, age time.Duration) bool { return s.at().Add(age).After(now) }

func (x post) date() seconds {
	if x.id <= 0 || x.body.ClaimedAt.IsZero() {
		return 0
	}
	return seconds(x.body.ClaimedAt.Unix())
}

// next returns the rung that is due first, and when; ok is false where none is.
func (c *cursor) next() (k int, at time.Time, ok bool) {
	for i, r := range c.Aged {
		if r.Due != 0 && (!ok || r.Due < c.Aged[k].Due) {
			k, ok = i, true
		}
	}
	if ok {
		at = time.UnixMilli(c.Aged[k].Due)
	}
	return k, at, ok
}

// asks are the posts that a rung's next request is about.
func (c *cursor) asks(k int) []int {
	ids := c.Known.above(c.Aged[k].ID, pageSize)
	if k < len(c.Aged)-1 || k == 0 {
		return ids
	}
	oldest := c.Aged[k-1].ID // what is above has yet to come to all ages
	if n, _ := slices.BinarySearch(ids, oldest+1); n < len(ids) {
		ids = ids[:n]
	}
	return ids
}

// looked moves a rung on after a request. upTo is the highest post that was old enough; young is the date of the first one that was
// not, 0 where there was none.
func (c *cursor) looked(k, upTo int, young seconds, o *Options, now time.Time) {
	r, last := &c.Aged[k], len(c.Aged)-1
	stuck := upTo <= r.ID && young == 0
	r.ID = max(r.ID, upTo)
	switch {
	case k == last:
		c.again(o, now)
	case stuck:
		r.Due = now.Add(o.RecheckEvery).UnixMilli()
	case young > 0:
		// Posts that come to the age one after the other are looked at together.
		age := o.ages()[k]
		r.Due = later(young.at().Add(age), now.Add(age/2)).UnixMilli()
	case len(c.Known.above(r.ID, 1)) > 0:
		r.Due = now.UnixMilli()
	default:
		r.Due = 0
	}
	c.begin(o, now)
}

// nobody notes that no post is left for a rung to ask about.
func (c *cursor) nobody(k int, o *Options, now time.Time) {
	if k == len(c.Aged)-1 {
		c.again(o, now)
		return
	}
	c.Aged[k].Due = 0
}

// begin starts the rounds once there is a post past all ages.
func (c *cursor) begin(o *Options, now time.Time) {
	last := len(c.Aged) - 1
	if c.Aged[last].Due == 0 && (last == 0 && !c.Known.IsZero() || last > 0 && c.Aged[last-1].ID > 0) {
		c.Aged[last].Due = now.Add(c.pauseAgain(o)).UnixMilli()
	}
}

// again sets when the round of old posts goes on.
func (c *cursor) again(o *Options, now time.Time) {
	last := len(c.Aged) - 1
	c.Aged[last].Due = now.Add(c.pauseAgain(o)).UnixMilli()
	if len(c.asks(last)) == 0 {
		c.Aged[last].ID = 0
	}
}

// pauseAgain spreads a round evenly.
func (c *cursor) pauseAgain(o *Options) time.Duration {
	upTo := math.MaxInt
	if n := len(c.Aged); n > 1 {
		upTo = c.Aged[n-2].ID
	}
	old := c.Known.count(upTo)
	return o.RecheckAgain / time.Duration(max(1, (old+pageSize-1)/pageSize))
}
