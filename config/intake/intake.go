package intake

import (
	"fmt"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/config"
)

// Status says what became of a row, or of one of several links in it.
type Status string

// The statuses.
const (
	New       Status = "new"
	Known     Status = "known"     // is on a watchlist
	Past      Status = "past"      // was removed from the watchlists
	Suspended Status = "suspended" // is on a watchlist and suspended
	Rejected  Status = "rejected"  // is marked as innocent: only two other people can list it again
	Renamed   Status = "renamed"   // is the same account as a target with another address
	Duplicate Status = "duplicate" // stands in an earlier row
	Refused   Status = "refused"   // cannot be listed
	Header    Status = "header"    // names the columns
)

// Statuses returns all statuses in the order in which people read them.
func Statuses() []Status {
	return []Status{New, Known, Duplicate, Renamed, Suspended, Past, Rejected, Refused, Header}
}

// Outcome is what became of a row. A row with several links has several.
type Outcome struct {
	Row      int    `json:"row"`
	Cell     string `json:"cell,omitempty"` // such as B12
	Text     string `json:"text"`           // as it stands in the list
	Status   Status `json:"status"`
	Reason   string `json:"reason,omitempty"`
	Note     string `json:"note,omitempty"`
	ID       string `json:"id,omitempty"`
	Platform string `json:"platform,omitempty"`
	Address  string `json:"address,omitempty"`
	Name     string `json:"name,omitempty"`
	Date     string `json:"date,omitempty"`      // 2026-01-31, 2026-01 or 2026
	DateText string `json:"date_text,omitempty"` // as it stands in the list

	at config.Address
}

// Past states of targets, as the log has them.
const (
	StateSuspended = "suspended"
	StateRemoved   = "removed"
	StateInnocent  = "innocent"
)

// Prior is a target that the log knows, by its address or by a name that its account had.
type Prior struct {
	ID      string `json:"id"`
	Address string `json:"address"` // canonical
	State   string `json:"state"`
	Reason  string `json:"reason,omitempty"`
	// Renamed says that Address is another name of the account which the target's own address led to.
	Renamed bool `json:"renamed,omitempty"`
}

// Sorting is what a list is held against.
type Sorting struct {
	Config *config.Config
	Prior  []Prior // what the log knows; may be nil
	Now    time.Time
}

// Result is a list with every row accounted for.
type Result struct {
	Format   string         `json:"format"`
	Sheet    string         `json:"sheet,omitempty"`
	Rows     int            `json:"rows"` // with anything in them
	Counts   map[Status]int `json:"counts"`
	Notes    []string       `json:"notes,omitempty"`
	Outcomes []Outcome      `json:"outcomes"`
}

// Sort accounts for every row of a list.
func Sort(t *Table, in Sorting) *Result {
	s := sorter{t: t, in: in, seen: map[string]int{}, ids: map[string]bool{}, listed: map[string]config.Target{}, prior: map[string]Prior{}, alike: map[string]string{}}
	for _, x := range in.Config.Targets {
		s.ids[x.ID], s.listed[x.Address.Canonical] = true, x
		s.alike[skeleton(x.Address)] = "the target " + x.ID
	}
	for _, p := range in.Prior {
		s.ids[p.ID] = true
		if old, ok := s.prior[p.Address]; !ok || weight(p) > weight(old) {
			s.prior[p.Address] = p
		}
	}
	s.cols = findColumns(t)
	s.mixed = s.isMixed()
	s.order = s.dateOrder()
	res := &Result{Format: t.Format, Sheet: t.Sheet, Rows: len(t.Rows), Counts: map[Status]int{}, Notes: t.Notes}
	res.Outcomes = make([]Outcome, 0, len(t.Rows))
	for i, r := range t.Rows {
		res.Outcomes = append(res.Outcomes, s.row(i, r)...)
	}
	for _, o := range res.Outcomes {
		res.Counts[o.Status]++
	}
	return res
}

// weight orders what is known of one address: a mark of innocence counts before all else.
func weight(p Prior) int {
	switch {
	case p.State == StateInnocent:
		return 4
	case p.State == StateSuspended:
		return 3
	case p.Renamed:
		return 1
	case p.State == StateRemoved:
		return 0
	}
	return 2
}

