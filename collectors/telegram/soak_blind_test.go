package telegram_test

import (
	"slices"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// namesADay is how many addresses an account looks up a day for long: what 180 in any day come to after a burst of 40.
const namesADay = 140

// patience is how long a target may go unobserved although its name leads to its channel: until all targets were looked up by one
// account, and that long again as a name which led nowhere is not looked up again, and until what stands in the way is over.
func (s *soak) patience() time.Duration {
	return time.Duration(len(s.truth.channels))*24*time.Hour/namesADay + 24*time.Hour + 12*time.Hour
}

// blindness holds what is recorded of the time in which a target was not observed against when the platform showed us its newest posts.
func (y *tally) blindness(c *chanTruth, r *recorded) {
	now, limit := time.Now(), c.promise()
	slices.SortFunc(r.gaps, func(a, b *evidence.Gap) int { return a.From.Compare(b.From.Time) })
	var more []evidence.Missing
	for _, g := range r.gaps {
		if g.Cause == notOver {
			more = append(more, evidence.Missing{Record: -1, From: g.From, To: g.To, Cause: g.Cause})
		}
	}
	if x := r.cover.Shares(time.Time{}, now, more...); !r.bound.IsZero() && x.Expected > 0 {
		y.observed = append(y.observed, float64(x.Observed)/float64(x.Expected))
		y.blind += x.Expected - x.Observed
		y.found = append(y.found, r.bound.Sub(y.s.began))
	}
	y.late(c, r.bound)
	last := y.s.began
	for _, a := range append(y.s.saw.channel(c.ch.ID()).reads, arrival{now, now}) {
		if !y.s.saw.reached(a) {
			continue
		}
		y.between(c, r, last, a.at, limit)
		last = a.at
	}
}

// late names a target that was bound late or never, and says for how long its name led to it until then.
func (y *tally) late(c *chanTruth, bound time.Time) {
	to, says := bound, "was bound"
	if bound.IsZero() {
		to, says = time.Now(), "was not yet bound"
	}
	if took := to.Sub(y.s.began); took > y.s.patience() || bound.IsZero() {
		y.s.Logf("%s %s after %.0f h; its name led to it for %.0f h at a stretch", c.target.ID, says, took.Hours(), longestHeld(y.s.began, to, c.lost).Hours())
	}
}

// between checks a stretch in which the newest posts were not shown to us.
func (y *tally) between(c *chanTruth, r *recorded, from, to time.Time, limit time.Duration) {
	if held := longestHeld(from, to, c.lost); held > y.s.patience() {
		y.wrong("%s was not observed from %s to %s, of which its name led to it for %s; bound: %v", c.target.ID,
			from.Format(time.RFC3339), to.Format(time.RFC3339), held, !r.bound.IsZero())
	}
	if r.bound.IsZero() || !from.After(r.bound) || to.Sub(from) <= limit {
		return
	}
	y.unread += to.Sub(from)
	if seen := longestSeen(from, to, r.gaps); seen > limit {
		y.of["blind stretch NOT RECORDED"]++
		y.wrong("%s was not read from %s to %s, and no gap says so for %s of it", c.target.ID, from.Format(time.RFC3339), to.Format(time.RFC3339), seen)
	}
}

// longestHeld returns the longest part of a stretch in which a name led to its channel.
func longestHeld(from, to time.Time, lost []stretch) time.Duration {
	longest := time.Duration(0)
	for _, l := range lost {
		if !l.to.IsZero() && !l.to.After(from) {
			continue
		}
		if !l.from.Before(to) {
			break
		}
		longest = max(longest, l.from.Sub(from))
		if l.to.IsZero() {
			return longest
		}
		from = l.to
	}
	return max(longest, to.Sub(from))
}
