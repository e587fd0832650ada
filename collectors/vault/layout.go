package vault

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"

	bolt "go.etcd.io/bbolt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Format is the number of the layout described here; a vault of an unknown format is refused. FormatSealed is that of a vault in which
// bodies are sealed or were erased: what knows nothing of either must not open it. In formats 1 and 2, which else are the same, blobs
// lie two folders deep; Open moves them and then gives the vault its number, so that a build that would not find them refuses it.
const (
	Format       = 3
	FormatSealed = 4

	formatDeep, formatDeepSealed = 1, 2
)

func knownFormat(f string) bool {
	switch f {
	case strconv.Itoa(Format), strconv.Itoa(FormatSealed):
		return true
	}
	return deepFormat(f)
}

func deepFormat(f string) bool {
	return f == strconv.Itoa(formatDeep) || f == strconv.Itoa(formatDeepSealed)
}

// The buckets. Every key that a commit touches is local: it lies beside keys touched lately, since each page that a commit
// touches is written whole. Nothing is keyed by a digest.
const (
	bucketMeta     = "meta"     // format, head, and one `view/NAME` a view
	bucketLog      = "log"      // seq -> envelope LF body, which may be sealed (seal.go) or gone
	bucketTree     = "tree"     // chunk number -> chunkHashes stored hashes in the numbering of tlog.StoredHashIndex
	bucketIDs      = "ids"      // acquisition id, first count -> seqs of a run of counts
	bucketNames    = "names"    // space, key -> number
	bucketOrdinals = "ordinals" // space, number -> key
	bucketSubjects = "subjects" // ordinal key -> first seq, facets; ordinal key, further seq -> nothing
	bucketCursors  = "cursors"  // name -> data
	viewPrefix     = "view/"    // bucket view/NAME or view/NAME/1: key -> version, flag, value
)

// The buckets that are made when there is something to put into them.
const (
	bucketErased    = "erased"    // seq -> seq of the record that says so
	bucketDestroyed = "destroyed" // id of a data key -> seq of that record, or nothing where compaction did it
	bucketRefs      = "refs"      // digest, seq -> nothing: which records name a blob; a follower, brought up when it is needed
	bucketCuts      = "cuts"      // seq of an acquisition -> seq of the record that says what is left of its reply
	bucketDirty     = "dirty"     // id of a data key that sealed a blob which was removed -> nothing
	bucketDoomed    = "doomed"    // digest -> nothing: blobs to be removed, which a crash may have left
)

var buckets = []string{bucketMeta, bucketLog, bucketTree, bucketIDs, bucketNames, bucketOrdinals, bucketSubjects, bucketCursors}

const (
	metaFormat    = "format"    // decimal
	metaHead      = "head"      // size, root: what the last commit left
	metaKey       = "key"       // seq of the newest key.rotated; absent where there is none
	metaState     = "state"     // id of the data key of names and cursors; absent in a vault that is not sealed
	metaRefs      = "refs"      // the first record that the follower of blobs has not seen
	metaStale     = "stale"     // there where the views hold what was erased, until they are built anew
	metaSwept     = "swept"     // the size of the log when the vault was last compacted
	metaCompacted = "compacted" // id and body of the record of a compaction, until it is written
)

// spaces are those whose names are numbered; v0 alone is in no bucket.
const spaces = "uspacnt"

// txn is a transaction with its buckets at hand.
type txn struct {
	*bolt.Tx
	ring                                                     *ring    // nil where the vault is not sealed
	box                                                      *dataKey // of names and cursors, nil likewise
	meta, log, tree, ids, names, ordinals, subjects, cursors *bolt.Bucket
}

func open(tx *bolt.Tx) (*txn, error) {
	t := &txn{Tx: tx}
	for i, b := range []**bolt.Bucket{&t.meta, &t.log, &t.tree, &t.ids, &t.names, &t.ordinals, &t.subjects, &t.cursors} {
		if *b = tx.Bucket([]byte(buckets[i])); *b == nil {
			return nil, mark(ErrDamaged, "bucket %q is missing from vault.db: restore it from a backup", buckets[i])
		}
	}
	// Appended to in key order, so that full pages are never split again.
	t.log.FillPercent, t.tree.FillPercent, t.ids.FillPercent = 1, 1, 0.95
	// Posts of a channel come in pages, ascending or descending; a half-full page for each split would be half of the bucket.
	t.subjects.FillPercent = 0.9
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

// split parts a log value. body is as it is stored, and nil where it is gone.
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
