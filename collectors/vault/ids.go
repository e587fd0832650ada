package vault

import (
	"encoding/binary"
	"errors"

	bolt "go.etcd.io/bbolt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// A key of the ids bucket covers a run of consecutive counts of one acquisition, beginning with the count in the key. Its
// value is a list of (number of counts, seq of the first), where the seqs of one item ascend by one. Because a run has no
// holes, whoever looks for a count needs only the last key that is not above it.
const (
	acqLen   = 26
	idKeyLen = acqLen + 4
)

var errIDs = errors.New("damaged entry in the index of ids: run muhafiz fsck")

func idKey(id evidence.ID) []byte {
	return binary.BigEndian.AppendUint32(append(make([]byte, 0, idKeyLen), id.Acq...), id.N)
}

// eachRun calls fn for the items of one key: n counts from first on, whose records are numbered from seq on.
func eachRun(k, v []byte, fn func(first, n uint64, seq int64)) error {
	if len(k) != idKeyLen {
		return errIDs
	}
	first := uint64(binary.BigEndian.Uint32(k[acqLen:]))
	for len(v) > 0 {
		n, a := binary.Uvarint(v)
		if a <= 0 || n == 0 || n > 1<<32 {
			return errIDs
		}
		seq, b := binary.Uvarint(v[a:])
		if b <= 0 {
			return errIDs
		}
		fn(first, n, int64(seq))
		first, v = first+n, v[a+b:]
	}
	return nil
}

func encodeRun(seqs []int64) []byte {
	var v []byte
	for i := 0; i < len(seqs); {
		n := 1
		for i+n < len(seqs) && seqs[i+n] == seqs[i]+int64(n) {
			n++
		}
		v = binary.AppendUvarint(v, uint64(n))
		v = binary.AppendUvarint(v, uint64(seqs[i]))
		i += n
	}
	return v
}

// findIDs calls fn for every known id of the acquisition whose count lies between first and last.
func findIDs(b *bolt.Bucket, acq string, first, last uint32, fn func(n uint32, seq int64)) error {
	c := b.Cursor()
	k, v := c.Seek(idKey(evidence.ID{Acq: acq, N: first}))
	if k == nil || string(k) != string(idKey(evidence.ID{Acq: acq, N: first})) {
		// The run that covers first may begin before it.
		pk, pv := c.Prev()
		if k == nil {
			pk, pv = c.Last()
		}
		if len(pk) == idKeyLen && string(pk[:acqLen]) == acq {
			k, v = pk, pv
		} else if k != nil {
			k, v = c.Next()
		}
	}
	for ; len(k) == idKeyLen && string(k[:acqLen]) == acq; k, v = c.Next() {
		if binary.BigEndian.Uint32(k[acqLen:]) > last {
			return nil
		}
		err := eachRun(k, v, func(from, n uint64, seq int64) {
			for at := max(from, uint64(first)); at < min(from+n, uint64(last)+1); at++ {
				fn(uint32(at), seq+int64(at-from))
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// idEntry is an id that is now known, and the record that answers it.
type idEntry struct {
	id  evidence.ID
	seq int64
}

// putIDs writes entries, one key for each stretch of consecutive counts.
func putIDs(b *bolt.Bucket, entries []idEntry) error {
	seqs := make([]int64, 0, len(entries))
	for i := 0; i < len(entries); {
		first := entries[i].id
		seqs = seqs[:0]
		for ; i < len(entries) && entries[i].id.Acq == first.Acq && uint64(entries[i].id.N) == uint64(first.N)+uint64(len(seqs)); i++ {
			seqs = append(seqs, entries[i].seq)
		}
		if err := b.Put(idKey(first), encodeRun(seqs)); err != nil {
			return err
		}
	}
	return nil
}
