package telegram_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

// recorded is what the vault says of one channel.
type recorded struct {
	seen map[int][]*evidence.PostSeen
	gone map[int][]*evidence.PostGone
	gaps []*evidence.Gap
	// status is what was told of the channel, for the explanation of a failure.
	status []*evidence.Status
	bound  time.Time // when the target was first bound
	cover  evidence.Coverage
}

// compare holds the vault against the truth.
func (s *soak) compare() {
	v, err := vault.Open(s.path, s.vault)
	if err != nil {
		s.Fatal(err)
	}
	byChannel, size := s.read(v), v.Size()
	s.open(v, byChannel)
	if err := v.Close(); err != nil {
		s.Fatal(err)
	}
	tally := tally{s: s, of: map[string]int{}, causes: map[string]time.Duration{}}
	for _, c := range s.truth.channels {
		tally.channel(c, byChannel[c])
	}
	rep, err := vault.Fsck(context.Background(), s.path, vault.FsckOptions{Workers: 1})
	if err != nil || len(rep.Problems) > 0 {
		s.Errorf("the vault: %v, %v", rep.Problems, err)
	}
	s.Logf("%d records; %d troubles, %d restarts, %d crashes; accounts lost: %v", size, s.faults, s.restarts, s.crashes, slices.Collect(maps.Keys(s.lost)))
	tally.print()
}

// notOver is the cause of a gap that the log does not have yet.
const notOver = "not yet over"

// open adds the gap that a target is in at the end: what is after the moment up to which it was observed.
func (s *soak) open(v *vault.Vault, byChannel map[*chanTruth]*recorded) {
	looks := []func(context.Context, string) (telegram.Looked, error){
		telegram.Looks(v, "telegram/"+soakMain), telegram.Looks(v, "telegram/"+soakSpare),
	}
	for c, r := range byChannel {
		var until time.Time
		for _, look := range looks {
			l, err := look(context.Background(), c.target.ID)
			if err != nil {
				s.Fatal(err)
			}
			if l.Until.After(until) {
				until = l.Until
			}
		}
		r.gaps = append(r.gaps, &evidence.Gap{Span: evidence.Span{From: evidence.At(until), To: evidence.At(time.Now())}, Cause: notOver})
	}
}

