package vault_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

// A snapshot with the blobs' files and the key ring is the same vault.
func TestSnapshot(t *testing.T) {
	each(t, func(w *world) {
		w.erase(w.plan(w.about("a1/1")...))
		to := filepath.Join(t.TempDir(), "copy")
		if err := os.Mkdir(to, 0o700); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(filepath.Join(to, "vault.db"), os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		size, root, err := w.v.Snapshot(t.Context(), f)
		if err = errors.Join(err, f.Close()); err != nil || size != w.v.Size() {
			t.Fatalf("%d records, %v", size, err)
		}
		if s, r, err := vault.Head(filepath.Join(to, "vault.db")); err != nil || s != size || r != root {
			t.Errorf("the snapshot's head: %d, %v", s, err)
		}
		files := 0
		err = w.v.BlobFiles(t.Context(), func(_ evidence.Digest, path string) error {
			files++
			b, err := os.ReadFile(filepath.Join(w.v.Path(), path))
			if err != nil {
				return err
			}
			return errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(to, path)), 0o700), os.WriteFile(filepath.Join(to, path), b, 0o600))
		})
		if err != nil || files != 2 {
			t.Fatalf("%d blobs, %v", files, err)
		}
		o := w.o
		if o.Keys != nil {
			o.Keys = &vault.Keys{Ring: filepath.Join(w.v.Path(), "keyring"), Sealer: o.Keys.Sealer}
		}
		if rep := cleanWith(t, to, o); rep.Root != root {
			t.Error("the copy has another root")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := w.v.Snapshot(ctx, io.Discard); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	})
}
