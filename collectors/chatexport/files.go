package chatexport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/gabriel-vasile/mimetype"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Why a file that a message names is not kept: MediaMissed.Reason, and the keys of Report.MediaMissed.
const (
	MissedNotIncluded  = "not-included" // the export says so itself
	MissedTooLarge     = "too-large"    // for the export's own limit, or for ours
	MissedUnavailable  = "unavailable"  // Telegram did not give it to the exporting client
	MissedNotCollected = "not-collected"
	MissedAbsent       = "missing" // named, and not there
	MissedUnsafe       = "unsafe-path"
	MissedNotRegular   = "not-a-regular-file"
	MissedEmpty        = "empty"
	MissedUnreadable   = "unreadable"
	MissedPrivate      = "private-person"
)

// missed is why a file was not kept.
type missed struct{ reason, detail string }

// missing reports whether a path is one of the notes that Telegram Desktop writes in place of a path, after the file's name.
func missing(p string) bool { return note(p) != "" }

func note(p string) string {
	i := max(strings.LastIndex(p, "(File "), strings.LastIndex(p, "(Photo "))
	if i < 0 || !strings.HasSuffix(p, ")") {
		return ""
	}
	switch n := p[i:]; {
	case strings.Contains(n, " not included"):
		return MissedNotIncluded
	case strings.Contains(n, " exceeds maximum size"):
		return MissedTooLarge
	case strings.Contains(n, " unavailable"):
		return MissedUnavailable
	}
	return ""
}

// keeper puts the files beside an export into the sink.
type keeper struct {
	root  *os.Root
	from  func(name string) (io.ReadCloser, int64, *missed) // instead of root
	sink  collectors.Sink
	kinds []string
	limit int64
	plain bool // no symbolic link is followed, also not one that stays within the folder
}

// kept is a file in the sink.
type kept struct {
	blob evidence.Object
	mime string
}

// keep stores one file, or says why not. An error is one of the sink: the import stops.
func (k *keeper) keep(ctx context.Context, f file) (kept, *missed, error) {
	if f.withheld != "" {
		return kept{}, &missed{f.withheld, ""}, nil
	}
	if f.note != "" {
		return kept{}, &missed{f.note, "the export's own note"}, nil
	}
	if why := note(f.path); why != "" && k.from == nil {
		return kept{}, &missed{why, "the export's own note"}, nil
	}
	if !slices.Contains(k.kinds, f.kind) {
		return kept{}, &missed{MissedNotCollected, "the target keeps no " + f.kind}, nil
	}
	in, size, why := k.open(f.path)
	if why != nil {
		return kept{}, why, nil
	}
	defer in.Close()
	if size > k.limit {
		return kept{}, &missed{MissedTooLarge, fmt.Sprintf("%d bytes, the limit is %d", size, k.limit)}, nil
	}
	head := make([]byte, 3072) // as much as mimetype looks at
	n, err := io.ReadFull(in, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return kept{}, &missed{MissedUnreadable, plain(err)}, nil
	}
	if n == 0 {
		return kept{}, &missed{MissedEmpty, ""}, nil
	}
	src := &fileReader{ctx: ctx, r: io.MultiReader(bytes.NewReader(head[:n]), in)}
	d, size, err := k.sink.Keep(ctx, src, k.limit)
	switch {
	case errors.Is(err, evidence.ErrTooLarge):
		return kept{}, &missed{MissedTooLarge, fmt.Sprintf("the limit is %d bytes", k.limit)}, nil
	case src.err != nil && ctx.Err() == nil:
		return kept{}, &missed{MissedUnreadable, plain(src.err)}, nil
	case err != nil:
		return kept{}, nil, fmt.Errorf("keep a file of the export: %w", err)
	}
	return kept{evidence.Object{SHA256: d, Size: size}, mimetype.Detect(head[:n]).String()}, nil, nil
}

// open opens a file inside of the export's folder. The root follows no link out of it; a pipe or a device is not waited for.
func (k *keeper) open(path string) (io.ReadCloser, int64, *missed) {
	if k.from != nil {
		return k.from(path)
	}
	if path == "" {
		return nil, 0, &missed{MissedAbsent, "no path"}
	}
	if strings.ContainsAny(path, "\\\x00") || !filepath.IsLocal(filepath.FromSlash(path)) {
		return nil, 0, &missed{MissedUnsafe, "not a plain relative path"}
	}
	if k.plain {
		if why := links(k.root, path); why != nil {
			return nil, 0, why
		}
	}
	in, err := k.root.OpenFile(filepath.FromSlash(path), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, openError(err)
	}
	st, err := in.Stat()
	if err != nil || !st.Mode().IsRegular() {
		in.Close()
		if err != nil {
			return nil, 0, &missed{MissedUnreadable, plain(err)}
		}
		return nil, 0, &missed{MissedNotRegular, st.Mode().Type().String()}
	}
	return in, st.Size(), nil
}

// links says which part of a path is a symbolic link, or why it cannot be looked at.
func links(root *os.Root, path string) *missed {
	parts := strings.Split(path, "/")
	for i := range parts {
		st, err := root.Lstat(filepath.FromSlash(strings.Join(parts[:i+1], "/")))
		if err != nil {
			return openError(err)
		}
		if st.Mode()&fs.ModeSymlink != 0 {
			return &missed{MissedUnsafe, "a symbolic link"}
		}
	}
	return nil
}

func openError(err error) *missed {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return &missed{MissedAbsent, ""}
	case errors.Is(err, syscall.ENXIO), errors.Is(err, syscall.ENODEV): // a socket, a device without a driver
		return &missed{MissedNotRegular, ""}
	case strings.Contains(err.Error(), "escapes from parent"), errors.Is(err, syscall.ELOOP): // os has no sentinel for it
		return &missed{MissedUnsafe, "leads out of the export's folder"}
	}
	return &missed{MissedUnreadable, plain(err)}
}

// plain is an error without the path, which may name the machine's folders.
func plain(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// fileReader tells an error of the file from one of the sink, and stops with the context.
type fileReader struct {
	ctx context.Context
	r   io.Reader
	n   func(int)
	err error
}

func (f *fileReader) Read(p []byte) (int, error) {
	if err := f.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := f.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	if f.n != nil && n > 0 {
		f.n(n)
	}
	return n, err
}
