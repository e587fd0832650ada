package telegram_test

import (
	"slices"
	"time"
)

// trace tells all that is known of a post of which something is missing: what it was, what was shown of it, and what is recorded.
func (y *tally) trace(c *chanTruth, r *recorded, p *postTruth, from, to time.Time) {
	if y.faults > 20 {
		return
	}
	at := func(t time.Time) string { return t.UTC().Format("01-02 15:04:05") }
	y.s.Logf("  posted %s, gone %s", at(p.born), at(p.gone))
	told := y.s.saw.channel(c.ch.ID())
	for _, v := range p.versions {
		var shown []string
		for _, a := range told.texts[p.id][v.text] {
			shown = append(shown, at(a.at))
			if !y.s.saw.reached(a) {
				shown[len(shown)-1] += " (lost)"
			}
		}
		y.s.Logf("  was %q from %s to %s, shown %v", v.text, at(v.from), at(v.to), shown)
	}
	for _, a := range told.empty[p.id] {
		y.s.Logf("  told that it is not there: %s", at(a.at))
	}
	for _, b := range r.seen[p.id] {
		y.s.Logf("  recorded as seen %s: %q", at(b.Observed.From.Time), b.Text)
	}
	for _, b := range r.gone[p.id] {
		y.s.Logf("  recorded as gone %s", at(b.Observed.From.Time))
	}
	for _, g := range r.gaps {
		if !g.To.Before(from) && !g.From.After(to) {
			y.s.Logf("  gap %s to %s: %s %s", at(g.From.Time), at(g.To.Time), g.Cause, g.Detail)
		}
	}
	for _, x := range r.status {
		y.s.Logf("  status %s: %s %s %s %v", at(x.Observed.From.Time), x.State, x.Because, x.Said, x.Names)
	}
	y.s.Logf("  our connections ended %v", y.s.saw.within(from, to, at))
}

// within returns the ends of connections in a stretch.
func (w *witness) within(from, to time.Time, say func(time.Time) string) (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.cuts {
		if !c.Before(from) && !c.After(to) {
			out = append(out, say(c))
		}
	}
	return slices.Compact(out)
}
