package diary

import (
	"encoding/json"
	"fmt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// The names of the views.
const (
	ViewActors = "actors"
	ViewDays   = "days"
)

// Views returns the views that the diary reads. Neither writes a key for a post that was seen, so that reading stays as quick as
// writing was.
func Views() []evidence.View {
	return []evidence.View{
		{Name: ViewActors, Version: 1, Apply: applyActors},
		{Name: ViewDays, Version: 2, Apply: applyDays},
	}
}

// applyActors lists what people did, `uN/SEQ`, and what was not an observation, `kind/KIND/SEQ`, by number in sixteen hex digits.
func applyActors(r evidence.Record, kv evidence.KV) error {
	if r.Actor.Space() == evidence.SpacePerson {
		if err := kv.Put(string(r.Actor)+"/"+seqText(r.Seq), nil); err != nil {
			return err
		}
	}
	if observed(r.Kind) {
		return nil
	}
	return kv.Put(kindPrefix(r.Kind)+seqText(r.Seq), nil)
}

func kindPrefix(k evidence.Kind) string { return "kind/" + string(k) + "/" }

func seqText(seq int64) string { return fmt.Sprintf("%016x", seq) }

// observed reports whether a kind is one of those that a channel makes many of.
func observed(k evidence.Kind) bool {
	switch k {
	case evidence.KindPostSeen, evidence.KindPostCounts, evidence.KindPostGone, evidence.KindAcquisition, evidence.KindMediaKept,
		evidence.KindMediaMissed, evidence.KindAccountBound:
		return true
	}
	return false
}

// Happening is something of a day that a person may want to know in the morning.
type Happening struct {
	Seq     int64            `json:"seq"`
	At      evidence.Time    `json:"at"`
	What    string           `json:"what"`
	Subject evidence.Ordinal `json:"subject"`
	Detail  string           `json:"detail,omitempty"`
}

// What can happen.
const (
	HappenedDown     = "down"    // the platform restricts the account, or a target can no longer be reached
	HappenedBack     = "back"    // it no longer does
	HappenedRenamed  = "renamed" // another title or other names
	HappenedUnseen   = "unseen"  // a target could not be observed, and nothing was recorded of it since
	HappenedGap      = "gap"     // a target was not observed for a while, and its history was read again
	HappenedAnswered = "answered"
	HappenedDisputed = "disputed"
	HappenedLink     = "link"
	HappenedFinding  = "finding"
)

// Tally counts the posts of an account that were found gone within an hour.
type Tally struct {
	Account evidence.Ordinal `json:"account"`
	First   int64            `json:"first"` // record
	At      evidence.Time    `json:"at"`    // of the latest
	How     map[string]int   `json:"how"`
}

// The keys of the view `days`: `day/DAY/SEQ` a Happening, `gone/DAY/HOUR/aN` a Tally, `names/aN/METHOD` and `limits/aN/VANTAGE METHOD` what
// was last seen of an account, `unseen/tN` the Happening of a target that is not observed, `watched/aN` such a target by its account,
// `account/tN` the account of a target, `down/aN/VANTAGE` how an account that a vantage no longer sees was found.
func applyDays(r evidence.Record, kv evidence.KV) error {
	d := days{r, kv}
	switch r.Kind {
	case evidence.KindAccountSeen:
		return d.accountSeen()
	case evidence.KindAcquisition:
		return d.seenAgain(r.Subject)
	case evidence.KindPostGone:
		return d.postGone()
	case evidence.KindGap:
		return d.gap()
	case evidence.KindStatus:
		return d.status()
	case evidence.KindTargetBound:
		return d.bound()
	case evidence.KindTargetRemoved:
		return kv.Delete("unseen/" + string(r.Subject))
	case evidence.KindNoticeAnswered:
		return d.happened(HappenedAnswered, "")
	case evidence.KindNoticeDisputed:
		return d.happened(HappenedDisputed, "")
	case evidence.KindLink:
		return d.happened(HappenedLink, "")
	case evidence.KindFinding:
		return d.happened(HappenedFinding, "")
	}
	return nil
}

// days is a record on its way into the view.
type days struct {
	r  evidence.Record
	kv evidence.KV
}

func (d days) put(key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("view key %s: %w", key, err)
	}
	return d.kv.Put(key, b)
}

// load reads a key into v; false where it is absent.
func (d days) load(key string, v any) (bool, error) {
	b, _ := d.kv.Get(key)
	if b == nil {
		return false, nil
	}
	if err := json.Unmarshal(b, v); err != nil {
		return false, fmt.Errorf("view key %s: %w", key, err)
	}
	return true, nil
}

func (d days) happening(what, detail string) Happening {
	return Happening{Seq: d.r.Seq, At: d.r.At, What: what, Subject: d.r.Subject, Detail: detail}
}

func (d days) happened(what, detail string) error {
	return d.put("day/"+d.r.At.UTC().Format("2006-01-02")+"/"+seqText(d.r.Seq)+what, d.happening(what, detail))
}

func (d days) postGone() error {
	b, err := evidence.Decode[*evidence.PostGone](d.r)
	if err != nil {
		return nil //nolint:nilerr // a view skips what is erased or unknown
	}
	account := d.r.Subject.Whole()
	key := "gone/" + d.r.At.UTC().Format("2006-01-02/15") + "/" + string(account)
	t := Tally{Account: account, First: d.r.Seq, How: map[string]int{}}
	if _, err := d.load(key, &t); err != nil {
		return err
	}
	t.At = d.r.At
	t.How[b.How]++
	return d.put(key, t)
}
