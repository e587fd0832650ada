package evidence

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// CoverageSays is what a share of time observed means.
const CoverageSays = "share of the time without a recorded gap; between two polls a post can come and go unseen"

// CoverageRotation says what counts as observed where a target is read now and then.
const CoverageRotation = "A target counts as observed as long as it is read at the pace that its mode promises (in rotation: no later than twice its planned interval); what came and went between two reads is not seen even then."

// Missing is a stretch in which a target was not observed.
type Missing struct {
	Record    int64   `json:"record"` // -1 where it is concluded and not recorded
	Subject   Ordinal `json:"subject"`
	From      Time    `json:"from"`
	To        Time    `json:"to"`
	Cause     string  `json:"cause"`
	Detail    string  `json:"detail,omitempty"`
	Source    string  `json:"source,omitempty"`
	Recovered bool    `json:"recovered"` // the history was read again across it
}

// Coverage tells from the records of a target and of its account how much of the time it was observed. It is fed with See, those of the
// target first, and then asked.
type Coverage struct {
	Account Ordinal   // what the target resolved to last
	From    Time      // the first request that was no import
	Gaps    []Missing // as recorded
	Live    bool      // there was such a request

	allowed  []Span // in which people allowed observation
	open     bool
	approved bool
	lifting  map[string]bool // who signed that a stop be lifted
}

// See takes a record in. What it cannot read it skips.
func (c *Coverage) See(r Record) {
	switch r.Kind {
	case KindTargetApproved, KindTargetSuspended, KindTargetMarked, KindTargetRemoved, KindTargetSet, KindTargetConfirmed:
		c.people(r)
	case KindTargetBound:
		if b, err := Decode[*TargetBound](r); err == nil {
			c.Account = b.Account.Ordinal
		}
	case KindAcquisition:
		b, err := Decode[*Acquisition](r)
		if err != nil || strings.HasPrefix(b.Method, "import") {
			return
		}
		c.Live = true
		if t := b.Observed.From; !t.IsZero() && (c.From.IsZero() || t.Before(c.From.Time)) {
			c.From = t
		}
	case KindGap:
		if b, err := Decode[*Gap](r); err == nil {
			c.Gaps = append(c.Gaps, Missing{r.Seq, r.Subject, b.From, b.To, b.Cause, b.Detail, b.Source, b.Recovered})
		}
	}
}

// people follows who allowed and who stopped the observation.
func (c *Coverage) people(r Record) {
	last := len(c.allowed) - 1
	if r.Kind != KindTargetApproved {
		if c.open && (c.allowed[last].To.IsZero() || c.allowed[last].To.After(r.At.Time)) {
			c.allowed[last].To = r.At
		}
		c.open = false
		c.lifting = nil
		if r.Kind == KindTargetSuspended || r.Kind == KindTargetMarked {
			c.lifting = map[string]bool{}
		}
		return
	}
	var st Statement
	if b, err := Decode[*TargetApproved](r); err != nil || json.Unmarshal([]byte(b.Payload), &st) != nil {
		return
	}
	if c.lifting != nil { // it takes two people to lift a stop
		c.lifting[st.Person] = true
		if len(c.lifting) < 2 {
			return
		}
		c.lifting = nil
	}
	if c.open && (c.allowed[last].To.IsZero() || c.allowed[last].To.After(r.At.Time)) {
		c.allowed[last].To = st.Until // renewed
		return
	}
	c.allowed = append(c.allowed, Span{From: r.At, To: st.Until})
	c.open, c.approved = true, true
}

// Shares are parts of the time in which a target was to be observed.
type Shares struct {
	Expected time.Duration // in which it was to be observed
	Observed time.Duration // without a gap
	Read     time.Duration // without a gap across which the history was not read again
}

// Shares computes the shares between the first request and to, and no earlier than since. Time in which people did not allow observation
// counts neither way.
func (c *Coverage) Shares(since, to time.Time, more ...Missing) Shares {
	from := c.From.Time
	if since.After(from) {
		from = since
	}
	if !c.Live || c.From.IsZero() || !to.After(from) {
		return Shares{}
	}
	allowed := c.allowed
	if !c.approved { // a log without approvals
		allowed = []Span{{From: At(from)}}
	}
	expected := union(allowed, from, to)
	var gaps, lost []Span
	for _, g := range slices.Concat(c.Gaps, more) {
		gaps = append(gaps, Span{g.From, g.To})
		if !g.Recovered {
			lost = append(lost, Span{g.From, g.To})
		}
	}
	s := Shares{Expected: length(expected)}
	s.Observed = s.Expected - overlap(expected, union(gaps, from, to))
	s.Read = s.Expected - overlap(expected, union(lost, from, to))
	return s
}

type stretch struct{ from, to time.Time }

// union joins what overlaps, within [from, to], in order. A span without an end lasts until to.
func union(spans []Span, from, to time.Time) []stretch {
	var in []stretch
	for _, s := range spans {
		x := stretch{s.From.Time, s.To.Time}
		if x.to.IsZero() || x.to.After(to) {
			x.to = to
		}
		if x.from.Before(from) {
			x.from = from
		}
		if x.to.After(x.from) {
			in = append(in, x)
		}
	}
	slices.SortFunc(in, func(a, b stretch) int { return a.from.Compare(b.from) })
	var out []stretch
	for _, x := range in {
		if n := len(out); n > 0 && !x.from.After(out[n-1].to) {
			if x.to.After(out[n-1].to) {
				out[n-1].to = x.to
			}
			continue
		}
		out = append(out, x)
	}
	return out
}

func length(ss []stretch) (sum time.Duration) {
	for _, s := range ss {
		sum += s.to.Sub(s.from)
	}
	return sum
}

func overlap(a, b []stretch) (sum time.Duration) {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		from, to := a[i].from, a[i].to
		if b[j].from.After(from) {
			from = b[j].from
		}
		if b[j].to.Before(to) {
			to = b[j].to
		}
		if to.After(from) {
			sum += to.Sub(from)
		}
		if a[i].to.Before(b[j].to) {
			i++
		} else {
			j++
		}
	}
	return sum
}
