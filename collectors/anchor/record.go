package anchor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// writeError is a failure of the log itself, after which a keeper must not go on.
type writeError struct{ error }

func (w *writeError) Unwrap() error { return w.error }

func asWrite(err error, w **writeError) bool { return errors.As(err, w) }

// Putter is the part of the log that records need.
type Putter interface {
	Put(ctx context.Context, b evidence.Batch) ([]evidence.Record, error)
}

func record(ctx context.Context, log Putter, now time.Time, c evidence.Checkpoint, a *evidence.Anchor) (evidence.Record, error) {
	c.Anchor = a
	recs, err := log.Put(ctx, evidence.Batch{Drafts: []evidence.Draft{{
		ID: evidence.NewID(now), Actor: evidence.Vault(), Subject: evidence.Vault(), Body: &c,
	}}})
	if err != nil {
		return evidence.Record{}, &writeError{fmt.Errorf("record what %s said of the checkpoint: %w", a.By, err)}
	}
	return recs[0], nil
}

// Stamp has one authority confirm a checkpoint now, and records it.
func Stamp(ctx context.Context, log Putter, now time.Time, c evidence.Checkpoint, a Authority) (Anchored, error) {
	resp, tok, err := a.Stamp(ctx, []byte(c.Note))
	if err != nil {
		return Anchored{}, err
	}
	rec, err := record(ctx, log, now, c, &evidence.Anchor{
		Type: evidence.AnchorRFC3161, By: a.Name, At: evidence.At(tok.At), Token: resp, Key: tok.Cert,
	})
	return Anchored{Type: evidence.AnchorRFC3161, By: a.Name, Size: c.Size, At: evidence.At(tok.At), Seq: rec.Seq}, err
}

// Reader reads the log that a cosigned checkpoint is compared with.
type Reader interface {
	Putter
	LogKey() string
	Root(ctx context.Context, size int64) (evidence.Digest, error)
	Table
}

// ErrOtherLog: a checkpoint bears the log's signature and is not of its history: the log was rewritten or rolled back, or somebody else
// signs with its key.
var ErrOtherLog = errors.New("this checkpoint is not of this log's history")

// Compare checks that a checkpoint that was kept elsewhere is one of the log's own past: signed with its key (vkey; empty for the one that
// the log itself names) and with the root that the log's records give.
func Compare(ctx context.Context, log Reader, msg []byte, vkey string) (Head, error) {
	if vkey == "" {
		vkey = log.LogKey()
	}
	h, err := Open(msg, vkey)
	if err != nil {
		return h, err
	}
	root, err := log.Root(ctx, h.Size)
	if errors.Is(err, evidence.ErrNotFound) {
		return h, fmt.Errorf("%w: it is over %d records, more than the log holds: an older copy of the vault was put in its place", ErrOtherLog, h.Size)
	}
	if err != nil {
		return h, err
	}
	if root != h.Root {
		return h, fmt.Errorf("%w: over the first %d records it has the root %s, and today's log gives %s: records were changed, or an older copy of the vault was put in its place and went on", ErrOtherLog, h.Size, h.Root, root)
	}
	return h, nil
}

// Accept records the cosignatures of known witnesses (vkeys) that a checkpoint carries; those that are recorded already are left out.
func Accept(ctx context.Context, log Reader, now time.Time, msg []byte, witnesses []string) ([]Cosignature, error) {
	h, err := Compare(ctx, log, msg, "")
	if err != nil {
		return nil, err
	}
	cs, err := Cosignatures(msg, witnesses)
	if err != nil {
		return nil, err
	}
	if len(cs) == 0 {
		return nil, fmt.Errorf("%w: no witness of the configuration signed it; put the witness's key under anchors.witnesses", ErrNote)
	}
	had := map[string]int64{}
	err = log.Each(ctx, ViewName, byPrefix, func(key string, value []byte, _ int64) error {
		if a, ok := entry[Anchored](value); ok {
			name, _ := isBy(key)
			had[name] = a.Size
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var fresh []Cosignature
	for _, c := range cs {
		if had[c.By] >= h.Size {
			continue
		}
		_, err := record(ctx, log, now, evidence.Checkpoint{Size: h.Size, Root: h.Root, Note: string(msg)}, &evidence.Anchor{
			Type: evidence.AnchorCosignature, By: c.By, At: evidence.At(c.At), Key: c.Key,
		})
		if err != nil {
			return fresh, err
		}
		fresh = append(fresh, c)
	}
	return fresh, nil
}

// Table reads a view's keys.
type Table interface {
	Each(ctx context.Context, view, prefix string, fn func(key string, value []byte, version int64) error) error
}

// Newest reads the newest checkpoint and each outsider's newest anchor from the view, the newest anchor first.
func Newest(ctx context.Context, log Table) (s Signed, by []Anchored, err error) {
	err = log.Each(ctx, ViewName, "", func(key string, value []byte, _ int64) error {
		if key == keyNewest {
			s, _ = entry[Signed](value)
		} else if _, ok := isBy(key); ok {
			if a, ok := entry[Anchored](value); ok {
				by = append(by, a)
			}
		}
		return nil
	})
	slices.SortFunc(by, func(a, b Anchored) int { return b.At.Compare(a.At.Time) })
	return s, by, err
}

// All returns the first anchor of each size that has one, ascending by size.
func All(ctx context.Context, log Table) (all []Anchored, err error) {
	err = log.Each(ctx, ViewName, sizePrefix, func(_ string, value []byte, _ int64) error {
		if x, ok := entry[Anchored](value); ok {
			all = append(all, x)
		}
		return nil
	})
	return all, err
}

// First returns the first anchor that covers a record, by the size of its checkpoint.
func First(ctx context.Context, log Table, seq int64) (a Anchored, ok bool, err error) {
	err = log.Each(ctx, ViewName, sizePrefix, func(_ string, value []byte, _ int64) error {
		x, valid := entry[Anchored](value)
		if !valid || x.Size <= seq {
			return nil
		}
		a, ok = x, true
		return fs.SkipAll
	})
	return a, ok, err
}

// Index tells whoever packs evidence which records are anchors.
type Index struct {
	Log interface {
		Table
		Consistency(ctx context.Context, old, size int64) ([]evidence.Digest, error)
	}
}

// Anchored returns the records of the first anchor of each anchored size, ascending, and of each outsider's newest anchor.
func (x Index) Anchored(ctx context.Context) (first, newest []int64, err error) {
	all, err := All(ctx, x.Log)
	if err != nil {
		return nil, nil, err
	}
	_, by, err := Newest(ctx, x.Log)
	seqs := func(as []Anchored) (out []int64) {
		for _, a := range as {
			out = append(out, a.Seq)
		}
		return out
	}
	return seqs(all), seqs(by), err
}

// Consistency returns the proof that the tree of size continues that of old.
func (x Index) Consistency(ctx context.Context, old, size int64) ([]evidence.Digest, error) {
	return x.Log.Consistency(ctx, old, size)
}