func (s *soak) read(v *vault.Vault) map[*chanTruth]*recorded {
	out := map[*chanTruth]*recorded{}
	byKey, byID := map[string]*recorded{}, map[string]*recorded{}
	for _, c := range s.truth.channels {
		r := &recorded{seen: map[int][]*evidence.PostSeen{}, gone: map[int][]*evidence.PostGone{}}
		out[c], byID[c.target.ID] = r, r
		byKey[evidence.Account("telegram", "channel", strconv.FormatInt(c.ch.ID(), 10)).Key] = r
	}
	names := map[evidence.Ordinal]string{}
	err := v.Records(context.Background(), 0, func(r evidence.Record) error {
		body, err := evidence.DecodeBody(r)
		if err != nil {
			return err
		}
		whole := r.Subject.Whole()
		if names[whole] == "" {
			n, err := v.Name(context.Background(), whole)
			if err != nil {
				return err
			}
			names[whole] = n.Key
		}
		if x := byID[names[whole]]; x != nil {
			x.cover.See(r)
		} else if x := byKey[names[whole]]; x != nil {
			x.cover.See(r)
		}
		switch b := body.(type) {
		case *evidence.PostSeen:
			id, err := strconv.Atoi(r.Subject.Part())
			if err != nil || byKey[names[whole]] == nil {
				return fmt.Errorf("a post of nobody: %s %s", names[whole], r.Subject)
			}
			byKey[names[whole]].seen[id] = append(byKey[names[whole]].seen[id], b)
		case *evidence.PostGone:
			id, err := strconv.Atoi(r.Subject.Part())
			if err != nil {
				return err
			}
			byKey[names[whole]].gone[id] = append(byKey[names[whole]].gone[id], b)
		case *evidence.Gap:
			byID[names[whole]].gaps = append(byID[names[whole]].gaps, b)
		case *evidence.Status:
			if x := byKey[names[whole]]; x != nil {
				x.status = append(x.status, b)
			}
		case *evidence.TargetBound:
			if x := byID[names[whole]]; x.bound.IsZero() {
				x.bound = r.At.Time
			}
		}
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
	return out
}

// tally counts what became of every version and deletion.
type tally struct {
	s        *soak
	of       map[string]int
	causes   map[string]time.Duration
	estimate float64 // of posts that come and go between two reads, at the longest interval
	faults   int
	observed []float64
	blind    time.Duration   // as recorded
	unread   time.Duration   // as the platform's own log has it: between two reads that lie further apart than is promised
	found    []time.Duration // from the beginning until each target was bound
}

func (y *tally) wrong(format string, args ...any) {
	y.faults++
	if y.faults <= 20 {
		y.s.Errorf(format, args...)
	}
}

func (y *tally) channel(c *chanTruth, r *recorded) {
	byID := map[int]*postTruth{}
	for _, p := range c.posts {
		byID[p.id] = p
	}
	for id, list := range r.seen {
		y.existed(c, byID[id], id, list)
	}
	for id, list := range r.gone {
		p := byID[id]
		if p == nil || p.gone.IsZero() || list[0].Observed.To.Before(p.gone.Add(-time.Second)) {
			y.wrong("%s/%d is recorded as gone and was not", c.target.ID, id)
		}
	}
	y.blindness(c, r)
	if r.bound.IsZero() {
		y.of["targets never bound"]++
		return
	}
	for _, p := range c.posts {
		for i := range p.versions {
			y.version(c, r, p, i)
		}
		y.deletion(c, r, p)
	}
	for _, g := range r.gaps {
		y.causes[g.Cause] += g.To.Sub(g.From.Time)
	}
}

// existed checks that nothing is recorded that never was, or at another time.
func (y *tally) existed(c *chanTruth, p *postTruth, id int, list []*evidence.PostSeen) {
	for _, b := range list {
		if p == nil {
			y.wrong("%s/%d is recorded and never was", c.target.ID, id)
			return
		}
		if !slices.ContainsFunc(p.versions, func(v version) bool { return v.text == b.Text && v.stood(b.Observed) }) {
			y.wrong("%s/%d: %q is recorded of %s and did not stand then", c.target.ID, id, b.Text, b.Observed.From.Format(time.RFC3339))
		}
	}
}

func (v version) stood(during evidence.Span) bool {
	return !v.from.After(during.To.Add(time.Second)) && (v.to.IsZero() || !v.to.Before(during.From.Add(-time.Second)))
}

func (y *tally) version(c *chanTruth, r *recorded, p *postTruth, i int) {
	v, kind := p.versions[i], "new"
	if i > 0 {
		kind = "edit"
	}
	if slices.ContainsFunc(r.seen[p.id], func(b *evidence.PostSeen) bool { return b.Text == v.text }) {
		y.of[kind+" recorded"]++
		return
	}
	end := v.to
	if end.IsZero() {
		end = time.Now()
	}
	told := y.s.saw.channel(c.ch.ID())
	if a, ok := y.s.saw.first(told.texts[p.id][v.text]); ok {
		y.of[kind+" MISSED"]++
		y.wrong("%s/%d: %q of %s was shown to us on %s and is not recorded", c.target.ID, p.id, v.text, v.from.Format(time.RFC3339), a.at.Format(time.RFC3339))
		y.trace(c, r, p, v.from, time.Now())
		return
	}
	due, promise := v.from, c.promise()
	if i > 0 && (c.target.Rotates() || v.silent) {
		due, promise = nextLook(p.born, v.from)
	}
	if i == 0 && c.target.Rotates() {
		y.estimate += max(0, 1-end.Sub(v.from).Seconds()/soakRotateMax.Seconds())
	}
	y.missing(c, kind, fmt.Sprintf("%s/%d version %d of %s, until %s", c.target.ID, p.id, i, v.from.Format(time.RFC3339), end.Format(time.RFC3339)), r, p, due, end, promise)
}

func (y *tally) deletion(c *chanTruth, r *recorded, p *postTruth) {
	if p.gone.IsZero() || len(r.seen[p.id]) == 0 {
		return
	}
	if len(r.gone[p.id]) > 0 {
		y.of["deletion recorded"]++
		return
	}
	if slices.ContainsFunc(r.status, func(x *evidence.Status) bool { return x.Because == "emptied" && x.Observed.To.After(p.gone) }) {
		y.of["deletion named as an emptied channel"]++ // not told from a channel that hides its posts
		return
	}
	due, promise := p.gone, c.promise()
	if c.target.Rotates() || p.silent {
		due, promise = nextLook(p.born, p.gone)
	}
	y.missing(c, "deletion", fmt.Sprintf("%s/%d deleted %s", c.target.ID, p.id, p.gone.Format(time.RFC3339)), r, p, due, time.Now(), promise)
}

// missing says why something is not recorded that stood until end and should have been read within a promise from due on.
func (y *tally) missing(c *chanTruth, kind, what string, r *recorded, p *postTruth, due, end time.Time, promise time.Duration) {
	switch stretch := longestSeen(due, end, r.gaps); {
	case end.Before(r.bound):
		y.of[kind+" before the target was bound"]++
	case kind == "deletion" && end.Sub(due) < promise:
		y.of["deletion not due by the end"]++
	case end.Sub(due) < promise:
		y.of[kind+" unseen between reads"]++
	case stretch < promise:
		y.of[kind+" within a recorded gap"]++
	default:
		y.of[kind+" MISSED"]++
		y.wrong("%s is not recorded, although observed for %s since it was due on %s; posted %s", what, stretch, due.Format(time.RFC3339), p.born.Format(time.RFC3339))
		y.trace(c, r, p, due, end)
	}
}

// soakSlack is how late anything may be beyond what is promised.
const soakSlack = 2 * time.Hour

func (c *chanTruth) promise() time.Duration {
	if c.target.Rotates() {
		return 2*soakRotateMax + 5*time.Minute
	}
	return 6 * time.Minute
}

// nextLook returns when a post comes to the next age at which it is looked at again, and how late that may be: posts that come to an age
// one after the other are looked at together, half the age later at most.
func nextLook(born, after time.Time) (time.Time, time.Duration) {
	for _, n := range []time.Duration{1, 4, 24, 96, 336, 1440} {
		if at := born.Add(n * soakRecheck); at.After(after) {
			return at, n*soakRecheck/2 + soakSlack
		}
	}
	return after.Add(60 * 24 * time.Hour), soakSlack
}

// longestSeen returns the longest stretch between two moments that no gap covers.
func longestSeen(from, to time.Time, gaps []*evidence.Gap) time.Duration {
	gs := slices.Clone(gaps)
	slices.SortFunc(gs, func(a, b *evidence.Gap) int { return a.From.Compare(b.From.Time) })
	longest := time.Duration(0)
	for _, g := range gs {
		if !g.To.After(from) {
			continue
		}
		if !g.From.Before(to) {
			break
		}
		longest = max(longest, g.From.Sub(from))
		from = g.To.Time
	}
	return max(longest, to.Sub(from))
}

func (y *tally) print() {
	for _, k := range slices.Sorted(maps.Keys(y.of)) {
		y.s.Logf("%-40s %7d", k, y.of[k])
	}
	slices.Sort(y.observed)
	var causes []string
	for _, k := range slices.Sorted(maps.Keys(y.causes)) {
		causes = append(causes, fmt.Sprintf("%s %.0f h", k, y.causes[k].Hours()))
	}
	if n := len(y.observed); n > 0 {
		y.s.Logf("observed: least %.1f %%, median %.1f %%; gaps: %s", 100*y.observed[0], 100*y.observed[n/2], strings.Join(causes, ", "))
	}
	slices.Sort(y.found)
	if n := len(y.found); n > 0 {
		y.s.Logf("targets bound: %d, in the median after %.1f h, the last after %.1f h", n, y.found[n/2].Hours(), y.found[n-1].Hours())
	}
	y.s.Logf("not observed, all targets together: %.0f h as recorded, %.0f h by what the platform answered", y.blind.Hours(), y.unread.Hours())
	y.s.Logf("posts that came and went between two reads: %d, none of them ever shown to us; %.0f estimated from their lives and the longest interval", y.of["new unseen between reads"], y.estimate)
	if n := float64(y.of["new unseen between reads"]); n > 1.5*y.estimate+8 {
		y.s.Errorf("%.0f posts came and went unseen, %.0f were estimated", n, y.estimate)
	}
	if y.of["new recorded"] == 0 || y.of["edit recorded"] == 0 || y.of["deletion recorded"] == 0 {
		y.s.Errorf("nothing to compare: %v", y.of)
	}
}
