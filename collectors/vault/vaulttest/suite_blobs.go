package vaulttest

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

func (s *suite) blobs() {
	b := one(s.channel.Post(1), &evidence.MediaKept{MediaID: "photo 1", Blob: evidence.Object{SHA256: evidence.Sum([]byte("simulated")), Size: 9}})
	if _, err := s.Put(s.ctx, evidence.Batch{Drafts: []evidence.Draft{b}}); !errors.Is(err, evidence.ErrMissingBlob) {
		s.Fatalf("got %v", err)
	}
	d, n, err := s.Keep(s.ctx, bytes.NewReader([]byte("simulated")), 9)
	s.must(err)
	if d != evidence.Sum([]byte("simulated")) || n != 9 {
		s.Errorf("%s, %d bytes", d, n)
	}
	s.put(b)
	r, size, err := s.Blob(s.ctx, d)
	s.must(err)
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != "simulated" || size != 9 {
		s.Errorf("%q, %d, %v", got, size, err)
	}
	if _, err := r.Seek(3, io.SeekStart); err != nil {
		s.Error(err)
	}
}

func (s *suite) tooLarge() {
	data := bytes.Repeat([]byte("simulated"), 20_000)
	if _, _, err := s.Keep(s.ctx, bytes.NewReader(data), int64(len(data))-1); !errors.Is(err, evidence.ErrTooLarge) {
		s.Fatalf("got %v", err)
	}
	if _, _, err := s.Blob(s.ctx, evidence.Sum(data)); !errors.Is(err, evidence.ErrNotFound) {
		s.Errorf("kept: %v", err)
	}
	broken := errors.New("the network went away")
	if _, _, err := s.Keep(s.ctx, io.MultiReader(bytes.NewReader(data), failing{broken}), 1<<30); !errors.Is(err, broken) {
		s.Errorf("got %v", err)
	}
	d, n, err := s.Keep(s.ctx, bytes.NewReader(nil), 0)
	s.must(err)
	if d != evidence.Sum(nil) || n != 0 {
		s.Errorf("nothing is %s, %d bytes", d, n)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func (s *suite) sameBlob() {
	var wg sync.WaitGroup
	for i := range 16 {
		data := bytes.Repeat([]byte{byte(i % 3)}, 100_000)
		wg.Go(func() {
			d, n, err := s.Keep(s.ctx, bytes.NewReader(data), 1<<20)
			if err != nil || d != evidence.Sum(data) || n != int64(len(data)) {
				s.Errorf("%s, %d bytes, %v", d, n, err)
			}
		})
	}
	wg.Wait()
}
