package backup

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// memory is what a vault remembers of its runs to one place, in its own folder: under which name each thing lies there (an encrypted one
// cannot be found by its content), and which files were read. It is a help and no truth: without it, everything is read again and, where
// it is encrypted, written again. Lines: `o DIGEST OBJECT SIZE` (content, object) and `b NAME SIZE MTIME DIGEST` (a blob's file).
type memory struct {
	path string

	mu      sync.Mutex
	objects map[evidence.Digest]Ref
	files   map[evidence.Digest]fileMark
	out     *os.File
	w       *bufio.Writer
}

type fileMark struct {
	size, mtime int64
	content     evidence.Digest
}

func openMemory(path string) (*memory, error) {
	m := &memory{path: path, objects: map[evidence.Digest]Ref{}, files: map[evidence.Digest]fileMark{}}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := m.load(); err != nil {
		return nil, err
	}
	return m, m.begin(path, os.O_APPEND)
}

func (m *memory) begin(path string, flag int) (err error) {
	m.out, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY|flag, 0o600)
	if err == nil {
		m.w = bufio.NewWriter(m.out)
	}
	return err
}

// load reads the lines that are whole. One that was cut off by a crash spoils the one after it as well, and no more.
func (m *memory) load() error {
	f, err := os.Open(m.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		m.learn(sc.Text())
	}
	return sc.Err()
}

func (m *memory) learn(line string) {
	var a, b string
	var x, y int64
	switch {
	case strings.HasPrefix(line, "o "):
		if n, _ := fmt.Sscanf(line, "o %64s %64s %d", &a, &b, &x); n == 3 {
			content, e1 := evidence.ParseDigest(a)
			object, e2 := evidence.ParseDigest(b)
			if errors.Join(e1, e2) == nil && line == objectLine(content, Ref{object, x}) {
				m.objects[content] = Ref{object, x}
			}
		}
	case strings.HasPrefix(line, "b "):
		if n, _ := fmt.Sscanf(line, "b %64s %d %d %64s", &a, &x, &y, &b); n == 4 {
			name, e1 := evidence.ParseDigest(a)
			content, e2 := evidence.ParseDigest(b)
			if mark := (fileMark{x, y, content}); errors.Join(e1, e2) == nil && line == fileLine(name, mark) {
				m.files[name] = mark
			}
		}
	}
}

func objectLine(content evidence.Digest, r Ref) string {
	return fmt.Sprintf("o %s %s %d", content, r.Object, r.Size)
}

func fileLine(name evidence.Digest, f fileMark) string {
	return fmt.Sprintf("b %s %d %d %s", name, f.size, f.mtime, f.content)
}

func (m *memory) object(content evidence.Digest) (Ref, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.objects[content]
	return r, ok
}

func (m *memory) file(name evidence.Digest) (fileMark, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.files[name]
	return f, ok
}

// putObject is called once the object is durable.
func (m *memory) putObject(content evidence.Digest, r Ref) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.objects[content] = r
	_, err := m.w.WriteString(objectLine(content, r) + "\n")
	return full(err)
}

func (m *memory) putFile(name evidence.Digest, f fileMark) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files[name] == f {
		return nil
	}
	m.files[name] = f
	_, err := m.w.WriteString(fileLine(name, f) + "\n")
	return full(err)
}

// close keeps what was learnt, so that an interrupted run's work counts.
func (m *memory) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.out == nil {
		return nil
	}
	err := errors.Join(m.w.Flush(), m.out.Close())
	m.out = nil
	return full(err)
}

// tidy drops what points nowhere any more, where that is the greater part.
func (m *memory) tidy(have map[evidence.Digest]int64) error {
	dead := 0
	for content, r := range m.objects {
		if _, ok := have[r.Object]; !ok {
			delete(m.objects, content)
			dead++
		}
	}
	if dead <= len(m.objects) {
		return nil
	}
	if err := m.close(); err != nil {
		return err
	}
	fresh := m.path + ".new"
	if err := m.begin(fresh, os.O_TRUNC); err != nil {
		return err
	}
	for content, r := range m.objects {
		m.w.WriteString(objectLine(content, r) + "\n")
	}
	for name, f := range m.files {
		m.w.WriteString(fileLine(name, f) + "\n")
	}
	if err := m.close(); err != nil {
		return err
	}
	if err := os.Rename(fresh, m.path); err != nil {
		return err
	}
	return m.begin(m.path, os.O_APPEND)
}
