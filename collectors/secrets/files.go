package secrets

import (
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

const maxKeyFile = 64 << 10 // bytes

// ErrExists is returned instead of replacing a key.
var ErrExists = errors.New("there is a file already, and keys are never overwritten; move it away first")

// writeNew writes a file that is not there yet: complete, durable, or not at all.
func writeNew(path string, data []byte, mode fs.FileMode) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of %s: %w", path, err)
	}
	tmp, err := writeTemp(dir, data, mode)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(tmp)
	// A link, unlike a rename, fails when the name is taken.
	switch err := os.Link(tmp, path); {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("write %s: %w", path, ErrExists)
	case err != nil:
		return fmt.Errorf("write %s: %w", path, err)
	}
	return syncDir(dir)
}

func writeTemp(dir string, data []byte, mode fs.FileMode) (name string, err error) {
	f, err := os.CreateTemp(dir, ".new-*") // 0600
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	return f.Name(), err
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open folder %s: %w", dir, err)
	}
	return errors.Join(f.Sync(), f.Close())
}

// readPrivate reads a key file that nobody but its owner may read.
func readPrivate(path string) ([]byte, error) { return readKey(path, 0o077) }

// readKey reads a key file of ours or of root's whose mode has none of the bits in not.
func readKey(path string, not fs.FileMode) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // never wait for a pipe's other end
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	switch perm := st.Mode().Perm(); {
	case !st.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", path)
	case strangers(st):
		return nil, fmt.Errorf("%s belongs to another user (id %d), who could read and change it; run: chown %d %s", path, st.Sys().(*syscall.Stat_t).Uid, os.Geteuid(), shellQuote(path))
	case perm&not != 0:
		return nil, fmt.Errorf("%s can be read or changed by others (mode %04o); run: chmod 600 %s", path, perm, shellQuote(path))
	case st.Size() > maxKeyFile:
		return nil, fmt.Errorf("%s is larger than %d bytes, so it is not a key", path, maxKeyFile)
	}
	return io.ReadAll(io.LimitReader(f, maxKeyFile))
}

// strangers reports whether a file belongs to somebody else than this user and root.
func strangers(st fs.FileInfo) bool {
	s, ok := st.Sys().(*syscall.Stat_t)
	return ok && s.Uid != 0 && int(s.Uid) != os.Geteuid()
}

var shellSafe = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=-]+$`)

func shellQuote(s string) string {
	if shellSafe.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
