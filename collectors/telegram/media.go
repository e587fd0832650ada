package telegram

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/gabriel-vasile/mimetype"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// filesATurn is how many files of one target are begun before it is another's turn.
const filesATurn = 32

// fetch downloads files that are due, several at once. They stand in the cursor from the Put of their post to the Put of what became of
// them, so that a crash loses none.
func (w *watch) fetch(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type outcome struct {
		p   pending
		err error
	}
	busy, done := map[pending]bool{}, make(chan outcome)
	for begun := 0; ; {
		ps, _ := w.dueFiles()
		for _, p := range ps {
			if err != nil || begun >= filesATurn || len(busy) >= w.r.o.Threads {
				break
			}
			if !busy[p] {
				busy[p] = true
				begun++
				go func() { done <- outcome{p, w.settle(ctx, p)} }()
			}
		}
		if len(busy) == 0 {
			return err
		}
		select {
		case o := <-done:
			delete(busy, o.p)
			if o.err != nil && err == nil {
				err = o.err
				cancel()
			}
		case <-w.more:
		}
	}
}

// settle turns a wanted file into media.kept or media.missed, or puts it off.
func (w *watch) settle(ctx context.Context, p pending) error {
	if err := w.r.files.takeFile(ctx); err != nil {
		return err
	}
	defer w.r.files.giveFile()
	from := w.r.o.Now()
	fctx, cancel := context.WithTimeout(ctx, w.r.o.FileTimeout)
	defer cancel()
	got, err := w.fits(fctx, p)
	if err == nil {
		got, err = w.download(fctx, p)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case lost(w.r.o.Alias, err) != nil || got.fault:
		return err
	}
	var missed *missedError
	if err != nil && !errors.As(err, &missed) {
		missed = &missedError{reason: "unreachable", detail: err.Error(), size: got.file.size(), passes: true}
	}
	b := w.r.batch()
	acc := account(w.channel())
	name := partName(acc, p.Post)
	span := evidence.Span{From: evidence.At(from), To: evidence.At(w.r.o.Now())}
	acq, aerr := acquired(ctx, w.r, "upload.getFile", w.described(p, got), reply[struct{}]{from: from, to: w.r.o.Now()})
	if aerr != nil {
		return aerr
	}
	id := b.Add(acc, acq, true)
	move := func(c *cursor) { c.settled(p) }
	if missed == nil {
		b.Add(name, w.kept(p, got, id, span), false)
	} else {
		move = w.missed(b, name, p, got, missed, id)
	}
	if err := w.commit(ctx, b, move); err != nil {
		return err
	}
	w.mu.Lock()
	delete(w.files, p)
	w.mu.Unlock()
	w.roomForFiles()
	return nil
}

// described is what the acquisition says of the request.
func (w *watch) described(p pending, got download) map[string]any {
	q := map[string]any{"channel": strconv.FormatInt(w.channel(), 10), "post": p.Post, "media": p.Media, "parts": got.parts}
	if p.Post < 0 {
		delete(q, "post")
		q["story"] = -p.Post
	}
	if got.reused > 0 {
		q["parts_of_earlier_runs"] = got.reused
	}
	if p.Thumb {
		q["thumb"] = got.file.thumb
	}
	if got.cdn != 0 {
		q["delivery_network"] = got.cdn
	}
	return q
}

func (w *watch) kept(p pending, got download, id evidence.ID, span evidence.Span) *evidence.MediaKept {
	k := &evidence.MediaKept{
		MediaID: p.Media, Blob: got.blob, MIME: got.mime, Name: got.file.media.Name, Acquisition: id, Observed: span,
	}
	if p.Thumb {
		_, k.StandsFor = unwanted(w.target, got.file)
		k.Thumbnail, k.Name = true, ""
	}
	if n := got.file.size(); n > 0 && n != got.blob.Size {
		k.Announced = n
	}
	return k
}

// missed records why a file is not here, and returns what that does to the cursor: what may pass is tried again, and an attempt that
// brought parts does not count as one in vain.
func (w *watch) missed(b *batch, name evidence.Name, p pending, got download, m *missedError, id evidence.ID) func(*cursor) {
	c := w.cursor().clone()
	now := w.r.o.Now()
	body := &evidence.MediaMissed{
		MediaID: p.Media, Reason: m.reason, Detail: m.detail, Rule: m.rule, Size: m.size, Acquisition: id, Thumbnail: p.Thumb,
	}
	move := func(c *cursor) { c.settled(p) }
	switch {
	case m.reason == collectors.ReasonNoRoom:
		move = func(c *cursor) { c.shelve(p, now.Add(w.r.o.RoomPause), m.size) }
	case m.passes:
		progress := got.parts > 0
		tries := c.tries(p)
		if next, again := c.failed(p, now, progress); again {
			body.Next = evidence.At(next)
			move = func(c *cursor) { c.failed(p, now, progress) }
		} else {
			body.Attempts = tries + 1
			w.removePartial(p, got.file)
		}
	}
	w.log.Info().Int("post", p.Post).Str("reason", m.reason).Time("next", body.Next.Time).Msg("a file could not be kept")
	b.Add(name, body, false)
	return move
}

