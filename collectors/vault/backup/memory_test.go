package backup

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// TestMemory cuts the memory off at every byte: what is whole is known, nothing else is.
func TestMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory")
	m, err := openMemory(path)
	if err != nil {
		t.Fatal(err)
	}
	content, object := evidence.Sum([]byte("content")), Ref{evidence.Sum([]byte("object")), 1234}
	mark := fileMark{99, -5, content}
	if err := m.putObject(content, object); err != nil {
		t.Fatal(err)
	}
	if err := m.putFile(object.Object, mark); err != nil {
		t.Fatal(err)
	}
	if err := m.close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) + 1 {
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := openMemory(path)
		if err != nil {
			t.Fatal(err)
		}
		ref, ok := m.object(content)
		file, known := m.file(object.Object)
		if ok && ref.Object != object.Object || known && (file.content != mark.content || n < len(whole)-1) {
			t.Fatalf("%d bytes: %+v %v, %+v %v", n, ref, ok, file, known)
		}
		if n == len(whole) && (!ok || ref != object || file != mark) {
			t.Errorf("whole: %+v, %+v", ref, file)
		}
		m.close()
	}
}
