package retention

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// View is the name of the view of what retention did. Its keys: `last`, `lingering`, and `term/ORDINAL` for the term of an account, or of
// people's acts under v0.
const View = "retention"

const (
	keyLast      = "last"
	keyLingering = "lingering"
	termKeys     = "term/"
)

// Acts is the ordinal under which the term of people's acts is kept.
const Acts = evidence.Ordinal("v0")

// Last is the newest run.
type Last struct {
	Seq   int64                 `json:"seq"`
	At    evidence.Time         `json:"at"`
	Floor evidence.Time         `json:"floor"` // since when it has run without a pause longer than the warning
	Run   evidence.RetentionRun `json:"run"`
}

// Lingering are erased bodies whose bytes are still in free pages or in backups.
type Lingering struct {
	Bodies   int           `json:"bodies"`
	Deadline evidence.Time `json:"deadline"` // of the oldest
}

type term struct {
	Days  int           `json:"days"`
	Since evidence.Time `json:"since"` // it was never longer since then
}

// Views returns the view that this package reads.
func Views() []evidence.View { return []evidence.View{{Name: View, Version: 1, Apply: apply}} }

func apply(r evidence.Record, kv evidence.KV) error {
	switch r.Kind {
	case evidence.KindVaultCompacted:
		if b, _ := kv.Get(keyLingering); b == nil {
			return nil
		}
		return kv.Delete(keyLingering)
	case evidence.KindErased:
		return applyOrdered(r, kv)
	case evidence.KindRetentionRun:
	default:
		return nil
	}
	b, err := evidence.Decode[*evidence.RetentionRun](r)
	if err != nil {
		return nil //nolint:nilerr // erased, or of a later build
	}
	last := Last{Seq: r.Seq, At: r.At, Floor: r.At, Run: *b}
	var before Last
	if ok, err := load(kv, keyLast, &before); err != nil {
		return err
	} else if ok && r.At.Sub(before.At.Time) <= days(b.Warn) {
		last.Floor = before.Floor
	}
	for o, d := range b.Terms {
		t := term{Days: d, Since: r.At}
		var old term
		if ok, err := load(kv, termKeys+string(o), &old); err != nil {
			return err
		} else if ok && d >= old.Days {
			t.Since = old.Since
		}
		if err := put(kv, termKeys+string(o), t); err != nil {
			return err
		}
	}
	last.Run.Terms = nil
	if b.Lingering > 0 {
		var l Lingering
		if ok, err := load(kv, keyLingering, &l); err != nil {
			return err
		} else if !ok {
			l.Deadline = b.Deadline
		}
		l.Bodies += b.Lingering
		if err := put(kv, keyLingering, l); err != nil {
			return err
		}
	}
	return put(kv, keyLast, last)
}

// Rule is the rule of retention's own `erased` records.
const Rule = "retention"

// orderedCompact is by when a compaction should follow what people ordered erased.
const orderedCompact = 30 * 24 * time.Hour

// applyOrdered counts what people ordered erased as lingering, all of it: which of it a destroyed key took at once is not in the record.
func applyOrdered(r evidence.Record, kv evidence.KV) error {
	b, err := evidence.Decode[*evidence.Erased](r)
	if err != nil || b.Rule == Rule || len(b.Records) == 0 {
		return nil //nolint:nilerr // of a later build
	}
	var l Lingering
	if ok, err := load(kv, keyLingering, &l); err != nil {
		return err
	} else if !ok {
		l.Deadline = evidence.At(r.At.Add(orderedCompact))
	}
	for _, run := range b.Records {
		l.Bodies += int(run.Last - run.First + 1)
	}
	return put(kv, keyLingering, l)
}

func put(kv evidence.KV, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("view key %s: %w", key, err)
	}
	return kv.Put(key, b)
}

func load(kv evidence.KV, key string, v any) (bool, error) {
	b, _ := kv.Get(key)
	if b == nil {
		return false, nil
	}
	return true, json.Unmarshal(b, v)
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// State is where retention stands.
type State struct {
	Last      *Last      `json:"last,omitempty"` // nil: it never ran
	Lingering *Lingering `json:"lingering,omitempty"`

	terms map[evidence.Ordinal]term
}

// Read reads the state from the view.
func Read(ctx context.Context, log Log) (State, error) {
	s := State{terms: map[evidence.Ordinal]term{}}
	err := log.Each(ctx, View, "", func(key string, value []byte, _ int64) error {
		switch o, isTerm := strings.CutPrefix(key, termKeys); {
		case key == keyLast:
			s.Last = new(Last)
			return json.Unmarshal(value, s.Last)
		case key == keyLingering:
			s.Lingering = new(Lingering)
			return json.Unmarshal(value, s.Lingering)
		case isTerm:
			var t term
			err := json.Unmarshal(value, &t)
			s.terms[evidence.Ordinal(o)] = t
			return err
		}
		return nil
	})
	if err != nil {
		return s, fmt.Errorf("read the state of retention: %w", err)
	}
	return s, nil
}

// Due reports whether a day has passed since the newest run.
func (s State) Due(now time.Time) bool {
	return s.Last == nil || now.Sub(s.Last.At.Time) >= 24*time.Hour || now.Before(s.Last.At.Time.Add(-24*time.Hour))
}

// gone reports an error that says that something is not there.
func gone(err error) bool {
	return errors.Is(err, evidence.ErrNotFound) || errors.Is(err, evidence.ErrErased)
}
