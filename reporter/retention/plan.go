package retention

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Log is what is read of the vault. It is the vault itself, and not what people may see of it: what is in quarantine falls due too.
type Log interface {
	// Records calls fn for every record from the number from on, ascending; fn ends it with fs.SkipAll.
	Records(ctx context.Context, from int64, fn func(evidence.Record) error) error
	Each(ctx context.Context, view, prefix string, fn func(key string, value []byte, version int64) error) error
	// Reply returns what is left of an acquisition's reply that was cut, and evidence.ErrNotFound where it was not.
	Reply(ctx context.Context, acquisition int64) (evidence.CutReply, error)
}

// Inputs is what Make takes from the configuration, the desk and the reporter.
type Inputs struct {
	Now     time.Time
	Default int                                   // days
	Warn    int                                   // days
	Acts    int                                   // days
	Terms   map[evidence.Ordinal]int              // days, by account; others have Default
	Labels  map[evidence.Ordinal]string           // what people call an account
	Targets map[evidence.Ordinal]evidence.Ordinal // account, by target
	Holds   []Hold
}

// Hold keeps something. One of Account, Post and Subject says what.
type Hold struct {
	Why     string           // who or what holds, and why
	Until   time.Time        // zero: until it is released
	Account evidence.Ordinal // all that was collected of it
	Post    evidence.Ordinal
	Subject evidence.Ordinal // the acts about a case, a notice or a target
	From    time.Time        // where set, only what was recorded from then on
	To      time.Time        // where set, only what was recorded until then
	Below   int64            // where set, only records with lower numbers
}

func (h Hold) covers(r evidence.Record) bool {
	return (h.From.IsZero() || !r.At.Before(h.From)) && (h.To.IsZero() || !r.At.After(h.To)) && (h.Below == 0 || r.Seq < h.Below)
}

// Plan is what would go now, what will, and what does not.
type Plan struct {
	At       time.Time                `json:"at"`
	Records  []int64                  `json:"-"` // whose bodies are due
	Replies  []int64                  `json:"-"` // acquisitions whose raw replies are due, but for what is held in them
	Due      int                      `json:"due"`
	Cut      int                      `json:"replies"`
	Held     int                      `json:"held"` // due but for a hold
	Soon     int                      `json:"soon"` // due within the warning, as things are now
	SoonFrom time.Time                `json:"soon_from,omitzero"`
	Rows     []Row                    `json:"accounts"`
	HeldBy   []HeldBy                 `json:"held_by"`
	Changed  map[evidence.Ordinal]int `json:"-"` // terms that the next run announces
	Scanned  int64                    `json:"scanned"`
}

// Row is an account's part of a plan; the row of v0 is people's acts.
type Row struct {
	Account  evidence.Ordinal `json:"account"`
	Target   string           `json:"target,omitempty"`
	Days     int              `json:"days"`
	Due      int              `json:"due"`
	Replies  int              `json:"replies"`
	Held     int              `json:"held"`
	Soon     int              `json:"soon"`
	SoonFrom time.Time        `json:"soon_from,omitzero"`
	Earliest time.Time        `json:"earliest,omitzero"` // nothing of it goes before: its warning runs until then

	term time.Duration
}

// HeldBy says what a hold keeps from going.
type HeldBy struct {
	Why     string    `json:"why"`
	Until   time.Time `json:"until,omitzero"`
	Records int       `json:"records"`
}

// planning is a plan under way.
type planning struct {
	ctx  context.Context
	log  Log
	in   Inputs
	s    State
	out  Plan
	rows map[evidence.Ordinal]*Row

	account, post, subject map[evidence.Ordinal][]int // indexes of holds
	kept                   map[int]int                // records, by hold
}

// Make works out the plan. It reads the log up to where nothing can be due within the warning, and changes nothing.
func Make(ctx context.Context, log Log, in Inputs) (Plan, error) {
	s, err := Read(ctx, log)
	if err != nil {
		return Plan{}, err
	}
	p := &planning{
		ctx: ctx, log: log, in: in, s: s, rows: map[evidence.Ordinal]*Row{}, kept: map[int]int{},
		account: map[evidence.Ordinal][]int{}, post: map[evidence.Ordinal][]int{}, subject: map[evidence.Ordinal][]int{},
	}
	p.out = Plan{At: in.Now, Rows: []Row{}, HeldBy: []HeldBy{}, Changed: map[evidence.Ordinal]int{}}
	for i, h := range in.Holds {
		if !h.Until.IsZero() && !in.Now.Before(h.Until) {
			continue
		}
		switch {
		case h.Post != "":
			p.post[h.Post] = append(p.post[h.Post], i)
		case h.Account != "":
			p.account[h.Account] = append(p.account[h.Account], i)
		default:
			p.subject[h.Subject] = append(p.subject[h.Subject], i)
		}
	}
	p.row(Acts)
	for a := range in.Labels {
		p.row(a)
	}
	// Nothing that was recorded after the horizon is due within the warning.
	shortest := min(in.Default, in.Acts)
	for _, d := range in.Terms {
		shortest = min(shortest, d)
	}
	horizon := in.Now.Add(days(in.Warn) - days(shortest))
	err = log.Records(ctx, 0, func(r evidence.Record) error {
		if r.At.After(horizon) {
			return fs.SkipAll
		}
		p.out.Scanned++
		return p.look(r)
	})
	if err != nil {
		return Plan{}, fmt.Errorf("look for what is due: %w", err)
	}
	return p.finish(), nil
}

