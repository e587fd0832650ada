package vault_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

func TestEraseTakesAPostOut(t *testing.T) {
	each(t, func(w *world) {
		ctx := w.Context()
		before := w.v.Size()
		root, err := w.v.Root(ctx, before)
		if err != nil {
			w.Fatal(err)
		}
		seqs := w.about("a1/1")
		p := w.plan(seqs...)
		p.DryRun = true
		dry := w.erase(p)
		if dry.Bodies != 3 || dry.Blobs != 2 || dry.Replies != 1 || w.v.Size() != before {
			w.Errorf("a dry run: %+v", dry)
		}
		got := w.erase(w.plan(seqs...))
		// The post's own photo and the whole reply go; the photo that the second post has too stays.
		if got.Bodies != 3 || got.Blobs != 2 || got.Replies != 1 || len(got.Records) != 1 || got.Lingering != 3 || got.LingeringBlobs != 2 || got.Bytes == 0 {
			w.Errorf("%+v", got)
		}
		for _, seq := range seqs {
			r, err := w.v.Record(ctx, seq)
			if err != nil || r.Body != nil || len(r.EnvelopeBytes) == 0 {
				w.Errorf("record %d: %d bytes of body, %v", seq, len(r.Body), err)
			}
			if by, err := w.v.Erased(ctx, seq); err != nil || by != got.Records[0].Seq {
				w.Errorf("record %d was erased by %d, %v", seq, by, err)
			}
		}
		if _, _, err := w.v.Blob(ctx, w.own); !errors.Is(err, evidence.ErrNotFound) {
			w.Errorf("the post's own photo: %v", err)
		}
		if s := blobText(w, w.v, w.blob); s != "photo "+secretText {
			w.Errorf("the photo of both: %q", s)
		}
		left, err := w.v.Reply(ctx, w.page[0].Seq)
		if err != nil || len(left.Slices) != 3 || blobText(w, w.v, left.Reply.SHA256) != "secondthirdfourth" {
			w.Errorf("what is left of the reply: %+v, %v", left, err)
		}
		want := map[string]string{"a1/2": "second;", "a1/3": "third;", "a1/4": "fourth;"}
		if d := cmp.Diff(want, w.view("texts")); d != "" {
			w.Error(d)
		}
		if again, err := w.v.Root(ctx, before); err != nil || again != root {
			w.Errorf("the root changed: %v", err)
		}
		if rep := w.again(); rep.Erased != 3 {
			w.Errorf("fsck counts %d erased bodies", rep.Erased)
		}
		// Erased once more, nothing happens; seen once more, it is written again.
		size := w.v.Size()
		if e := w.erase(w.plan(seqs...)); e.Bodies != 0 || w.v.Size() != size {
			w.Errorf("erased twice: %+v", e)
		}
		recs := put(w, w.v, posts("telegram/main", 1, "first "+secretText)...)
		if recs[0].Outcome != evidence.Written || w.view("texts")["a1/1"] == "" {
			w.Errorf("seen again after the erasure: outcome %d", recs[0].Outcome)
		}
		w.again()
	})
}

func TestErasePostAfterPostCutsTheReply(t *testing.T) {
	each(t, func(w *world) {
		for i, want := range []string{"secondthirdfourth", "thirdfourth", "fourth"} {
			w.erase(w.plan(w.page[i+1].Seq))
			left, err := w.v.Reply(w.Context(), w.page[0].Seq)
			if err != nil || blobText(w, w.v, left.Reply.SHA256) != want {
				w.Fatalf("%+v, %v", left, err)
			}
			w.again()
		}
		w.erase(w.plan(w.page[4].Seq))
		if left, err := w.v.Reply(w.Context(), w.page[0].Seq); err != nil || !left.Reply.IsZero() || len(left.Slices) != 0 {
			w.Errorf("%+v, %v", left, err)
		}
		if rep := w.again(); rep.Unreferenced != 0 {
			w.Errorf("%d blobs were left", rep.Unreferenced)
		}
		// A later page on which nothing is new has the posts' bytes too; only its caller knows that it is due.
		w.observe("fifth", "sixth")
		acq := w.observe("fifth", "new")[0].Seq
		p := w.plan()
		p.Replies = []int64{acq}
		if e := w.erase(p); e.Replies != 1 {
			w.Errorf("%+v", e)
		}
		left, err := w.v.Reply(w.Context(), acq)
		if err != nil || blobText(w, w.v, left.Reply.SHA256) != "new" {
			w.Errorf("%+v, %v", left, err)
		}
		w.again()
	})
}

func TestEraseRefuses(t *testing.T) {
	each(t, func(w *world) {
		size := w.v.Size()
		for name, c := range map[string]struct {
			p    vault.ErasePlan
			want error
		}{
			"the vault itself":   {w.plan(0), vault.ErrNotErasable},
			"what is not there":  {w.plan(9999), evidence.ErrNotFound},
			"without a rule":     {vault.ErasePlan{By: evidence.Person("amina"), Records: []int64{w.page[1].Seq}}, vault.ErrDraft},
			"by nobody we know":  {vault.ErasePlan{By: evidence.Person("nobody"), Rule: "retention", Records: []int64{w.page[1].Seq}}, evidence.ErrUnbound},
			"under an old state": {vault.ErasePlan{By: evidence.Person("amina"), Rule: "retention", Records: []int64{w.page[1].Seq}, If: []evidence.Expect{{View: "texts", Key: "a1/1", Version: 1}}}, evidence.ErrConflict},
		} {
			if _, err := w.v.Erase(w.Context(), c.p); !errors.Is(err, c.want) {
				w.Errorf("%s: %v", name, err)
			}
		}
		if w.v.Size() != size {
			w.Errorf("%d records were written", w.v.Size()-size)
		}
		if r, err := w.v.Record(w.Context(), w.page[1].Seq); err != nil || r.Body == nil {
			w.Errorf("something was erased: %v", err)
		}
		w.again()
	})
}

