package collectors

import (
	"context"
	"errors"
	"io"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Refetcher is a Source that can ask its platform once more for a file that it brought.
type Refetcher interface {
	// Refetch asks for the file and hands its bytes to keep, whose error, if it is one, comes back. ErrNotOurs says that this source
	// cannot ask for it now: it does not watch the account, or does not run. Any other error is the platform's answer.
	Refetch(ctx context.Context, f Refetch, keep Keep) error
}

// Refetch names a file by the post that it was brought with.
type Refetch struct {
	Post      evidence.Name // the post or story
	MediaID   string        // as media.kept has it
	Thumbnail bool
}

// Keep takes a file's bytes as Sink.Keep does.
type Keep func(ctx context.Context, r io.Reader, limit int64) (evidence.Digest, int64, error)

// ErrNotOurs: another source may be able to ask.
var ErrNotOurs = errors.New("no account of ours that runs now watches the channel that published it")
