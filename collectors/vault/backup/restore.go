package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

// staging is the folder within the destination that a vault is built in. It becomes the vault by renaming, the database last.
const staging = "restoring"

// RestoreOptions are what Restore needs.
type RestoreOptions struct {
	From       Store
	Run        string // name of the backup; empty: the newest
	Identities Identities
	LogKey     string // vkey that must have signed the manifest and the checkpoint in it; empty: they are not checked
	To         string // folder: empty, or one in which a restore was interrupted; made where it is not there
	Workers    int    // 0: 4
	Progress   func(stage string, done, total int64)
	// Check, where set, is called with the finished vault's folder before it gets its place: it checks and records the restore. An error
	// of it leaves the destination without a vault.
	Check func(ctx context.Context, folder string, r Restored) error
}

// Restored is what Restore brought back.
type Restored struct {
	Run      string          `json:"run"`
	At       evidence.Time   `json:"at"` // of the backup
	Vault    string          `json:"vault"`
	Records  int64           `json:"records"`
	Root     evidence.Digest `json:"root"`
	Signed   int64           `json:"signed"` // records that a checkpoint in the backup covers
	Blobs    int64           `json:"blobs"`
	Bytes    int64           `json:"bytes"`              // of blobs
	Lacking  []string        `json:"lacking,omitempty"`  // blobs that could not be had, with the reason
	Verified bool            `json:"verified,omitempty"` // the log key given had signed it
}

// ErrNotEmpty: the destination holds something else.
var ErrNotEmpty = errors.New("the folder is not empty: name one that is, or one that is not there")

// Restore makes a vault of a backup. An interrupted one leaves no vault, and goes on from the blobs that it had when it is called again.
func Restore(ctx context.Context, o RestoreOptions) (Restored, error) {
	if o.Workers <= 0 {
		o.Workers = 4
	}
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	r := &restore{o: o}
	err := r.run(ctx)
	if err != nil {
		err = fmt.Errorf("restore: %w", full(err))
	}
	return r.res, err
}

type restore struct {
	o   RestoreOptions
	m   *Manifest
	mu  sync.Mutex
	res Restored
}

func (r *restore) run(ctx context.Context) (err error) {
	if _, err := readMarker(ctx, r.o.From); err != nil {
		return err
	}
	m, name, err := readRun(ctx, r.o.From, r.o.Run, r.o.LogKey)
	if err != nil {
		return err
	}
	if m.encrypted() && len(r.o.Identities) == 0 {
		return ErrNoIdentity
	}
	r.m = m
	r.res = Restored{Run: name, At: m.At, Vault: m.Vault, Records: m.Records, Root: m.Root, Verified: r.o.LogKey != ""}
	if err := os.MkdirAll(r.o.To, 0o700); err != nil {
		return err
	}
	release, err := hold(r.o.To)
	if err != nil {
		return err
	}
	defer release()
	dir, err := prepare(r.o.To)
	if err != nil {
		return err
	}
	if err := r.build(ctx, dir); err != nil {
		return err
	}
	if r.o.Check != nil {
		if err := r.o.Check(ctx, dir, r.res); err != nil {
			return err
		}
	}
	return publish(dir, r.o.To)
}