func TestErasePersonForgetsTheName(t *testing.T) {
	each(t, func(w *world) {
		o, err := w.v.Ordinal(w.Context(), evidence.Person("amina"))
		if err != nil {
			w.Fatal(err)
		}
		p := w.plan(w.about(o)...)
		p.By = evidence.Vault()
		w.erase(p)
		if n, err := w.v.Name(w.Context(), o); !errors.Is(err, evidence.ErrUnbound) {
			w.Errorf("%s, %v", n, err)
		}
		w.again()
		put(w, w.v, evidence.Draft{ID: evidence.NewID(w.now), Actor: evidence.Vault(), Subject: evidence.Person("amina"), Body: &evidence.PersonSet{Key: "amina", Name: "Another"}})
		if again, err := w.v.Ordinal(w.Context(), evidence.Person("amina")); err != nil || again == o {
			w.Errorf("the number %s was given again: %v", again, err)
		}
		w.again()
	})
}

// A month of a channel whose posts all go is gone from every copy with its key.
func TestEraseDestroysTheKeyOfAMonth(t *testing.T) {
	w := newWorld(t, vaulttest.SealedOptions)
	copied := func() string {
		w.Helper()
		if err := w.v.Close(); err != nil {
			w.Fatal(err)
		}
		return copyVault(t, w.v.Path())
	}
	w.now = time.Date(2026, 4, 2, 0, 0, 0, 0, time.UTC)
	w.observe("april") // a version of the first post
	backup := copied()
	w.again()
	var march []int64
	for _, o := range []evidence.Ordinal{"a1/1", "a1/2", "a1/3", "a1/4"} {
		for _, seq := range w.about(o) {
			if r, err := w.v.Record(w.Context(), seq); err != nil {
				t.Fatal(err)
			} else if r.At.Month() == time.March {
				march = append(march, seq)
			}
		}
	}
	if e := w.erase(w.plan(march[1:]...)); e.Keys != 0 || e.Lingering != len(march)-1 {
		t.Errorf("a key was destroyed that one post still needs: %+v", e)
	}
	if e := w.erase(w.plan(march[0])); e.Keys != 1 || e.Lingering != 0 {
		t.Errorf("the key was not destroyed: %+v", e)
	}
	if got := w.view("texts"); got["a1/1"] != "april;" {
		t.Errorf("what was not erased: %q", got)
	}
	w.again()

	// The backup of vault.db with the ring as it is now: its posts are gone.
	w.o.Keys.Restored = true
	w.v.Close()
	ring := filepath.Join(backup, "keyring")
	old := filepath.Join(t.TempDir(), "old")
	if err := os.Rename(ring, old); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(ring, os.DirFS(filepath.Join(w.v.Path(), "keyring"))); err != nil {
		t.Fatal(err)
	}
	guard(t, ring)
	v, err := vault.Open(backup, w.o)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := v.Record(t.Context(), march[0]); err != nil || r.Body != nil {
		t.Errorf("in the backup: %d bytes of body, %v", len(r.Body), err)
	}
	v.Close()

	// The vault as it is now with the ring as it was: the key is destroyed again.
	if err := os.RemoveAll(filepath.Join(w.v.Path(), "keyring")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(w.v.Path(), "keyring"), os.DirFS(old)); err != nil {
		t.Fatal(err)
	}
	guard(t, filepath.Join(w.v.Path(), "keyring"))
	rep, err := vault.Fsck(t.Context(), w.v.Path(), vault.FsckOptions{Keys: w.o.Keys})
	if err != nil || len(rep.Problems) == 0 || !strings.Contains(rep.Problems[0].String(), "was destroyed") {
		t.Errorf("fsck with an old ring: %v, %v", rep.Problems, err)
	}
	if w.v, err = vault.Open(w.v.Path(), w.o); err != nil {
		t.Fatal(err)
	}
	w.again()
}

// guard gives a copied key ring its modes back.
func guard(t *testing.T, ring string) {
	t.Helper()
	err := filepath.WalkDir(ring, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// later is a body of a kind that no build knows.
type later struct {
	X string `json:"x"`
}

func (later) Kind() evidence.Kind { return "test.later" }
func (later) Schema() int         { return 1 }

// What cannot be read may need any blob: so nothing is erased, and writing goes on.
func TestEraseRefusesWhereItCannotSeeWhatIsNeeded(t *testing.T) {
	each(t, func(w *world) {
		put(w, w.v, draftOf("telegram/main", evidence.Vault(), later{"simulated"}))
		if _, err := w.v.Erase(w.Context(), w.plan(w.page[1].Seq)); !errors.Is(err, vault.ErrUnknownKind) {
			w.Errorf("got %v", err)
		}
		put(w, w.v, posts("telegram/main", 1, "on it goes")...)
		w.again()
	})
}
