package vaulttest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Erased replays a log through the views with each record's body removed in turn, and then with all of them removed: a view must take
// that as it comes. It calls then, where it is given, with what the views hold afterwards and which record is bare (-1: all of them).
func Erased(t *testing.T, records []evidence.Record, views []evidence.View, then func(bare int64, views map[string]*KV)) {
	t.Helper()
	for i := -1; i < len(records); i++ {
		bare := int64(-1)
		if i >= 0 {
			bare = records[i].Seq
		}
		held := map[string]*KV{}
		for _, v := range views {
			held[v.Name] = &KV{entries: map[string]entry{}}
			for n, r := range records {
				if n == i || i < 0 {
					r.Body = nil
				}
				held[v.Name].now = r.Seq
				if err := applied(v, r, held[v.Name]); err != nil {
					t.Errorf("the body of record %d removed: view %s at record %d, %s: %v", bare, v.Name, r.Seq, r.Kind, err)
				}
			}
		}
		if then != nil {
			then(bare, held)
		}
	}
}

func applied(v evidence.View, r evidence.Record, kv *KV) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return v.Apply(r, kv)
}

type entry struct {
	value   []byte
	live    bool
	version int64
}

// KV is a view's keys in memory.
type KV struct {
	entries map[string]entry
	now     int64
}

// Get implements evidence.KV.
func (k *KV) Get(key string) ([]byte, int64) {
	e := k.entries[key]
	return e.value, e.version
}

// Put implements evidence.KV.
func (k *KV) Put(key string, value []byte) error {
	k.entries[key] = entry{append([]byte{}, value...), true, k.now + 1}
	return nil
}

// Delete implements evidence.KV.
func (k *KV) Delete(key string) error {
	k.entries[key] = entry{version: k.now + 1}
	return nil
}

// Each implements evidence.KV.
func (k *KV) Each(prefix string, fn func(key string, value []byte, version int64) bool) {
	var keys []string
	for key, e := range k.entries {
		if e.live && strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		if e := k.entries[key]; !fn(key, e.value, e.version) {
			return
		}
	}
}
