package review

import (
	"encoding/json"
	"fmt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// The names of the views.
const (
	ViewRoster  = "roster"
	ViewTargets = "targets"
	ViewCases   = "cases"
)

// Views returns the views that this package reads: roster, targets, cases, what was taken, holds, erasures
// that people ordered, and quarantine.
func Views() []evidence.View {
	return []evidence.View{
		{Name: ViewRoster, Version: 1, Apply: applyRoster},
		{Name: ViewTargets, Version: 4, Apply: applyTargets},
		{Name: ViewCases, Version: 3, Apply: applyCases},
		{Name: ViewTaken, Version: 1, Apply: applyTaken},
		{Name: ViewHolds, Version: 1, Apply: applyHolds},
		{Name: ViewErasures, Version: 1, Apply: applyErasures},
		{Name: ViewQuarantine, Version: 1, Apply: applyQuarantine},
	}
}

// body decodes a record's body; false where it is erased, unknown or of another shape, which a view skips.
func body[B evidence.Body](r evidence.Record) (B, bool) {
	b, err := evidence.Decode[B](r)
	return b, err == nil
}

// statement reads the payload of a recorded statement. What is in the log was checked when it was written, so unknown fields
// of a later build do not matter here.
func statement(s evidence.Signed) (evidence.Statement, bool) {
	var st evidence.Statement
	err := json.Unmarshal([]byte(s.Payload), &st)
	return st, err == nil
}

func put(kv evidence.KV, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("view key %s: %w", key, err)
	}
	return kv.Put(key, b)
}

// load reads a key's value into v; false where the key is absent.
func load(kv evidence.KV, key string, v any) (bool, error) {
	b, _ := kv.Get(key)
	if b == nil {
		return false, nil
	}
	if err := json.Unmarshal(b, v); err != nil {
		return false, fmt.Errorf("view key %s: %w", key, err)
	}
	return true, nil
}

func refOf(r evidence.Record) evidence.RecordRef {
	return evidence.RecordRef{Seq: r.Seq, Leaf: r.Leaf()}
}
