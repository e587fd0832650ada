package audit

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// The files of an export.
const (
	fileCheckpoint = "checkpoint"
	fileEnvelopes  = "envelopes.jsonl"
	fileBodies     = "bodies.jsonl"
	fileProofs     = "proofs.jsonl"
	fileActs       = "acts.txt"
	fileReadme     = "README.txt"
)

// Log is what an export is made from. The vault is one.
type Log interface {
	ID() string
	LogKey() string // vkey
	Records
	Tree
}

// Records reads records in a row; fn ends the row early, without an error, with fs.SkipAll.
type Records interface {
	Records(ctx context.Context, from int64, fn func(evidence.Record) error) error
}

// Tree signs the head of the log and proves records under it, one RFC 6962 path a record.
type Tree interface {
	Checkpoint(ctx context.Context) (evidence.Checkpoint, error)
	Prove(ctx context.Context, seqs []int64, size int64) ([][]evidence.Digest, error)
}

// Options say what to export and where.
type Options struct {
	Log Log
	// Tell returns a record as one line of acts.txt, without a word of content.
	Tell func(context.Context, evidence.Record) (string, error)
	Out  string // the folder to make; it must not exist
	// Since and Until bound when the records were written: at or after, and before. Zero does not bound. Roster entries from before Since
	// are exported as well: without their keys no signature could be checked.
	Since, Until  time.Time
	WithDecisions bool // with the bodies of decisions, which quote posts
	Complete      bool // with the envelopes of all records, so that nothing can be left out unseen; Since and Until must be zero
	By            string
	Build         string
	Now           func() time.Time
	Progress      func(done, total int64) // records read
}

// Result says what was exported.
type Result struct {
	Path     string                `json:"path"`
	TreeSize int64                 `json:"tree_size"`
	Records  int                   `json:"records"` // envelopes
	Acts     int                   `json:"acts"`
	Withheld map[evidence.Kind]int `json:"withheld,omitempty"` // acts without a body, by kind
	Kinds    map[evidence.Kind]int `json:"kinds"`              // acts, by kind
}

// ErrOptions is wrapped by what is wrong with Options.
var ErrOptions = errors.New("the export cannot be made as asked")

// Export signs the head of the log and writes the acts below it into a new folder, whole or not at all. Nothing that exists is
// overwritten; after a crash a hidden folder may be left.
func Export(ctx context.Context, o Options) (Result, error) {
	if err := o.complete(); err != nil {
		return Result{}, err
	}
	x := &exporter{o: o, res: Result{Path: o.Out, Withheld: map[evidence.Kind]int{}, Kinds: map[evidence.Kind]int{}}}
	if err := x.run(ctx); err != nil {
		return Result{}, fmt.Errorf("audit export: %w", err)
	}
	return x.res, nil
}

func (o *Options) complete() error {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Progress == nil {
		o.Progress = func(int64, int64) {}
	}
	if o.Out == "" || !filepath.IsAbs(o.Out) {
		return fmt.Errorf("%w: name the folder to make", ErrOptions)
	}
	if _, err := os.Lstat(o.Out); err == nil {
		return fmt.Errorf("%w: %s is there already and is not overwritten; name another folder", ErrOptions, o.Out)
	}
	if o.Complete && !(o.Since.IsZero() && o.Until.IsZero()) {
		return fmt.Errorf("%w: a complete export has no first and last moment; leave out --since and --until", ErrOptions)
	}
	return nil
}

// exporter is one run of Export.
type exporter struct {
	o    Options
	cp   evidence.Checkpoint
	dir  string
	seqs []int64
	res  Result
}

func (x *exporter) run(ctx context.Context) (err error) {
	parent := filepath.Dir(x.o.Out)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return err
	}
	if x.dir, err = os.MkdirTemp(parent, "."+filepath.Base(x.o.Out)+".unfinished-"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(x.dir))
		}
	}()
	if x.cp, err = x.o.Log.Checkpoint(ctx); err != nil {
		return err
	}
	x.res.TreeSize = x.cp.Size
	for _, step := range []func(context.Context) error{x.records, x.proofs, x.papers} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return x.publish()
}

