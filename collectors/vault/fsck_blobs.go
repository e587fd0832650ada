package vault

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sort"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// blobFile is a file that stands where a blob may.
type blobFile struct {
	path   string // from the blobs folder
	digest evidence.Digest
	size   int64 // in the clear, as soon as that is known
	sealed bool
}

// files compares every blob with its name, and with what the records say.
func (f *fsck) files(ctx context.Context) error {
	files, total, err := f.walk(ctx)
	if err != nil {
		return err
	}
	if err := f.hash(ctx, files, total); err != nil {
		return err
	}
	for _, b := range files {
		f.rep.Blobs++
		f.rep.BlobBytes += b.size
	}
	if f.shut {
		f.unchecked("%d blobs, and whether all are there that the records name", len(files))
		return nil
	}
	f.cut()
	for _, b := range files {
		c, named := f.blobs[b.digest]
		if !named {
			f.rep.Unreferenced++
			continue
		}
		if c.size >= 0 && c.size != b.size {
			f.problem("blob "+b.digest.String(), "it has %d bytes, record %d says %d", b.size, c.seq, c.size)
		}
		c.seen = true
		f.blobs[b.digest] = c
	}
	return f.missing()
}

// missing names the blobs that a record names and nobody can find.
func (f *fsck) missing() error {
	var lost []evidence.Digest
	for d, c := range f.blobs {
		if !c.seen {
			lost = append(lost, d)
		}
	}
	sort.Slice(lost, func(i, j int) bool { return f.blobs[lost[i]].seq < f.blobs[lost[j]].seq })
	for _, d := range lost {
		f.problem("blob "+d.String(), "it is missing, and record %d names it: restore it from a backup", f.blobs[d].seq)
	}
	return nil
}

// walk lists the blobs, and names what does not belong among them. Left-over temporary files do.
func (f *fsck) walk(ctx context.Context) (files []blobFile, total int64, err error) {
	root := filepath.Join(f.path, "blobs")
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			f.problem("folder blobs", "%v", err)
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if rel == "tmp" {
				return fs.SkipDir
			}
			return nil
		}
		digest, err := evidence.ParseDigest(d.Name())
		folder := f.belongs(rel, digest)
		if err != nil || folder == "" || !d.Type().IsRegular() {
			f.problem("blobs/"+filepath.ToSlash(rel), "this does not belong here: it is not a file named by a digest, in the folder of that digest")
			return nil
		}
		st, err := d.Info()
		if err != nil {
			f.problem("blob "+digest.String(), "%v", err)
			return nil
		}
		files = append(files, blobFile{rel, digest, st.Size(), folder == sealedBlobs})
		total += st.Size()
		return nil
	})
	return files, total, err
}

// belongs returns the folder of blobs that a blob at this place is of, or nothing where no blob with that digest may lie there.
func (f *fsck) belongs(rel string, d evidence.Digest) string {
	for _, folder := range []string{sealedBlobs, plainBlobs} {
		if rel == blobPath(folder, d) || f.deep && rel == deepPath(folder, d) {
			return folder
		}
	}
	return ""
}

// hash reads every blob, some at once.
func (f *fsck) hash(ctx context.Context, files []blobFile, total int64) error {
	var mu sync.Mutex
	var done int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(f.o.Workers)
	for i := range files {
		b := &files[i]
		if b.sealed && f.shut {
			continue
		}
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			stored := b.size
			wrong := f.sumFile(filepath.Join(f.path, "blobs", b.path), b)
			mu.Lock()
			defer mu.Unlock()
			if wrong != nil {
				f.problem("blob "+b.digest.String(), "%v", wrong)
			}
			done += stored
			f.o.Progress("blobs", done, total)
			return nil
		})
	}
	return g.Wait()
}

// sumFile hashes a blob in the clear, and notes its size there.
func (f *fsck) sumFile(path string, b *blobFile) error {
	file, size, err := f.ring.openFile(path, b.sealed)
	if err != nil {
		return err
	}
	defer file.Close()
	b.size = size
	h := sha256.New()
	n, err := io.CopyBuffer(h, file, make([]byte, 256<<10))
	if err != nil {
		return fmt.Errorf("it cannot be read to its end (%w): restore it from a backup", err)
	}
	if got := evidence.Digest(h.Sum(nil)); got != b.digest {
		return fmt.Errorf("its %d bytes have the SHA-256 %s: they were changed, restore them from a backup", n, got)
	}
	return nil
}
