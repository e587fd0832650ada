package vault

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	bolt "go.etcd.io/bbolt"
	bolterr "go.etcd.io/bbolt/errors"
)

// A view writes the same few keys for each record of a batch: how many posts, what came last. They reach the bucket once a batch,
// as the last record left them, and in a sealed vault are sealed once.

// pending is what a view wrote under a key.
type pending struct {
	value   []byte
	version int64
	flag    byte
}

// maxPending bounds the keys that wait. A batch of an import may be of any length.
const maxPending = 4096

func (k *kv) Put(key string, value []byte) error {
	return k.set(key, pending{append([]byte{}, value...), k.version, flagLive})
}

func (k *kv) Delete(key string) error { return k.set(key, pending{nil, k.version, flagTombstone}) }

// set refuses here what the bucket would refuse later, so that it is the record's view that fails.
func (k *kv) set(key string, p pending) error {
	switch {
	case key == "":
		return bolterr.ErrKeyRequired
	case len(key) > bolt.MaxKeySize:
		return bolterr.ErrKeyTooLarge
	case len(k.pending) >= maxPending:
		if err := k.flush(); err != nil {
			return err
		}
	}
	k.pending[key] = p
	return nil
}

// flush writes what waits, in the order of the keys, which costs the fewest pages.
func (k *kv) flush() error {
	if len(k.pending) == 0 {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(k.pending)) {
		p := k.pending[key]
		v := binary.BigEndian.AppendUint64(make([]byte, 0, valueHead+nonceLen+len(p.value)+tagLen), uint64(p.version))
		v = append(v, p.flag)
		if k.key != nil && p.flag == flagLive {
			v = sealWith(k.key.aead, v, p.value, viewContext(k.view, key, p.version))
		} else {
			v = append(v, p.value...)
		}
		if err := k.b.Put([]byte(key), v); err != nil {
			return fmt.Errorf("view %s: %w", k.view, err)
		}
	}
	clear(k.pending)
	return nil
}

func flush(tables []*table) error {
	for _, t := range tables {
		if err := t.kv.flush(); err != nil {
			return err
		}
	}
	return nil
}
