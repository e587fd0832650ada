package vault_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
