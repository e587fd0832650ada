package diary

import (
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Inputs is what Today takes from the desk, the reporter and the sources, in plain types: siblings do not import one another.
type Inputs struct {
	Now     time.Time
	Since   time.Time
	Targets []Target
	Cases   []Case // those that wait for somebody
	Notices []Notice
	Sources []Source
	// Retention are sentences about what goes soon, lingers, or is in quarantine.
	Retention []string
}

// The states of a target that Today tells apart; any other is not collected.
const (
	TargetListed   = "listed" // waits for a second person
	TargetApproved = "approved"
)

// Target is a target as the desk has it.
type Target struct {
	Ordinal   evidence.Ordinal
	ID        string
	Platform  string
	State     string
	Account   evidence.Ordinal
	Until     time.Time // of an approval that ends
	Emergency bool
	ListedBy  string
	Stopped   time.Time // of a suspension or mark
	Reason    string
}

// Case is a case that waits.
type Case struct {
	Ordinal  evidence.Ordinal
	Account  evidence.Ordinal
	Target   string
	Waits    string // for what: a decision, a second person …
	Severity string
	Exhibits int
	Since    time.Time
}

// Notice is a notice as the reporter has it.
type Notice struct {
	Ordinal  evidence.Ordinal
	Platform string
	State    string
	Reason   string
	Since    time.Time
	Accounts []evidence.Ordinal
	Left     bool // the other side has it, or may have it
	Settled  bool // corrected or withdrawn
}

// Source is one of our own accounts.
type Source struct {
	Name   string
	State  string
	Detail string
	Since  time.Time
}

// Well reports whether a source in this state observes.
func (s Source) Well() bool {
	return s.State == "healthy" || s.State == "starting" || s.State == "polls"
}

// Today is what a person needs in the morning.
type Today struct {
	At          time.Time  `json:"at"`
	Since       time.Time  `json:"since"`
	Down        []Event    `json:"down"`
	Renamed     []Event    `json:"renamed"`
	Back        []Event    `json:"back"`
	Gone        []Gone     `json:"posts_gone"`
	Blind       []Blind    `json:"blind"`
	Gaps        []Event    `json:"gaps"` // that are over
	Cases       []Waiting  `json:"cases"`
	Answers     []Event    `json:"answers"`
	Corrections []Due      `json:"corrections_due"`
	Approvals   []Approval `json:"approvals"` // missing, ending or ended
	Emergencies []Approval `json:"emergencies"`
	Suspended   []Stopped  `json:"suspended"`
	Candidates  []Event    `json:"candidates"`
	Notices     []Trouble  `json:"notices"`
	Retention   []string   `json:"retention"` // what goes soon, lingers, or is in quarantine
}

// Event is something that happened, with its record.
type Event struct {
	Seq     int64            `json:"seq"`
	At      evidence.Time    `json:"at"`
	Subject evidence.Ordinal `json:"subject"`
	Targets []string         `json:"targets,omitempty"` // configured ids
	What    string           `json:"what"`
}

// Gone counts the posts of an account that were found gone.
type Gone struct {
	Account evidence.Ordinal `json:"account"`
	Targets []string         `json:"targets,omitempty"`
	How     map[string]int   `json:"how"`
	Latest  evidence.Time    `json:"latest"`
}

// Blind is a target, or one of our accounts, of which nothing is seen.
type Blind struct {
	Target string    `json:"target,omitempty"`
	Source string    `json:"source,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	Why    string    `json:"why"`
}

// Waiting is a case that waits for somebody.
type Waiting struct {
	Case     evidence.Ordinal `json:"case"`
	Target   string           `json:"target"`
	Waits    string           `json:"waits"`
	Severity string           `json:"severity,omitempty"`
	Exhibits int              `json:"exhibits"`
	Since    time.Time        `json:"since"`
	Hours    float64          `json:"hours"`
}

// Due is a notice that left about a target that was stopped since, and for which nothing was put right yet.
type Due struct {
	Notice   evidence.Ordinal `json:"notice"`
	Platform string           `json:"platform"`
	Target   string           `json:"target"`
	Since    time.Time        `json:"since"` // of the stop
	Hours    float64          `json:"hours"`
	Reason   string           `json:"reason"`
}

// Approval is a target that lacks an approval, or will.
type Approval struct {
	Target string    `json:"target"`
	Until  time.Time `json:"until,omitzero"` // zero: it never had one
	Ended  bool      `json:"ended"`
	By     string    `json:"listed_by,omitempty"`
}

// Stopped is a target that is suspended or marked.
type Stopped struct {
	Target string    `json:"target"`
	State  string    `json:"state"`
	Since  time.Time `json:"since,omitzero"`
	Hours  float64   `json:"hours"`
	Reason string    `json:"reason"`
}

// Trouble is a notice that a person must look after.
type Trouble struct {
	Notice   evidence.Ordinal `json:"notice"`
	Platform string           `json:"platform"`
	State    string           `json:"state"`
	Since    time.Time        `json:"since"`
	Reason   string           `json:"reason,omitempty"`
}

// ApprovalNotice is how long before its end an approval is told.
const ApprovalNotice = 7 * 24 * time.Hour
