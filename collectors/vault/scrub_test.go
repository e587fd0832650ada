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

	bolt "go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

// scrubbed reads the whole vault and returns what is wrong, a line each.
func (w *world) scrubbed() []string {
	w.Helper()
	out, _, err := scrubFrom(w.Context(), w.v, vault.ScrubCursor{}, nil)
	if err != nil {
		w.Fatal(err)
	}
	return out
}

func scrubFrom(ctx context.Context, v *vault.Vault, at vault.ScrubCursor, stop func(vault.ScrubCursor) bool) (out []string, last vault.ScrubCursor, err error) {
	end := errors.New("enough")
	err = v.Scrub(ctx, vault.ScrubOptions{
		From: at,
		Pace: func(ctx context.Context, _ int64) error { return ctx.Err() },
		Moved: func(_ context.Context, at vault.ScrubCursor, _ float64) error {
			last = at
			if stop != nil && stop(at) {
				return end
			}
			return nil
		},
		Found: func(_ context.Context, d vault.Damage) error {
			what := d.Blob.String()
			if d.Part != evidence.DamagedBlob {
				what = fmt.Sprintf("%d-%d", d.Records.First, d.Records.Last)
			}
			out = append(out, d.Part+" "+what+": "+d.What)
			return nil
		},
	})
	if errors.Is(err, end) {
		err = nil
	}
	return out, last, err
}

func (w *world) fileOf(d evidence.Digest) (path string) {
	w.Helper()
	err := w.v.SnapshotBlobs(w.Context(), func(b vault.SnapshotBlob) error {
		if b.Name == d {
			path = b.Path
		}
		return nil
	})
	if err != nil || path == "" {
		w.Fatalf("blob %s has no file: %v", d, err)
	}
	return path
}

// rot flips a bit in the middle of a blob's file.
func (w *world) rot(d evidence.Digest) {
	w.Helper()
	path := w.fileOf(d)
	b, err := os.ReadFile(path)
	if err != nil {
		w.Fatal(err)
	}
	b[len(b)-3] ^= 4
	if err := os.WriteFile(path, b, 0o600); err != nil {
		w.Fatal(err)
	}
}

// behind changes the closed vault's database and opens it again.
func (w *world) behind(fn func(*bolt.Tx) error) {
	w.Helper()
	if err := w.v.Close(); err != nil {
		w.Fatal(err)
	}
	doTo(w.T, w.v.Path(), fn)
	v, err := vault.Open(w.v.Path(), w.o)
	if err != nil {
		w.Fatal(err)
	}
	w.v = v
	w.Cleanup(func() { v.Close() })
}

func begins(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("got %q, want %q", got[i], want[i])
		}
	}
}

func TestScrubFindsNothingInAWholeVault(t *testing.T) {
	each(t, func(w *world) {
		begins(w.T, w.scrubbed())
		w.erase(w.plan(w.about("a1/1")...)) // takes the own photo, and cuts the reply
		begins(w.T, w.scrubbed())
		w.compact()
		begins(w.T, w.scrubbed())
	})
}

func TestScrubNamesDamagedRecords(t *testing.T) {
	inner := tlog.StoredHashIndex(1, 1)
	for name, c := range map[string]struct {
		do   func(*bolt.Tx) error
		want string
	}{
		"body":     {change("log", be(4), flip(-10)), "record 4-4: its "},
		"envelope": {change("log", be(4), swap(`"kind":"p`, `"kind":"q`)), "record 4-4: its envelope gives the leaf hash"},
		"no line":  {change("log", be(4), func(v []byte) []byte { return bytes.ReplaceAll(v, []byte("\n"), nil) }), "record 4-4: it is not an envelope and a body"},
		"gone":     {change("log", be(4), remove), "record 4-4: it is not there"},
		"no body":  {change("log", be(4), func(v []byte) []byte { return v[:bytes.IndexByte(v, '\n')+1] }), "record 4-4: its body is gone"},
		"leaf":     {change("tree", be(0), flip(0)), "record 0-0: its envelope gives the leaf hash"},
		"inner":    {change("tree", be(inner/16), flip(int(inner%16)*32)), "tree 2-3: it is not the hash of its two children"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				w.behind(c.do)
				got := w.scrubbed()
				if len(got) == 0 || !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, c.want) }) {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		})
	}
}