// prepare makes the staging folder, or takes up the one that an interrupted restore left.
func prepare(to string) (string, error) {
	dir := filepath.Join(to, staging)
	entries, err := os.ReadDir(to)
	if err != nil {
		return "", err
	}
	if _, err := os.Lstat(filepath.Join(to, "vault.db")); err == nil {
		return "", fmt.Errorf("%s: %w", to, vault.ErrExists)
	}
	begun := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == staging })
	for _, e := range entries {
		switch {
		case e.Name() == staging:
		case !begun:
			return "", fmt.Errorf("%s: %w", to, ErrNotEmpty)
		default: // publish was interrupted
			if err := os.Rename(filepath.Join(to, e.Name()), filepath.Join(dir, e.Name())); err != nil {
				return "", err
			}
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return dir, removeAll(filepath.Join(dir, "vault.db"))
}

// publish gives the vault its place. It is one as soon as vault.db is there, which comes last.
func publish(dir, to string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == "vault.db" {
			continue
		}
		if err := os.Rename(filepath.Join(dir, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	if err := syncDir(to); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(dir, "vault.db"), filepath.Join(to, "vault.db")); err != nil {
		return err
	}
	return errors.Join(syncDir(to), os.Remove(dir))
}

func (r *restore) build(ctx context.Context, dir string) (err error) {
	w, err := vault.NewRestorer(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if err := r.log(ctx, w); err != nil {
		return err
	}
	if err := r.indexes(ctx, w); err != nil {
		return err
	}
	if err := r.blobs(ctx, w); err != nil {
		return err
	}
	return w.Finish(vault.SnapshotHead{Vault: r.m.Vault, Size: r.m.Records, Root: r.m.Root})
}

// another says what to do when a part of the log or of the indexes cannot be had.
func another(what string, err error) error {
	return fmt.Errorf("%s: %w: without it there is no vault; try an earlier backup (muhafiz backup list, --run NAME) or another copy of this one", what, err)
}

func (r *restore) log(ctx context.Context, w *vault.Restorer) error {
	size, root, err := int64(-1), evidence.Digest{}, error(nil)
	if r.m.Checkpoint != "" {
		if size, root, err = checkpoint(r.m.Checkpoint, r.o.LogKey); err != nil {
			return err
		}
	}
	var t treeHead
	err = inOrder(ctx, len(r.m.Log), r.o.Workers, func(ctx context.Context, i int) ([]byte, error) {
		l := r.m.Log[i]
		b, err := fetchOpen(ctx, r.o.From, r.m, r.o.Identities, l.Ref)
		if errors.Is(err, ErrMissing) || errors.Is(err, ErrDamaged) {
			err = another(fmt.Sprintf("the records %d to %d", l.First, l.First+l.Count-1), err)
		}
		return b, err
	}, func(i int, b []byte) error {
		var other error
		err := eachEntry(b, func(bucket string, key, value []byte) error {
			err := logEntry(&t, bucket, key, value, t.size, func() {
				if t.size == size && t.root() != root {
					other = fmt.Errorf("the first %d records do not make the tree that the checkpoint signs: %w", size, ErrDamaged)
				}
			})
			if err != nil || other != nil {
				return errors.Join(err, other)
			}
			return w.Add(bucket, key, value)
		})
		r.o.Progress("log", t.size, r.m.Records)
		return err
	})
	if err != nil {
		return err
	}
	if size > t.size {
		return fmt.Errorf("the checkpoint signs %d records, the backup holds %d: %w", size, t.size, ErrDamaged)
	}
	r.res.Signed = max(size, 0)
	return nil
}

func (r *restore) indexes(ctx context.Context, w *vault.Restorer) error {
	return inOrder(ctx, len(r.m.Indexes), r.o.Workers, func(ctx context.Context, i int) ([]byte, error) {
		b, err := fetchOpen(ctx, r.o.From, r.m, r.o.Identities, r.m.Indexes[i])
		if errors.Is(err, ErrMissing) || errors.Is(err, ErrDamaged) {
			err = another("a part of the indexes", err)
		}
		return b, err
	}, func(i int, b []byte) error {
		r.o.Progress("indexes", int64(i+1), int64(len(r.m.Indexes)))
		return eachEntry(b, func(bucket string, key, value []byte) error {
			if bucket == vault.BucketLog {
				return errSegment
			}
			return w.Add(bucket, key, value)
		})
	})
}

// blobs brings the blobs back. One that cannot be had is noted: the vault is worth more without it than nothing.
func (r *restore) blobs(ctx context.Context, w *vault.Restorer) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(r.o.Workers)
	var done atomic.Int64
	err := inOrder(ctx, len(r.m.Blobs), 2, func(ctx context.Context, i int) ([]byte, error) {
		b, err := fetchOpen(ctx, r.o.From, r.m, r.o.Identities, r.m.Blobs[i])
		if errors.Is(err, ErrMissing) || errors.Is(err, ErrDamaged) {
			err = another("a part of the list of blobs", err)
		}
		return b, err
	}, func(i int, b []byte) error {
		return eachEntry(b, func(bucket string, key, value []byte) error {
			l, err := blobEntry(key, value)
			if err != nil || bucket != bucketBlobs {
				return errors.Join(errSegment, err)
			}
			g.Go(func() error {
				err := r.blob(gctx, w, l)
				r.o.Progress("blobs", done.Add(l.size), r.m.BlobBytes)
				return err
			})
			return gctx.Err()
		})
	})
	if e := g.Wait(); e != nil {
		return e
	}
	slices.Sort(r.res.Lacking)
	return err
}

func (r *restore) blob(ctx context.Context, w *vault.Restorer, l blobFile) error {
	if r.kept(w, l) {
		r.count(l.size)
		return nil
	}
	in, err := openObject(ctx, r.o.From, l.ref)
	if err == nil {
		err = r.keep(ctx, w, l, in)
		in.Close()
	}
	switch {
	case errors.Is(err, ErrMissing), errors.Is(err, ErrDamaged):
		r.mu.Lock()
		defer r.mu.Unlock()
		r.res.Lacking = append(r.res.Lacking, fmt.Sprintf("blob %s: %v", l.name, err))
		return nil
	case err != nil:
		return fmt.Errorf("blob %s: %w", l.name, err)
	}
	r.count(l.size)
	return nil
}

func (r *restore) count(size int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.res.Blobs++
	r.res.Bytes += size
}

// kept reports whether an interrupted restore had brought the blob. A sealed file of an encrypted backup has neither its own digest nor its
// object's for a name, and is brought again.
func (r *restore) kept(w *vault.Restorer, l blobFile) bool {
	path, ok := w.Kept(l.name, l.sealed)
	if !ok {
		return false
	}
	want := l.ref.Object
	if r.m.encrypted() {
		want = l.name
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	d, n, err := digest(context.Background(), f)
	if err == nil && n == l.size && d == want {
		return true
	}
	f.Close()
	return os.Remove(path) != nil
}

func (r *restore) keep(ctx context.Context, w *vault.Restorer, l blobFile, in io.Reader) error {
	h := newHashing(&reader{ctx, in}, l.ref.Object)
	if !r.m.encrypted() {
		return w.Keep(ctx, l.name, l.sealed, h)
	}
	plain, err := r.o.Identities.open(h)
	if err == nil {
		err = w.Keep(ctx, l.name, l.sealed, plain)
	}
	if err == nil || errors.Is(err, ErrIdentity) {
		return err
	}
	// Damaged bytes fail to decrypt before they are seen to be damaged.
	if _, e := io.Copy(io.Discard, h); errors.Is(e, ErrDamaged) {
		return e
	}
	return err
}
