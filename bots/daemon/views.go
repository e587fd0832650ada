package daemon

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/anchor"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter"
	"github.com/muhafiz/muhafiz/reporter/diary"
	"github.com/muhafiz/muhafiz/reporter/retention"
)

// Views is the one list of views: what `run` keeps up to date and `fsck` rebuilds and compares.
func Views() []evidence.View {
	return slices.Concat(
		[]evidence.View{
			{Name: viewRuns, Version: 2, Apply: applyRuns},
			{Name: viewTally, Version: 1, Apply: applyTally},
			{Name: viewAlerts, Version: 1, Apply: applyAlerts},
			{Name: viewBundles, Version: 1, Apply: applyBundles},
			{Name: viewDamage, Version: 1, Apply: applyDamage},
			anchor.View(),
		},
		diary.Views(),
		retention.Views(),
		reporter.Views())
}

const (
	viewRuns   = "runs"
	viewTally  = "tally"
	viewAlerts = "alerts"
)

// The keys of the view `runs`: the run that has not stopped, the newest checkpoint, and under `source/NAME` each source's latest state.
const (
	runOpen      = "open"
	runChecked   = "checkpoint"
	sourcePrefix = "source/"
)

// SourceState is the latest state of a source.
type SourceState struct {
	Name   string        `json:"name"`
	State  string        `json:"state"`
	Detail string        `json:"detail,omitempty"`
	Since  evidence.Time `json:"since"`
	Until  evidence.Time `json:"until,omitzero"`
	// Blind is since when it has not seen, zero while it sees. A flood wait is a pause and no blindness.
	Blind       evidence.Time `json:"blind,omitzero"`
	Advice      string        `json:"advice,omitempty"` // what a person can do
	FrozenSince evidence.Time `json:"frozen_since,omitzero"`
	FrozenUntil evidence.Time `json:"frozen_until,omitzero"` // when the platform deletes the account
	Appeal      string        `json:"appeal,omitempty"`
}

type checked struct {
	Size int64         `json:"size"`
	At   evidence.Time `json:"at"`
}

func applyRuns(r evidence.Record, kv evidence.KV) error {
	put := func(key string, v any) error {
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		return kv.Put(key, b)
	}
	switch r.Kind {
	case evidence.KindRunStarted:
		return put(runOpen, r.Seq)
	case evidence.KindRunStopped:
		return kv.Delete(runOpen)
	case evidence.KindCheckpoint:
		if c, err := evidence.Decode[*evidence.Checkpoint](r); err == nil && c.Anchor == nil {
			return put(runChecked, checked{c.Size, r.At})
		}
	case evidence.KindCollector:
		if c, err := evidence.Decode[*evidence.Collector](r); err == nil && c.State != "polls" {
			return put(sourcePrefix+c.Key, nextState(kv, c, r.At))
		}
	}
	return nil
}

// nextState is a source's state after a record: it has been blind since the first record in which it was.
func nextState(kv evidence.KV, c *evidence.Collector, at evidence.Time) SourceState {
	st := SourceState{
		Name: c.Key, State: c.State, Detail: c.Detail, Since: at, Until: c.Until,
		Advice: c.Advice, FrozenSince: c.FrozenSince, FrozenUntil: c.FrozenUntil, Appeal: c.Appeal,
	}
	if c.State == "healthy" || c.State == "flood-waiting" {
		return st
	}
	st.Blind = at
	var old SourceState
	if b, _ := kv.Get(sourcePrefix + c.Key); b != nil && json.Unmarshal(b, &old) == nil && !old.Blind.IsZero() {
		st.Blind = old.Blind
	}
	return st
}

// applyTally counts records by kind: under `KIND` all of them, under `ORDINAL KIND` those of an account with its posts, or
// of a target. Values are eight bytes, big-endian.
func applyTally(r evidence.Record, kv evidence.KV) error {
	if err := count(kv, string(r.Kind)); err != nil {
		return err
	}
	switch r.Subject.Space() {
	case evidence.SpaceAccount, evidence.SpaceTarget:
		return count(kv, string(r.Subject.Whole())+" "+string(r.Kind))
	}
	return nil
}

func count(kv evidence.KV, key string) error {
	old, _ := kv.Get(key)
	return kv.Put(key, binary.BigEndian.AppendUint64(nil, uint64(number(old))+1))
}

func number(b []byte) int64 {
	if len(b) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b))
}

// splitTally takes a key of the view `tally` apart; the ordinal is empty for a kind's total.
func splitTally(key string) (evidence.Ordinal, evidence.Kind) {
	if o, k, ok := strings.Cut(key, " "); ok {
		return evidence.Ordinal(o), evidence.Kind(k)
	}
	return "", evidence.Kind(key)
}
