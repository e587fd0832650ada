package telegram

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/pace"
)

// folded is what thousands of reads that brought nothing come to: one cursor of the account instead of one a target. A crash
// between two of them only lengthens the gaps that the restart records.
type folded struct {
	V       int                 `json:"v"`
	Targets map[string]lastRead `json:"targets"`
}

type lastRead struct {
	At   int64        `json:"at"` // Unix milliseconds
	Rate pace.Posting `json:"rate"`
}

const foldedVersion = 1

// foldName is the account's own cursor. No target has such an id.
func foldName(source string) string { return source + "/.read" }

func loadFolded(ctx context.Context, sink collectors.Sink, source string) (folded, error) {
	f := folded{V: foldedVersion}
	b, err := sink.Cursor(ctx, foldName(source))
	if err != nil {
		return f, fmt.Errorf("read when the targets of %s were read last: %w", source, err)
	}
	if len(b) == 0 {
		return f, nil
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return f, fmt.Errorf("read when the targets of %s were read last: %w", source, err)
	}
	if f.V != foldedVersion {
		return f, fmt.Errorf("the cursor of %s has version %d, this build reads %d; use the build that wrote it", source, f.V, foldedVersion)
	}
	return f, nil
}

// apply brings a target's cursor up to what was folded after it.
func (f folded) apply(target string, c cursor) cursor {
	l, ok := f.Targets[target]
	if at := time.UnixMilli(l.At).UTC(); ok && !c.Observed.IsZero() && at.After(c.Observed) {
		c.Observed, c.Rate = at, l.Rate
	}
	return c
}

// folding writes the reads in rotation down now and then.
func (r *run) folding(ctx context.Context) error {
	for {
		if err := sleep(ctx, 10*r.o.FoldEvery); err != nil {
			return nil
		}
		if err := r.foldReads(ctx); err != nil {
			return stopping(ctx, err)
		}
	}
}

func (r *run) lastFold(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	for _, w := range r.all() {
		w.listen(false)
		if w.target.Rotates() {
			continue
		}
		if err := w.fold(ctx); err != nil {
			return err
		}
	}
	return r.foldReads(ctx)
}

func (r *run) foldReads(ctx context.Context) error {
	f := folded{V: foldedVersion, Targets: map[string]lastRead{}}
	for id, w := range r.all() {
		if at, rate := w.lastRead(); !at.IsZero() && w.target.Rotates() {
			f.Targets[id] = lastRead{at.UnixMilli(), rate}
		}
	}
	if len(f.Targets) == 0 {
		return nil
	}
	data, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("encode when targets were read last: %w", err)
	}
	_, err = r.sink.Put(ctx, evidence.Batch{Cursor: &evidence.Cursor{Name: foldName(r.src.Name()), Data: data}})
	if err != nil {
		return fmt.Errorf("store when targets were read last: %w", err)
	}
	return nil
}

// lastRead returns the last moment at which the target was seen to be up to date, and its rate.
func (w *watch) lastRead() (time.Time, pace.Posting) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := w.cur.Observed
	if w.seenUntil.After(at) {
		at = w.seenUntil
	}
	return at, w.cur.Rate
}

// knowledge is what was folded of our accounts, read once for many targets.
type knowledge struct {
	sources []string // our own first
	folded  map[string]folded
}

func (r *run) siblings() *knowledge { return newKnowledge(r.src.Name(), r.o.Siblings) }

func newKnowledge(own string, siblings []string) *knowledge {
	k := &knowledge{sources: []string{own}, folded: map[string]folded{}}
	for _, s := range siblings {
		if s != own {
			k.sources = append(k.sources, s)
		}
	}
	return k
}

// cursor returns where the observation of a target goes on: at our own cursor, or at a sibling's that is further. moved says the
// latter.
func (k *knowledge) cursor(ctx context.Context, r *run, t collectors.Target) (c cursor, moved bool, err error) {
	return k.read(ctx, r.sink, t)
}

func (k *knowledge) read(ctx context.Context, sink collectors.Sink, t collectors.Target) (c cursor, moved bool, err error) {
	for i, source := range k.sources {
		x, err := k.one(ctx, sink, source, t)
		if err != nil {
			return c, false, err
		}
		if i == 0 {
			c = x
			continue
		}
		if next := c.adopt(x); !next.Observed.Equal(c.Observed) {
			c, moved = next, true
		}
	}
	return c, moved, nil
}

func (k *knowledge) one(ctx context.Context, sink collectors.Sink, source string, t collectors.Target) (cursor, error) {
	b, err := sink.Cursor(ctx, source+"/"+t.ID)
	if err != nil {
		return cursor{}, fmt.Errorf("read the cursor of target %s: %w", t.ID, err)
	}
	c, err := parseCursor(b)
	if err != nil {
		return c, fmt.Errorf("target %s: %w", t.ID, err)
	}
	if len(b) == 0 {
		return c, nil
	}
	f, ok := k.folded[source]
	if !ok {
		if f, err = loadFolded(ctx, sink, source); err != nil {
			return c, err
		}
		k.folded[source] = f
	}
	return f.apply(t.ID, c), nil
}
