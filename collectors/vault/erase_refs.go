package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Which records name a blob is kept by digest, and so by a follower that reads the log in runs: it is brought to the head before an
// erasure, and once more within the erasure's own transaction. An erasure needs no other index of the blobs.

// ErrUnknownKind: a record may name blobs that this build cannot see, and so nothing may be erased.
var ErrUnknownKind = errors.New("this build does not know its kind or schema, and so not which blobs it needs: erase with the muhafiz that wrote it, or a newer one")

// followChunk is how many records the follower reads in one transaction.
const followChunk = 5000

// followBlobs brings the follower to the head.
func (v *Vault) followBlobs(ctx context.Context) error {
	for done := false; !done; {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := v.update(func(t *txn) (err error) {
			var moved bool
			if moved, done, err = t.follow(followChunk); err == nil && !moved {
				return errNothing
			}
			return err
		})
		if errors.Is(err, ErrUnknownKind) {
			return err
		} else if err != nil {
			return v.fail(err)
		}
	}
	return nil
}

// follow reads up to n records and lists the blobs that they name.
func (t *txn) follow(n int) (moved, done bool, err error) {
	refs, err := t.CreateBucketIfNotExists([]byte(bucketRefs))
	if err != nil {
		return false, false, err
	}
	next := int64(0)
	if b := t.meta.Get([]byte(metaRefs)); len(b) == 8 {
		next = keySeq(b)
	}
	from := next
	var keys [][]byte
	c := t.log.Cursor()
	k, v := c.Seek(seqKey(next))
	for ; k != nil && next < from+int64(n); k, v = c.Next() {
		found, err := t.blobsOf(v)
		if err != nil {
			return false, false, err
		}
		for _, d := range found {
			keys = append(keys, refKey(d, next))
		}
		next++
	}
	// In a sorted run, since neighbours share pages.
	slices.SortFunc(keys, bytes.Compare)
	for _, key := range keys {
		if err := refs.Put(key, nil); err != nil {
			return false, false, err
		}
	}
	return next > from, k == nil, t.meta.Put([]byte(metaRefs), seqKey(next))
}

func refKey(d evidence.Digest, seq int64) []byte { return append(d[:len(d):len(d)], seqKey(seq)...) }

// blobsOf returns the blobs that a log value names.
func (t *txn) blobsOf(value []byte) ([]evidence.Digest, error) {
	envelope, _, err := split(value)
	if err != nil {
		return nil, err
	}
	e, err := evidence.ParseEnvelope(envelope)
	if err != nil || !namesBlobs(e.Kind) {
		return nil, err
	}
	rec, err := t.ring.record(value)
	if err != nil || rec.Body == nil {
		return nil, err
	}
	b, err := evidence.DecodeBody(rec)
	if err != nil {
		return nil, err
	}
	switch b := b.(type) {
	case *evidence.Unknown:
		return nil, fmt.Errorf("record %d (%s): %w", e.Seq, e.Kind, ErrUnknownKind)
	case evidence.Blobber:
		return b.Blobs(), nil
	}
	return nil, nil
}

// namesBlobs spares the follower the bodies of the kinds that name none.
func namesBlobs(k evidence.Kind) bool {
	switch k {
	case evidence.KindPostSeen, evidence.KindPostCounts, evidence.KindPostGone, evidence.KindAccountBound, evidence.KindAccountSeen, evidence.KindCheckpoint:
		return false
	}
	return true
}

func recordBlobs(r evidence.Record) []evidence.Digest {
	b, err := evidence.DecodeBody(r)
	if err != nil {
		return nil
	}
	if x, ok := b.(evidence.Blobber); ok {
		return x.Blobs()
	}
	return nil
}

// released returns what an erasure no longer names: pairs of blob and record.
func (e *erasure) released(t *txn) (keys [][]byte, err error) {
	for _, r := range e.records {
		for _, d := range recordBlobs(r) {
			keys = append(keys, refKey(d, r.Seq))
		}
		// The acquisition's body goes, and with it what an earlier erasure left of its reply.
		if by := t.cutBy(r.Seq); by >= 0 {
			rec, err := t.ring.record(t.log.Get(seqKey(by)))
			if err != nil {
				return nil, err
			}
			b, err := evidence.Decode[*evidence.Erased](rec)
			if err != nil {
				return nil, err
			}
			for _, c := range b.Replies {
				if c.Acquisition == r.Seq && !c.Reply.IsZero() {
					keys = append(keys, refKey(c.Reply.SHA256, by))
				}
			}
		}
	}
	for _, c := range e.cuts {
		if !c.before.IsZero() {
			keys = append(keys, refKey(c.before, c.by))
		}
	}
	return keys, nil
}

// orphans returns the blobs of released that no record names once these do not; with the erasure's own new blobs taken as named.
func (e *erasure) orphans(refs *bolt.Bucket, released [][]byte) []evidence.Digest {
	goes := map[string]bool{}
	for _, k := range released {
		goes[string(k)] = true
	}
	kept := e.body.Blobs()
	var out []evidence.Digest
	seen := map[evidence.Digest]bool{}
	for _, k := range released {
		d := evidence.Digest(k[:len(evidence.Digest{})])
		if seen[d] || slices.Contains(kept, d) {
			continue
		}
		seen[d] = true
		named := false
		c := refs.Cursor()
		for k, _ := c.Seek(d[:]); k != nil && bytes.HasPrefix(k, d[:]) && !named; k, _ = c.Next() {
			named = !goes[string(k)]
		}
		if !named {
			out = append(out, d)
		}
	}
	return out
}

// wouldRemove says which blobs an erasure would remove.
func (v *Vault) wouldRemove(ctx context.Context, e *erasure) (n int, size int64, err error) {
	err = v.read(ctx, func(t *txn) error {
		released, err := e.released(t)
		refs := t.Bucket([]byte(bucketRefs))
		if err != nil || refs == nil {
			return err
		}
		for _, d := range e.orphans(refs, released) {
			n, size = n+1, size+v.blobs.fileSize(d)
		}
		return nil
	})
	return n, size, err
}

// fileSize is the size of a blob's file, 0 where there is none.
func (b *blobs) fileSize(d evidence.Digest) int64 {
	path, _, err := b.find(d)
	if err != nil {
		return 0
	}
	st, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return st.Size()
}
