package chatexport

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// export is an opened export.
type export struct {
	root *os.Root // the folder beside which media are named
	file *os.File
	name string // base name
	stat os.FileInfo

	head    head
	channel int64
}

// openExport opens the file, or the result.json of a folder, and finds the chat to import in it.
func openExport(ctx context.Context, o Options) (*export, error) {
	path := o.Path
	st, err := os.Stat(path)
	if err == nil && st.IsDir() {
		path = filepath.Join(path, "result.json")
		if st, err = os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no result.json in %s; export the channel as `Machine-readable JSON`, or name the file", o.Path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open export: %w", err)
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file; save the export to one first", path)
	}
	x := &export{name: filepath.Base(path)}
	if x.file, err = os.Open(path); err != nil {
		return nil, fmt.Errorf("open export: %w", err)
	}
	if x.stat, err = x.file.Stat(); err == nil {
		x.root, err = os.OpenRoot(filepath.Dir(path))
	}
	if err == nil {
		err = x.find(ctx, o)
	}
	if err != nil {
		return nil, errors.Join(err, x.close())
	}
	return x, nil
}

func (x *export) find(ctx context.Context, o Options) error {
	list, err := survey(&fileReader{ctx: ctx, r: x.all()})
	if err != nil {
		return err
	}
	x.head, x.channel, err = choose(list, o.BoundAccount)
	if !x.head.full {
		x.head.start, x.head.end = 0, x.stat.Size() // the whole file, with whatever stands around the object
	} else if x.head.end < 0 {
		x.head.end = x.stat.Size()
	}
	return err
}

func (x *export) all() *io.SectionReader { return io.NewSectionReader(x.file, 0, x.stat.Size()) }

// chat reads the chat's stretch of the file.
func (x *export) chat() *io.SectionReader {
	return io.NewSectionReader(x.file, x.head.start, x.head.end-x.head.start)
}

// digest is the SHA-256 of the whole file.
func (x *export) digest(ctx context.Context) (d evidence.Digest, err error) {
	h := sha256.New()
	if _, err = io.Copy(h, &fileReader{ctx: ctx, r: x.all()}); err != nil {
		return d, fmt.Errorf("read export: %w", err)
	}
	h.Sum(d[:0])
	return d, nil
}

// changed reports whether the file was written to since it was opened.
func (x *export) changed() bool {
	st, err := x.file.Stat()
	return err != nil || st.Size() != x.stat.Size() || !st.ModTime().Equal(x.stat.ModTime())
}

func (x *export) close() error {
	var err error
	if x.root != nil {
		err = x.root.Close()
	}
	return errors.Join(err, x.file.Close())
}

func span(from, to time.Time) evidence.Span {
	return evidence.Span{From: evidence.At(from), To: evidence.At(to)}
}
