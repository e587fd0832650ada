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
	"syscall"
	"time"

	"filippo.io/age"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// blobs is the folder of bytes named by their digest. Keep calls run side by side; only those of digests with the same first
// byte wait for one another at the end.
type blobs struct {
	dir   string
	ring  *ring // nil where new blobs are not sealed
	now   func() time.Time
	locks [256]sync.Mutex

	making  sync.Mutex // held while folders are made
	buffers sync.Pool  // of *[copyBuffer]byte

	mu    sync.Mutex
	dirs  map[string]bool          // folders of first bytes whose own entry is known to be on disk
	gone  map[evidence.Digest]bool // removed by an erasure since the vault was opened, and not kept again
	young map[evidence.Digest]bool
	old   map[evidence.Digest]bool
}

// copyBuffer is how much is read at a time: most replies whole.
const copyBuffer = 64 << 10

// maxYoung bounds the memory of blobs known to be there: at most twice as many are remembered.
const maxYoung = 1 << 15

// ErrDamagedBlob: the bytes under a digest are not those that it names. They are left as they are.
var ErrDamagedBlob = errors.New("a damaged blob is in the vault")

func openBlobs(dir string, r *ring, now func() time.Time) (*blobs, error) {
	b := &blobs{dir: dir, ring: r, now: now, dirs: map[string]bool{}, gone: map[evidence.Digest]bool{}, young: map[evidence.Digest]bool{}}
	if err := os.RemoveAll(b.tmp()); err != nil {
		return nil, fmt.Errorf("clear left-over files: %w", err)
	}
	if err := mkdirs(filepath.Dir(dir), filepath.Base(dir)); err != nil {
		return nil, err
	}
	if err := mkdirs(dir, plainBlobs, sealedBlobs, filepath.Base(b.tmp())); err != nil {
		return nil, err
	}
	return b, errors.Join(b.list(plainBlobs), b.list(sealedBlobs))
}

func (b *blobs) tmp() string { return filepath.Join(b.dir, "tmp") }

// The folders of blobs. A sealed file has one of its own, since a channel may publish a file that looks like a sealed one.
const (
	plainBlobs  = "sha256"
	sealedBlobs = "sealed"
)

func (b *blobs) path(folder string, d evidence.Digest) string {
	return filepath.Join(b.dir, blobPath(folder, d))
}

// blobPath is where a blob lies within the blobs folder. One level of folders is enough: a file system finds a name among a hundred
// thousand as quickly as among ten, while with a second level nearly every blob would need a folder of its own, made durable first.
func blobPath(folder string, d evidence.Digest) string {
	s := d.String()
	return filepath.Join(folder, s[:2], s)
}

// find returns the file that holds a blob, or fs.ErrNotExist.
func (b *blobs) find(d evidence.Digest) (path string, sealed bool, err error) {
	for _, folder := range []string{sealedBlobs, plainBlobs} {
		path = b.path(folder, d)
		st, err := os.Lstat(path)
		switch {
		case err == nil && st.Mode().IsRegular():
			return path, folder == sealedBlobs, nil
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return "", false, err
		}
	}
	return "", false, fs.ErrNotExist
}

