package vault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// snapshot makes a vault of w's in a folder of its own, and returns the options that open it with w's key ring.
func (w *world) snapshot() (path string, o vault.Options) {
	w.Helper()
	path = filepath.Join(w.TempDir(), "copy")
	r, err := vault.NewRestorer(path)
	if err != nil {
		w.Fatal(err)
	}
	defer r.Close()
	half := w.v.Size() / 2
	err = w.v.SnapshotLog(w.Context(), 0, half, func(seq int64, value []byte) error {
		return r.Add(vault.BucketLog, w.key(seq), value)
	})
	if err != nil {
		w.Fatal(err)
	}
	head, err := w.v.SnapshotRest(w.Context(), half, func(bucket string, key, value []byte) error {
		return r.Add(bucket, bytes.Clone(key), slices.Concat([]byte{}, value))
	})
	if err != nil {
		w.Fatal(err)
	}
	err = w.v.SnapshotBlobs(w.Context(), func(b vault.SnapshotBlob) error {
		if b.Sealed != (w.o.Keys != nil) {
			w.Errorf("%s: sealed %v", b.Path, b.Sealed)
		}
		f, err := os.Open(b.Path)
		if err != nil {
			return err
		}
		return errors.Join(r.Keep(w.Context(), b.Name, b.Sealed, f), f.Close())
	})
	if err = errors.Join(err, r.Finish(head)); err != nil {
		w.Fatal(err)
	}
	o = w.o
	if o.Keys != nil {
		o.Keys = &vault.Keys{Ring: filepath.Join(w.v.Path(), "keyring"), Sealer: o.Keys.Sealer}
	}
	return path, o
}

func (w *world) key(seq int64) []byte {
	return []byte{byte(seq >> 56), byte(seq >> 48), byte(seq >> 40), byte(seq >> 32), byte(seq >> 24), byte(seq >> 16), byte(seq >> 8), byte(seq)}
}

// reopened checks a copy, opens it and lets it be w's vault.
func (w *world) reopened(path string, o vault.Options) {
	w.Helper()
	if err := w.v.Close(); err != nil {
		w.Fatal(err)
	}
	v, err := vault.Open(path, o)
	if err != nil {
		w.Fatal(err)
	}
	w.v, w.o = v, o
	w.again()
}

// What the snapshot gives makes the same vault, which goes on.
func TestSnapshot(t *testing.T) {
	each(t, func(w *world) {
		w.erase(w.plan(w.about("a1/1")...))
		w.again()
		size, views := w.v.Size(), w.view("texts")
		root, err := w.v.Root(t.Context(), size)
		if err != nil {
			t.Fatal(err)
		}
		path, o := w.snapshot()
		w.reopened(path, o)
		if r, err := w.v.Root(t.Context(), size); err != nil || r != root || w.v.Size() != size {
			t.Errorf("%d records, not %d; %v", w.v.Size(), size, err)
		}
		if got := w.view("texts"); len(got) == 0 || len(got) != len(views) {
			t.Errorf("views %q, not %q", got, views)
		}
		if files := w.grep("own " + secretText); len(files) > 0 {
			t.Errorf("what was erased is in %v", files)
		}
		if data, err := w.v.Cursor(t.Context(), "telegram/main t1"); err != nil || string(data) != "cursor "+secretText {
			t.Errorf("the cursor: %q, %v", data, err)
		}
		if s := blobText(t, w.v, w.blob); s != "photo "+secretText {
			t.Errorf("the blob: %q", s)
		}
		w.observe("later")
		w.again()
	})
}

// A copy from before an erasure is accepted only as a restore, and what it brought back can be erased again.
func TestRestoredFromBeforeAnErasure(t *testing.T) {
	each(t, func(w *world) {
		early := w.page[1].Seq
		path, o := w.snapshot()
		w.erase(w.plan(w.about("a1/1")...))
		w.again()
		w.older(path, o)
		w.reopened(path, o)
		if r, err := w.v.Record(t.Context(), early); err != nil || r.Body == nil {
			t.Errorf("a body of then: %q, %v", r.Body, err)
		}
		w.erase(w.plan(w.about("a1/1")...))
		if r, err := w.v.Record(t.Context(), early); err != nil || r.Body != nil {
			t.Errorf("erased again: %q, %v", r.Body, err)
		}
		w.again()
	})
}

// older insists that a sealed copy is refused, and lets o accept it.
func (w *world) older(path string, o vault.Options) {
	w.Helper()
	if o.Keys == nil {
		return
	}
	if v, err := vault.Open(path, o); !errors.Is(err, vault.ErrOlder) {
		v.Close()
		w.Fatalf("an older copy: %v", err)
	}
	o.Keys.Restored = true
}

// A copy from before a compaction has lost the keys that the compaction destroyed: what was erased stays so, and fsck tells what else is gone.
func TestRestoredFromBeforeACompaction(t *testing.T) {
	w := newWorld(t, vaulttest.SealedOptions)
	path, o := w.snapshot()
	w.erase(w.plan(w.about("a1/1")...))
	w.compact()
	if err := w.v.Close(); err != nil {
		t.Fatal(err)
	}
	w.older(path, o)
	v, err := vault.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	r, err := v.Record(t.Context(), w.page[1].Seq)
	if err != nil || r.Body != nil {
		t.Errorf("a body erased since: %q, %v", r.Body, err)
	}
	if _, _, err := v.Blob(t.Context(), w.own); !errors.Is(err, evidence.ErrNotFound) {
		t.Errorf("a blob erased since: %v", err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	rep, err := vault.Fsck(t.Context(), path, vault.FsckOptions{Views: o.Views, Keys: o.Keys})
	if err != nil || !strings.Contains(fmt.Sprint(rep.Problems), "no record says that it was erased") {
		t.Errorf("fsck: %q, %v", rep.Problems, err)
	}
}

func TestSnapshotEnds(t *testing.T) {
	each(t, func(w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := w.v.SnapshotLog(ctx, 0, w.v.Size(), func(int64, []byte) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("the log: %v", err)
		}
		if err := w.v.SnapshotBlobs(ctx, func(vault.SnapshotBlob) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("the blobs: %v", err)
		}
		if _, err := vault.NewRestorer(w.v.Path()); !errors.Is(err, vault.ErrExists) {
			t.Errorf("over a vault: %v", err)
		}
		r, err := vault.NewRestorer(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for _, bucket := range []string{"tree", "view/texts/1", ""} {
			if err := r.Add(bucket, []byte("k"), nil); err == nil {
				t.Errorf("bucket %q was taken", bucket)
			}
		}
		if err := r.Finish(vault.SnapshotHead{Size: 1, Root: evidence.Digest{1}}); !errors.Is(err, vault.ErrOtherRoot) {
			t.Errorf("nothing restored: %v", err)
		}
	})
}
