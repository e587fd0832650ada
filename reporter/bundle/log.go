package bundle

import (
	"context"
	"io"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Log is what a bundle is made from. The vault is one.
type Log interface {
	Records
	Posts
	Names
	Tree
	Store
}

// Records reads records. About calls fn with the records whose subject is exactly o, ascending; fn returns fs.SkipAll to stop.
type Records interface {
	Record(ctx context.Context, seq int64) (evidence.Record, error)
	ByID(ctx context.Context, id evidence.ID) (evidence.Record, error)
	About(ctx context.Context, o evidence.Ordinal, fn func(evidence.Record) error) error
}

// Posts walks the posts of an account: upwards from one, inclusive (from `a12`: all), and downwards from one, exclusive.
type Posts interface {
	Posts(ctx context.Context, from evidence.Ordinal, fn func(evidence.Ordinal) error) error
	PostsBefore(ctx context.Context, post evidence.Ordinal, fn func(evidence.Ordinal) error) error
}

// Names translates between ordinals and what they stand for; an unknown one is evidence.ErrUnbound.
type Names interface {
	Ordinal(ctx context.Context, n evidence.Name) (evidence.Ordinal, error)
	Name(ctx context.Context, o evidence.Ordinal) (evidence.Name, error)
}

// Tree signs the head of the log and proves records under it, one RFC 6962 path a record.
type Tree interface {
	ID() string
	LogKey() string // vkey
	Checkpoint(ctx context.Context) (evidence.Checkpoint, error)
	Prove(ctx context.Context, seqs []int64, size int64) ([][]evidence.Digest, error)
}

// Store gives out blobs and takes the record that a bundle was built.
type Store interface {
	Blob(ctx context.Context, d evidence.Digest) (io.ReadSeekCloser, int64, error)
	Put(ctx context.Context, b evidence.Batch) ([]evidence.Record, error)
}
