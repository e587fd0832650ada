package vault

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// adoptBuffer is how much of a file that is being adopted is hashed at a time.
const adoptBuffer = 256 << 10

// KeepFile makes a file of the caller's the blob of its bytes: see collectors.FileSink. Its own name moves into the blobs' folder, after its
// bytes are on disk, so that no crash leaves half of it under a digest. A sealed vault reads it into a sealed blob and removes it.
func (v *Vault) KeepFile(ctx context.Context, r io.Reader, path string, limit int64) (evidence.Digest, int64, error) {
	if err := v.failed(); err != nil {
		return evidence.Digest{}, 0, err
	}
	d, n, err := v.blobs.keepFile(ctx, r, path, limit)
	var disk *diskError
	if errors.As(err, &disk) {
		err = v.fail(err)
	}
	if err != nil {
		return evidence.Digest{}, 0, fmt.Errorf("keep a file as a blob: %w", err)
	}
	return d, n, nil
}

func (b *blobs) keepFile(ctx context.Context, r io.Reader, path string, limit int64) (d evidence.Digest, n int64, err error) {
	if b.ring != nil {
		d, n, err = b.keep(ctx, r, limit)
	} else {
		d, n, err = b.adopt(ctx, r, path, limit)
	}
	if err != nil {
		return d, n, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return d, n, err
	}
	return d, n, nil
}

// adopt hashes what r gives and moves the file there. A file on another disk is copied.
func (b *blobs) adopt(ctx context.Context, r io.Reader, path string, limit int64) (d evidence.Digest, n int64, err error) {
	h := sha256.New()
	if n, err = io.CopyBuffer(h, &limited{ctx, r, limit}, make([]byte, adoptBuffer)); err != nil {
		return d, n, err
	}
	h.Sum(d[:0])
	f, err := openOwn(path)
	if err != nil {
		return d, n, err
	}
	defer f.Close()
	if err := cutTo(f, n); err != nil {
		return d, n, err
	}
	if _, _, err := b.find(d); err != nil {
		if err := f.Sync(); err != nil {
			return d, n, &diskError{err}
		}
	}
	err = b.place(path, d)
	if errors.Is(err, syscall.EXDEV) {
		return b.keep(ctx, f, limit)
	}
	return d, n, err
}

// openOwn opens a file that can become a blob: a regular one under its own and only name.
func openOwn(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	if err := own(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func own(f *os.File) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", f.Name())
	}
	if s, ok := st.Sys().(*syscall.Stat_t); ok && s.Nlink != 1 {
		return fmt.Errorf("%s has %d names: it could be written to by another one", f.Name(), s.Nlink)
	}
	return nil
}

// cutTo takes from a file what is beyond the bytes that were hashed.
func cutTo(f *os.File, n int64) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if st.Size() < n {
		return fmt.Errorf("the file has %d bytes where %d were read", st.Size(), n)
	}
	if st.Size() > n {
		return brokenDisk(f.Truncate(n))
	}
	return nil
}
