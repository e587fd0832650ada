package vault_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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

// texts is a view that keeps what posts say, by subject, and how often each was seen.
func texts() evidence.View {
	return evidence.View{Name: "texts", Version: 1, Apply: func(r evidence.Record, kv evidence.KV) error {
		if r.Kind != evidence.KindPostSeen || r.Body == nil {
			return nil
		}
		b, err := evidence.Decode[*evidence.PostSeen](r)
		if err != nil {
			return err
		}
		said, _ := kv.Get(string(r.Subject))
		return kv.Put(string(r.Subject), append(said, b.Text+";"...))
	}}
}

// world is a vault with content of every sort, at a time that a test sets.
type world struct {
	*testing.T
	o    vault.Options
	v    *vault.Vault
	now  time.Time
	page []evidence.Record // the acquisition, then four posts
	blob evidence.Digest   // of the first post's photo, which the second has too
	own  evidence.Digest   // of the first post alone
	raw  evidence.Digest
}

const (
	secretText   = "simulated words that must not stand anywhere"
	secretPerson = "Simulated Person of the Test"
)

func newWorld(t *testing.T, options func(testing.TB, ...evidence.View) vault.Options) *world {
	w := &world{T: t, now: time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)}
	w.o = options(t, texts(), vaulttest.Tally())
	w.o.Now = func() time.Time { return w.now }
	var err error
	if w.v, err = vault.Create(filepath.Join(t.TempDir(), "vault"), w.o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.v.Close() })
	put(t, w.v, vaulttest.Bind("telegram/main"), evidence.Draft{
		ID: evidence.NewID(w.now), Actor: evidence.Vault(), Subject: evidence.Person("amina"), Body: &evidence.PersonSet{Key: "amina", Name: secretPerson},
	})
	w.page = w.observe("first "+secretText, "second", "third", "fourth")
	w.blob, w.own = w.keep("photo "+secretText), w.keep("own "+secretText)
	ch := evidence.Account("telegram", "channel", "1")
	for i, d := range []evidence.Digest{w.blob, w.own} {
		put(t, w.v, draftOf("telegram/main", ch.Post(1), &evidence.MediaKept{MediaID: fmt.Sprint("photo ", i), Blob: evidence.Object{SHA256: d, Size: size(t, w.v, d)}}))
	}
	put(t, w.v, draftOf("telegram/main", ch.Post(2), &evidence.MediaKept{MediaID: "photo 0", Blob: evidence.Object{SHA256: w.blob, Size: size(t, w.v, w.blob)}}))
	if _, err := w.v.Put(t.Context(), evidence.Batch{Cursor: &evidence.Cursor{Name: "telegram/main t1", Data: []byte("cursor " + secretText)}}); err != nil {
		t.Fatal(err)
	}
	return w
}

// observe puts a page of posts with the reply that brought them: each text on a line of it.
func (w *world) observe(texts ...string) []evidence.Record {
	w.Helper()
	reply := strings.Join(texts, "\n") + "\n"
	w.raw = w.keep(reply)
	ds := posts("telegram/main", 1, texts...)
	acq := evidence.ID{Acq: ds[0].ID.Acq, N: uint32(len(ds))}
	at := int64(0)
	for i := range ds {
		b := ds[i].Body.(*evidence.PostSeen)
		b.Acquisition, b.RawExact, b.Raw = acq, true, &evidence.Slice{Offset: at, Length: int64(len(texts[i]))}
		at += int64(len(texts[i])) + 1
	}
	ds = append(ds, evidence.Draft{
		ID: acq, Actor: evidence.Source("telegram/main"), Subject: evidence.Account("telegram", "channel", "1"),
		Body: &evidence.Acquisition{Method: "simulated", Reply: evidence.Object{SHA256: w.raw, Size: int64(len(reply))}},
	})
	recs := put(w, w.v, ds...)
	return append(recs[len(recs)-1:], recs[:len(recs)-1]...)
}

func (w *world) keep(s string) evidence.Digest {
	w.Helper()
	d, _, err := w.v.Keep(w.Context(), strings.NewReader(s), 1<<20)
	if err != nil {
		w.Fatal(err)
	}
	return d
}

func size(t testing.TB, v *vault.Vault, d evidence.Digest) int64 {
	return int64(len(blobText(t, v, d)))
}

func blobText(t testing.TB, v *vault.Vault, d evidence.Digest) string {
	t.Helper()
	f, n, err := v.Blob(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil || int64(len(b)) != n {
		t.Fatalf("%d of %d bytes: %v", len(b), n, err)
	}
	return string(b)
}

func (w *world) plan(seqs ...int64) vault.ErasePlan {
	return vault.ErasePlan{By: evidence.Person("amina"), Rule: "retention", Records: seqs}
}

func (w *world) erase(p vault.ErasePlan) vault.Erasure {
	w.Helper()
	e, err := w.v.Erase(w.Context(), p)
	if err != nil {
		w.Fatal(err)
	}
	return e
}

// about returns the numbers of the records about a post.
func (w *world) about(o evidence.Ordinal) (seqs []int64) {
	w.Helper()
	if err := w.v.About(w.Context(), o, func(r evidence.Record) error { seqs = append(seqs, r.Seq); return nil }); err != nil {
		w.Fatal(err)
	}
	return seqs
}

func (w *world) view(name string) map[string]string {
	w.Helper()
	out := map[string]string{}
	if err := w.v.Each(w.Context(), name, "", func(k string, v []byte, _ int64) error { out[k] = string(v); return nil }); err != nil {
		w.Fatal(err)
	}
	return out
}

// closed closes the vault, insists that fsck finds nothing and opens it again.
func (w *world) again() vault.FsckReport {
	w.Helper()
	if err := w.v.Close(); err != nil {
		w.Fatal(err)
	}
	rep := cleanWith(w, w.v.Path(), w.o)
	v, err := vault.Open(w.v.Path(), w.o)
	if err != nil {
		w.Fatal(err)
	}
	w.v = v
	return rep
}

// grep returns the files under the vault's folder that hold a text.
func (w *world) grep(text string) (files []string) {
	w.Helper()
	err := filepath.WalkDir(w.v.Path(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(text)) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return files
}

func each(t *testing.T, test func(*world)) {
	for name, options := range sorts {
		t.Run(name, func(t *testing.T) { test(newWorld(t, options)) })
	}
}

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
