package backup

import (
	"bytes"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// FuzzSegment reads foreign bytes as a segment, and writes what it read again.
func FuzzSegment(f *testing.F) {
	b := newSegment("log")
	b = appendEntry(b, seqKey(0), []byte(`{"v":1}`+"\n"+`{"salt":""}`))
	f.Add(appendEntry(b, seqKey(1), nil))
	f.Add(appendEntry(newSegment(bucketBlobs), make([]byte, 32), make([]byte, 34)))
	f.Add([]byte("muhafiz-segment 1 x\n\xff\xff\xff\xff\xff\xff\xff\xff\x7f"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var again []byte
		err := eachEntry(b, func(bucket string, key, value []byte) error {
			if again == nil {
				again = newSegment(bucket)
			}
			again = appendEntry(again, key, value)
			envelope(value)
			listed(bucket, bucketBlobs, key, value)
			listed(bucket, bucketInventory, key, value)
			return nil
		})
		if err == nil && again != nil && len(again) > len(b) {
			t.Errorf("%d bytes became %d", len(b), len(again))
		}
	})
}

// FuzzManifest reads foreign bytes as a manifest.
func FuzzManifest(f *testing.F) {
	m := Manifest{Format: Format, Vault: "v", Records: 3, Log: []LogRef{{First: 0, Count: 3, Ref: Ref{evidence.Sum(nil), 4}}}}
	b, err := m.encode(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(bytes.Replace(b, []byte(`"count":3`), []byte(`"count":-3`), 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseManifest(b, "")
		if err != nil {
			return
		}
		n := int64(0)
		for _, l := range m.Log {
			n += l.Count
		}
		if n != m.Records || n <= 0 {
			t.Errorf("%d records in the list, %d in the manifest", n, m.Records)
		}
		checkpoint(m.Checkpoint, "")
	})
}
