package vault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	bolt "go.etcd.io/bbolt"
	bolterr "go.etcd.io/bbolt/errors"
	"golang.org/x/mod/sumdb/note"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

var (
	// ErrLocked: another process has the vault open.
	ErrLocked = errors.New("another muhafiz holds this vault: stop it first, or let it answer through its control socket")
	// ErrNotVault: the folder holds no vault.
	ErrNotVault = errors.New("not a vault: name the folder that holds vault.db")
	// ErrExists: Create met a vault that is there already.
	ErrExists = errors.New("there is a vault here already: open it, or name another folder")
	// ErrClosed: the vault was closed.
	ErrClosed = errors.New("the vault is closed")
	// ErrFailed: a write did not reach the disk for certain. Nothing more is written until the vault is opened again.
	ErrFailed = errors.New("the vault stopped writing after an error of the disk: stop, open it again and run muhafiz fsck")
)

// lockWait is how long Open waits for a holder that is just letting go.
const lockWait = 300 * time.Millisecond

// mapSize is the address space reserved at once. The map cannot grow while anybody reads, so growing stalls the writer.
const mapSize = 16 << 30

// Options are what the vault needs from outside.
type Options struct {
	Views  []evidence.View
	Signer note.Signer      // signs checkpoints; needed by Create and Checkpoint
	LogKey string           // Signer's key as a C2SP vkey, `NAME+HASH+KEY`; Create records it in vault.created
	Build  string           // of the program, for vault.created
	Keys   *Keys            // where given, what is written from now on is sealed; a sealed vault cannot be opened without
	Now    func() time.Time // nil: time.Now
	Log    zerolog.Logger
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Vault is an open vault folder. Its methods may be called by many goroutines at once.
type Vault struct {
	path    string
	o       Options
	db      *bolt.DB
	blobs   *blobs
	views   map[string]bool // that this Vault keeps up to date
	created evidence.VaultCreated
	ring    *ring      // nil where the vault is not sealed
	box     *dataKey   // of names and cursors, nil likewise
	places  sync.Map   // view name -> *knownPlace
	turning sync.Mutex // held while a checkpoint is signed or the key changes
	erasing sync.Mutex // held by Erase
	ahead   allocated

	queue chan *request
	erase chan *erasure
	stop  chan struct{} // closed by Close
	done  chan struct{} // closed when the writer has returned
	once  sync.Once
	size  atomic.Int64 // records acknowledged

	mu      sync.Mutex
	signer  note.Signer // of checkpoints, nil where none was given
	logKey  string      // its public key, as the log gives it
	failure error
	grown   chan struct{} // closed and replaced when size grows
	root    treeHead      // of the acknowledged records
}

var _ collectors.Sink = (*Vault)(nil)

// Open opens the vault at path, brings the views up to date and starts the writer.
func Open(path string, o Options) (*Vault, error) {
	v := &Vault{
		path: path, o: o.withDefaults(), views: map[string]bool{},
		queue: make(chan *request), erase: make(chan *erasure), stop: make(chan struct{}), done: make(chan struct{}), grown: make(chan struct{}),
	}
	if err := checkVaultFolder(path); err != nil {
		return nil, fmt.Errorf("open vault %s: %w", path, err)
	}
	db, err := openDB(filepath.Join(path, "vault.db"))
	if err != nil {
		return nil, fmt.Errorf("open vault %s: %w", path, err)
	}
	v.db = db
	if err := safely(v.start); err != nil {
		return nil, errors.Join(fmt.Errorf("open vault %s: %w", path, err), db.Close())
	}
	return v, nil
}

func openDB(file string) (*bolt.DB, error) {
	st, err := os.Stat(file)
	if err != nil || !st.Mode().IsRegular() {
		return nil, ErrNotVault
	}
	if st.Size() == 0 {
		return nil, mark(ErrDamaged, "vault.db is empty: restore it from a backup")
	}
	if st.Size() < minFile {
		return nil, mark(ErrDamaged, "vault.db is cut short: %d bytes are there; restore it from a backup", st.Size())
	}
	var db *bolt.DB
	if err = checkCut(file); err == nil {
		db, err = openBolt(file, boltOptions(st.Size()))
	}
	switch {
	case errors.Is(err, bolterr.ErrTimeout):
		return nil, ErrLocked
	case errors.Is(err, bolterr.ErrInvalid), errors.Is(err, bolterr.ErrChecksum), errors.Is(err, bolterr.ErrVersionMismatch):
		return nil, mark(ErrDamaged, "vault.db is damaged or none (%w): run muhafiz fsck, restore it from a backup", err)
	case err != nil:
		return nil, err
	}
	return db, nil
}

func boltOptions(size int64) *bolt.Options {
	return &bolt.Options{
		Timeout:         lockWait,
		FreelistType:    bolt.FreelistMapType,
		InitialMmapSize: int(max(mapSize, 2*size)),
		NoStatistics:    true,
	}
}

func (v *Vault) start() error {
	w := &writer{v: v}
	err := v.db.View(func(tx *bolt.Tx) error { return w.load(tx) })
	if err != nil {
		return err
	}
	v.publish(w.now)
	first, err := v.Record(context.Background(), 0)
	if err != nil {
		return fmt.Errorf("record 0: %w", err)
	}
	created, err := evidence.Decode[*evidence.VaultCreated](first)
	if err != nil {
		return err
	}
	v.created, v.signer = *created, v.o.Signer
	if err := v.unlock(); err != nil {
		return err
	}
	if err := v.flattenBlobs(); err != nil {
		return err
	}
	if v.blobs, err = openBlobs(filepath.Join(v.path, "blobs"), v.ring, v.o.Now); err != nil {
		return err
	}
	if v.logKey, err = v.currentKey(); err != nil {
		return err
	}
	for _, finish := range []func() error{v.clearCompact, v.dropStale, v.finishErasure} {
		if err := finish(); err != nil {
			return err
		}
	}
	if err := v.catchUp(w.now.tree.size); err != nil {
		return err
	}
	if err := v.sweepViews(); err != nil {
		return err
	}
	go w.run()
	if err := v.recordCompaction(); err != nil {
		v.halt()
		return err
	}
	return nil
}

// Close waits for the commit in hand, refuses all others and lets go of the folder.
func (v *Vault) Close() error {
	var err error
	v.once.Do(func() {
		v.halt()
		err = errors.Join(v.noteHead(), v.db.Close())
	})
	return err
}

// halt ends the writer. Nothing is written any more; reading goes on until the file is closed.
func (v *Vault) halt() {
	close(v.stop)
	<-v.done
}

// ID returns the vault's id as its first record gives it.
func (v *Vault) ID() string { return v.created.VaultID }

// LogKey returns the key that checkpoints are verified with: the vault's first record gives it, and a key.rotated another.
func (v *Vault) LogKey() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.logKey
}

// Path returns the vault's folder.
func (v *Vault) Path() string { return v.path }

// Size returns the number of records.
func (v *Vault) Size() int64 { return v.size.Load() }

// Wait returns when there are more than size records, or with ctx's error.
func (v *Vault) Wait(ctx context.Context, size int64) error {
	for {
		v.mu.Lock()
		grown, failure := v.grown, v.failure
		v.mu.Unlock()
		switch {
		case v.Size() > size:
			return nil
		case failure != nil:
			return failure
		}
		select {
		case <-grown:
		case <-v.stop:
			return ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// publish shows readers what the last commit left.
func (v *Vault) publish(s state) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.root = treeHead{size: s.tree.size, root: s.tree.root()}
	if v.size.Swap(s.tree.size) != s.tree.size {
		close(v.grown)
		v.grown = make(chan struct{})
	}
}

// fail makes err the answer to every later write.
func (v *Vault) fail(err error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.failure == nil {
		v.failure = fmt.Errorf("%w (%w)", ErrFailed, plainly(err))
		v.o.Log.Error().Err(err).Msg("vault stopped writing")
		close(v.grown)
		v.grown = make(chan struct{})
	}
	return v.failure
}

func (v *Vault) failed() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.failure
}
