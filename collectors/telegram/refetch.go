package telegram

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

var _ collectors.Refetcher = (*Source)(nil)

// Refetch implements collectors.Refetcher. It goes by the same budgets and limits as any other file.
func (s *Source) Refetch(ctx context.Context, f collectors.Refetch, keep collectors.Keep) error {
	s.mu.Lock()
	r := s.now
	s.mu.Unlock()
	if r == nil {
		return collectors.ErrNotOurs
	}
	w := r.watchOfAccount(f.Post)
	post, ok := partNumber(f.Post.Part)
	if w == nil || !ok {
		return collectors.ErrNotOurs
	}
	if err := r.files.takeFile(ctx); err != nil {
		return err
	}
	defer r.files.giveFile()
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, watchKey{}, w), r.o.FileTimeout)
	defer cancel()
	p := pending{Post: post, Media: f.MediaID, Thumb: f.Thumbnail}
	file, err := w.refetch(ctx, p)
	if err != nil {
		return err
	}
	_, err = w.streamTo(ctx, p, file, func(ctx context.Context, a *assembly, limit int64) (evidence.Digest, int64, error) {
		return keep(ctx, a, limit)
	})
	if typ, refused := refusedPart(err); refused {
		return &missedError{reason: "gone", detail: "the platform answers " + typ}
	}
	return err
}

// stream keeps a file in the vault while it is being downloaded.
func (w *watch) stream(ctx context.Context, p pending, f file) (download, error) {
	return w.streamTo(ctx, p, f, func(ctx context.Context, a *assembly, limit int64) (evidence.Digest, int64, error) {
		return a.store.handOver(ctx, w.r.sink, a, limit)
	})
}

// watchOfAccount returns the watch of the channel that a name is of, nil where there is none that may be read.
func (r *run) watchOfAccount(n evidence.Name) *watch {
	r.mu.Lock()
	all := slices.Collect(maps.Values(r.watches))
	r.mu.Unlock()
	for _, w := range all {
		if ch := w.channel(); ch != 0 && n.Space == evidence.SpaceAccount && account(ch).Key == n.Key {
			return w
		}
	}
	return nil
}

// partNumber undoes partName: a story's number is negative.
func partNumber(part string) (int, bool) {
	text, story := strings.CutPrefix(part, "s")
	id, err := strconv.Atoi(text)
	if story {
		id = -id
	}
	return id, err == nil && id != 0
}