// records goes through the log itself and not through a view of it. The roster before Since goes with it, for its keys.
func (x *exporter) records(ctx context.Context) error {
	return x.write([]string{fileEnvelopes, fileBodies, fileActs}, func(w []*bufio.Writer) error {
		return x.o.Log.Records(ctx, 0, func(r evidence.Record) error {
			if r.Seq >= x.cp.Size || !x.o.Until.IsZero() && !r.At.Before(x.o.Until) {
				return fs.SkipAll
			}
			if r.Seq%1000 == 0 {
				x.o.Progress(r.Seq, x.cp.Size)
			}
			if r.At.Before(x.o.Since) && r.Kind != evidence.KindPersonSet && r.Kind != evidence.KindVaultCreated {
				return nil
			}
			return x.record(ctx, r, w)
		})
	})
}

// record writes a record's lines; bufio keeps the first error for Flush.
func (x *exporter) record(ctx context.Context, r evidence.Record, w []*bufio.Writer) error {
	how := treat(r.Kind)
	if how == observed && !x.o.Complete {
		return nil
	}
	x.seqs = append(x.seqs, r.Seq)
	x.res.Records++
	_, _ = w[0].Write(r.EnvelopeBytes)
	_ = w[0].WriteByte('\n')
	shown := x.shows(r)
	if shown {
		_, _ = w[1].Write(r.Body)
	}
	_ = w[1].WriteByte('\n')
	if how == observed {
		return nil
	}
	x.res.Acts++
	x.res.Kinds[r.Kind]++
	if !shown {
		x.res.Withheld[r.Kind]++
	}
	line, err := x.o.Tell(ctx, r)
	if err != nil {
		return err
	}
	_, _ = w[2].WriteString(line)
	return w[2].WriteByte('\n')
}

// proveBatch is how many proofs are asked for at a time.
const proveBatch = 1000

// proofLine is a line of proofs.jsonl.
type proofLine struct {
	Seq  int64    `json:"seq"`
	Path [][]byte `json:"path"`
}

func (x *exporter) proofs(ctx context.Context) error {
	return x.write([]string{fileProofs}, func(w []*bufio.Writer) error {
		enc := json.NewEncoder(w[0])
		for rest := x.seqs; len(rest) > 0; {
			batch := rest[:min(proveBatch, len(rest))]
			rest = rest[len(batch):]
			paths, err := x.o.Log.Prove(ctx, batch, x.cp.Size)
			if err != nil {
				return err
			}
			for i, path := range paths {
				line := proofLine{batch[i], make([][]byte, len(path))}
				for j := range path {
					line.Path[j] = path[j][:]
				}
				if err := enc.Encode(line); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (x *exporter) papers(context.Context) error {
	return x.write([]string{fileCheckpoint, fileReadme}, func(w []*bufio.Writer) error {
		_, _ = w[0].WriteString(x.cp.Note)
		return x.readme(w[1])
	})
}

// write makes files of the export durable.
func (x *exporter) write(names []string, fn func([]*bufio.Writer) error) (err error) {
	var files []*os.File
	var ws []*bufio.Writer
	defer func() {
		for i, f := range files {
			err = errors.Join(err, ws[i].Flush(), f.Sync(), f.Close())
		}
	}()
	for _, name := range names {
		f, err := os.OpenFile(filepath.Join(x.dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		files, ws = append(files, f), append(ws, bufio.NewWriterSize(f, 1<<16))
	}
	return fn(ws)
}

func (x *exporter) publish() error {
	if err := syncDir(x.dir); err != nil {
		return err
	}
	// Renaming a folder onto another succeeds where that one is empty; it is nobody's to take.
	if _, err := os.Lstat(x.o.Out); err == nil {
		return fmt.Errorf("%w: %s appeared meanwhile and is not overwritten", ErrOptions, x.o.Out)
	}
	if err := os.Rename(x.dir, x.o.Out); err != nil {
		return err
	}
	return syncDir(filepath.Dir(x.o.Out))
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// oneLine keeps what people typed from becoming a second line.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
