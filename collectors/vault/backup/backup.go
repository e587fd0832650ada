package backup

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sync/errgroup"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

// Source is the running vault: vault.Vault.
type Source interface {
	ID() string
	LogKey() string
	Size() int64
	Path() string
	Root(ctx context.Context, size int64) (evidence.Digest, error)
	Checkpoint(ctx context.Context) (evidence.Checkpoint, error)
	SnapshotLog(ctx context.Context, from, to int64, fn func(seq int64, value []byte) error) error
	SnapshotRest(ctx context.Context, from int64, fn func(bucket string, key, value []byte) error) (vault.SnapshotHead, error)
	SnapshotBlobs(ctx context.Context, fn func(vault.SnapshotBlob) error) error
	Blob(ctx context.Context, d evidence.Digest) (io.ReadSeekCloser, int64, error) // in the clear
}

// Options are what Run needs.
type Options struct {
	Vault      Source
	To         Store
	Recipients Recipients
	Signer     note.Signer // the log's key; nil: neither checkpoint nor manifest is signed
	Keep       int         // finished backups to keep; 0: all
	Reread     bool        // read everything again, also what an earlier run read
	Workers    int         // uploads at once; 0: 4
	Build      string
	Now        func() time.Time
	Log        zerolog.Logger
	// Progress, where set, is told how far a stage has come: log (records), index (bytes), blobs (bytes). It may be called from any
	// goroutine.
	Progress func(stage string, done, total int64)
}

// Result is what a run did.
type Result struct {
	Run        string          `json:"run"` // its name
	Vault      string          `json:"vault"`
	Records    int64           `json:"records"`
	Root       evidence.Digest `json:"root"`
	Segments   int             `json:"segments"`
	Blobs      int64           `json:"blobs"`
	BlobBytes  int64           `json:"blob_bytes"`
	NewObjects int64           `json:"new_objects"`
	NewBytes   int64           `json:"new_bytes"`
	Removed    int             `json:"removed"` // objects that no kept backup needs
	Held       time.Duration   `json:"held_ns"` // how long the one read transaction lasted
	Damaged    []string        `json:"damaged,omitempty"`
}

var (
	// ErrOtherVault: the place belongs to another vault.
	ErrOtherVault = errors.New("the place holds the backup of another vault: name another folder or prefix; nothing was written")
	// ErrFork: the place has seen records that this vault does not have.
	ErrFork = errors.New("this vault does not continue the newest backup there: it is an older copy that went on by itself, or was rewritten; nothing was written. Find out which copy is the right one (muhafiz checkpoint verify --against) before you back up to a new place")
)

// Run makes one backup. The vault goes on being written meanwhile. An interrupted run leaves the earlier backups as they are, and what it
// put already counts for the next one.
func Run(ctx context.Context, o Options) (Result, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Workers <= 0 {
		o.Workers = 4
	}
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	r := &run{o: o, dir: filepath.Join(o.Vault.Path(), "backup"), have: map[evidence.Digest]int64{}}
	err := r.run(ctx)
	if err != nil {
		err = fmt.Errorf("backup: %w", full(err))
	}
	return r.res, err
}

// run is one backup in the making.
type run struct {
	o   Options
	dir string // of the vault: memory and what waits to be sent
	mem *memory
	man Manifest
	res Result

	blobRefs []Ref
	checked  int64 // up to here it is known whether records took something out of earlier ones

	last *Manifest // the newest one there, nil if none can be built upon
	mu   sync.Mutex
	have map[evidence.Digest]int64 // objects that are there

	newObjects, newBytes atomic.Int64
}

func (r *run) run(ctx context.Context) (err error) {
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return err
	}
	release, err := hold(r.dir)
	if err != nil {
		return err
	}
	defer release()
	if f, ok := r.o.To.(*Folder); ok {
		releasePlace, err := hold(f.dir)
		if err != nil {
			return err
		}
		defer releasePlace()
		if err := f.clear(); err != nil {
			return err
		}
	}
	marker, err := r.claim(ctx)
	if err != nil {
		return err
	}
	if err := r.earlier(ctx); err != nil {
		return err
	}
	err = r.o.To.List(ctx, prefixObjects, func(o Object) error {
		if d, err := evidence.ParseDigest(o.Name[strings.LastIndexByte(o.Name, '/')+1:]); err == nil {
			r.have[d] = o.Size
		}
		return nil
	})
	if err != nil {
		return err
	}
	to := r.o.Recipients.digest().String()[:16]
	if r.mem, err = openMemory(filepath.Join(r.dir, marker.Place+"-"+to)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.mem.close()) }()
	if err := r.mem.tidy(r.have); err != nil {
		return err
	}
	if err := r.everything(ctx); err != nil {
		return err
	}
	return r.finish(ctx)
}

// claim makes the place this vault's, or refuses.
func (r *run) claim(ctx context.Context) (Marker, error) {
	m, err := readMarker(ctx, r.o.To)
	if err != nil || m.Vault == r.o.Vault.ID() {
		return m, err
	}
	if m.Vault != "" {
		return m, fmt.Errorf("vault %s, not %s: %w", m.Vault, r.o.Vault.ID(), ErrOtherVault)
	}
	m = Marker{Format: Format, Vault: r.o.Vault.ID(), Place: strings.ToLower(rand.Text())}
	b, err := json.Marshal(m)
	if err != nil {
		return m, err
	}
	return m, r.o.To.Put(ctx, nameMarker, bytes.NewReader(append(b, '\n')), int64(len(b)+1))
}

