package anchor

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// ViewName is the name of View.
const ViewName = "anchors"

// The keys of the view: the newest checkpoint; under byPrefix the newest anchor of each outsider; under sizePrefix and a size of 20
// digits the first anchor of that size.
const (
	keyNewest  = "newest"
	byPrefix   = "by/"
	sizePrefix = "size/"
)

// Signed is the newest checkpoint.
type Signed struct {
	Size int64         `json:"size"`
	Seq  int64         `json:"seq"` // of its record
	At   evidence.Time `json:"at"`
	Own  int64         `json:"own"` // records from Size on that are only about checkpoints: they alone make no new one due
}

// Anchored is an outsider's word about a checkpoint.
type Anchored struct {
	Type string        `json:"type"`
	By   string        `json:"by"`
	Size int64         `json:"size"` // of the checkpoint: it covers every record below
	At   evidence.Time `json:"at"`   // by the outsider's clock
	Seq  int64         `json:"seq"`  // of the record that holds it
}

// View keeps the newest checkpoint and what outsiders said of which.
func View() evidence.View { return evidence.View{Name: ViewName, Version: 1, Apply: apply} }

func apply(r evidence.Record, kv evidence.KV) error {
	if r.Kind != evidence.KindCheckpoint {
		return nil
	}
	c, err := evidence.Decode[*evidence.Checkpoint](r)
	if err != nil {
		return nil // of a later schema, or erased
	}
	if c.Anchor == nil {
		return put(kv, keyNewest, Signed{Size: c.Size, Seq: r.Seq, At: r.At, Own: 1})
	}
	var s Signed
	if b, _ := kv.Get(keyNewest); b != nil && json.Unmarshal(b, &s) == nil {
		s.Own++
		if err := put(kv, keyNewest, s); err != nil {
			return err
		}
	}
	a := Anchored{Type: c.Anchor.Type, By: c.Anchor.By, Size: c.Size, At: c.Anchor.At, Seq: r.Seq}
	if b, _ := kv.Get(sizeKey(c.Size)); b == nil {
		if err := put(kv, sizeKey(c.Size), a); err != nil {
			return err
		}
	}
	var before Anchored
	if b, _ := kv.Get(byPrefix + a.By); b != nil && json.Unmarshal(b, &before) == nil && before.Size >= a.Size {
		return nil
	}
	return put(kv, byPrefix+a.By, a)
}

func sizeKey(size int64) string { return fmt.Sprintf("%s%020d", sizePrefix, size) }

func put(kv evidence.KV, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return kv.Put(key, b)
}

func entry[T any](value []byte) (v T, ok bool) {
	return v, value != nil && json.Unmarshal(value, &v) == nil
}

// isBy reports whether a key names an outsider's newest anchor.
func isBy(key string) (string, bool) { return strings.CutPrefix(key, byPrefix) }
