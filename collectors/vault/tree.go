package vault

import (
	"crypto/sha256"
	"fmt"
	"math/bits"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// chunkHashes is the number of stored hashes under one key: seven values fit a page, and the one being filled is rewritten by
// each commit.
const chunkHashes = 16

// tree is the writer's right edge of the RFC 6962 tree: enough to append without reading.
type tree struct {
	size int64       // leaves
	edge []tlog.Hash // roots of the complete subtrees, the largest first
	next int64       // number of the chunk that tail begins with
	tail []byte      // stored hashes from chunk next on, not yet a whole chunk after flush
}

type treeHead struct {
	size int64
	root evidence.Digest
}

func (t tree) clone() tree {
	t.edge = append([]tlog.Hash(nil), t.edge...)
	t.tail = append(make([]byte, 0, cap(t.tail)), t.tail...)
	return t
}

// append adds a leaf by its hash, with the inner nodes that it completes.
func (t *tree) append(leaf evidence.Digest) {
	h := tlog.Hash(leaf)
	t.tail = append(t.tail, h[:]...)
	for range bits.TrailingZeros64(^uint64(t.size)) {
		last := len(t.edge) - 1
		h = tlog.NodeHash(t.edge[last], h)
		t.edge = t.edge[:last]
		t.tail = append(t.tail, h[:]...)
	}
	t.edge = append(t.edge, h)
	t.size++
}

func (t *tree) root() evidence.Digest {
	if len(t.edge) == 0 {
		return sha256.Sum256(nil)
	}
	last := len(t.edge) - 1
	h := t.edge[last]
	for i := last - 1; i >= 0; i-- {
		h = tlog.NodeHash(t.edge[i], h)
	}
	return evidence.Digest(h)
}

// flush writes the tail and keeps the part of it that is not a whole chunk.
func (t *tree) flush(b *bolt.Bucket) error {
	const whole = chunkHashes * tlog.HashSize
	rest := t.tail
	for len(rest) > 0 {
		n := min(len(rest), whole)
		if err := b.Put(seqKey(t.next), rest[:n:n]); err != nil {
			return err
		}
		if n < whole {
			break
		}
		t.next, rest = t.next+1, rest[n:]
	}
	// A new slice, since bbolt keeps what it was given until the commit; as long, since the next group may well be.
	t.tail = append(make([]byte, 0, max(whole, len(t.tail))), rest...)
	return nil
}

// loadTree reads the right edge of a tree with size leaves.
func loadTree(b *bolt.Bucket, size int64) (tree, error) {
	t := tree{size: size}
	r := hashes{b}
	var at []int64
	for level := 62; level >= 0; level-- {
		if size>>level&1 == 1 {
			at = append(at, tlog.StoredHashIndex(level, size>>level-1))
		}
	}
	var err error
	if t.edge, err = r.ReadHashes(at); err != nil {
		return t, err
	}
	stored := tlog.StoredHashCount(size)
	t.next = stored / chunkHashes
	if n := int(stored%chunkHashes) * tlog.HashSize; n > 0 {
		chunk := b.Get(seqKey(t.next))
		if len(chunk) != n {
			return t, fmt.Errorf("tree: the last chunk holds %d bytes, not %d", len(chunk), n)
		}
		t.tail = append([]byte(nil), chunk...)
	}
	return t, nil
}

// hashes reads stored hashes within a transaction.
type hashes struct{ b *bolt.Bucket }

// ReadHashes implements tlog.HashReader.
func (r hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		chunk := r.b.Get(seqKey(x / chunkHashes))
		at := int(x%chunkHashes) * tlog.HashSize
		if len(chunk) < at+tlog.HashSize {
			return nil, fmt.Errorf("tree: stored hash %d is missing: run muhafiz fsck", x)
		}
		copy(out[i][:], chunk[at:])
	}
	return out, nil
}
