package backup

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"golang.org/x/sync/errgroup"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

var (
	// ErrMissing: an object of the backup is not there.
	ErrMissing = errors.New("an object of the backup is missing")
	// ErrDamaged: an object is not what its name says.
	ErrDamaged = errors.New("an object of the backup is damaged")
)

// maxObject bounds what is read into memory: a segment with the largest body, and what age adds.
const maxObject = 64 << 20

// fetch reads an object and holds it against its name.
func fetch(ctx context.Context, s Store, r Ref) ([]byte, error) {
	if r.Size > maxObject {
		return nil, fmt.Errorf("%s: %w: it says to be %d bytes long", objectName(r.Object), ErrDamaged, r.Size)
	}
	in, err := openObject(ctx, s, r)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, r.Size+1))
	if err != nil {
		return nil, err
	}
	if evidence.Sum(b) != r.Object {
		return nil, fmt.Errorf("%s: %w", objectName(r.Object), ErrDamaged)
	}
	return b, nil
}

func openObject(ctx context.Context, s Store, r Ref) (io.ReadCloser, error) {
	in, err := s.Get(ctx, objectName(r.Object))
	if isMissing(err) {
		return nil, fmt.Errorf("%s: %w", objectName(r.Object), ErrMissing)
	}
	return in, err
}

// fetchOpen is fetch for a segment that may be encrypted.
func fetchOpen(ctx context.Context, s Store, m *Manifest, ids Identities, r Ref) ([]byte, error) {
	b, err := fetch(ctx, s, r)
	if err != nil || !m.encrypted() {
		return b, err
	}
	return ids.openBytes(b)
}

// hashing reads a stream and tells at its end whether it was what its name says.
type hashing struct {
	in   io.Reader
	h    hash.Hash
	want evidence.Digest
}

func newHashing(in io.Reader, want evidence.Digest) *hashing { return &hashing{in, sha256.New(), want} }

func (h *hashing) Read(p []byte) (int, error) {
	n, err := h.in.Read(p)
	h.h.Write(p[:n])
	if err == io.EOF && evidence.Digest(h.h.Sum(nil)) != h.want {
		return n, fmt.Errorf("%s: %w", objectName(h.want), ErrDamaged)
	}
	return n, err
}

// inOrder fetches n things side by side and uses them one after the other.
func inOrder[T any](ctx context.Context, n, workers int, get func(ctx context.Context, i int) (T, error), use func(i int, v T) error) error {
	g, ctx := errgroup.WithContext(ctx)
	slots := make(chan chan T, workers)
	g.Go(func() error {
		defer close(slots)
		for i := range n {
			slot := make(chan T, 1)
			select {
			case slots <- slot:
			case <-ctx.Done():
				return ctx.Err()
			}
			g.Go(func() error {
				v, err := get(ctx, i)
				if err == nil {
					slot <- v
				}
				return err
			})
		}
		return nil
	})
	g.Go(func() error {
		i := 0
		for slot := range slots {
			select {
			case v := <-slot:
				if err := use(i, v); err != nil {
					return err
				}
				i++
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return g.Wait()
}
