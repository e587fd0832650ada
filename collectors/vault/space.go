package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// reserveName is the file that is given up when its bytes are needed.
const reserveName = "reserve"

// allocated is how far vault.db is known to have blocks on the disk.
type allocated struct {
	mu  sync.Mutex
	end int64 // offset in the file
}

// Disk returns the bytes that this process may still write to the disk under a folder, and the size of that disk.
func Disk(path string) (free, total int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return 0, 0, fmt.Errorf("how much room the disk under %s has: %w", path, err)
	}
	size := int64(st.Bsize) //nolint:unconvert // differs between architectures
	return int64(st.Bavail) * size, int64(st.Blocks) * size, nil
}

// DatabaseSize returns the bytes of vault.db up to its last page, those that are free for further records among them.
func (v *Vault) DatabaseSize() (int64, error) {
	var n int64
	err := v.db.View(func(tx *bolt.Tx) error {
		n = tx.Size()
		return nil
	})
	return n, err
}

// GrowAhead gives vault.db blocks of the disk for at least n bytes beyond its last page, so that records can be written although the disk
// is full. No other program can take them: they are the file's. It returns how many there are. What a file system with copy on write
// (btrfs, ZFS) allocates so is no promise, and one without fallocate refuses with errors.ErrUnsupported.
func (v *Vault) GrowAhead(n int64) (int64, error) {
	size, err := v.DatabaseSize()
	if err != nil {
		return 0, err
	}
	g := &v.ahead
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.end-size >= n {
		return g.end - size, nil
	}
	f, err := os.OpenFile(filepath.Join(v.path, "vault.db"), os.O_RDWR, 0)
	if err != nil {
		return max(0, g.end-size), err
	}
	defer f.Close()
	// A bit more than is asked for, so that not every page that is written asks the disk again. From the file's start, because a file that was
	// made longer without blocks has holes.
	end := size + n + n/4
	if err := allocate(f, end); err != nil {
		return max(0, g.end-size), fmt.Errorf("grow vault.db ahead: %w", err)
	}
	g.end = end
	return end - size, f.Sync()
}

// Ahead returns for how many bytes beyond its last page vault.db has blocks.
func (v *Vault) Ahead() (int64, error) {
	size, err := v.DatabaseSize()
	v.ahead.mu.Lock()
	defer v.ahead.mu.Unlock()
	return max(0, v.ahead.end-size), err
}

// Reserved reports whether the file that sets room aside is there with at least n bytes.
func (v *Vault) Reserved(n int64) bool {
	st, err := os.Lstat(filepath.Join(v.path, reserveName))
	return err == nil && st.Mode().IsRegular() && st.Size() >= n && st.Sys().(*syscall.Stat_t).Blocks*512 >= n
}

// Reserve sets n bytes aside in a file of the vault's folder; where it fails, none are.
func (v *Vault) Reserve(n int64) error {
	path := filepath.Join(v.path, reserveName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	err = allocate(f, n)
	if errors.Is(err, errors.ErrUnsupported) {
		err = fill(f, n)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("set room aside: %w", err), v.Release())
	}
	return nil
}

// Release gives the bytes that were set aside in a file to whoever writes first, which may be another program.
func (v *Vault) Release() error {
	if err := os.Remove(filepath.Join(v.path, reserveName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return syncDir(v.path)
}

// allocate gives a file blocks up to end.
func allocate(f *os.File, end int64) error {
	for {
		err := unix.Fallocate(int(f.Fd()), 0, 0, end)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
			return fmt.Errorf("the file system cannot set blocks aside (%w): %w", err, errors.ErrUnsupported)
		default:
			return err
		}
	}
}

// fill writes zeros, which is as good where the file system does not pack them.
func fill(f *os.File, n int64) error {
	zeros := make([]byte, 1<<20)
	for off := int64(0); off < n; off += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), n-off)], off); err != nil {
			return err
		}
	}
	return nil
}

// noRoom reports whether a write failed only because it did not fit.
func noRoom(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

// syncedFresh judges the sync of a file that nothing names yet and that is removed after this. That it did not fit says nothing about any other
// file, so that one is refused; after any other error nobody knows what the disk does.
func syncedFresh(err error) error {
	if noRoom(err) {
		return err
	}
	return &diskError{err}
}

// plainly adds what to do about a disk without room.
func plainly(err error) error {
	if noRoom(err) {
		return fmt.Errorf("the disk with the vault is full, make room on it first: %w", err)
	}
	return err
}