// missedError says why a file will not be kept, in the words of media.missed.
type missedError struct {
	reason, detail, rule string
	size                 int64
	passes               bool // another attempt may bring it
}

func (m *missedError) Error() string { return m.reason + ": " + m.detail }

// download is what came of fetching a file.
type download struct {
	file   file
	blob   evidence.Object
	mime   string
	parts  int
	reused int
	cdn    int  // data centre of the delivery network that it came from
	fault  bool // of our own disk or vault
}

// references is how often a file's reference may run out during the download of one part.
const references = 4

func (w *watch) download(ctx context.Context, p pending) (download, error) {
	w.mu.Lock()
	f, ok := w.files[p]
	w.mu.Unlock()
	if !ok {
		var err error
		if f, err = w.refetch(ctx, p); err != nil {
			return download{file: f}, err
		}
	}
	d, err := w.stream(ctx, p, f)
	if errors.Is(err, errChanged) {
		// What was fetched is of a file that the post no longer carries.
		if f, err = w.refetch(ctx, p); err != nil {
			return download{file: f}, err
		}
		d, err = w.stream(ctx, p, f)
	}
	if typ, refused := refusedPart(err); refused {
		return d, &missedError{reason: "gone", detail: "the platform answers " + typ, size: f.size()}
	}
	return d, err
}

// refetch asks for the post again, for a file reference that is valid now.
func (w *watch) refetch(ctx context.Context, p pending) (file, error) {
	posts, err := w.again(ctx, p.Post)
	if err != nil {
		return file{}, err
	}
	for _, x := range posts {
		if x.id != p.Post {
			continue
		}
		i := slices.IndexFunc(x.files, func(f file) bool { return f.media.ID == p.Media })
		if i < 0 {
			continue
		}
		f := x.files[i]
		if p.Thumb {
			var ok bool
			if f, ok = instead(w.target, f); !ok {
				return file{}, &missedError{reason: "gone", detail: "the platform has no smaller rendering of this file any more"}
			}
		}
		return f, nil
	}
	return file{}, &missedError{reason: "gone", detail: "the post no longer carries this file"}
}

// keepParts makes a file durable that an assembly gives while it is being downloaded.
type keepParts func(ctx context.Context, a *assembly, limit int64) (evidence.Digest, int64, error)

// streamTo hands a file to keep while it is being downloaded, hashed as it goes. What an earlier run fetched is not fetched again, and every
// byte goes through the digest.
func (w *watch) streamTo(ctx context.Context, p pending, f file, keep keepParts) (d download, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d = download{file: f}
	limit, rule := w.target.Limit(f.kind)
	if limit <= 0 || limit > maxFile {
		limit = maxFile
	}
	a, err := newAssembly(w, p, f, limit)
	if collectors.NoRoom(err) {
		return d, noRoom(f.size(), collectors.DetailDiskFull)
	}
	if err != nil {
		d.fault = true
		return d, err
	}
	go a.run(ctx)
	digest, n, err := keep(ctx, a, limit)
	cancel()
	<-a.ended
	full := collectors.NoRoom(err) || collectors.NoRoom(a.fault)
	settled := err == nil || full || errors.Is(err, evidence.ErrTooLarge) || errors.Is(err, errChanged) || errors.Is(err, errDenied)
	if _, refused := refusedPart(err); refused {
		settled = true
	}
	if err == nil && n < f.size() {
		settled = true // what was served twice is not worth keeping; the next attempt begins anew
	}
	cerr := a.store.close(settled)
	full = full || collectors.NoRoom(cerr)
	d.parts, d.reused = a.asked, a.reused
	if red := a.cdn.current(); red != nil {
		d.cdn = red.DCID
	}
	switch {
	case full:
		return d, noRoom(f.size(), collectors.DetailDiskFull)
	case a.fault != nil:
		d.fault = true
		return d, a.fault
	case errors.Is(err, evidence.ErrTooLarge):
		return d, &missedError{reason: "too-large", detail: "more bytes came than may be kept", rule: rule, size: f.size()}
	case errors.Is(a.cut, errDenied):
		return d, &missedError{reason: "not-collected", detail: a.cut.Error(), rule: "collect.mime.deny", size: f.size()}
	case a.cut != nil:
		return d, a.cut
	case err != nil || cerr != nil:
		d.fault = true
		return d, fmt.Errorf("keep a file: %w", errors.Join(err, cerr))
	case n < f.size():
		return d, &missedError{
			reason: "unreachable", detail: fmt.Sprintf("the platform served %d of %d bytes", n, f.size()), size: f.size(), passes: true,
		}
	}
	d.blob = evidence.Object{SHA256: digest, Size: n}
	d.mime = mimetype.Detect(a.head).String()
	return d, nil
}

// errDenied says that the bytes show a type that must not be kept.
var errDenied = errors.New("the bytes are of a type that is not to be kept")
