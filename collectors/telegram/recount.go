package telegram

import (
	"strconv"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// audience is what a post's counters came to when they were last recorded.
type audience struct{ views, forwards, replies, reactions, voters int64 }

func audienceOf(c evidence.Post) audience {
	a := audience{views: c.Views, forwards: c.Forwards, replies: c.Replies}
	for _, n := range c.Reactions {
		a.reactions += n
	}
	if c.Voters != nil {
		a.voters = *c.Voters
	}
	return a
}

// moved reports whether counters changed by a tenth and by ten at least: a curve over time needs no more, and every recheck would
// write a record otherwise.
func (a audience) moved(to audience) bool {
	for _, p := range [][2]int64{{a.views, to.views}, {a.forwards, to.forwards}, {a.replies, to.replies}, {a.reactions, to.reactions}, {a.voters, to.voters}} {
		if d := max(p[1]-p[0], p[0]-p[1]); d >= max(10, p[0]/10) {
			return true
		}
	}
	return false
}

// recounted reports whether the counters of a page are worth a record by themselves. What this run has not recorded before is the
// beginning of the comparison.
func (w *watch) recounted(counts []evidence.Post) bool {
	some := false
	for _, c := range counts {
		a, ok := w.audiences[c.Post]
		if !ok {
			w.rememberCounts([]evidence.Post{c})
		}
		some = some || ok && a.moved(audienceOf(c))
	}
	return some
}

func (w *watch) rememberCounts(counts []evidence.Post) {
	if w.audiences == nil {
		w.audiences = map[string]audience{}
	}
	for _, c := range counts {
		w.audiences[c.Post] = audienceOf(c)
	}
}

// forgetCounts keeps the counters of the posts that are rechecked.
func (w *watch) forgetCounts(recent map[int]bool) {
	for post := range w.audiences {
		if id, err := strconv.Atoi(post); err == nil && !recent[id] {
			delete(w.audiences, post)
		}
	}
}