// earlier reads the newest backup there and refuses to put a fork of its log beside it.
func (r *run) earlier(ctx context.Context) error {
	m, name, err := readRun(ctx, r.o.To, "", "")
	if errors.Is(err, ErrNoBackup) {
		return nil
	}
	if errors.Is(err, ErrManifest) {
		r.o.Log.Error().Err(err).Msg("the newest manifest of the backup is damaged; everything is read again")
		return nil
	}
	if err != nil {
		return err
	}
	if m.Records > r.o.Vault.Size() {
		return fmt.Errorf("backup %s holds %d records, this vault %d: %w", name, m.Records, r.o.Vault.Size(), ErrFork)
	}
	root, err := r.o.Vault.Root(ctx, m.Records)
	if err != nil {
		return err
	}
	if root != m.Root {
		return fmt.Errorf("the first %d records are not those of backup %s: %w", m.Records, name, ErrFork)
	}
	if slices.Equal(m.Recipients, r.o.Recipients.text) {
		r.last = m
	}
	return nil
}

func (r *run) everything(ctx context.Context) error {
	if r.o.Signer != nil {
		c, err := r.o.Vault.Checkpoint(ctx)
		if err != nil {
			return err
		}
		r.man.Checkpoint = c.Note
	}
	if err := r.logAndIndexes(ctx); err != nil {
		return err
	}
	if err := r.blobs(ctx); err != nil {
		return err
	}
	return r.inventory(ctx)
}

// finish writes the manifest, which makes the backup one.
func (r *run) finish(ctx context.Context) error {
	m := &r.man
	at := r.o.Now().UTC()
	m.Format, m.Vault, m.LogKey, m.Build, m.At = Format, r.o.Vault.ID(), r.o.Vault.LogKey(), r.o.Build, evidence.Time{Time: at}
	m.Recipients = r.o.Recipients.text
	b, err := m.encode(r.o.Signer)
	if err != nil {
		return err
	}
	name := runName(at, m.Records)
	if err := r.o.To.Put(ctx, name, bytes.NewReader(b), int64(len(b))); err != nil {
		return err
	}
	r.res.Run = strings.TrimSuffix(strings.TrimPrefix(name, prefixRuns), ".json")
	r.res.Vault, r.res.Records, r.res.Root, r.res.Segments = m.Vault, m.Records, m.Root, len(m.Log)
	r.res.Blobs, r.res.BlobBytes = m.BlobCount, m.BlobBytes
	r.res.NewObjects, r.res.NewBytes = r.newObjects.Load(), r.newBytes.Load()
	if r.o.Keep > 0 {
		r.res.Removed, err = prune(ctx, r.o.To, r.o.Keep)
	}
	return err
}

// store puts content, unless it is there, and says where it lies. It may be called by many goroutines at once.
func (r *run) store(ctx context.Context, b []byte) (Ref, error) {
	content := evidence.Sum(b)
	if ref, ok := r.known(content); ok {
		return ref, nil
	}
	sealed, err := r.o.Recipients.Seal(b)
	if err != nil {
		return Ref{}, err
	}
	return r.put(ctx, content, sealed)
}

// put writes an object's exact bytes.
func (r *run) put(ctx context.Context, content evidence.Digest, b []byte) (Ref, error) {
	ref := Ref{evidence.Sum(b), int64(len(b))}
	if !r.there(ref) {
		if err := r.o.To.Put(ctx, objectName(ref.Object), bytes.NewReader(b), ref.Size); err != nil {
			return ref, err
		}
	}
	return ref, r.did(content, ref)
}

func (r *run) there(ref Ref) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	size, ok := r.have[ref.Object]
	return ok && size == ref.Size
}

// known finds content that lies there already.
func (r *run) known(content evidence.Digest) (Ref, bool) {
	ref, ok := r.mem.object(content)
	if !ok && len(r.o.Recipients.to) == 0 {
		r.mu.Lock()
		size, there := r.have[content]
		r.mu.Unlock()
		ref, ok = Ref{content, size}, there
	}
	return ref, ok && r.there(ref)
}

func (r *run) did(content evidence.Digest, ref Ref) error {
	r.mu.Lock()
	_, before := r.have[ref.Object]
	r.have[ref.Object] = ref.Size
	r.mu.Unlock()
	if before {
		return nil
	}
	r.newObjects.Add(1)
	r.newBytes.Add(ref.Size)
	if len(r.o.Recipients.to) == 0 {
		return nil // found by its content
	}
	return r.mem.putObject(content, ref)
}

// group runs uploads side by side.
func (r *run) group(ctx context.Context) (*errgroup.Group, context.Context) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.o.Workers)
	return g, ctx
}

// inventory lists the objects of an encrypted backup for those who cannot open its lists.
func (r *run) inventory(ctx context.Context) error {
	if len(r.o.Recipients.to) == 0 {
		return nil
	}
	var all []Ref
	r.man.refs(func(ref Ref) { all = append(all, ref) })
	all = append(all, r.blobRefs...)
	slices.SortFunc(all, func(a, b Ref) int { return bytes.Compare(a.Object[:], b.Object[:]) })
	all = slices.CompactFunc(all, func(a, b Ref) bool { return a.Object == b.Object })
	c := chunks{emit: func(b []byte) error {
		ref, err := r.put(ctx, evidence.Sum(b), bytes.Clone(b))
		r.man.Inventory = append(r.man.Inventory, ref)
		return err
	}}
	for _, ref := range all {
		if err := c.add(bucketInventory, ref.Object[:], binary.AppendUvarint(nil, uint64(ref.Size))); err != nil {
			return err
		}
	}
	return c.end()
}

// The buckets of lists that no vault has.
const (
	bucketInventory = "backup.inventory" // object -> size as a varint
	bucketBlobs     = "backup.blobs"     // blob's name -> object, its size as a varint, the size of the blob's file as a varint, blobSealed where it is
)

func removeAll(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
