package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// recheck refuses a draft that names a blob which an erasure removed after the draft was prepared.
func (b *blobs) recheck(d *draft) error {
	x, ok := d.in.Body.(evidence.Blobber)
	if !ok {
		return nil
	}
	for _, blob := range x.Blobs() {
		b.mu.Lock()
		gone := b.gone[blob]
		b.mu.Unlock()
		if gone {
			return fmt.Errorf("%s: %w", blob, evidence.ErrMissingBlob)
		}
	}
	return nil
}

// remove deletes blobs. Their folders are synced before it returns; those that are gone already are no error.
func (b *blobs) remove(ds []evidence.Digest) error {
	dirs := map[string]bool{}
	for _, d := range ds {
		lock := &b.locks[d[0]]
		lock.Lock()
		b.mu.Lock()
		delete(b.young, d)
		delete(b.old, d)
		b.gone[d] = true
		b.mu.Unlock()
		for _, folder := range []string{sealedBlobs, plainBlobs} {
			path := b.path(folder, d)
			switch err := os.Remove(path); {
			case err == nil:
				dirs[filepath.Dir(path)] = true
			case !errors.Is(err, fs.ErrNotExist):
				lock.Unlock()
				return err
			}
		}
		aside, err := b.removeAside(d)
		lock.Unlock()
		if err != nil {
			return err
		}
		if aside != "" {
			dirs[aside] = true
		}
	}
	for dir := range dirs {
		if err := syncDir(dir); err != nil {
			return &diskError{err}
		}
	}
	return nil
}
