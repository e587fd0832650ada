package vault

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// list learns which folders there are. They are synced, since the process that made one may have died before it did that.
func (b *blobs) list(folder string) error {
	es, err := os.ReadDir(filepath.Join(b.dir, folder))
	if err != nil {
		return err
	}
	for _, e := range es {
		b.dirs[filepath.Join(b.dir, folder, e.Name())] = true
	}
	return syncParent(filepath.Join(b.dir, folder))
}

// fewFolders is how many folders are made one by one. Then all others are made at once, since the sync after each costs more than they do.
const fewFolders = 16

// mkdir makes the folder of a first byte of digests, and its entry durable.
func (b *blobs) mkdir(dir string) error {
	b.mu.Lock()
	known := b.dirs[dir]
	b.mu.Unlock()
	if known {
		return nil
	}
	b.making.Lock()
	defer b.making.Unlock()
	b.mu.Lock()
	known, few := b.dirs[dir], len(b.dirs) < fewFolders
	b.mu.Unlock()
	if known {
		return nil
	}
	names := []string{filepath.Base(dir)}
	if !few {
		for i := range 256 {
			names = append(names, hex.EncodeToString([]byte{byte(i)}))
		}
	}
	if err := mkdirs(filepath.Dir(dir), names...); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range names {
		b.dirs[filepath.Join(filepath.Dir(dir), n)] = true
	}
	return nil
}

// mkdirs makes those folders in parent that are not there, and the entries of all durable.
func mkdirs(parent string, names ...string) error {
	for _, n := range names {
		if err := os.Mkdir(filepath.Join(parent, n), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return brokenDisk(err)
		}
	}
	return syncParent(parent)
}

func syncParent(dir string) error {
	if err := syncDir(dir); err != nil {
		return &diskError{err}
	}
	return nil
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
