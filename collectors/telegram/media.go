package telegram

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/gabriel-vasile/mimetype"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// filesATurn is how many files of one target are fetched before another's.
const filesATurn = 8

// fetch downloads some of the files that the cursor names, one after another. They stand in the cursor from the Put of their post to
// the Put of what became of them, so that a crash loses none.
func (w *watch) fetch(ctx context.Context) error {
	for range filesATurn {
		c := w.cursor()
		if len(c.Pending) == 0 {
			return nil
		}
		if err := w.settle(ctx, c.Pending[0]); err != nil {
			return err
		}
		w.roomForFiles()
	}
	return nil
}

// settle turns a wanted file into media.kept or media.missed.
func (w *watch) settle(ctx context.Context, p pending) error {
	from := w.r.o.Now()
	fctx, cancel := context.WithTimeout(ctx, w.r.o.FileTimeout)
	defer cancel()
	got, err := w.download(fctx, p)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case lost(w.r.o.Alias, err) != nil:
		return err
	}
	var missed *missedError
	if err != nil && !errors.As(err, &missed) {
		if got.sinkFailed {
			return err
		}
		missed = &missedError{"unreachable", err.Error(), got.file.media.Size}
	}
	span := evidence.Span{From: evidence.At(from), To: evidence.At(w.r.o.Now())}
	b := w.r.batch()
	acc := account(w.channel())
	name := acc.Post(int64(p.Post))
	acq, aerr := acquired(ctx, w.r, "upload.getFile", map[string]any{
		"channel": strconv.FormatInt(w.channel(), 10), "post": p.Post, "media": p.Media, "parts": got.parts,
	}, reply[struct{}]{from: from, to: w.r.o.Now()})
	if aerr != nil {
		return aerr
	}
	id := b.add(acc, acq, true)
	if missed != nil {
		w.log.Info().Int("post", p.Post).Str("reason", missed.reason).Msg("a file could not be kept")
		b.add(name, &evidence.MediaMissed{MediaID: p.Media, Reason: missed.reason, Detail: missed.detail, Size: missed.size, Acquisition: id}, false)
	} else {
		b.add(name, &evidence.MediaKept{
			MediaID: p.Media, Blob: got.blob, MIME: got.mime, Name: got.file.media.Name, Acquisition: id, Observed: span,
		}, false)
	}
	if err := w.commit(ctx, b, func(c *cursor) { c.settled(p) }); err != nil {
		return err
	}
	w.mu.Lock()
	delete(w.files, p)
	w.mu.Unlock()
	return nil
}

// missedError says why a file will not be kept, in the words of media.missed.
type missedError struct {
	reason, detail string
	size           int64
}

func (m *missedError) Error() string { return m.reason + ": " + m.detail }

// download is what came of fetching a file.
type download struct {
	file       file
	blob       evidence.Object
	mime       string
	parts      int
	sinkFailed bool
}

// references is how often a file's reference may run out during its download.
const references = 4

func (w *watch) download(ctx context.Context, p pending) (download, error) {
	w.mu.Lock()
	f, ok := w.files[p]
	w.mu.Unlock()
	var err error
	for range references {
		if !ok {
			if f, err = w.refetch(ctx, p); err != nil {
				return download{file: f}, err
			}
		}
		var d download
		if d, err = w.stream(ctx, f); !referenceExpired(err) {
			return d, err
		}
		ok = false
	}
	return download{file: f}, err
}

// refetch asks for the post again, for a file reference that is valid now.
func (w *watch) refetch(ctx context.Context, p pending) (file, error) {
	_, list, err := w.byID(ctx, []int{p.Post})
	if err != nil {
		return file{}, err
	}
	t := newTranslator(w.channel(), nil)
	for _, m := range list.GetMessages() {
		x, ok := t.message(m)
		if !ok || x.id != p.Post {
			continue
		}
		for _, f := range x.files {
			if f.media.ID == p.Media {
				return f, nil
			}
		}
	}
	return file{}, &missedError{reason: "unreachable", detail: "the post no longer carries this file"}
}

// stream keeps a file while it is being downloaded; at no time is more of it in memory than the parts under way.
func (w *watch) stream(ctx context.Context, f file) (download, error) {
	ctx, cancel := context.WithCancel(ctx)
	r := newFileReader(ctx, w.r, f)
	defer r.wait()
	defer cancel()
	limit := w.target.MaxBytes
	if limit <= 0 {
		limit = maxFile
	}
	d := download{file: f}
	digest, n, err := w.r.sink.Keep(ctx, r, limit)
	d.parts = r.parts
	switch {
	case errors.Is(err, evidence.ErrTooLarge):
		return d, &missedError{"too-large", "more bytes came than may be kept", f.media.Size}
	case r.err != nil:
		return d, r.err
	case err != nil:
		d.sinkFailed = true
		return d, fmt.Errorf("keep a file: %w", err)
	case n < f.media.Size:
		return d, &missedError{"unreachable", fmt.Sprintf("the platform served %d of %d bytes", n, f.media.Size), f.media.Size}
	}
	d.blob = evidence.Object{SHA256: digest, Size: n}
	d.mime = mimetype.Detect(r.head).String()
	return d, nil
}

// maxFile is the platform's own limit, for a target without one.
const maxFile = 4 << 30
