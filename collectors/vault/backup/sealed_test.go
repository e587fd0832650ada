package backup_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/backup"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// sealedWorld is newWorld with a key ring outside of the vault's folder.
func sealedWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, path: filepath.Join(t.TempDir(), "vault"), o: vaulttest.SealedOptions(t, vaulttest.Tally())}
	w.signer, w.o.Keys.Ring = w.o.Signer, filepath.Join(t.TempDir(), "ring")
	v, err := vault.Create(w.path, w.o)
	if err != nil {
		t.Fatal(err)
	}
	w.v = v
	t.Cleanup(func() { w.v.Close() })
	w.put(evidence.Batch{Drafts: []evidence.Draft{vaulttest.Bind("telegram:main"), {
		ID: evidence.NewID(time.Now()), Actor: evidence.Vault(), Subject: evidence.Person("amina"), Body: &evidence.PersonSet{Key: "amina", Name: "Simulated Person"},
	}}})
	return w
}

// restored makes a vault of the newest backup, opens it with w's key ring, insists that fsck finds nothing and reads all
// but the posts erased.
func (w *world) restored(place backup.Store, ids backup.Identities, erased int) {
	w.Helper()
	to := filepath.Join(w.TempDir(), "fresh")
	res, err := backup.Restore(context.Background(), backup.RestoreOptions{From: place, To: to, Identities: ids, LogKey: w.o.LogKey})
	if err != nil || len(res.Lacking) > 0 {
		w.Fatalf("restore: %+v, %v", res, err)
	}
	keys := *w.o.Keys
	keys.Restored = true
	w.o.Keys = &keys
	rep, err := vault.Fsck(context.Background(), to, vault.FsckOptions{Views: w.o.Views, Keys: &keys})
	if err != nil || len(rep.Problems) > 0 || rep.Sealed == 0 {
		w.Fatalf("fsck: %d sealed, %q, %v", rep.Sealed, rep.Problems, err)
	}
	if w.v, err = vault.Open(to, w.o); err != nil {
		w.Fatal(err)
	}
	read := 0
	err = w.v.Records(context.Background(), 0, func(r evidence.Record) error {
		if r.Kind != evidence.KindAcquisition {
			if r.Kind == evidence.KindPostSeen && strings.Contains(string(r.Body), "bakers' guild") {
				read++
			}
			return nil
		}
		a, err := evidence.Decode[*evidence.Acquisition](r)
		if err != nil {
			return err
		}
		f, _, err := w.v.Blob(context.Background(), a.Reply.SHA256)
		if err != nil {
			return err
		}
		b, err := io.ReadAll(f)
		if evidence.Sum(b) != a.Reply.SHA256 {
			w.Errorf("blob %s has other bytes", a.Reply.SHA256)
		}
		return errors.Join(err, f.Close())
	})
	if err != nil || read != w.n-erased {
		w.Errorf("%d of %d posts, %v", read, w.n-erased, err)
	}
}

// TestSealed destroys a sealed vault whose key ring is left, and has all of it back; also after a compaction gave it other keys.
func TestSealed(t *testing.T) {
	to, ids, _ := key(t)
	for name, o := range map[string]func(*backup.Options){"plain objects": func(*backup.Options) {}, "encrypted": func(o *backup.Options) { o.Recipients = to }} {
		t.Run(name, func(t *testing.T) {
			w, place := sealedWorld(t), folder(t)
			w.page(1, 20)
			w.page(2, 20)
			w.backup(place, o)
			w.erased()
			w.page(2, 20)
			if res := w.backup(place, o); len(res.Damaged) > 0 {
				t.Error(res.Damaged)
			}
			if err := errors.Join(w.v.Close(), os.RemoveAll(w.path)); err != nil {
				t.Fatal(err)
			}
			w.restored(place, ids, 1)
			w.page(1, 20)
		})
	}
}

// erased erases a post of channel 1 and compacts, which destroys the key of the others and seals them with another.
func (w *world) erased() {
	w.Helper()
	var seqs []int64
	err := w.v.Records(context.Background(), 0, func(r evidence.Record) error {
		if r.Kind == evidence.KindPostSeen && len(seqs) == 0 {
			seqs = append(seqs, r.Seq)
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	if _, err := w.v.Erase(context.Background(), vault.ErasePlan{By: evidence.Person("amina"), Rule: "retention", Records: seqs}); err != nil {
		w.Fatal(err)
	}
	if err := w.v.Close(); err != nil {
		w.Fatal(err)
	}
	if _, err := vault.Compact(context.Background(), w.path, w.o, nil); err != nil {
		w.Fatal(err)
	}
	if w.v, err = vault.Open(w.path, w.o); err != nil {
		w.Fatal(err)
	}
}

// TestSealedRot damages a sealed blob: only opening it tells.
func TestSealedRot(t *testing.T) {
	w, place := sealedWorld(t), folder(t)
	w.page(1, 3)
	w.backup(place)
	err := w.v.SnapshotBlobs(context.Background(), func(b vault.SnapshotBlob) error {
		f, err := os.ReadFile(b.Path)
		if err != nil {
			return err
		}
		f[len(f)-1] ^= 1
		return os.WriteFile(b.Path, f, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	if res := w.backup(place, func(o *backup.Options) { o.Reread = true }); len(res.Damaged) != 1 || !strings.Contains(res.Damaged[0], "earlier copy is kept") {
		t.Errorf("%+v", res)
	}
	if err := w.v.Close(); err != nil {
		t.Fatal(err)
	}
	w.restored(place, nil, 0)
}
