package intake

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/google/renameio/v2"

	"github.com/muhafiz/muhafiz/config"
)

// Change is a set of files to write. It is made whole or not at all, save for a power cut between two renames, after which every file is
// still either the old or the new one.
type Change struct {
	Config string // path of muhafiz.yaml
	Load   config.Options
	files  []file
}

type file struct {
	path     string // absolute
	old      []byte
	replaces bool
	content  []byte
	made     bool
}

// ErrChanged says that a file is not as it was when the change was prepared.
var ErrChanged = errors.New("changed meanwhile")

// Create adds a file that must not be there, unless it holds the same.
func (c *Change) Create(path string, content []byte) {
	c.files = append(c.files, file{path: path, content: content})
}

// Replace adds a file that is there and must still be as it was read.
func (c *Change) Replace(path string, old, content []byte) {
	c.files = append(c.files, file{path: path, old: old, replaces: true, content: content})
}

// Check loads the configuration as it would be.
func (c *Change) Check() (*config.Config, error) {
	o := c.Load
	o.Instead = map[string][]byte{}
	for _, f := range c.files {
		o.Instead[f.path] = f.content
	}
	return config.Load(c.Config, o)
}

// Apply writes the files in their order. When one fails, those made before it are taken back.
func (c *Change) Apply() (err error) {
	unlock, err := c.lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	for i := range c.files {
		if err := c.files[i].unchanged(); err != nil {
			return err
		}
	}
	for i := range c.files {
		if err := c.files[i].write(); err != nil {
			return errors.Join(err, c.takeBack(i))
		}
	}
	return nil
}

// lock keeps two commands from changing watchlists at once.
func (c *Change) lock() (func() error, error) {
	d, err := os.Open(filepath.Dir(c.Config))
	if err != nil {
		return nil, fmt.Errorf("lock the configuration's folder: %w", err)
	}
	if err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another command is changing the watchlists (%w): wait for it and try again", err), d.Close())
	}
	return d.Close, nil
}

func (f *file) unchanged() error {
	now, err := os.ReadFile(f.path)
	switch {
	case f.replaces && err != nil:
		return fmt.Errorf("%s cannot be read any more: %w", f.path, err)
	case f.replaces && !bytes.Equal(now, f.old):
		return fmt.Errorf("%s was %w, by somebody else: nothing was written; look at it and run the command again", f.path, ErrChanged)
	case !f.replaces && err == nil && !bytes.Equal(now, f.content):
		return fmt.Errorf("there is a file %s already, and existing files are not written over: name another, or add to it with --to", f.path)
	case !f.replaces && err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s cannot be looked at: %w", f.path, err)
	}
	return nil
}

func (f *file) write() error {
	if !f.replaces {
		if _, err := os.Stat(f.path); err == nil {
			return nil // it holds the same
		}
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
		return fmt.Errorf("make the folder of %s: %w", f.path, err)
	}
	opts := []renameio.Option{renameio.WithPermissions(0o644), renameio.WithTempDir(filepath.Dir(f.path))}
	if f.replaces {
		opts = []renameio.Option{renameio.WithExistingPermissions(), renameio.WithTempDir(filepath.Dir(f.path))}
	}
	p, err := renameio.NewPendingFile(f.path, opts...)
	if err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	if _, err := p.Write(f.content); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", f.path, err), p.Cleanup())
	}
	if err := p.CloseAtomicallyReplace(); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", f.path, err), p.Cleanup())
	}
	f.made = true
	return nil
}

func (c *Change) takeBack(n int) error {
	var all error
	for i := n - 1; i >= 0; i-- {
		f := &c.files[i]
		switch {
		case !f.made:
		case f.replaces:
			all = errors.Join(all, renameio.WriteFile(f.path, f.old, 0o644, renameio.WithExistingPermissions()))
		default:
			all = errors.Join(all, os.Remove(f.path))
		}
	}
	return all
}

func digest(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }
