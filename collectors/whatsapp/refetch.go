package whatsapp

import (
	"context"
	"strconv"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

var _ collectors.Refetcher = (*Source)(nil)

// Refetch implements collectors.Refetcher. WhatsApp serves a file for about 30 days.
func (s *Source) Refetch(ctx context.Context, f collectors.Refetch, keep collectors.Keep) error {
	s.mu.Lock()
	r := s.now
	s.mu.Unlock()
	if r == nil {
		return collectors.ErrNotOurs
	}
	w := r.watchOfAccount(f.Post)
	p := pending{Media: f.MediaID}
	if f.Post.Part != "" {
		n, err := strconv.Atoi(f.Post.Part)
		if err != nil || n <= 0 { // of an export without numbers
			return collectors.ErrNotOurs
		}
		p.Post = n
	}
	if w == nil {
		return collectors.ErrNotOurs
	}
	if err := r.downloads.take(ctx, p); err != nil {
		return err
	}
	defer r.downloads.give()
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, watchKey{}, w), r.o.FileTimeout)
	defer cancel()
	file, err := w.refetch(ctx, p)
	if err != nil {
		return err
	}
	_, err = w.tries(ctx, file, keep)
	return err
}

// watchOfAccount returns the watch of the channel that a name is of, nil where there is none.
func (r *run) watchOfAccount(n evidence.Name) *watch {
	r.mu.Lock()
	defer r.mu.Unlock()
	for ch, w := range r.routes {
		if n.Space == evidence.SpaceAccount && account(ch).Key == n.Key {
			return w
		}
	}
	return nil
}
