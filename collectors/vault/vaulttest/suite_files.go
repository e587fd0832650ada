package vaulttest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// file makes one that a source has written.
func (s *suite) file(data []byte) string {
	s.Helper()
	path := filepath.Join(s.TempDir(), "file")
	s.must(os.WriteFile(path, data, 0o600))
	return path
}

// files is the contract of KeepFile, which holds for a sink that takes files and for one that copies them.
func (s *suite) files() {
	data := bytes.Repeat([]byte("simulated "), 60_000)
	path := s.file(append(bytes.Clone(data), "what nobody hashed"...))
	d, n, err := collectors.KeepFile(s.ctx, s.Log, bytes.NewReader(data), path, int64(len(data)))
	s.must(err)
	if d != evidence.Sum(data) || n != int64(len(data)) {
		s.Errorf("%s, %d bytes", d, n)
	}
	s.holds(data)
	s.put(one(s.channel.Post(1), &evidence.MediaKept{MediaID: "film 1", Blob: evidence.Object{SHA256: d, Size: n}}))
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		s.Errorf("the file is still there: %v", err)
	}
	// The same bytes again, and nothing at all.
	for _, data := range [][]byte{data, nil} {
		path = s.file(data)
		_, _, err = collectors.KeepFile(s.ctx, s.Log, bytes.NewReader(data), path, int64(len(data)))
		s.must(err)
		s.holds(data)
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			s.Errorf("the file of bytes that were there is still there: %v", err)
		}
	}
}

func (s *suite) holds(data []byte) {
	s.Helper()
	r, size, err := s.Blob(s.ctx, evidence.Sum(data))
	s.must(err)
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) || size != int64(len(data)) {
		s.Errorf("%d bytes of %d, %d announced, %v", len(got), len(data), size, err)
	}
}

// refusedFiles: what is not kept stays with its source.
func (s *suite) refusedFiles() {
	data := bytes.Repeat([]byte("simulated"), 20_000)
	broken := errors.New("the network went away")
	for _, tc := range []struct {
		r     io.Reader
		limit int64
		want  error
	}{
		{bytes.NewReader(data), int64(len(data)) - 1, evidence.ErrTooLarge},
		{io.MultiReader(bytes.NewReader(data), failing{broken}), 1 << 30, broken},
	} {
		path := s.file(data)
		if _, _, err := collectors.KeepFile(s.ctx, s.Log, tc.r, path, tc.limit); !errors.Is(err, tc.want) {
			s.Fatalf("got %v, want %v", err, tc.want)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, data) {
			s.Errorf("%d bytes are left, %v", len(got), err)
		}
		if _, _, err := s.Blob(s.ctx, evidence.Sum(data)); !errors.Is(err, evidence.ErrNotFound) {
			s.Errorf("kept: %v", err)
		}
	}
}

// filledFile: bytes may be written to the file while those before them are hashed.
func (s *suite) filledFile() {
	path := s.file(nil)
	w, err := os.OpenFile(path, os.O_RDWR, 0)
	s.must(err)
	defer w.Close()
	r, fed := io.Pipe()
	var all bytes.Buffer
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 20 {
			part := bytes.Repeat([]byte{byte(i)}, 30_000)
			all.Write(part)
			if _, err := w.Write(part); err != nil {
				s.Error(err)
			}
			if _, err := fed.Write(part); err != nil {
				s.Error(err)
			}
		}
		fed.Close()
	})
	_, _, err = collectors.KeepFile(s.ctx, s.Log, r, path, 1<<20)
	wg.Wait()
	s.must(err)
	s.holds(all.Bytes())
}
