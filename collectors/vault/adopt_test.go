package vault_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

func adoptable(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "film.part")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func blobFile(dir, folder string, data []byte) string {
	d := evidence.Sum(data).String()
	return filepath.Join(dir, "blobs", folder, d[:2], d)
}

// A plain vault writes no byte of a file twice: the file itself becomes the blob.
func TestAFileBecomesTheBlob(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "vault")
	v, err := vault.Create(dir, vaulttest.Options(t, vaulttest.Tally()))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	data := []byte("simulated film")
	path := adoptable(t, data)
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := v.KeepFile(t.Context(), bytes.NewReader(data), path, 100); err != nil {
		t.Fatal(err)
	}
	after, err := os.Lstat(blobFile(dir, "sha256", data))
	if err != nil || !os.SameFile(before, after) {
		t.Errorf("it was copied: %v", err)
	}
}

// A sealed vault has no byte of it in the clear.
func TestAFileIsSealed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "vault")
	v, err := vault.Create(dir, vaulttest.SealedOptions(t, vaulttest.Tally()))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	data := bytes.Repeat([]byte("simulated film "), 100)
	path := adoptable(t, data)
	if _, _, err := v.KeepFile(t.Context(), bytes.NewReader(data), path, 1<<20); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the file in the clear is still there: %v", err)
	}
	err = filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(p)
		if bytes.Contains(b, []byte("simulated film")) {
			t.Errorf("%s holds it in the clear", p)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// A file that somebody else could still write to, or that is shorter than what was hashed, does not become a blob.
func TestFilesThatCannotBecomeBlobs(t *testing.T) {
	v := vaulttest.New(t, vaulttest.Tally())
	data := []byte("simulated film")
	for name, make := range map[string]func(path string) (string, error){
		"a link":         func(p string) (string, error) { return p + ".link", os.Symlink(p, p+".link") },
		"two names":      func(p string) (string, error) { return p, os.Link(p, p+".second") },
		"a short file":   func(p string) (string, error) { return p, os.Truncate(p, 3) },
		"a missing file": func(p string) (string, error) { return p + "x", nil },
		"a folder":       func(p string) (string, error) { return p + ".d", os.Mkdir(p+".d", 0o700) },
	} {
		path, err := make(adoptable(t, data))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := v.KeepFile(context.Background(), bytes.NewReader(data), path, 100); err == nil || strings.Contains(err.Error(), "reopen") {
			t.Errorf("%s: got %v", name, err)
		}
		if _, _, err := v.Blob(t.Context(), evidence.Sum(data)); err == nil {
			t.Errorf("%s was kept", name)
		}
	}
	if _, _, err := v.Keep(t.Context(), bytes.NewReader(data), 100); err != nil {
		t.Errorf("the vault is of no use any more: %v", err)
	}
}

// Bytes that are there under the digest and are others are left as they are, and so is the file.
func TestAFileDoesNotReplaceADamagedBlob(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "vault")
	v, err := vault.Create(dir, vaulttest.Options(t, vaulttest.Tally()))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	data := []byte("simulated film")
	if _, _, err := v.Keep(t.Context(), bytes.NewReader(data), 100); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(blobFile(dir, "sha256", data), []byte("simulated harm"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := adoptable(t, data)
	if _, _, err := v.KeepFile(t.Context(), bytes.NewReader(data), path, 100); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v", err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%q is left, %v", got, err)
	}
}

// A file on another disk cannot be moved, and is copied.
func TestAFileOfAnotherDisk(t *testing.T) {
	other, err := os.MkdirTemp("/dev/shm", "muhafiz-test-")
	if err != nil {
		t.Skip("not applicable: this system has no second disk that anybody may write to")
	}
	defer os.RemoveAll(other)
	v := vaulttest.New(t, vaulttest.Tally())
	data := []byte("simulated film")
	path := filepath.Join(other, "film.part")
	if err := os.WriteFile(path, append(data, "and more"...), 0o600); err != nil {
		t.Fatal(err)
	}
	d, n, err := v.KeepFile(t.Context(), bytes.NewReader(data), path, 100)
	if err != nil || d != evidence.Sum(data) || n != int64(len(data)) {
		t.Fatalf("%s, %d bytes, %v", d, n, err)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
}
