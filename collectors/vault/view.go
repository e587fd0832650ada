package vault

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

var errNoView = errors.New("this vault was opened without such a view")

// A view's value is its version (8 bytes), a flag and what the view put there.
const (
	flagLive      = 1
	flagTombstone = 0
	valueHead     = 8 + 1
)

// table is a view within a transaction.
type table struct {
	view evidence.View
	b    *bolt.Bucket
}

// tables returns the views that follow the log. It is nil before the vault is open.
func (v *Vault) tables(t *txn) []table {
	out := make([]table, 0, len(v.o.Views))
	for _, view := range v.o.Views {
		out = append(out, table{view, t.Bucket([]byte(viewPrefix + view.Name))})
	}
	return out
}

func (t table) apply(r evidence.Record) error {
	if err := t.view.Apply(r, kv{t.b, r.Seq + 1}); err != nil {
		return fmt.Errorf("view %s, record %d: %w", t.view.Name, r.Seq, err)
	}
	return nil
}

// get returns a key's value, which the caller must copy, its version and whether it is live.
func (t table) get(key string) (value []byte, version int64, live bool) {
	if key == "" {
		return nil, 0, false
	}
	return decodeValue(t.b.Get([]byte(key)))
}

func decodeValue(v []byte) (value []byte, version int64, live bool) {
	if len(v) < valueHead {
		return nil, 0, false
	}
	return v[valueHead:], keySeq(v), v[8] == flagLive
}

// kv implements evidence.KV for one record.
type kv struct {
	b       *bolt.Bucket
	version int64
}

func (k kv) Get(key string) ([]byte, int64) {
	value, version, live := table{b: k.b}.get(key)
	if !live {
		return nil, version
	}
	return append([]byte{}, value...), version
}

func (k kv) Put(key string, value []byte) error { return k.set(key, flagLive, value) }

func (k kv) Delete(key string) error { return k.set(key, flagTombstone, nil) }

func (k kv) set(key string, flag byte, value []byte) error {
	v := binary.BigEndian.AppendUint64(make([]byte, 0, valueHead+len(value)), uint64(k.version))
	return k.b.Put([]byte(key), append(append(v, flag), value...))
}

// eachChunk is how many keys are copied before the callback sees any: it may write to the view, which a cursor does not outlive.
const eachChunk = 256

// entry is a copied key of a view.
type entry struct {
	key     string
	value   []byte
	version int64
}

func (k kv) Each(prefix string, fn func(key string, value []byte, version int64) bool) {
	from := []byte(prefix)
	for from != nil {
		var chunk []entry
		chunk, from = readEntries(k.b, []byte(prefix), from, eachChunk)
		for _, e := range chunk {
			if !fn(e.key, e.value, e.version) {
				return
			}
		}
	}
}

// readEntries copies up to n live keys with the prefix, beginning at from, and returns where to go on, or nil at the end.
func readEntries(b *bolt.Bucket, prefix, from []byte, n int) ([]entry, []byte) {
	var out []entry
	c := b.Cursor()
	seen := 0
	for k, v := c.Seek(from); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if seen++; seen > 8*n || len(out) == n {
			return out, append([]byte{}, k...)
		}
		if value, version, live := decodeValue(v); live {
			out = append(out, entry{string(k), append([]byte{}, value...), version})
		}
	}
	return out, nil
}

// Get returns the value and version of a view's key. The value of an absent or deleted key is nil; the version of a key that
// never was is 0. A view that the vault was opened without is an error.
func (v *Vault) Get(ctx context.Context, view, key string) (value []byte, version int64, err error) {
	err = v.inView(ctx, view, func(b *bolt.Bucket) { value, version = kv{b: b}.Get(key) })
	return value, version, err
}

// Each calls fn for every live key with the prefix, ascending by bytes, outside of any transaction: keys written meanwhile may or may
// not be seen. fn ends the iteration early, without an error, with fs.SkipAll.
func (v *Vault) Each(ctx context.Context, view, prefix string, fn func(key string, value []byte, version int64) error) error {
	from := []byte(prefix)
	for from != nil {
		var chunk []entry
		err := v.inView(ctx, view, func(b *bolt.Bucket) { chunk, from = readEntries(b, []byte(prefix), from, eachChunk) })
		if err != nil {
			return err
		}
		for _, e := range chunk {
			if err := fn(e.key, e.value, e.version); err != nil {
				return ended(err)
			}
		}
	}
	return nil
}

func (v *Vault) inView(ctx context.Context, view string, fn func(*bolt.Bucket)) error {
	if !v.views[view] {
		return fmt.Errorf("view %q: %w", view, errNoView)
	}
	return v.read(ctx, func(t *txn) error {
		fn(t.Bucket([]byte(viewPrefix + view)))
		return nil
	})
}
