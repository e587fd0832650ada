package vault_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

// deepen gives a closed vault the older format, with the blobs two folders deep that pick chooses.
func deepen(t *testing.T, path string, pick func(i int) bool) (moved int) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(path, "blobs"), func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if moved++; !pick(moved) {
			return nil
		}
		dir := filepath.Join(filepath.Dir(file), e.Name()[2:4])
		return errors.Join(os.MkdirAll(dir, 0o700), os.Rename(file, filepath.Join(dir, e.Name())))
	})
	if err != nil {
		t.Fatal(err)
	}
	doTo(t, path, change("meta", []byte("format"), func(format []byte) []byte {
		n, err := strconv.Atoi(string(format))
		if err != nil {
			t.Fatal(err)
		}
		return []byte(strconv.Itoa(n - 2))
	}))
	return moved
}

// A vault of format 1 or 2 is read as before, whole or stopped half-way while its blobs are moved, and its blobs move once.
func TestAnOlderVaultIsFlattened(t *testing.T) {
	for name, pick := range map[string]func(int) bool{
		"whole":     func(int) bool { return true },
		"half-way":  func(i int) bool { return i%2 == 0 },
		"all moved": func(int) bool { return false },
	} {
		t.Run(name, func(t *testing.T) { each(t, func(w *world) { w.flattened(pick) }) })
	}
}

func (w *world) flattened(pick func(int) bool) {
	before := blobText(w, w.v, w.blob)
	if err := w.v.Close(); err != nil {
		w.Fatal(err)
	}
	n := deepen(w.T, w.v.Path(), pick)
	rep, err := vault.Fsck(w.Context(), w.v.Path(), vault.FsckOptions{Views: w.o.Views, Keys: w.o.Keys})
	if err != nil || len(rep.Problems) > 0 || rep.Blobs != n {
		w.Fatalf("before it is opened: %d blobs of %d, %v, %v", rep.Blobs, n, rep.Problems, err)
	}
	var v *vault.Vault
	if v, err = vault.Open(w.v.Path(), w.o); err != nil {
		w.Fatal(err)
	}
	w.v = v
	if got := blobText(w, v, w.blob); got != before {
		w.Errorf("%q, not %q", got, before)
	}
	if d := w.keep("photo " + secretText); d != w.blob {
		w.Errorf("kept again as %s", d)
	}
	var last evidence.Digest
	err = v.SnapshotBlobs(w.Context(), func(b vault.SnapshotBlob) error {
		n--
		if last.String() >= b.Name.String() {
			w.Errorf("%s after %s", b.Name, last)
		}
		last = b.Name
		return nil
	})
	if err != nil || n != 0 {
		w.Errorf("%d blobs too few, %v", n, err)
	}
	w.erase(w.plan(w.about("a1/1")...))
	if _, _, err := v.Blob(w.Context(), w.own); !errors.Is(err, evidence.ErrNotFound) {
		w.Errorf("an erased blob: %v", err)
	}
	w.again()
	if deep, err := filepath.Glob(filepath.Join(w.v.Path(), "blobs", "*", "??", "??")); err != nil || len(deep) > 0 {
		w.Errorf("folders left: %v, %v", deep, err)
	}
}

// What does not belong where it lies is not moved to where it would seem to.
func TestFlatteningLeavesStrangersAlone(t *testing.T) {
	path, blob, o := damaged(t)
	deepen(t, path, func(int) bool { return true })
	strange := filepath.Join(path, "blobs", "sha256", "00", "ff", blob.String())
	if err := errors.Join(os.MkdirAll(filepath.Dir(strange), 0o700), os.WriteFile(strange, []byte("simulated"), 0o600)); err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	if got := blobText(t, v, blob); got != "simulated photo" {
		t.Errorf("%q", got)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	rep, err := vault.Fsck(t.Context(), path, vault.FsckOptions{Views: o.Views})
	if err != nil || len(rep.Problems) != 1 || !strings.Contains(rep.Problems[0].String(), "00/ff/"+blob.String()+": this does not belong here") {
		t.Errorf("%v, %v", rep.Problems, err)
	}
	doTo(t, path, func(tx *bolt.Tx) error {
		if f := string(tx.Bucket([]byte("meta")).Get([]byte("format"))); f != strconv.Itoa(vault.Format) {
			t.Errorf("format %s", f)
		}
		return nil
	})
}
