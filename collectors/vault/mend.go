package vault

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// asideFolder holds damaged files of blobs, from the vault's folder. Nobody reads them there; what an erasure takes goes there too.
const asideFolder = "damaged"

// ErrOtherBytes: what was brought in a blob's place are not its bytes.
var ErrOtherBytes = errors.New("these are not the bytes that the blob's SHA-256 names")

// CheckBlob reads a blob against its digest and says what is wrong with it, nothing where it is whole.
func (v *Vault) CheckBlob(ctx context.Context, d evidence.Digest) (wrong string, err error) {
	path, sealed, err := v.blobs.find(d)
	if errors.Is(err, fs.ErrNotExist) {
		return "it is missing", nil
	} else if err != nil {
		return "", err
	}
	return v.ring.judgeFile(path, sealed, d, func(int64) error { return ctx.Err() })
}

// SetAside moves the damaged file of a blob out of the way and returns where it lies, from the vault's folder; nothing where there is no
// damaged one. From then on the blob is missing, and whoever keeps its bytes again brings it back.
func (v *Vault) SetAside(ctx context.Context, d evidence.Digest) (string, error) {
	if err := v.failed(); err != nil {
		return "", err
	}
	aside, err := v.blobs.setAside(ctx, d)
	var disk *diskError
	if errors.As(err, &disk) {
		err = v.fail(err)
	}
	if err != nil {
		return "", fmt.Errorf("set a damaged blob aside: %w", err)
	}
	return aside, nil
}

func (b *blobs) setAside(ctx context.Context, d evidence.Digest) (string, error) {
	lock := &b.locks[d[0]]
	lock.Lock()
	defer lock.Unlock()
	path, sealed, err := b.find(d)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	if wrong, err := b.ring.judgeFile(path, sealed, d, func(int64) error { return ctx.Err() }); wrong == "" || err != nil {
		return "", err
	}
	root := filepath.Dir(b.dir)
	if err := b.mkdir(filepath.Join(root, asideFolder)); err != nil {
		return "", err
	}
	name := d.String()
	if sealed {
		name += ".sealed"
	}
	rel := filepath.Join(asideFolder, name)
	for n := 2; ; n++ { // the same blob may be damaged more than once
		if _, err := os.Lstat(filepath.Join(root, rel)); errors.Is(err, fs.ErrNotExist) {
			break
		}
		rel = filepath.Join(asideFolder, fmt.Sprintf("%s.%d", name, n))
	}
	b.forget(d)
	if err := os.Rename(path, filepath.Join(root, rel)); err != nil {
		return "", err
	}
	for _, dir := range []string{filepath.Join(root, asideFolder), filepath.Dir(path)} {
		if err := syncDir(dir); err != nil {
			return "", &diskError{err}
		}
	}
	return rel, nil
}

// Aside returns where damaged files of a blob lie that were set aside, from the vault's folder.
func (v *Vault) Aside(d evidence.Digest) (files []string, err error) {
	all, err := filepath.Glob(filepath.Join(v.path, asideFolder, d.String()+"*"))
	for _, f := range all {
		files = append(files, filepath.Join(asideFolder, filepath.Base(f)))
	}
	return files, err
}

// forget makes a blob unknown, so that no draft is taken that names it before it is kept again.
func (b *blobs) forget(d evidence.Digest) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.young, d)
	delete(b.old, d)
	b.gone[d] = true
}

// removeAside takes away the damaged files of a blob that is erased. The caller holds its lock.
func (b *blobs) removeAside(d evidence.Digest) (dir string, err error) {
	dir = filepath.Join(filepath.Dir(b.dir), asideFolder)
	files, err := filepath.Glob(filepath.Join(dir, d.String()+"*"))
	if err != nil || len(files) == 0 {
		return "", err
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return dir, nil
}

// Mend keeps a blob's bytes again, from a copy of its file as a vault holds it (sealed with a data key of this one's ring where sealed
// says so) or in the clear. Other bytes are ErrOtherBytes, and nothing is kept. A damaged file in its place is set aside.
func (v *Vault) Mend(ctx context.Context, d evidence.Digest, r io.Reader, sealed bool) error {
	f, err := os.CreateTemp(v.blobs.tmp(), "mend-*")
	if err != nil {
		return fmt.Errorf("mend blob: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := io.Copy(f, &limited{ctx, r, math.MaxInt64 - 1}); err != nil {
		return fmt.Errorf("mend blob: %w", err)
	}
	in, size, err := v.ring.openFile(f.Name(), sealed)
	if errors.Is(err, errDamagedSeal) {
		return fmt.Errorf("mend blob: %w", ErrOtherBytes)
	} else if err != nil {
		return fmt.Errorf("mend blob: %w", err)
	}
	defer in.Close()
	h := sha256.New()
	if _, err := io.Copy(h, in); err != nil || evidence.Digest(h.Sum(nil)) != d {
		return errors.Join(fmt.Errorf("mend blob: %w", ErrOtherBytes), err)
	}
	if _, err := v.SetAside(ctx, d); err != nil {
		return err
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("mend blob: %w", err)
	}
	_, _, err = v.Keep(ctx, in, size)
	return err
}
