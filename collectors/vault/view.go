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

// table is a view within a transaction. What the view writes waits in kv until flush.
type table struct {
	view    evidence.View
	kv      kv
	damaged error // what kv met
}

// newTable returns a view over its bucket. key is that of its values, nil where they are not sealed.
func newTable(view evidence.View, b *bolt.Bucket, key *dataKey) *table {
	t := &table{view: view}
	t.kv = kv{b: b, view: view.Name, key: key, damaged: &t.damaged, pending: map[string]pending{}}
	return t
}

// place is where a view is kept.
type place struct {
	bucket string
	key    *dataKey
}

// place looks a view's place up. What was found is remembered as long as the view's state is the same.
func (v *Vault) place(t *txn, name string) (place, error) {
	stored := t.meta.Get([]byte(viewPrefix + name))
	if known, ok := v.places.Load(name); ok && known.(*knownPlace).state == string(stored) {
		return known.(*knownPlace).place, nil
	}
	s, ok := readViewState(t, name)
	if !ok {
		return place{}, fmt.Errorf("view %q: %w", name, errNoView)
	}
	key, err := v.viewKey(s)
	if err != nil {
		return place{}, fmt.Errorf("view %s: %w", name, err)
	}
	p := place{s.bucket(name), key}
	v.places.Store(name, &knownPlace{string(stored), p})
	return p, nil
}

type knownPlace struct {
	state string
	place place
}

func (v *Vault) viewKey(s viewState) (*dataKey, error) {
	if s.Key == "" {
		return nil, nil
	}
	id, err := parseKeyID(s.Key)
	if err != nil {
		return nil, err
	}
	return v.ring.key(id)
}

// tables returns the views that follow the log. It is empty before the vault is open.
func (v *Vault) tables(t *txn) ([]*table, error) {
	out := make([]*table, 0, len(v.o.Views))
	for _, view := range v.o.Views {
		p, err := v.place(t, view.Name)
		if err != nil {
			return nil, err
		}
		out = append(out, newTable(view, t.Bucket([]byte(p.bucket)), p.key))
	}
	return out, nil
}

func (t *table) apply(r evidence.Record) error {
	t.kv.version = r.Seq + 1
	err := t.view.Apply(r, &t.kv)
	if err == nil && t.damaged == nil {
		return nil
	}
	return fmt.Errorf("view %s, record %d: %w", t.view.Name, r.Seq, errors.Join(err, t.damaged))
}

// get returns what is stored under a key, which the caller must copy, its version and whether it is live.
func get(b *bolt.Bucket, key string) (value []byte, version int64, live bool) {
	if key == "" {
		return nil, 0, false
	}
	return decodeValue(b.Get([]byte(key)))
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
	view    string
	key     *dataKey
	damaged *error             // where to leave word of a value that does not open: nothing may be built on what a view then makes of it
	pending map[string]pending // what was written and not flushed, nil where nothing is ever written
}

func (k *kv) Get(key string) ([]byte, int64) {
	if p, ok := k.pending[key]; ok {
		if p.flag != flagLive {
			return nil, p.version
		}
		return append([]byte{}, p.value...), p.version
	}
	value, version, live := get(k.b, key)
	if !live {
		return nil, version
	}
	return k.open(key, value, version), version
}

// open returns a copy of a value in the clear.
func (k *kv) open(key string, value []byte, version int64) []byte {
	if k.key == nil {
		return append([]byte{}, value...)
	}
	plain, err := openWith(k.key.aead, value, viewContext(k.view, key, version))
	if err != nil {
		*k.damaged = fmt.Errorf("the value of %q: %w", clip(key), err)
		return []byte{}
	}
	if plain == nil {
		plain = []byte{}
	}
	return plain
}

// viewContext binds a value to its place: to its view, key and version.
func viewContext(view, key string, version int64) []byte {
	c := append(make([]byte, 0, len(view)+len(key)+9), view...)
	c = append(append(c, 0), key...)
	return binary.BigEndian.AppendUint64(c, uint64(version))
}

// eachChunk is how many keys are copied before the callback sees any: it may write to the view, which a cursor does not outlive.
const eachChunk = 256

// entry is a copied key of a view.
type entry struct {
	key     string
	value   []byte
	version int64
}

func (k *kv) Each(prefix string, fn func(key string, value []byte, version int64) bool) {
	from := []byte(prefix)
	for from != nil {
		if err := k.flush(); err != nil {
			*k.damaged = err
			return
		}
		var chunk []entry
		chunk, from = k.read([]byte(prefix), from, eachChunk)
		for _, e := range chunk {
			if !fn(e.key, e.value, e.version) {
				return
			}
		}
	}
}

// read copies up to n live keys with the prefix, beginning at from, and returns where to go on, or nil at the end.
func (k *kv) read(prefix, from []byte, n int) ([]entry, []byte) {
	var out []entry
	c := k.b.Cursor()
	seen := 0
	for key, v := c.Seek(from); key != nil && bytes.HasPrefix(key, prefix); key, v = c.Next() {
		if seen++; seen > 8*n || len(out) == n {
			return out, append([]byte{}, key...)
		}
		if value, version, live := decodeValue(v); live {
			out = append(out, entry{string(key), k.open(string(key), value, version), version})
		}
	}
	return out, nil
}

// Get returns the value and version of a view's key. The value of an absent or deleted key is nil; the version of a key that
// never was is 0. A view that the vault was opened without is an error.
func (v *Vault) Get(ctx context.Context, view, key string) (value []byte, version int64, err error) {
	err = v.inView(ctx, view, func(k *kv) { value, version = k.Get(key) })
	return value, version, err
}

// Each calls fn for every live key with the prefix, ascending by bytes, outside of any transaction: keys written meanwhile may or may
// not be seen. fn ends the iteration early, without an error, with fs.SkipAll.
func (v *Vault) Each(ctx context.Context, view, prefix string, fn func(key string, value []byte, version int64) error) error {
	from := []byte(prefix)
	for from != nil {
		var chunk []entry
		err := v.inView(ctx, view, func(k *kv) { chunk, from = k.read([]byte(prefix), from, eachChunk) })
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

func (v *Vault) inView(ctx context.Context, view string, fn func(*kv)) error {
	if !v.views[view] {
		return fmt.Errorf("view %q: %w", view, errNoView)
	}
	return v.read(ctx, func(t *txn) error {
		p, err := v.place(t, view)
		if err != nil {
			return err
		}
		var damaged error
		fn(&kv{b: t.Bucket([]byte(p.bucket)), view: view, key: p.key, damaged: &damaged})
		if damaged != nil {
			return fmt.Errorf("view %s: %w: run muhafiz fsck", view, damaged)
		}
		return nil
	})
}
