package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Folder is a Store in a folder, such as a mounted disk.
type Folder struct {
	dir string

	mu   sync.Mutex
	dirs map[string]bool // made and synced
}

// OpenFolder opens a folder that is there. It makes none: a disk that is not mounted must not look like an empty place.
func OpenFolder(dir string) (*Folder, error) {
	st, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: %w", dir, ErrNoPlace)
	case err != nil:
		return nil, err
	case !st.IsDir():
		return nil, fmt.Errorf("%s is not a folder: name one for the backup", dir)
	}
	return &Folder{dir: dir, dirs: map[string]bool{}}, nil
}

// Put implements Store: a temporary file, fsync, rename, fsync of the folder.
func (f *Folder) Put(ctx context.Context, name string, r io.ReadSeeker, size int64) error {
	return full(f.put(ctx, name, r, size))
}

func (f *Folder) put(ctx context.Context, name string, r io.ReadSeeker, size int64) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	path := f.path(name)
	dir := filepath.Dir(path)
	if err := f.mkdir(dir); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(f.dir, ".partial-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if n, err := io.Copy(tmp, r); err != nil {
		return err
	} else if n != size {
		return fmt.Errorf("%s: %d bytes came, not %d", name, n, size)
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

func (f *Folder) path(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

// mkdir makes a folder below the place, with its parents, durably.
func (f *Folder) mkdir(dir string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mkdirLocked(dir)
}

func (f *Folder) mkdirLocked(dir string) error {
	if f.dirs[dir] || dir == f.dir {
		return nil
	}
	if err := f.mkdirLocked(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := syncDir(filepath.Dir(dir)); err != nil {
		return err
	}
	f.dirs[dir] = true
	return nil
}

// Get implements Store.
func (f *Folder) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return os.Open(f.path(name))
}

// List implements Store.
func (f *Folder) List(ctx context.Context, prefix string, fn func(Object) error) error {
	err := filepath.WalkDir(f.path(prefix), func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		name, err := filepath.Rel(f.dir, path)
		if err != nil || e.IsDir() || !e.Type().IsRegular() || strings.HasPrefix(e.Name(), ".") {
			return err
		}
		st, err := e.Info()
		if err != nil {
			return err
		}
		return fn(Object{filepath.ToSlash(name), st.Size(), st.ModTime()})
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Delete implements Store.
func (f *Folder) Delete(ctx context.Context, names []string) error {
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := os.Remove(f.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// clear takes away what interrupted writes left. It is called by the one who holds the place.
func (f *Folder) clear() error {
	left, err := filepath.Glob(filepath.Join(f.dir, ".partial-*"))
	for _, p := range left {
		err = errors.Join(err, os.Remove(p))
	}
	return err
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// full makes a full disk the sentence that it is.
func full(err error) error {
	if !errors.Is(err, ErrFull) && (errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)) {
		return fmt.Errorf("%w (%w)", ErrFull, err)
	}
	return err
}

// ErrBusy: somebody else is at work.
var ErrBusy = errors.New("another backup or restore is at work there: wait for it to end")

// hold takes a folder for oneself until the function that it returns is called, or the process ends.
func hold(dir string) (release func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s: %w", dir, ErrBusy)
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return func() { f.Close() }, nil
}
