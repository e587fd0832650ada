package backup

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

// sealInMemory is up to which size a blob is encrypted in memory; a larger one needs a temporary file, since its name is its digest.
const sealInMemory = 4 << 20

// blobs stores every blob that is there now, which are all that the records name, and lists them.
func (r *run) blobs(ctx context.Context) error {
	var all []vault.SnapshotBlob
	var total int64
	err := r.o.Vault.SnapshotBlobs(ctx, func(b vault.SnapshotBlob) error {
		all = append(all, b)
		total += b.Size
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	refs := make([]Ref, len(all))
	g, gctx := r.group(ctx)
	var done atomic.Int64
	for i := range all {
		b := &all[i]
		g.Go(func() error {
			ref, err := r.blob(gctx, b)
			if errors.Is(err, fs.ErrNotExist) {
				return nil // erased meanwhile
			}
			refs[i] = ref
			r.o.Progress("blobs", done.Add(b.Size), total)
			if err != nil {
				return fmt.Errorf("blob %s: %w", b.Name, err)
			}
			return nil
		})
		if gctx.Err() != nil {
			break
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return r.listBlobs(ctx, all, refs)
}

func (r *run) listBlobs(ctx context.Context, all []vault.SnapshotBlob, refs []Ref) error {
	c := chunks{emit: func(b []byte) error {
		ref, err := r.store(ctx, b)
		r.man.Blobs = append(r.man.Blobs, ref)
		return err
	}}
	for i, b := range all {
		if refs[i].Object.IsZero() {
			continue
		}
		r.blobRefs = append(r.blobRefs, refs[i])
		r.man.BlobCount++
		r.man.BlobBytes += b.Size
		value := binary.AppendUvarint(refs[i].Object[:], uint64(refs[i].Size))
		value = binary.AppendUvarint(value, uint64(b.Size))
		if b.Sealed {
			value = append(value, blobSealed)
		}
		if err := c.add(bucketBlobs, b.Name[:], value); err != nil {
			return err
		}
	}
	return c.end()
}

// blob stores one blob's file. One that was read before and looks the same is not read again.
func (r *run) blob(ctx context.Context, b *vault.SnapshotBlob) (Ref, error) {
	if err := ctx.Err(); err != nil {
		return Ref{}, err
	}
	mark, ok := r.mem.file(b.Name)
	if ok && !r.o.Reread && mark.size == b.Size && mark.mtime == b.Mtime.UnixNano() {
		if ref, ok := r.known(mark.content); ok {
			return ref, nil
		}
	}
	f, err := os.Open(b.Path)
	if err != nil {
		return Ref{}, err
	}
	defer f.Close()
	content, size, err := digest(ctx, f)
	if err != nil {
		return Ref{}, err
	}
	intact, err := r.intact(ctx, b, content)
	if err != nil {
		return Ref{}, err
	}
	if !intact {
		whole := b.Name // what its content was
		if b.Sealed {
			whole = mark.content
		}
		if earlier, ok := r.damaged(b.Name, whole); ok {
			b.Size = earlier.Size
			if mark.content == whole {
				b.Size = mark.size
			}
			return earlier, nil
		}
	}
	var ref Ref
	if ref, ok = r.known(content); !ok {
		if ref, err = r.send1(ctx, content, f, size); err != nil {
			return Ref{}, err
		}
	}
	if !intact {
		return ref, nil // looked at again the next time
	}
	return ref, r.mem.putFile(b.Name, fileMark{b.Size, b.Mtime.UnixNano(), content})
}

// intact reports whether a blob's file holds what its name says. A sealed one is opened for that; fs.ErrNotExist says that it was erased.
func (r *run) intact(ctx context.Context, b *vault.SnapshotBlob, content evidence.Digest) (bool, error) {
	if !b.Sealed {
		return content == b.Name, nil
	}
	in, _, err := r.o.Vault.Blob(ctx, b.Name)
	if errors.Is(err, evidence.ErrNotFound) {
		return false, fs.ErrNotExist
	}
	if err == nil {
		h := sha256.New()
		_, err = io.Copy(h, &reader{ctx, in})
		in.Close()
		if err == nil {
			return evidence.Digest(h.Sum(nil)) == b.Name, nil
		}
	}
	return false, ctx.Err() // it does not open
}

// damaged notes a blob that is not what its name says, and finds the copy that an earlier run made while it was.
func (r *run) damaged(name, whole evidence.Digest) (Ref, bool) {
	ref, ok := r.known(whole)
	r.mu.Lock()
	defer r.mu.Unlock()
	what := fmt.Sprintf("blob %s is damaged in the vault; no earlier copy lies there", name)
	if ok {
		what = fmt.Sprintf("blob %s is damaged in the vault; its earlier copy is kept", name)
	} else {
		r.man.Damaged = append(r.man.Damaged, name.String())
	}
	r.res.Damaged = append(r.res.Damaged, what)
	return ref, ok
}

func digest(ctx context.Context, f io.Reader) (d evidence.Digest, n int64, err error) {
	h := sha256.New()
	n, err = io.Copy(h, &reader{ctx, f})
	h.Sum(d[:0])
	return d, n, err
}

// reader ends with ctx's error.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// send1 puts a file's content.
func (r *run) send1(ctx context.Context, content evidence.Digest, f *os.File, size int64) (Ref, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return Ref{}, err
	}
	switch {
	case len(r.o.Recipients.to) == 0:
		return r.putFrom(ctx, content, content, f, size)
	case size <= sealInMemory:
		b := make([]byte, size)
		if _, err := io.ReadFull(f, b); err != nil {
			return Ref{}, err
		}
		sealed, err := r.o.Recipients.Seal(b)
		if err != nil {
			return Ref{}, err
		}
		return r.put(ctx, content, sealed)
	}
	tmp, err := os.CreateTemp(r.dir, "sealed-*")
	if err != nil {
		return Ref{}, err
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	h := sha256.New()
	if err := r.o.Recipients.sealTo(io.MultiWriter(tmp, h), &reader{ctx, f}); err != nil {
		return Ref{}, err
	}
	n, err := tmp.Seek(0, io.SeekCurrent)
	if err != nil {
		return Ref{}, err
	}
	if _, err := tmp.Seek(0, io.SeekStart); err != nil {
		return Ref{}, err
	}
	return r.putFrom(ctx, content, evidence.Digest(h.Sum(nil)), tmp, n)
}

func (r *run) putFrom(ctx context.Context, content, object evidence.Digest, f *os.File, size int64) (Ref, error) {
	ref := Ref{object, size}
	if err := r.o.To.Put(ctx, objectName(object), f, size); err != nil {
		return ref, err
	}
	return ref, r.did(content, ref)
}

// blobSealed ends the entry of a blob whose file is sealed, so that its digest is not its name.
const blobSealed = 1

// blobFile is a blob's file and where its bytes are.
type blobFile struct {
	name   evidence.Digest
	sealed bool
	size   int64 // of the file
	ref    Ref
}

// blobEntry reads what listBlobs wrote.
func blobEntry(key, value []byte) (l blobFile, err error) {
	if len(key) != len(l.name) || len(value) < len(l.ref.Object) {
		return l, errSegment
	}
	copy(l.name[:], key)
	rest := value[copy(l.ref.Object[:], value):]
	if l.ref.Size, rest, err = uvarint(rest); err != nil {
		return l, errSegment
	}
	if l.size, rest, err = uvarint(rest); err != nil {
		return l, errSegment
	}
	l.sealed = len(rest) == 1 && rest[0] == blobSealed
	if len(rest) > 0 && !l.sealed {
		return l, errSegment
	}
	return l, nil
}