type sorter struct {
	t      *Table
	in     Sorting
	cols   columns
	mixed  bool
	order  order
	seen   map[string]int // canonical address to the row it was first in
	ids    map[string]bool
	listed map[string]config.Target
	prior  map[string]Prior
	alike  map[string]string // skeleton of an address to who has it
}

// isMixed reports whether names alone are ambiguous in this list: it names platforms, or links to others than Telegram.
func (s *sorter) isMixed() bool {
	if s.cols.platform >= 0 || len(s.cols.only) > 0 {
		return true
	}
	for _, r := range s.t.Rows {
		for _, cell := range r.Cells {
			if !strings.Contains(cell, ".com") {
				continue
			}
			for _, c := range candidates(cell, 0, false, "") {
				if a, _, err := c.address("", false); err == nil && a.Platform != config.PlatformTelegram && a.Platform != config.PlatformWhatsApp {
					return true
				}
			}
		}
	}
	return false
}

func (s *sorter) dateOrder() order {
	if s.cols.date < 0 {
		return unknownOrder
	}
	var cells []string
	for i, r := range s.t.Rows {
		if i != s.cols.header && s.cols.date < len(r.Cells) {
			cells = append(cells, r.Cells[s.cols.date])
		}
	}
	return orderOf(cells)
}

func (r Row) at(i int) string {
	if i < 0 || i >= len(r.Cells) {
		return ""
	}
	return r.Cells[i]
}

func (s *sorter) row(i int, r Row) []Outcome {
	base := Outcome{Row: r.Number, Text: clip(strings.Join(r.Cells, " | "), 300)}
	switch {
	case i == s.cols.header:
		base.Status = Header
		return []Outcome{base}
	case i < s.cols.header:
		// A link above the list is its publisher's or its source's more often than a member's.
		base.Status, base.Reason = Refused, "stands above the names of the columns and is not read"
		return []Outcome{base}
	case r.Problem != "":
		base.Status, base.Reason = Refused, r.Problem
		return []Outcome{base}
	}
	found, platform, problem := s.find(r)
	if problem != "" {
		base.Status, base.Reason = Refused, problem
		return []Outcome{base}
	}
	var out []Outcome
	for _, c := range found {
		o := base
		o.Cell, o.Text = cellName(c.cell, r.Number), clip(r.Cells[c.cell], 300)
		s.judge(&o, c, platform, r)
		if o.Status == Duplicate && s.seen[o.Address] == r.Number && len(found) > 1 {
			continue // a link beside its own handle or text
		}
		out = append(out, o)
	}
	return out
}

// find returns the texts of a row that may be addresses: those of its link columns, or, where they hold nothing, its handles.
func (s *sorter) find(r Row) (found []candidate, platform, problem string) {
	merged, unknown := "", false
	if p := r.at(s.cols.platform); p != "" {
		if platform, unknown = platformNamed(p); unknown {
			unknown = strings.TrimSpace(p) != ""
		}
	}
	collect := func(cols []int, handles bool) {
		for _, i := range cols {
			if i >= len(r.Cells) || i == s.cols.platform || i == s.cols.date {
				continue
			}
			if mark, ok := r.Marks[i]; ok {
				if m, shadow := strings.CutPrefix(mark, mergedMark); shadow {
					merged = m
				} else {
					found = append(found, candidate{cell: i, text: r.Cells[i], reason: mark})
				}
				continue
			}
			found = append(found, candidates(r.Cells[i], i, handles, s.cols.only[i])...)
		}
	}
	collect(s.cols.links, len(s.cols.links) == 1 && len(s.cols.handles) == 0)
	if len(found) == 0 {
		collect(s.cols.handles, true)
	}
	switch {
	case len(found) > 0 && unknown && !looksLink(found[0].text):
		return nil, "", fmt.Sprintf("%q is on no platform that is known here (Telegram, WhatsApp, X, Facebook, Instagram)", clip(strings.TrimSpace(r.at(s.cols.platform)), 40))
	case len(found) > 0:
		return found, platform, ""
	case merged != "":
		return nil, "", "the row has no link of its own: its cell is " + merged
	}
	return nil, "", "the row has no link and no handle"
}

