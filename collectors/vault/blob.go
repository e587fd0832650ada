package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// blobs is the folder of bytes named by their digest. Keep calls run side by side; only those of digests with the same first
// byte wait for one another at the end.
type blobs struct {
	dir   string
	locks [256]sync.Mutex

	mu    sync.Mutex
	dirs  map[string]bool // folders whose own entry is known to be on disk
	young map[evidence.Digest]bool
	old   map[evidence.Digest]bool
}

// maxYoung bounds the memory of blobs known to be there: at most twice as many are remembered.
const maxYoung = 1 << 15

// ErrDamagedBlob: the bytes under a digest are not those that it names. They are left as they are.
var ErrDamagedBlob = errors.New("a damaged blob is in the vault")

func openBlobs(dir string) (*blobs, error) {
	b := &blobs{dir: dir, dirs: map[string]bool{}, young: map[evidence.Digest]bool{}}
	if err := os.RemoveAll(b.tmp()); err != nil {
		return nil, fmt.Errorf("clear left-over files: %w", err)
	}
	for _, d := range []string{dir, filepath.Join(dir, "sha256"), b.tmp()} {
		if err := b.mkdir(d); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *blobs) tmp() string { return filepath.Join(b.dir, "tmp") }

func (b *blobs) path(d evidence.Digest) string { return filepath.Join(b.dir, blobPath(d)) }

// blobPath is where a blob lies within the blobs folder.
func blobPath(d evidence.Digest) string {
	s := d.String()
	return filepath.Join("sha256", s[:2], s[2:4], s)
}

// mkdir makes a folder whose parent is there, and its entry durable.
func (b *blobs) mkdir(dir string) error {
	b.mu.Lock()
	known := b.dirs[dir]
	b.mu.Unlock()
	if known {
		return nil
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	// Also where it was there: the process that made it may have died before its parent was synced.
	if err := syncDir(filepath.Dir(dir)); err != nil {
		return &diskError{err}
	}
	b.mu.Lock()
	b.dirs[dir] = true
	b.mu.Unlock()
	return nil
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Keep makes r's bytes durable and returns their digest and number: see collectors.Sink. An error of r, or of ctx between two
// reads, keeps nothing. Bytes that are there already are compared, and never written over; if they differ that is
// ErrDamagedBlob.
func (v *Vault) Keep(ctx context.Context, r io.Reader, limit int64) (evidence.Digest, int64, error) {
	if err := v.failed(); err != nil {
		return evidence.Digest{}, 0, err
	}
	d, n, err := v.blobs.keep(ctx, r, limit)
	var disk *diskError
	if errors.As(err, &disk) {
		err = v.fail(err)
	}
	if err != nil {
		return evidence.Digest{}, 0, fmt.Errorf("keep blob: %w", err)
	}
	return d, n, nil
}

// diskError marks a sync that failed: nobody knows what is on disk now, and asking again may be answered wrongly.
type diskError struct{ error }

func (e *diskError) Unwrap() error { return e.error }

func (b *blobs) keep(ctx context.Context, r io.Reader, limit int64) (d evidence.Digest, n int64, err error) {
	f, err := os.CreateTemp(b.tmp(), "keep-*")
	if err != nil {
		return d, 0, err
	}
	defer func() {
		f.Close()
		if e := os.Remove(f.Name()); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}()
	h := sha256.New()
	n, err = io.Copy(io.MultiWriter(f, h), &limited{ctx, r, limit})
	if err != nil {
		return d, n, err
	}
	h.Sum(d[:0])
	if _, err := os.Lstat(b.path(d)); err != nil {
		if err := f.Sync(); err != nil {
			return d, n, &diskError{err}
		}
	}
	return d, n, b.place(f.Name(), d)
}

// place moves a finished file to where its digest says.
func (b *blobs) place(tmp string, d evidence.Digest) error {
	lock := &b.locks[d[0]]
	lock.Lock()
	defer lock.Unlock()
	path := b.path(d)
	dir := filepath.Dir(path)
	for _, p := range []string{filepath.Dir(dir), dir} {
		if err := b.mkdir(p); err != nil {
			return err
		}
	}
	_, err := os.Lstat(path)
	switch {
	case err == nil:
		err = compareFiles(tmp, path)
	case errors.Is(err, fs.ErrNotExist):
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return err
	}
	if err := syncDir(dir); err != nil {
		return &diskError{err}
	}
	b.remember(d)
	return nil
}

// limited ends with ErrTooLarge instead of passing on more than left bytes, and with ctx's error.
type limited struct {
	ctx  context.Context
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if err := l.ctx.Err(); err != nil {
		return 0, err
	}
	if int64(len(p))-1 > l.left {
		p = p[:max(l.left, 0)+1] // one more than allowed, to notice it
	}
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, evidence.ErrTooLarge
	}
	return n, err
}

func compareFiles(fresh, path string) error {
	same, err := sameBytes(fresh, path)
	if err == nil && !same {
		err = fmt.Errorf("%s: %w: set it aside, restore it from a backup and run muhafiz fsck", filepath.Base(path), ErrDamagedBlob)
	}
	return err
}

func sameBytes(a, b string) (bool, error) {
	fa, err := os.Open(a)
	if err != nil {
		return false, err
	}
	defer fa.Close()
	fb, err := os.Open(b)
	if err != nil {
		return false, err
	}
	defer fb.Close()
	sa, err := fa.Stat()
	if err != nil {
		return false, err
	}
	sb, err := fb.Stat()
	if err != nil || sa.Size() != sb.Size() || !sb.Mode().IsRegular() {
		return false, err
	}
	ba, bb := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		na, ea := io.ReadFull(fa, ba)
		nb, eb := io.ReadFull(fb, bb)
		if !bytes.Equal(ba[:na], bb[:nb]) {
			return false, nil
		}
		if ea != nil || eb != nil {
			return (ea == io.EOF || ea == io.ErrUnexpectedEOF) && ea == eb, nil
		}
	}
}

// check refuses a digest that is not kept.
func (b *blobs) check(d evidence.Digest) error {
	if b.known(d) {
		return nil
	}
	st, err := os.Lstat(b.path(d))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !st.Mode().IsRegular() {
		return fmt.Errorf("%s: %w", d, evidence.ErrMissingBlob)
	}
	if err == nil {
		b.remember(d)
	}
	return err
}

func (b *blobs) known(d evidence.Digest) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.young[d] || b.old[d]
}

func (b *blobs) remember(d evidence.Digest) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.young) >= maxYoung {
		b.old, b.young = b.young, map[evidence.Digest]bool{}
	}
	b.young[d] = true
}

// Blob opens a kept blob for reading and returns its size in bytes, or evidence.ErrNotFound. It does not check the bytes
// against the digest; fsck and whoever hands them on do.
func (v *Vault) Blob(ctx context.Context, d evidence.Digest) (io.ReadSeekCloser, int64, error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	f, err := os.Open(v.blobs.path(d))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, fmt.Errorf("blob %s: %w", d, evidence.ErrNotFound)
	}
	if err != nil {
		return nil, 0, err
	}
	st, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, st.Size(), nil
}
