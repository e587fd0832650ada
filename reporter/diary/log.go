package diary

import (
	"context"
	"fmt"
	"sort"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Log is what the diary reads. The vault is one, opened with Views.
type Log interface {
	Records
	Names
	Tables
}

// Records reads records by number, in a row, and by subject. fn ends an iteration early, without an error, with fs.SkipAll.
type Records interface {
	Size() int64
	Record(ctx context.Context, seq int64) (evidence.Record, error)
	Records(ctx context.Context, from int64, fn func(evidence.Record) error) error
	About(ctx context.Context, o evidence.Ordinal, fn func(evidence.Record) error) error
}

// Names translates between ordinals and what they stand for; an unknown one is evidence.ErrUnbound.
type Names interface {
	Ordinal(ctx context.Context, n evidence.Name) (evidence.Ordinal, error)
	Name(ctx context.Context, o evidence.Ordinal) (evidence.Name, error)
}

// Tables reads views.
type Tables interface {
	Get(ctx context.Context, view, key string) (value []byte, version int64, err error)
	Each(ctx context.Context, view, prefix string, fn func(key string, value []byte, version int64) error) error
}

// FirstAt returns the number of the first record, below size, that was written at t or later, or size where there is none. The vault's
// commit clock never goes back, so some twenty records are read in a log of a million.
func FirstAt(ctx context.Context, log Records, size int64, t time.Time) (int64, error) {
	var failed error
	n := sort.Search(int(size), func(i int) bool {
		if failed != nil {
			return true
		}
		r, err := log.Record(ctx, int64(i))
		if err != nil {
			failed = err
			return true
		}
		return !r.At.Before(t)
	})
	if failed != nil {
		return 0, fmt.Errorf("look for the first record since %s: %w", t.UTC().Format(time.RFC3339), failed)
	}
	return int64(n), nil
}
