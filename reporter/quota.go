package reporter

import (
	"cmp"
	"fmt"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/notice"
)

// The refusal rate is reckoned over this time, and from this many answers on.
const (
	refusalWindow = 90 * 24 * time.Hour
	fewestAnswers = 5
)

// quota is how many notices a platform may still get today.
type quota struct {
	free     int
	sentence string // how it was reckoned
}

// quota reckons the platform's cap for the last 24 hours. Of the notices answered in the last 90 days, by their latest answer,
//
//	rate = refused / (removed + restricted + refused)      0 while fewer than 5 were answered so
//	cap  = max(1, floor(configured · (1 − rate)))
//
// so that a notifier whose notices are refused grows quieter (DSA Art. 23) and never falls silent. Corrections do not count; a
// threat to life counts and is not held up. A notice that the clock, once set back, puts into the future counts as of today.
func (r *Reporter) quota(platform string, all []notice.State) quota {
	configured := cmp.Or(r.o.Routes[platform].DailyCap, 10)
	now, used, answered, refused := r.o.Now(), 0, 0, 0
	for _, n := range all {
		if n.Platform != platform || n.Redresses() {
			continue
		}
		if n.Status != notice.Withdrawn && n.DraftedAt.After(now.Add(-24*time.Hour)) {
			used++
		}
		if len(n.Answers) == 0 || !n.Answers[len(n.Answers)-1].At.After(now.Add(-refusalWindow)) {
			continue
		}
		switch n.Answers[len(n.Answers)-1].Outcome {
		case evidence.AnswerRefused:
			refused++
			answered++
		case evidence.AnswerRemoved, evidence.AnswerRestricted:
			answered++
		}
	}
	q := quota{free: configured - used, sentence: fmt.Sprintf("%d of %d", used, configured)}
	if answered < fewestAnswers || refused == 0 {
		return q
	}
	lowered := max(1, configured*(answered-refused)/answered)
	return quota{lowered - used, fmt.Sprintf("%d of %d, lowered from %d because %d of %d answers in 90 days were refusals", used, lowered, configured, refused, answered)}
}
