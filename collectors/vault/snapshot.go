package vault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterr "go.etcd.io/bbolt/errors"
	"golang.org/x/mod/sumdb/note"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// What follows hands the vault out as it lies, so that a copy needs neither keys nor an understanding of any body: what is sealed is sealed
// in the copy too, and the key ring is not part of it. A Restorer makes a vault of it.

// BucketLog is the bucket whose keys are sequence numbers, 8 bytes big-endian, and whose values begin with the exact envelope, up to the
// first LF.
const BucketLog = bucketLog

// SnapshotHead is what a snapshot holds.
type SnapshotHead struct {
	Vault string          `json:"vault"` // id
	Size  int64           `json:"size"`  // records
	Root  evidence.Digest `json:"root"`
}

// SnapshotBlob is a blob's file as it lies.
type SnapshotBlob struct {
	Name   evidence.Digest
	Path   string
	Sealed bool  // its bytes do not have the digest that names them
	Size   int64 // of the file
	Mtime  time.Time
}

// Signer returns what signs the log's checkpoints at present, nil where no key was given.
func (v *Vault) Signer() note.Signer {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.signer
}

// SnapshotLog calls fn with the stored values of the records from..to-1, ascending, outside of any transaction. value is fn's to keep.
func (v *Vault) SnapshotLog(ctx context.Context, from, to int64, fn func(seq int64, value []byte) error) error {
	for from < to {
		var values [][]byte
		err := v.read(ctx, func(t *txn) error {
			return safely(func() error {
				n := 0
				c := t.log.Cursor()
				for k, value := c.Seek(seqKey(from)); k != nil && n < readBytes && len(values) < readRecords && from+int64(len(values)) < to; k, value = c.Next() {
					if keySeq(k) != from+int64(len(values)) {
						break
					}
					values = append(values, append([]byte(nil), value...))
					n += len(value)
				}
				return nil
			})
		})
		if err != nil {
			return err
		}
		if len(values) == 0 {
			return fmt.Errorf("record %d: %w: run muhafiz fsck", from, evidence.ErrNotFound)
		}
		for _, value := range values {
			if err := fn(from, value); err != nil {
				return err
			}
			from++
		}
	}
	return nil
}

// SnapshotRest calls fn, within one transaction, with whatever SnapshotLog up to record from left out: the later records, and every
// other bucket but those that follow from the records (the tree, the views). Buckets come one after the other, keys ascending. key and
// value are valid during the call only. The transaction lasts as long as fn takes: fn must not wait for a network.
func (v *Vault) SnapshotRest(ctx context.Context, from int64, fn func(bucket string, key, value []byte) error) (SnapshotHead, error) {
	head := SnapshotHead{Vault: v.ID()}
	err := v.db.View(func(tx *bolt.Tx) error {
		return safely(func() error {
			t, err := open(tx)
			if err != nil {
				return err
			}
			h := t.meta.Get([]byte(metaHead))
			if len(h) != 8+len(head.Root) {
				return errors.New("the tree's head is missing: run muhafiz fsck")
			}
			head.Size = keySeq(h)
			copy(head.Root[:], h[8:])
			if err := eachEntry(ctx, bucketLog, t.log, seqKey(from), fn); err != nil {
				return err
			}
			return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
				n := string(name)
				if n == bucketLog || n == bucketTree || strings.HasPrefix(n, viewPrefix) {
					return nil
				}
				return eachEntry(ctx, n, b, nil, fn)
			})
		})
	})
	if errors.Is(err, bolterr.ErrDatabaseNotOpen) {
		err = ErrClosed
	}
	return head, err
}

func eachEntry(ctx context.Context, bucket string, b *bolt.Bucket, from []byte, fn func(string, []byte, []byte) error) error {
	c := b.Cursor()
	n := 0
	for k, value := c.Seek(from); k != nil; k, value = c.Next() {
		if value == nil {
			return fmt.Errorf("bucket %q holds a bucket: this build does not know what that is", bucket)
		}
		if bucket == bucketMeta && strings.HasPrefix(string(k), viewPrefix) {
			continue
		}
		if n++; n%readRecords == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := fn(bucket, k, value); err != nil {
			return err
		}
	}
	return nil
}

// SnapshotBlobs calls fn with every blob's file: first those that are not sealed, then those that are, each ascending by name. A blob that
// comes or goes meanwhile may or may not be among them; every one that a record acknowledged before the call names is.
func (v *Vault) SnapshotBlobs(ctx context.Context, fn func(SnapshotBlob) error) error {
	for _, folder := range []string{plainBlobs, sealedBlobs} {
		err := filepath.WalkDir(filepath.Join(v.blobs.dir, folder), func(path string, e fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err = errors.Join(err, ctx.Err()); err != nil {
				return err
			}
			d, notDigest := evidence.ParseDigest(e.Name())
			if e.IsDir() || notDigest != nil {
				return nil
			}
			st, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || !st.Mode().IsRegular() {
				return err
			}
			return fn(SnapshotBlob{Name: d, Path: path, Sealed: folder == sealedBlobs, Size: st.Size(), Mtime: st.ModTime()})
		})
		if err != nil {
			return err
		}
	}
	return nil
}
