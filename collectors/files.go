package collectors

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// FileSink is a Sink that can take over a file which its source has already written, instead of writing the bytes once more.
type FileSink interface {
	Sink
	// KeepFile is Keep of a file whose bytes r gives from the first one on, while it may still be filled. What r does not give is cut
	// off its end. Nobody but the caller may have the file open, and the caller writes nothing to it once r has ended: it becomes the
	// blob where it can, and is read into one where it cannot (another disk, a sink that seals). Without an error it is no longer at
	// path; after one its bytes are where they were, unless the sink failed for good. Where the caller synced the file and that failed, r
	// must fail: the system says so only once.
	KeepFile(ctx context.Context, r io.Reader, path string, limit int64) (evidence.Digest, int64, error)
}

// KeepFile hands a file over to a sink that takes files, and has any other copy it.
func KeepFile(ctx context.Context, s Sink, r io.Reader, path string, limit int64) (evidence.Digest, int64, error) {
	if f, ok := s.(FileSink); ok {
		return f.KeepFile(ctx, r, path, limit)
	}
	d, n, err := s.Keep(ctx, r, limit)
	if err != nil {
		return d, n, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return d, n, fmt.Errorf("remove a file that was copied: %w", err)
	}
	return d, n, nil
}
