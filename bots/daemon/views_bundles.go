package daemon

import (
	"encoding/json"
	"fmt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// viewBundles lists the bundles that were built, by record number in twenty digits: what they are of is held for a time.
const viewBundles = "bundles"

// bundleEntry is an entry of that view.
type bundleEntry struct {
	Seq     int64              `json:"seq"`
	At      evidence.Time      `json:"at"`
	Subject evidence.Ordinal   `json:"subject"`
	Name    string             `json:"name,omitempty"`
	Posts   []evidence.Ordinal `json:"posts,omitempty"`
}

// applyBundles notes a bundle also where its body is erased: what it was of is still held.
func applyBundles(r evidence.Record, kv evidence.KV) error {
	if r.Kind != evidence.KindBundleBuilt {
		return nil
	}
	e := bundleEntry{Seq: r.Seq, At: r.At, Subject: r.Subject}
	if b, err := evidence.Decode[*evidence.BundleBuilt](r); err == nil {
		e.Name, e.Posts = b.Name, b.Posts
	}
	v, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return kv.Put(fmt.Sprintf("%020d", r.Seq), v)
}

func decodeBundleEntry(value []byte) (e bundleEntry, err error) {
	err = json.Unmarshal(value, &e)
	return e, err
}