// judge decides what becomes of one candidate.
func (s *sorter) judge(o *Outcome, c candidate, platform string, r Row) {
	o.Name = oneLine(clip(r.at(s.cols.name), 200))
	if o.DateText = strings.TrimSpace(r.at(s.cols.date)); o.DateText != "" {
		var err error
		if o.Date, err = s.t.date(o.DateText, s.order, s.in.Now); err != nil {
			o.Note = "the date is left out: " + err.Error()
		}
	}
	a, note, err := c.address(platform, s.mixed)
	if err != nil {
		o.Status, o.Reason = Refused, err.Error()
		return
	}
	o.Note = joinNotes(o.Note, note)
	o.at, o.Platform, o.Address = a, a.Platform, a.Canonical
	if first, ok := s.seen[a.Canonical]; ok {
		o.Status, o.Reason = Duplicate, fmt.Sprintf("the same account as in row %d", first)
		return
	}
	s.seen[a.Canonical] = r.Number
	if s.before(o) {
		return
	}
	o.Status, o.ID = New, s.freeID(a)
	if who, ok := s.alike[skeleton(a)]; ok {
		o.Note = joinNotes(o.Note, "the name looks like that of "+who+", and is another")
	} else {
		s.alike[skeleton(a)] = fmt.Sprintf("row %d", r.Number)
	}
	if !config.Collectable(a.Platform) {
		o.Note = joinNotes(o.Note, "listed only: there is no collector for "+config.PlatformName(a.Platform)+" here")
	}
}

// before reports whether an account is known already, and how.
func (s *sorter) before(o *Outcome) bool {
	p, inLog := s.prior[o.Address]
	t, listed := s.listed[o.Address]
	why := ""
	if p.Reason != "" {
		why = " (" + oneLine(p.Reason) + ")"
	}
	switch {
	case inLog && p.State == StateInnocent:
		o.Status, o.ID, o.Reason = Rejected, p.ID, "the target "+p.ID+" was found innocent"+why+": two other people and a reason are needed to list it again"
	case inLog && p.State == StateSuspended:
		o.Status, o.ID, o.Reason = Suspended, p.ID, "the target "+p.ID+" is suspended"+why+": a second person must approve it again"
	case listed:
		o.Status, o.ID, o.Reason = Known, t.ID, fmt.Sprintf("is the target %s at %s", t.ID, t.Pos)
	case inLog && p.Renamed:
		o.Status, o.ID, o.Reason = Renamed, p.ID, "is the account of the target "+p.ID+" under another name: see `muhafiz watch successor`"
	case inLog && p.State == StateRemoved:
		o.Status, o.ID, o.Reason = Past, p.ID, "was the target "+p.ID+" and was removed"+why+": if it is to be watched again, write it into a watchlist by hand"
	case inLog:
		o.Status, o.ID, o.Reason = Known, p.ID, "is the target "+p.ID+" in the log"
	default:
		return false
	}
	return true
}

// freeID returns an id that no target has or had.
func (s *sorter) freeID(a config.Address) string {
	id := a.ID()
	for n := 2; s.ids[id]; n++ {
		suffix := fmt.Sprintf("-%d", n)
		id = a.ID()
		id = id[:min(len(id), 64-len(suffix))] + suffix
	}
	s.ids[id] = true
	return id
}

// skeleton is the same for names that look alike in many fonts.
func skeleton(a config.Address) string {
	if a.Platform == config.PlatformWhatsApp {
		return a.Canonical // a code is made by a machine
	}
	return a.Platform + " " + lookalikes.Replace(a.Name)
}

var lookalikes = strings.NewReplacer("1", "l", "i", "l", "0", "o", "rn", "m", "vv", "w", "5", "s", "_", "", ".", "", "-", "")

func joinNotes(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// cellName is a cell as spreadsheets name it.
func cellName(col, row int) string {
	name := ""
	for col++; col > 0; col = (col - 1) / 26 {
		name = string(rune('A'+(col-1)%26)) + name
	}
	return fmt.Sprintf("%s%d", name, row)
}
