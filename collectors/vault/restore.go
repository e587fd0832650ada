package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// restoreCommit is how many bytes of keys and values go into one transaction of a restore.
const restoreCommit = 16 << 20

// Restorer builds a vault folder from what the Snapshot methods gave. Nothing but the tree is made anew: envelopes, bodies, sequence
// numbers and indexes are the bytes of the snapshot, so that what was sealed stays sealed and no key is needed. Views are built by the next
// Open, which needs Keys.Restored where the vault is sealed and its key ring saw more records. Its methods but Keep may not be called side
// by side.
type Restorer struct {
	file  string
	db    *bolt.DB
	tree  tree
	blobs *blobs

	pending []restored
	bytes   int
}

type restored struct {
	bucket     string
	key, value []byte
}

// NewRestorer begins in a folder that holds no vault. What an earlier Restorer that did not finish left of the database there goes; its
// blobs stay and are compared. The caller sees to it that nobody else restores there.
func NewRestorer(path string) (*Restorer, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(filepath.Join(path, "vault.db")); !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(ErrExists, err)
	}
	r := &Restorer{file: filepath.Join(path, "vault.db.new")}
	if err := os.Remove(r.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var err error
	// It seals nothing: files come as they lay.
	if r.blobs, err = openBlobs(filepath.Join(path, "blobs"), nil, nil); err != nil {
		return nil, err
	}
	o := boltOptions(0)
	o.NoSync = true // until Finish
	if r.db, err = openBolt(r.file, o); err != nil {
		return nil, err
	}
	return r, r.db.Update(func(tx *bolt.Tx) error {
		for _, b := range buckets {
			if _, err := tx.CreateBucket([]byte(b)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Add writes one entry. Records come ascending and without holes; the entries of the other buckets ascend by key. It takes key and value
// over.
func (r *Restorer) Add(bucket string, key, value []byte) error {
	if bucket == bucketTree || len(bucket) > len(viewPrefix) && bucket[:len(viewPrefix)] == viewPrefix || bucket == "" || len(key) == 0 {
		return fmt.Errorf("an entry of bucket %q has no place in a snapshot", clip(bucket))
	}
	if bucket == bucketLog {
		envelope, _, err := split(value)
		if err != nil {
			return fmt.Errorf("record %d: %w", r.tree.size, err)
		}
		e, err := evidence.ParseEnvelope(envelope)
		if err != nil {
			return fmt.Errorf("record %d: %w", r.tree.size, err)
		}
		if len(key) != 8 || keySeq(key) != r.tree.size || e.Seq != r.tree.size {
			return fmt.Errorf("record %d stands where record %d belongs", e.Seq, r.tree.size)
		}
		r.tree.append(evidence.LeafHash(envelope))
	}
	r.pending = append(r.pending, restored{bucket, key, value})
	if r.bytes += len(key) + len(value); r.bytes < restoreCommit {
		return nil
	}
	return r.flush()
}

func (r *Restorer) flush() error {
	err := r.db.Update(func(tx *bolt.Tx) error {
		for _, e := range r.pending {
			b, err := tx.CreateBucketIfNotExists([]byte(e.bucket))
			if err != nil {
				return err
			}
			b.FillPercent = 0.95
			if e.bucket == bucketLog {
				b.FillPercent = 1
			}
			if err := b.Put(e.key, e.value); err != nil {
				return fmt.Errorf("bucket %s: %w", clip(e.bucket), err)
			}
		}
		b := tx.Bucket([]byte(bucketTree))
		b.FillPercent = 1
		return r.tree.flush(b)
	})
	r.pending, r.bytes = nil, 0
	return err
}

func (r *Restorer) blobFile(name evidence.Digest, sealed bool) string {
	if sealed {
		return r.blobs.path(sealedBlobs, name)
	}
	return r.blobs.path(plainBlobs, name)
}

// Kept returns the path of a blob's file that is there already.
func (r *Restorer) Kept(name evidence.Digest, sealed bool) (string, bool) {
	path := r.blobFile(name, sealed)
	st, err := os.Lstat(path)
	return path, err == nil && st.Mode().IsRegular()
}

// Keep writes a blob's file as SnapshotBlobs found it and makes it durable, in the place of one that is there. Neither form is checked: the
// bytes of a sealed file do not have the digest that names them, and the caller knows which bytes it was promised. It may be called by
// many goroutines at once, for different files.
func (r *Restorer) Keep(ctx context.Context, name evidence.Digest, sealed bool, in io.Reader) (err error) {
	f, err := os.CreateTemp(r.blobs.tmp(), "restore-*")
	if err != nil {
		return err
	}
	defer func() {
		f.Close()
		if e := os.Remove(f.Name()); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}()
	if _, err := io.Copy(f, in); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	path := r.blobFile(name, sealed)
	if err := r.blobs.mkdir(filepath.Dir(path)); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// ErrOtherRoot: the records are not those of the tree head that was promised.
var ErrOtherRoot = errors.New("the records do not make the tree that they were promised to make")

// Finish compares the tree with head, makes everything durable and gives the database its name.
func (r *Restorer) Finish(head SnapshotHead) error {
	if err := r.flush(); err != nil {
		return err
	}
	if r.tree.size != head.Size || r.tree.size == 0 || r.tree.root() != head.Root {
		return fmt.Errorf("%d records with the root %s, not %d with %s: %w", r.tree.size, r.tree.root(), head.Size, head.Root, ErrOtherRoot)
	}
	err := r.db.Update(func(tx *bolt.Tx) error {
		t, err := open(tx)
		if err != nil {
			return err
		}
		return t.meta.Put([]byte(metaHead), append(seqKey(head.Size), head.Root[:]...))
	})
	if err != nil {
		return err
	}
	r.db.NoSync = false
	if err := errors.Join(r.db.Sync(), r.Close()); err != nil {
		return err
	}
	if err := os.Rename(r.file, filepath.Join(filepath.Dir(r.file), "vault.db")); err != nil {
		return err
	}
	return syncDir(filepath.Dir(r.file))
}

// Close lets go of what Finish has not finished. It may be called again.
func (r *Restorer) Close() error {
	if r.db == nil {
		return nil
	}
	err := r.db.Close()
	r.db = nil
	return err
}
