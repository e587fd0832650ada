package vault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"

	"github.com/rs/zerolog"
	bolt "go.etcd.io/bbolt"
	bolterr "go.etcd.io/bbolt/errors"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// FsckOptions say how Fsck looks.
type FsckOptions struct {
	Keys    *Keys           // of a sealed vault; without, what is sealed is not checked, and the report says so
	Views   []evidence.View // rebuilt from record 0 and compared; views that nobody names are not looked at, and listed
	Workers int             // 0: one a processor
	// Progress, where set, is told how far a stage has come. Stages: records, index, views, blobs (in bytes), pages.
	Progress func(stage string, done, total int64)
	Log      zerolog.Logger // told what people need not read: where reading a damaged page ended
}

// FsckReport is what Fsck found.
type FsckReport struct {
	Vault        string          `json:"vault"` // its id
	Records      int64           `json:"records"`
	Root         evidence.Digest `json:"root"` // recomputed over the records
	Checkpoints  int             `json:"checkpoints"`
	Blobs        int             `json:"blobs"`
	BlobBytes    int64           `json:"blob_bytes"`
	Unreferenced int             `json:"unreferenced"` // blobs that no record names, as a crash between Keep and Put leaves them: no problem
	Views        []FsckView      `json:"views"`
	Erased       int             `json:"erased,omitempty"`    // records whose body was erased, as a record says
	Sealed       int64           `json:"sealed,omitempty"`    // records whose body is sealed
	Unchecked    []string        `json:"unchecked,omitempty"` // sentences: what could not be looked at without the keys
	Problems     []Problem       `json:"problems"`            // empty: nothing is wrong
	More         int             `json:"more,omitempty"`
}

// FsckView is what became of one view.
type FsckView struct {
	Name   string `json:"name"`
	Keys   int64  `json:"keys"`
	Result string `json:"result"` // compared, or why not
}

// Problem is one thing that is wrong.
type Problem struct {
	Where string `json:"where"` // record 41, blob …, view …, bucket …
	What  string `json:"what"`  // a sentence
}

// String is for people.
func (p Problem) String() string { return p.Where + ": " + p.What }

// maxProblems is how many problems a report names; beyond that it counts.
const maxProblems = 1000

// fsck is one run.
type fsck struct {
	o     FsckOptions
	path  string
	t     *txn
	head  int64 // records, as the log's keys say
	rep   FsckReport
	blobs map[evidence.Digest]claim // what the records name
	hurt  bool                      // the file itself could not be read to its end
	ring  *ring                     // nil where the vault is not sealed, or no key was given
	shut  bool                      // the vault is sealed, and no key was given
	deep  bool                      // blobs may lie two folders deep
}

// claim is what the first record that names a blob says of it.
type claim struct {
	seq     int64
	size    int64 // -1 where it says none
	seen    bool
	firm    bool    // something other than an acquisition names it
	replies []int64 // acquisitions whose reply it is, which may have been cut
}

// Fsck reads the whole vault at path and recomputes everything in it that follows from something else. It holds the vault's lock
// and changes nothing; where another process holds it that is ErrLocked. What is wrong with the vault is in the report: an error
// means that Fsck could not look.
func Fsck(ctx context.Context, path string, o FsckOptions) (FsckReport, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	f := &fsck{o: o, path: path, blobs: map[evidence.Digest]claim{}}
	f.rep.Views, f.rep.Problems = []FsckView{}, []Problem{}
	file := filepath.Join(path, "vault.db")
	st, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return f.rep, fmt.Errorf("fsck %s: %w", path, ErrNotVault)
	} else if err != nil {
		return f.rep, fmt.Errorf("fsck: %w", err)
	} else if st.Size() == 0 {
		f.problem("vault.db", "it is empty: restore it from a backup")
		return f.rep, nil
	}
	bo := boltOptions(st.Size())
	bo.ReadOnly = true // still a lock, which excludes every writer
	db, err := openBolt(file, bo)
	switch {
	case errors.Is(err, bolterr.ErrTimeout):
		return f.rep, fmt.Errorf("fsck %s: %w", path, ErrLocked)
	case errors.Is(err, fs.ErrPermission):
		return f.rep, fmt.Errorf("fsck: %w", err)
	case err != nil:
		f.problem("vault.db", "it cannot be opened as a database (%v): restore it from a backup", err)
		return f.rep, nil
	}
	defer db.Close()
	err = db.View(func(tx *bolt.Tx) error { return f.look(ctx, tx, st.Size()) })
	if err != nil {
		return f.rep, fmt.Errorf("fsck %s: %w", path, err)
	}
	return f.rep, nil
}

// look runs the stages. Each is guarded: what one cannot read, another may.
func (f *fsck) look(ctx context.Context, tx *bolt.Tx, fileSize int64) error {
	if tx.Size() > fileSize {
		f.problem("vault.db", "it is cut short: %d of %d bytes are there; restore it from a backup", fileSize, tx.Size())
		f.hurt = true
	}
	err := f.guarded(ctx, func(context.Context) error {
		format, err := formatOf(tx)
		if err != nil {
			return err
		}
		f.deep = deepFormat(format)
		t, err := open(tx)
		if err != nil {
			f.problem("vault.db", "%v", err)
			return nil
		}
		f.t = t
		return f.unlock()
	})
	if err != nil || f.t == nil {
		return err
	}
	for _, stage := range []func(context.Context) error{f.records, f.index, f.views, f.files, f.pages} {
		if err := f.guarded(ctx, stage); err != nil {
			return err
		}
	}
	return nil
}

func (f *fsck) guarded(ctx context.Context, stage func(context.Context) error) (err error) {
	defer faults()()
	defer guard(func(what any) {
		f.problem("vault.db", "reading it came to an end at a damaged page (%v): restore it from a backup", what)
		f.hurt = true
		f.o.Log.Error().Interface("panic", what).Bytes("stack", debug.Stack()).Msg("fsck met a damaged page")
	})
	return stage(ctx)
}

// pages runs bbolt's own check of its pages.
func (f *fsck) pages(context.Context) error {
	if f.hurt {
		return nil // it would not survive
	}
	f.o.Progress("pages", 0, 1)
	for err := range f.t.Check() {
		f.problem("vault.db", "bbolt: %v", err)
	}
	f.o.Progress("pages", 1, 1)
	return nil
}

func (f *fsck) problem(where, what string, args ...any) {
	if len(f.rep.Problems) >= maxProblems {
		f.rep.More++
		return
	}
	f.rep.Problems = append(f.rep.Problems, Problem{where, fmt.Sprintf(what, args...)})
}

func (f *fsck) record(seq int64, what string, args ...any) {
	f.problem("record "+strconv.FormatInt(seq, 10), what, args...)
}