// row returns the row of an account, with the moment before which nothing of it goes.
func (p *planning) row(a evidence.Ordinal) *Row {
	if r := p.rows[a]; r != nil {
		return r
	}
	d := p.in.Default
	if a == Acts {
		d = p.in.Acts
	} else if own, ok := p.in.Terms[a]; ok {
		d = own
	}
	r := &Row{Account: a, Target: p.in.Labels[a], Days: d, term: days(d), Earliest: p.in.Now.Add(days(p.in.Warn))}
	p.rows[a] = r
	old, known := p.s.terms[a]
	if !known || old.Days != d {
		p.out.Changed[a] = d
	}
	if !known || d < old.Days || p.s.Last == nil || p.in.Now.Sub(p.s.Last.At.Time) > days(p.in.Warn) {
		return r // it is announced by the next run
	}
	since := old.Since
	if p.s.Last.Floor.After(since.Time) {
		since = p.s.Last.Floor
	}
	r.Earliest = since.Add(days(p.in.Warn))
	return r
}

// look sorts one record.
func (p *planning) look(r evidence.Record) error {
	if r.Body == nil {
		return nil // erased
	}
	switch {
	case collected(r.Kind) && r.Subject.Space() == evidence.SpaceAccount:
		p.weigh(r, r.Subject.Whole(), false)
	case r.Kind == evidence.KindAcquisition:
		return p.reply(r)
	case act(r.Kind):
		p.weigh(r, Acts, false)
	}
	return nil
}

// weigh says whether a record is due, will be, or is held.
func (p *planning) weigh(r evidence.Record, of evidence.Ordinal, reply bool) {
	row := p.row(of)
	due := r.At.Add(row.term)
	if due.Before(row.Earliest) {
		due = row.Earliest
	}
	if due.After(p.in.Now.Add(days(p.in.Warn))) {
		return
	}
	now := !due.After(p.in.Now)
	if held := p.heldBy(r); len(held) > 0 {
		if !now {
			return
		}
		for _, i := range held {
			p.kept[i]++
		}
		row.Held++
		p.out.Held++
		return
	}
	switch {
	case !now:
		row.Soon++
		p.out.Soon++
		row.SoonFrom = earlier(row.SoonFrom, due)
		p.out.SoonFrom = earlier(p.out.SoonFrom, due)
	case reply:
		row.Replies++
		p.out.Replies = append(p.out.Replies, r.Seq)
	default:
		row.Due++
		p.out.Records = append(p.out.Records, r.Seq)
	}
}

// reply weighs an acquisition's raw bytes, where there are any left.
func (p *planning) reply(r evidence.Record) error {
	of := r.Subject.Whole()
	if of.Space() == evidence.SpaceTarget {
		of = p.in.Targets[of]
	}
	if of.Space() != evidence.SpaceAccount {
		return nil
	}
	row := p.row(of)
	if r.At.Add(row.term).After(p.in.Now.Add(days(p.in.Warn))) {
		return nil
	}
	b, err := evidence.Decode[*evidence.Acquisition](r)
	if err != nil || b.Reply.IsZero() {
		return nil //nolint:nilerr // a form of a later build stays
	}
	left, err := p.log.Reply(p.ctx, r.Seq)
	switch {
	case err == nil && left.Reply.IsZero():
		return nil
	case err != nil && !gone(err):
		return err
	}
	r.Subject = of
	p.weigh(r, of, true)
	return nil
}

// heldBy returns the holds that cover a record.
func (p *planning) heldBy(r evidence.Record) (out []int) {
	for _, list := range [][]int{p.post[r.Subject], p.account[r.Subject.Whole()], p.subject[r.Subject.Whole()]} {
		for _, i := range list {
			if p.in.Holds[i].covers(r) {
				out = append(out, i)
			}
		}
	}
	return out
}

func (p *planning) finish() Plan {
	p.out.Due, p.out.Cut = len(p.out.Records), len(p.out.Replies)
	for _, a := range slices.Sorted(maps.Keys(p.rows)) {
		if r := p.rows[a]; r.Due+r.Replies+r.Held+r.Soon > 0 {
			p.out.Rows = append(p.out.Rows, *r)
		}
	}
	for i, n := range p.kept {
		p.out.HeldBy = append(p.out.HeldBy, HeldBy{p.in.Holds[i].Why, p.in.Holds[i].Until, n})
	}
	slices.SortFunc(p.out.HeldBy, func(a, b HeldBy) int { return cmp.Or(b.Records-a.Records, cmp.Compare(a.Why, b.Why)) })
	return p.out
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// collected are the kinds that hold content.
func collected(k evidence.Kind) bool {
	switch k {
	case evidence.KindPostSeen, evidence.KindPostCounts, evidence.KindMediaKept:
		return true
	}
	return false
}

// act are the kinds of people's acts that have a term. Roster, targets and stops have none: who may what, and who was wrongly listed,
// stays to be known.
func act(k evidence.Kind) bool {
	switch k {
	case evidence.KindDecision, evidence.KindApproval, evidence.KindNoticeDrafted, evidence.KindNoticeAttempted, evidence.KindNoticeSent,
		evidence.KindNoticeAnswered, evidence.KindNoticeDisputed, evidence.KindAccess, evidence.KindRefused:
		return true
	}
	return false
}
