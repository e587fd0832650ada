package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	bolt "go.etcd.io/bbolt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// deepPath is where a blob lies in a vault of format 1 or 2.
func deepPath(folder string, d evidence.Digest) string {
	s := d.String()
	return filepath.Join(folder, s[:2], s[2:4], s)
}

// flattenBlobs moves the blobs of a vault of format 1 or 2 up to where blobPath says, and only then gives the vault its new format. What
// dies on the way is begun again by the next Open: each file is under one of its two names at any time.
func (v *Vault) flattenBlobs() error {
	var format string
	err := v.db.View(func(tx *bolt.Tx) error {
		format = string(tx.Bucket([]byte(bucketMeta)).Get([]byte(metaFormat)))
		return nil
	})
	if err != nil || !deepFormat(format) {
		return err
	}
	for _, folder := range []string{plainBlobs, sealedBlobs} {
		if err := flatten(filepath.Join(v.path, "blobs"), folder); err != nil {
			return fmt.Errorf("move the blobs of an older format: %w", err)
		}
	}
	v.o.Log.Info().Msg("the blobs of an older format were moved to one level of folders")
	next := Format
	if format == strconv.Itoa(formatDeepSealed) {
		next = FormatSealed
	}
	return v.db.Update(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(bucketMeta)).Put([]byte(metaFormat), []byte(strconv.Itoa(next)))
	})
}

// flatten moves what lies at its deepPath in a folder of blobs, and leaves alone what does not belong there: fsck names it.
func flatten(blobs, folder string) error {
	ups, err := os.ReadDir(filepath.Join(blobs, folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for i := 0; err == nil && i < len(ups); i++ {
		if ups[i].IsDir() {
			err = flattenOne(blobs, folder, ups[i].Name())
		}
	}
	return err
}

func flattenOne(blobs, folder, up string) error {
	root := filepath.Join(blobs, folder, up)
	es, err := os.ReadDir(root)
	if err != nil {
		return err
	}
	var emptied []string
	for _, e := range es {
		if !e.IsDir() {
			continue
		}
		dir := filepath.Join(root, e.Name())
		if err := raise(blobs, folder, dir); err != nil {
			return err
		}
		emptied = append(emptied, dir)
	}
	if err := syncDir(root); err != nil { // the new names first
		return err
	}
	for _, dir := range emptied {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			continue
		}
		if err := os.Remove(dir); err != nil {
			return err
		}
	}
	return syncDir(root)
}

// raise moves the blobs of one folder of the second level. A file that is at both places is left for fsck.
func raise(blobs, folder, dir string) error {
	es, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range es {
		d, err := evidence.ParseDigest(e.Name())
		from, to := filepath.Join(dir, e.Name()), filepath.Join(blobs, blobPath(folder, d))
		if err != nil || from != filepath.Join(blobs, deepPath(folder, d)) {
			continue
		}
		if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := os.Rename(from, to); err != nil {
			return err
		}
	}
	return nil
}
