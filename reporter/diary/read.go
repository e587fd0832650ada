package diary

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Query says which records to tell. Empty fields do not narrow it.
type Query struct {
	Subject evidence.Ordinal // exactly this: an account's posts are subjects of their own
	Person  string           // configured id of who acted
	Kind    evidence.Kind
	Since   time.Time // at or after
	Until   time.Time // before
	Limit   int       // the newest so many; 0: all
	Size    int64     // only records below this number; 0: all that are there
}

// Read tells the records that a query asks for, the newest last.
func Read(ctx context.Context, log Log, q Query) ([]Entry, error) {
	r := reader{log: log, q: q, hi: log.Size()}
	if q.Size > 0 {
		r.hi = min(r.hi, q.Size)
	}
	if err := r.bounds(ctx); err != nil {
		return nil, err
	}
	found, err := r.find(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	t := NewTeller(log)
	out := make([]Entry, 0, len(found))
	for _, rec := range found {
		e, err := t.Tell(ctx, rec)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// reader looks for records with numbers from lo up to, but not including, hi.
type reader struct {
	log    Log
	q      Query
	lo, hi int64
	actor  evidence.Ordinal
}

func (r *reader) bounds(ctx context.Context) (err error) {
	if !r.q.Since.IsZero() {
		if r.lo, err = FirstAt(ctx, r.log, r.hi, r.q.Since); err != nil {
			return err
		}
	}
	if !r.q.Until.IsZero() {
		if r.hi, err = FirstAt(ctx, r.log, r.hi, r.q.Until); err != nil {
			return err
		}
	}
	if r.q.Person != "" {
		if r.actor, err = r.log.Ordinal(ctx, evidence.Person(r.q.Person)); err != nil {
			return fmt.Errorf("find the person %s: %w", quote(r.q.Person), err)
		}
	}
	return nil
}

func (r *reader) find(ctx context.Context) ([]evidence.Record, error) {
	switch {
	case r.q.Subject != "":
		return r.about(ctx)
	case r.actor != "":
		return r.listed(ctx, string(r.actor)+"/")
	case r.q.Kind != "" && !observed(r.q.Kind):
		return r.listed(ctx, kindPrefix(r.q.Kind))
	}
	return r.backwards(ctx)
}

func (r *reader) wants(rec evidence.Record) bool {
	return rec.Seq >= r.lo && rec.Seq < r.hi && (r.q.Kind == "" || rec.Kind == r.q.Kind) &&
		(r.actor == "" || rec.Actor == r.actor) && (r.q.Subject == "" || rec.Subject == r.q.Subject)
}

// cut keeps the newest of ascending records.
func (r *reader) cut(recs []evidence.Record) []evidence.Record {
	if r.q.Limit > 0 && len(recs) > r.q.Limit {
		return recs[len(recs)-r.q.Limit:]
	}
	return recs
}

func (r *reader) about(ctx context.Context) ([]evidence.Record, error) {
	var out []evidence.Record
	err := r.log.About(ctx, r.q.Subject, func(rec evidence.Record) error {
		if rec.Seq >= r.hi {
			return fs.SkipAll
		}
		if r.wants(rec) {
			out = append(out, rec)
		}
		if r.q.Limit > 0 && len(out) == 2*r.q.Limit {
			out = append(out[:0], out[r.q.Limit:]...)
		}
		return nil
	})
	return r.cut(out), err
}

// listed reads the records that the view of actors names.
func (r *reader) listed(ctx context.Context, prefix string) ([]evidence.Record, error) {
	var seqs []int64
	err := r.log.Each(ctx, ViewActors, prefix, func(key string, _ []byte, _ int64) error {
		seq, err := strconv.ParseInt(strings.TrimPrefix(key, prefix), 16, 64)
		if err != nil {
			return fmt.Errorf("view %s, key %s: %w", ViewActors, key, err)
		}
		if seq >= r.hi {
			return fs.SkipAll
		}
		if seq >= r.lo {
			seqs = append(seqs, seq)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []evidence.Record
	for _, seq := range slices.Backward(seqs) {
		rec, err := r.log.Record(ctx, seq)
		if err != nil {
			return nil, err
		}
		if !r.wants(rec) {
			continue
		}
		if out = append(out, rec); len(out) == r.q.Limit {
			break
		}
	}
	slices.Reverse(out)
	return out, nil
}

// backwards reads the log in blocks from the newest until it has enough.
func (r *reader) backwards(ctx context.Context) ([]evidence.Record, error) {
	const block = 512
	var blocks [][]evidence.Record
	n := 0
	for end := r.hi; end > r.lo && (r.q.Limit <= 0 || n < r.q.Limit); end -= block {
		var in []evidence.Record
		err := r.log.Records(ctx, max(end-block, r.lo), func(rec evidence.Record) error {
			if rec.Seq >= end {
				return fs.SkipAll
			}
			if r.wants(rec) {
				in = append(in, rec)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		blocks, n = append(blocks, in), n+len(in)
	}
	slices.Reverse(blocks)
	return r.cut(slices.Concat(blocks...)), nil
}
