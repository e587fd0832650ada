package vault

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	bolt "go.etcd.io/bbolt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Format is the number of the layout described here; a vault of another format is refused.
const Format = 1

// The buckets. Every key that a commit touches is local: it lies beside keys touched lately, since each page that a commit
// touches is written whole. Nothing is keyed by a digest.
const (
	bucketMeta     = "meta"     // format, head, and one `view/NAME` a view
	bucketLog      = "log"      // seq -> envelope LF body
	bucketTree     = "tree"     // chunk number -> chunkHashes stored hashes in the numbering of tlog.StoredHashIndex
	bucketIDs      = "ids"      // acquisition id, first count -> seqs of a run of counts
	bucketNames    = "names"    // space, key -> number
	bucketOrdinals = "ordinals" // space, number -> key
	bucketSubjects = "subjects" // ordinal key -> first seq, facets; ordinal key, further seq -> nothing
	bucketCursors  = "cursors"  // name -> data
	viewPrefix     = "view/"    // bucket view/NAME: key -> version, flag, value
)

var buckets = []string{bucketMeta, bucketLog, bucketTree, bucketIDs, bucketNames, bucketOrdinals, bucketSubjects, bucketCursors}

const (
	metaFormat = "format" // decimal
	metaHead   = "head"   // size, root: what the last commit left
	metaKey    = "key"    // seq of the newest key.rotated; absent where there is none
)

// spaces are those whose names are numbered; v0 alone is in no bucket.
const spaces = "uspacnt"

// txn is a transaction with its buckets at hand.
type txn struct {
	*bolt.Tx
	meta, log, tree, ids, names, ordinals, subjects, cursors *bolt.Bucket
}

func open(tx *bolt.Tx) (*txn, error) {
	t := &txn{Tx: tx}
	for i, b := range []**bolt.Bucket{&t.meta, &t.log, &t.tree, &t.ids, &t.names, &t.ordinals, &t.subjects, &t.cursors} {
		if *b = tx.Bucket([]byte(buckets[i])); *b == nil {
			return nil, fmt.Errorf("bucket %q is missing from vault.db: restore it from a backup", buckets[i])
		}
	}
	// Appended to in key order, so that full pages are never split again.
	t.log.FillPercent, t.tree.FillPercent, t.ids.FillPercent = 1, 1, 0.95
	return t, nil
}

func seqKey(seq int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(seq)) }

func keySeq(b []byte) int64 { return int64(binary.BigEndian.Uint64(b)) }

// subjectKey is the binary form of an ordinal.
type subjectKey [evidence.OrdinalKeyLen]byte

func ordinalKey(o evidence.Ordinal) (subjectKey, error) {
	var k subjectKey
	_, err := o.AppendKey(k[:0])
	return k, err
}

func (k subjectKey) withSeq(seq int64) []byte {
	return binary.BigEndian.AppendUint64(k[:len(k):len(k)], uint64(seq))
}

// split parts a log value. body is nil where it is gone.
func split(value []byte) (envelope, body []byte, err error) {
	i := bytes.IndexByte(value, '\n')
	switch {
	case i < 0:
		return nil, nil, errors.New("no line feed between envelope and body")
	case i+1 < len(value):
		body = value[i+1:]
	}
	return value[:i:i], body, nil
}

func spaceIndex(s evidence.Space) int { return strings.IndexByte(spaces, byte(s)) }