// openFile opens a blob's file for reading, in the clear, and returns its size there.
func (r *ring) openFile(path string, sealed bool) (blobReader, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	st, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	if !sealed {
		return f, st.Size(), nil
	}
	plain, n, err := age.DecryptReaderAt(f, st.Size(), blobIdentity{r})
	if err != nil {
		return nil, 0, errors.Join(sealedError(err), f.Close())
	}
	return sealedBlob{io.NewSectionReader(plain, 0, n), f}, n, nil
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

// brokenDisk marks the error of another call where it says that the disk is broken, or was made read-only because it is. A full one is
// asked again.
func brokenDisk(err error) error {
	if errors.Is(err, syscall.EIO) || errors.Is(err, syscall.EROFS) {
		return &diskError{err}
	}
	return err
}

func (b *blobs) keep(ctx context.Context, r io.Reader, limit int64) (d evidence.Digest, n int64, err error) {
	f, err := os.CreateTemp(b.tmp(), "keep-*")
	if err != nil {
		return d, 0, brokenDisk(err)
	}
	defer func() {
		f.Close()
		if e := os.Remove(f.Name()); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}()
	h := sha256.New()
	n, err = b.copy(ourFile{f}, h, &limited{ctx, r, limit})
	if err != nil {
		return d, n, err
	}
	h.Sum(d[:0])
	if _, _, err := b.find(d); err != nil {
		if err := f.Sync(); err != nil {
			return d, n, syncedFresh(err)
		}
	}
	return d, n, b.place(f.Name(), d)
}

// ourFile tells a write that failed from a read: an export may lie on a disk that is broken, and that is not ours.
type ourFile struct{ io.Writer }

func (f ourFile) Write(p []byte) (int, error) {
	n, err := f.Writer.Write(p)
	return n, brokenDisk(err)
}

// copy writes what r gives to a file, sealed where this vault is, and to the hash as it is.
func (b *blobs) copy(f io.Writer, h io.Writer, r io.Reader) (int64, error) {
	buf, _ := b.buffers.Get().(*[copyBuffer]byte)
	if buf == nil {
		buf = new([copyBuffer]byte)
	}
	defer b.buffers.Put(buf)
	if b.ring == nil {
		return io.CopyBuffer(io.MultiWriter(f, h), r, buf[:])
	}
	w, err := b.ring.sealFile(f, monthOf(b.now()))
	if err != nil {
		return 0, err
	}
	n, err := io.CopyBuffer(io.MultiWriter(w, h), r, buf[:])
	if err == nil {
		err = w.Close()
	}
	return n, err
}

func (b *blobs) folder() string {
	if b.ring != nil {
		return sealedBlobs
	}
	return plainBlobs
}

// place moves a finished file to where its digest says.
func (b *blobs) place(tmp string, d evidence.Digest) error {
	lock := &b.locks[d[0]]
	lock.Lock()
	defer lock.Unlock()
	path, sealed, err := b.find(d)
	there := err == nil
	if errors.Is(err, fs.ErrNotExist) {
		path = b.path(b.folder(), d)
	} else if err != nil {
		return err
	}
	if err := b.mkdir(filepath.Dir(path)); err != nil {
		return err
	}
	if there {
		err = b.compareFiles(tmp, path, sealed)
	} else {
		err = brokenDisk(os.Rename(tmp, path))
	}
	if err != nil {
		return err
	}
	if err := syncParent(filepath.Dir(path)); err != nil {
		return err
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

func (b *blobs) compareFiles(fresh, path string, sealed bool) error {
	same, err := b.sameBytes(fresh, path, sealed)
	if err == nil && !same {
		err = fmt.Errorf("%s: %w: set it aside, restore it from a backup and run muhafiz fsck", filepath.Base(path), ErrDamagedBlob)
	}
	return err
}

// sameBytes compares a finished file with one that is there.
func (b *blobs) sameBytes(fresh, path string, sealed bool) (bool, error) {
	fa, na, err := b.ring.openFile(fresh, b.ring != nil)
	if err != nil {
		return false, err
	}
	defer fa.Close()
	fb, nb, err := b.ring.openFile(path, sealed)
	if errors.Is(err, errDamagedSeal) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	defer fb.Close()
	if na != nb {
		return false, nil
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
	_, _, err := b.find(d)
	if errors.Is(err, fs.ErrNotExist) {
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
	delete(b.gone, d)
}

// Blob opens a kept blob for reading and returns its size in bytes, or evidence.ErrNotFound. It does not check the bytes
// against the digest; fsck and whoever hands them on do.
func (v *Vault) Blob(ctx context.Context, d evidence.Digest) (io.ReadSeekCloser, int64, error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	path, sealed, err := v.blobs.find(d)
	var f blobReader
	var n int64
	if err == nil {
		f, n, err = v.ring.openFile(path, sealed)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errDestroyed) {
		return nil, 0, fmt.Errorf("blob %s: %w", d, evidence.ErrNotFound)
	} else if err != nil {
		return nil, 0, fmt.Errorf("blob %s: %w", d, err)
	}
	return f, n, nil
}
