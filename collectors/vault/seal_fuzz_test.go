package vault

import (
	"bytes"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// FuzzStored reads what may stand in a file that somebody else wrote: nothing of it may end the program, and nothing that was changed may
// open.
func FuzzStored(f *testing.F) {
	secret := bytes.Repeat([]byte{7}, 32)
	k, err := newDataKey(1, keyName{"a1", "2026-03"}, secret)
	if err != nil {
		f.Fatal(err)
	}
	r := &ring{opened: map[keyID]*dataKey{1: k}, names: map[keyID]keyName{1: k.name}}
	envelope := []byte(`{"v":1,"seq":1,"id":"x/0"}`)
	body := []byte(`{"salt":"00","schema":1}`)
	good := k.sealBody(append(envelope[:len(envelope):len(envelope)], '\n'), body)
	f.Add(good)
	f.Add(good[:len(envelope)+5])
	f.Add(append(append([]byte{}, envelope...), '\n'))
	f.Add([]byte{'\n', sealMark})
	box := &txn{box: k}
	o, err := ordinalKey(evidence.NewOrdinal(evidence.SpaceAccount, 1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(box.subjectValue(&subject{key: o, first: 3, slots: []slot{{name: "mtproto", seq: 4}}}))
	f.Fuzz(func(t *testing.T, value []byte) {
		if rec, err := r.record(value); err == nil && rec.Body != nil {
			_, _ = evidence.DecodeBody(rec)
		}
		if envelope, stored, err := split(value); err == nil {
			plain, err := r.body(envelope, stored)
			if _, sealed := sealedBy(stored); sealed && err == nil && plain != nil && !bytes.Equal(value, good) && !bytes.Equal(plain, body) {
				t.Errorf("%q opened as %q", value, plain)
			}
		}
		_, _ = box.decodeSubject(o, value)
		_, _, _ = decodeValue(value)
		_, _ = box.unseal(bucketCursors, []byte("x"), value)
	})
}
