package collectors

import "github.com/muhafiz/muhafiz/collectors/evidence"

// Plan is how an account shares its budget out over its targets.
type Plan struct {
	Source  string       `json:"source"`
	Targets []TargetPlan `json:"targets"` // by id
	Budgets []BudgetPlan `json:"budgets"` // by method; none where the account has no budget
	Fits    bool         `json:"fits"`    // every delay below is what the modes promise
	Says    string       `json:"says"`    // a sentence about that
}

// TargetPlan is what one target can expect. Times are in seconds.
type TargetPlan struct {
	Target   string  `json:"target"`
	Mode     string  `json:"mode"`           // in force, which may be less than what was asked for
	Asked    string  `json:"asked"`          // in the watchlist
	PerHour  float64 `json:"posts_per_hour"` // learned; negative where the source learns no rates
	Every    float64 `json:"every_s"`        // between two reads
	Expected float64 `json:"expected_s"`     // until a post is durable, in the mean
	Worst    float64 `json:"worst_s"`        // as long as the account is neither held up nor cut off
	Share    float64 `json:"share"`          // of the budget that its mode uses
	Known    bool    `json:"known"`          // its address was looked up by this account

	// BlindSince is set where the target is not observed at present, for longer than its mode promises: the gap that is recorded when
	// that is over, or tried again, begins there.
	BlindSince evidence.Time `json:"blind_since,omitzero"`
	BlindCause string        `json:"blind_cause,omitempty"` // as the gap will say, as far as is known
}

// BudgetPlan is one budget. Share is what rotation and polls are planned to use, Used what was used lately.
type BudgetPlan struct {
	Method    string  `json:"method"`
	PerMinute float64 `json:"per_minute"` // for long
	Share     float64 `json:"planned_share"`
	Used      float64 `json:"used_share"`
	Granted   int64   `json:"granted"` // within Over
	Over      float64 `json:"over_s"`
}
