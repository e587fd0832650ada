package backup

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"time"
)

// Store is a place that keeps named objects. Names match [a-zA-Z0-9./-]. Its methods may be called by many goroutines at once.
type Store interface {
	// Put keeps size bytes of r under a name. When it returns they are persisted; before, nobody sees a part of them.
	Put(ctx context.Context, name string, r io.ReadSeeker, size int64) error
	// Get opens an object; one that is not there is fs.ErrNotExist.
	Get(ctx context.Context, name string) (io.ReadCloser, error)
	// List calls fn for every object whose name begins with prefix, which is empty or ends in a slash.
	List(ctx context.Context, prefix string, fn func(Object) error) error
	// Delete takes objects away; that one is not there is no error.
	Delete(ctx context.Context, names []string) error
}

// Object is a thing in a Store.
type Object struct {
	Name string
	Size int64
	At   time.Time // when it was put
}

// The errors of a Store that people can do something about. Each is a sentence with its next step.
var (
	ErrDenied   = errors.New("the storage refuses access: check backup.access_key and backup.secret_key, and that they may list, read, write and delete in this bucket")
	ErrNoBucket = errors.New("the bucket is not there: make it first (this program makes none), or correct backup.to")
	ErrFull     = errors.New("the place is full: make room or name another place; what is there stays good, and the next run goes on from it")
	ErrNoPlace  = errors.New("the folder of the backup is not there: is its disk mounted? Make the folder first")
)

const (
	nameMarker    = "muhafiz-backup.json"
	prefixObjects = "objects/"
	prefixRuns    = "manifests/"
)

func readAll(ctx context.Context, s Store, name string, limit int64) ([]byte, error) {
	r, err := s.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = errors.New(name + " is larger than it can be")
	}
	return b, err
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

func cleanPrefix(p string) string {
	if p = strings.Trim(p, "/"); p != "" {
		p += "/"
	}
	return p
}
