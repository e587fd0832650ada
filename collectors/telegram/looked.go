package telegram

import (
	"context"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
)

// Looked is what a source's cursors say of one of its targets.
type Looked struct {
	Until   time.Time // the target was observed until then, but for its gaps; zero: never
	Stopped string    // why the source looks at it no more; empty: it does
	Pending int       // files that are wanted and not kept yet: those that were never tried, and those that are tried again
}

// Looks returns a reader of what a source's cursors say of its targets now. It remembers what it read for all targets at once, so
// it is good for one round and not for two goroutines. Reads that brought nothing are written down every few minutes.
func Looks(sink collectors.Sink, source string) func(ctx context.Context, target string) (Looked, error) {
	k := newKnowledge(source, nil)
	return func(ctx context.Context, target string) (Looked, error) {
		c, err := k.one(ctx, sink, source, collectors.Target{ID: target})
		if err != nil {
			return Looked{}, err
		}
		return Looked{Until: c.Observed, Stopped: c.Stopped, Pending: len(c.Pending) + len(c.Later)}, nil
	}
}
