package whatsapp

import (
	"context"
	"fmt"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
)

// Looked is what a source's cursor says of one of its targets.
type Looked struct {
	Until   time.Time // the target was observed until then, but for its gaps; zero: never
	Stopped string    // why the source looks at it no more; empty: it does
	Pending int       // files that are wanted and neither kept nor missed
}

// Looks returns a reader of what a source's cursors say of its targets now.
func Looks(sink collectors.Sink, source string) func(ctx context.Context, target string) (Looked, error) {
	return func(ctx context.Context, target string) (Looked, error) {
		c, err := cursorOf(ctx, sink, source, target)
		return Looked{Until: c.Observed, Stopped: c.Stopped, Pending: len(c.Pending)}, err
	}
}

// Home returns which of several sources observed a target last, by their cursors; empty where none did.
func Home(ctx context.Context, sink collectors.Sink, sources []string, t collectors.Target) (home string, err error) {
	var best time.Time
	for _, source := range sources {
		c, err := cursorOf(ctx, sink, source, t.ID)
		if err != nil {
			return "", err
		}
		if c.Channel != "" && (home == "" || c.Observed.After(best)) {
			home, best = source, c.Observed
		}
	}
	return home, nil
}

// HeldUntil returns until when the platform holds all of this account's queries up, the zero time where it does not.
func (s *Source) HeldUntil() time.Time {
	s.mu.Lock()
	r := s.now
	s.mu.Unlock()
	if r == nil {
		return time.Time{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heldUntil
}

func cursorOf(ctx context.Context, sink collectors.Sink, source, target string) (cursor, error) {
	b, err := sink.Cursor(ctx, source+"/"+target)
	if err != nil {
		return cursor{}, fmt.Errorf("read the cursor of target %s: %w", target, err)
	}
	c, err := parseCursor(b)
	if err != nil {
		return c, fmt.Errorf("target %s: %w", target, err)
	}
	return c, nil
}
