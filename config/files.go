package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

// readPrivate reads a file of at most 64 KiB that nobody but its owner may read.
func readPrivate(path string) ([]byte, error) {
	f, err := openPrivate(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, maxText)
}

// checkPrivate refuses a file that is not there, is no file, or that others may read.
func checkPrivate(path string) error {
	f, err := openPrivate(path)
	if err != nil {
		return err
	}
	return f.Close()
}

func openPrivate(path string) (*os.File, error) {
	f, mode, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	if mode.Perm()&0o077 != 0 {
		return nil, errors.Join(fmt.Errorf("%s can be read or changed by others (mode %04o); run: chmod 600 %s", path, mode.Perm(), shellQuote(path)), f.Close())
	}
	return f, nil
}

// openRegular opens a regular file; it never waits for a pipe's other end.
func openRegular(path string) (*os.File, fs.FileMode, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, fileError(path, err)
	}
	st, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(fileError(path, err), f.Close())
	}
	if !st.Mode().IsRegular() {
		return nil, 0, errors.Join(fmt.Errorf("%s is not a regular file", path), f.Close())
	}
	return f, st.Mode(), nil
}

// readLimited reads a regular file of at most limit bytes.
func readLimited(path string, limit int64) ([]byte, error) {
	f, _, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, limit)
}

func readAll(f *os.File, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fileError(f.Name(), err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes", f.Name(), limit)
	}
	return b, nil
}

// hash returns the digest of a cited file; a document that many targets cite is read once.
func (d *decoder) hash(path string) ([sha256.Size]byte, error) {
	l := d.loader
	if b, ok := l.o.Instead[path]; ok {
		return sha256.Sum256(b), nil
	}
	if sum, ok := l.hashes[path]; ok {
		return sum, nil
	}
	sum, err := hashFile(path)
	if err == nil {
		l.hashes[path] = sum
	}
	return sum, err
}

func hashFile(path string) (sum [sha256.Size]byte, err error) {
	f, _, err := openRegular(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, fileError(path, err)
	}
	h.Sum(sum[:0])
	return sum, nil
}

func fileError(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no file %s", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s may not be read by this user", path)
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("cannot read %s: %w", path, err)
}

var shellSafe = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=-]+$`)

func shellQuote(s string) string {
	if shellSafe.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// abs returns a path of the decoder's file as an absolute one.
func (d *decoder) abs(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(d.dir, path)
}
