package vault

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"

	bolt "go.etcd.io/bbolt"
	bolterr "go.etcd.io/bbolt/errors"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Reading happens in short transactions: some records are copied, the transaction ends, the caller sees them. A long one would
// stall the writer when the map has to grow.
const (
	readRecords = 512
	readBytes   = 1 << 20
)

func leafIndex(seq int64) int64 { return tlog.StoredHashIndex(0, seq) }

// read runs fn in one short transaction.
func (v *Vault) read(ctx context.Context, fn func(*txn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := v.db.View(func(tx *bolt.Tx) error {
		t, err := v.open(tx)
		if err != nil {
			return err
		}
		return fn(t)
	})
	if errors.Is(err, bolterr.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

// ended makes fs.SkipAll the early end that it is.
func ended(err error) error {
	if err == fs.SkipAll {
		return nil
	}
	return err
}

// Record returns the record seq, or evidence.ErrNotFound.
func (v *Vault) Record(ctx context.Context, seq int64) (evidence.Record, error) {
	if err := ctx.Err(); err != nil {
		return evidence.Record{}, err
	}
	recs, err := v.records([]int64{seq})
	if err != nil {
		return evidence.Record{}, err
	}
	return recs[0], nil
}

// records returns the records with the given numbers.
func (v *Vault) records(seqs []int64) ([]evidence.Record, error) {
	values := make([][]byte, 0, min(len(seqs), readRecords))
	out := make([]evidence.Record, 0, len(seqs))
	for len(seqs) > 0 {
		values = values[:0]
		err := v.read(context.Background(), func(t *txn) error {
			n := 0
			for _, seq := range seqs {
				value := t.log.Get(seqKey(seq))
				if seq < 0 || seq >= v.Size() || value == nil {
					return fmt.Errorf("record %d: %w", seq, evidence.ErrNotFound)
				}
				values = append(values, append([]byte(nil), value...))
				if n += len(value); n > readBytes || len(values) == readRecords {
					break
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		for i, value := range values {
			rec, err := v.ring.record(value)
			if err != nil {
				return nil, fmt.Errorf("record %d: %w: run muhafiz fsck", seqs[i], err)
			}
			out = append(out, rec)
		}
		seqs = seqs[len(values):]
	}
	return out, nil
}

// ByID returns the record that answers a draft's id: the one that it became, or the one that already said the same. It is
// evidence.ErrNotFound for an id that was never put, or put and left out.
func (v *Vault) ByID(ctx context.Context, id evidence.ID) (evidence.Record, error) {
	seq := int64(-1)
	err := v.read(ctx, func(t *txn) error {
		return findIDs(t.ids, id.Acq, id.N, id.N, func(_ uint32, s int64) { seq = s })
	})
	if err == nil && seq < 0 {
		err = fmt.Errorf("record with id %s: %w", id, evidence.ErrNotFound)
	}
	if err != nil {
		return evidence.Record{}, err
	}
	return v.Record(ctx, seq)
}

// Records calls fn for every record from the number from on, ascending, up to the last one that is there when it gets there, outside
// of any transaction. fn ends it early, without an error, with fs.SkipAll.
func (v *Vault) Records(ctx context.Context, from int64, fn func(evidence.Record) error) error {
	for from = max(from, 0); from < v.Size(); {
		seqs := make([]int64, min(readRecords, v.Size()-from))
		for i := range seqs {
			seqs[i] = from + int64(i)
		}
		if err := v.visit(ctx, seqs, fn); err != nil {
			return ended(err)
		}
		from += int64(len(seqs))
	}
	return nil
}

func (v *Vault) visit(ctx context.Context, seqs []int64, fn func(evidence.Record) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	recs, err := v.records(seqs)
	if err != nil {
		return err
	}
	for _, r := range recs {
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

// About calls fn for every record whose subject is exactly o, ascending, as Records does.
func (v *Vault) About(ctx context.Context, o evidence.Ordinal, fn func(evidence.Record) error) error {
	key, err := ordinalKey(o)
	if err != nil {
		return err
	}
	for next := int64(0); ; {
		var seqs []int64
		err := v.read(ctx, func(t *txn) error {
			s, err := t.subject(key)
			if err != nil {
				return fmt.Errorf("%s: %w", o, err)
			}
			if s.first >= next && s.first < v.Size() {
				seqs = append(seqs, s.first)
			}
			c := t.subjects.Cursor()
			for k, _ := c.Seek(key.withSeq(next)); len(k) == len(key)+8 && bytes.HasPrefix(k, key[:]) && len(seqs) < readRecords; k, _ = c.Next() {
				if seq := keySeq(k[len(key):]); seq < v.Size() {
					seqs = append(seqs, seq)
				}
			}
			return nil
		})
		if err != nil || len(seqs) == 0 {
			return err
		}
		if err := v.visit(ctx, seqs, fn); err != nil {
			return ended(err)
		}
		next = seqs[len(seqs)-1] + 1
	}
}

// Latest returns, for every facet slot of a subject, the number of the record that last set it. A subject that was never
// observed has none.
func (v *Vault) Latest(ctx context.Context, o evidence.Ordinal) (map[string]int64, error) {
	key, err := ordinalKey(o)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	err = v.read(ctx, func(t *txn) error {
		s, err := t.subject(key)
		for _, sl := range s.slots {
			out[sl.name] = sl.seq
		}
		return err
	})
	return out, err
}

// Ordinal returns the ordinal that a name was given, or evidence.ErrUnbound.
func (v *Vault) Ordinal(ctx context.Context, n evidence.Name) (evidence.Ordinal, error) {
	if err := checkName(n); err != nil {
		return "", err
	}
	if n.Space == evidence.SpaceVault {
		return evidence.NewOrdinal(n.Space, 0), nil
	}
	var number uint64
	err := v.read(ctx, func(t *txn) error {
		number = t.number(whole{n.Space, n.Key})
		return nil
	})
	if err == nil && number == 0 {
		err = unbound(n)
	}
	if err != nil {
		return "", err
	}
	return evidence.NewOrdinal(n.Space, number).With(n.Part), nil
}

// Name returns the name that an ordinal stands for, or evidence.ErrUnbound.
func (v *Vault) Name(ctx context.Context, o evidence.Ordinal) (evidence.Name, error) {
	key, err := ordinalKey(o)
	if err != nil {
		return evidence.Name{}, err
	}
	n := evidence.Name{Space: o.Space(), Part: o.Part()}
	number := binary.BigEndian.Uint64(key[1:])
	if n.Space == evidence.SpaceVault && number == 0 {
		return n, nil
	}
	err = v.read(ctx, func(t *txn) (err error) {
		n.Key, err = t.key(n.Space, number)
		return err
	})
	if err == nil && n.Key == "" {
		err = fmt.Errorf("%s: %w", o, evidence.ErrUnbound)
	}
	if err != nil {
		return evidence.Name{}, err
	}
	return n, nil
}

// Cursor returns what the last Put wrote under the name, nil if there was none.
func (v *Vault) Cursor(ctx context.Context, name string) ([]byte, error) {
	var data []byte
	err := v.read(ctx, func(t *txn) (err error) {
		data, err = t.unseal(bucketCursors, []byte(name), t.cursors.Get([]byte(name)))
		return err
	})
	return data, err
}
