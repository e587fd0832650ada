package vault

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Snapshot writes vault.db, as one commit left it, to w, and returns how many records it holds and their root. Writing goes on meanwhile;
// it waits only where the file outgrows the map (16 GiB, or twice its size when the vault was opened). What is sealed is sealed in the
// snapshot too, and the key ring is not part of it.
func (v *Vault) Snapshot(ctx context.Context, w io.Writer) (size int64, root evidence.Digest, err error) {
	err = v.read(ctx, func(t *txn) error {
		head := t.meta.Get([]byte(metaHead))
		if len(head) != 8+len(root) {
			return errors.New("the tree head of the last commit is missing: run muhafiz fsck")
		}
		size, root = keySeq(head), evidence.Digest(head[8:])
		_, err := t.Tx.WriteTo(ctxWriter{ctx, w})
		return err
	})
	return size, root, err
}

type ctxWriter struct {
	ctx context.Context
	w   io.Writer
}

func (w ctxWriter) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.w.Write(p)
}

// BlobFiles calls fn for the file of every blob, with its path from the vault's folder, such as blobs/sealed/ab/cd/abcd…, in the order of
// the digests within each of the two folders. A file may be gone when fn gets to it: an erasure removed it.
func (v *Vault) BlobFiles(ctx context.Context, fn func(d evidence.Digest, path string) error) error {
	for _, folder := range []string{plainBlobs, sealedBlobs} {
		err := filepath.WalkDir(filepath.Join(v.blobs.dir, folder), func(path string, e fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil:
				return err
			case e.IsDir():
				return ctx.Err()
			}
			d, err := evidence.ParseDigest(e.Name())
			if err != nil {
				return nil // fsck says that it does not belong there
			}
			return fn(d, filepath.Join("blobs", blobPath(folder, d)))
		})
		if err != nil {
			return ended(err)
		}
	}
	return nil
}

// Head reads how many records a file holds that Snapshot wrote, and their root, as its last commit left them. It checks neither.
func Head(file string) (size int64, root evidence.Digest, err error) {
	db, err := openBolt(file, &bolt.Options{ReadOnly: true, Timeout: lockWait})
	if err != nil {
		return 0, root, err
	}
	defer db.Close()
	err = safely(func() error {
		return db.View(func(tx *bolt.Tx) error {
			m := tx.Bucket([]byte(bucketMeta))
			if m == nil {
				return ErrNotVault
			}
			head := m.Get([]byte(metaHead))
			if len(head) != 8+len(root) {
				return ErrNotVault
			}
			size, root = keySeq(head), evidence.Digest(head[8:])
			return nil
		})
	})
	return size, root, err
}