// A flipped byte in the file of the database itself, under an open vault's feet.
func TestScrubNamesAFlippedByteOfTheDatabase(t *testing.T) {
	each(t, func(w *world) {
		path := filepath.Join(w.v.Path(), "vault.db")
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rec, err := w.v.Record(t.Context(), w.page[1].Seq)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for at := 0; ; n++ {
			i := bytes.Index(b[at:], append(rec.EnvelopeBytes, '\n'))
			if i < 0 {
				break
			}
			at += i + len(rec.EnvelopeBytes) + 30
			if _, err := f.WriteAt([]byte{b[at] ^ 1}, int64(at)); err != nil {
				t.Fatal(err)
			}
		}
		if n == 0 {
			t.Fatal("the record does not stand in the file")
		}
		begins(w.T, w.scrubbed(), fmt.Sprintf("record %d-%d: its ", rec.Seq, rec.Seq))
	})
}

func TestScrubFindsDamagedBlobsAndTheyAreMended(t *testing.T) {
	each(t, func(w *world) {
		whole, err := os.ReadFile(w.fileOf(w.own))
		if err != nil {
			t.Fatal(err)
		}
		w.rot(w.own)
		if err := os.Remove(w.fileOf(w.blob)); err != nil {
			t.Fatal(err)
		}
		got := w.scrubbed()
		slices.Sort(got)
		want := []string{"blob " + w.own.String() + ": it", "blob " + w.blob.String() + ": it is missing", "blob " + w.blob.String() + ": it is missing"}
		slices.Sort(want)
		begins(w.T, got, want...) // two records name the photo

		aside, err := w.v.SetAside(t.Context(), w.own)
		if err != nil || !strings.HasPrefix(aside, "damaged/"+w.own.String()) {
			t.Fatalf("%q, %v", aside, err)
		}
		if b, err := os.ReadFile(filepath.Join(w.v.Path(), aside)); err != nil || bytes.Equal(b, whole) || len(b) != len(whole) {
			t.Errorf("the damaged file is not kept: %v", err)
		}
		if again, err := w.v.SetAside(t.Context(), w.own); again != "" || err != nil {
			t.Errorf("set aside twice: %q, %v", again, err)
		}
		if err := w.v.Mend(t.Context(), w.own, strings.NewReader("something else"), false); !errors.Is(err, vault.ErrOtherBytes) {
			t.Errorf("other bytes: %v", err)
		}
		sealed := strings.HasSuffix(aside, ".sealed")
		if err := w.v.Mend(t.Context(), w.own, bytes.NewReader(whole), sealed); err != nil { // from a copy of the file
			t.Fatal(err)
		}
		if err := w.v.Mend(t.Context(), w.blob, strings.NewReader("photo "+secretText), false); err != nil { // from the platform
			t.Fatal(err)
		}
		begins(w.T, w.scrubbed())
		if seqs, err := w.v.Naming(t.Context(), w.blob); err != nil || len(seqs) != 2 {
			t.Errorf("named by %d: %v", seqs, err)
		}
		w.again()
		w.erase(w.plan(w.about("a1/1")...))
		if _, err := os.Lstat(filepath.Join(w.v.Path(), aside)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("an erasure left the damaged file: %v", err)
		}
	})
}

// A whole blob is never moved.
func TestSetAsideLeavesWholeBlobs(t *testing.T) {
	each(t, func(w *world) {
		if aside, err := w.v.SetAside(t.Context(), w.blob); aside != "" || err != nil {
			t.Errorf("%q, %v", aside, err)
		}
		if s := blobText(t, w.v, w.blob); s != "photo "+secretText {
			t.Errorf("%q", s)
		}
	})
}

// A pass that is broken off anywhere goes on from its cursor, and finds in all what one pass finds.
func TestScrubGoesOnFromItsCursor(t *testing.T) {
	each(t, func(w *world) {
		w.rot(w.own)
		w.rot(w.raw)
		want := w.scrubbed()
		var got []string
		at := vault.ScrubCursor{}
		for range 100 {
			seen := at
			found, last, err := scrubFrom(t.Context(), w.v, at, func(vault.ScrubCursor) bool { return true })
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, found...)
			if at = last; at == seen || last == (vault.ScrubCursor{}) {
				break
			}
		}
		begins(w.T, got, want...)
	})
}

func TestScrubEndsWithItsContext(t *testing.T) {
	each(t, func(w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := scrubFrom(ctx, w.v, vault.ScrubCursor{}, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}
