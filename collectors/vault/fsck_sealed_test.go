package vault_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

func TestFsckWithoutTheKey(t *testing.T) {
	w := newWorld(t, vaulttest.SealedOptions)
	if _, err := w.v.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.erase(w.plan(w.about("a1/2")...))
	w.v.Close()
	rep, err := vault.Fsck(t.Context(), w.v.Path(), vault.FsckOptions{Views: w.o.Views})
	if err != nil || len(rep.Problems) > 0 {
		t.Fatalf("%v, %v", rep.Problems, err)
	}
	if len(rep.Unchecked) != 4 || rep.Checkpoints != 1 || rep.Erased != 2 || rep.Sealed == 0 || rep.Vault == "" {
		t.Errorf("%+v", rep)
	}
	// What it can look at, it looks at.
	doTo(t, w.v.Path(), change("log", be(w.page[1].Seq), func(v []byte) []byte { return v[:bytes.IndexByte(v, '\n')+1] }))
	rep, err = vault.Fsck(t.Context(), w.v.Path(), vault.FsckOptions{Views: w.o.Views})
	if err != nil || len(rep.Problems) == 0 || !strings.Contains(rep.Problems[0].What, "no record says that it was erased") {
		t.Errorf("a body that is gone: %v, %v", rep.Problems, err)
	}
}

func TestFsckOpensWhatIsSealed(t *testing.T) {
	w := newWorld(t, vaulttest.SealedOptions)
	erased := w.about("a1/2")
	w.erase(w.plan(erased...))
	w.v.Close()
	s := w.blob.String()
	file := filepath.Join("blobs", "sealed", s[:2], s)
	for name, c := range map[string]struct {
		do   func(path string)
		want string
	}{
		"a body":            {func(p string) { doTo(t, p, change("log", be(w.page[1].Seq), flip(-1))) }, "its sealed body: it does not open with its key"},
		"a body of another": {func(p string) { doTo(t, p, swapBodies(w.page[1].Seq, w.page[3].Seq)) }, "its sealed body: it does not open with its key"},
		"a value of a view": {func(p string) { doTo(t, p, change("view/texts/1", []byte("a1/1"), flip(-1))) }, `view texts: the key "a1/1" the value of "a1/1": it does not open`},
		"a name":            {func(p string) { doTo(t, p, change("ordinals", append([]byte("a"), be(1)...), flip(-1))) }, "bucket ordinals: a1"},
		"a name's key":      {func(p string) { doTo(t, p, dropName) }, "bucket names"},
		"a blob":            {func(p string) { flipFile(t, filepath.Join(p, file)) }, "blob " + s},
		"a blob gone":       {func(p string) { os.Remove(filepath.Join(p, file)) }, "it is missing, and record"},
		"a key":             {func(p string) { removeKeys(t, p, "_a1_") }, "its data key is not in the key ring"},
		"an erased body is back": {func(p string) {
			doTo(t, p, change("log", be(erased[0]), func(v []byte) []byte { return append(v, "{}"...) }))
		}, ""},
		"the list of blobs": {func(p string) {
			doTo(t, p, func(tx *bolt.Tx) error {
				k, _ := tx.Bucket([]byte("refs")).Cursor().First()
				return tx.Bucket([]byte("refs")).Delete(bytes.Clone(k))
			})
		}, "bucket refs: it does not say that record"},
		"the list of erasures": {func(p string) { doTo(t, p, change("erased", be(erased[0]), remove)) }, "bucket erased: record"},
		"a slot of an erased": {func(p string) {
			doTo(t, p, change("log", be(w.page[4].Seq), func(v []byte) []byte { return v[:bytes.IndexByte(v, '\n')+1] }))
		}, "no record says that it was erased"},
	} {
		t.Run(name, func(t *testing.T) {
			path := copyVault(t, w.v.Path())
			c.do(path)
			rep, err := vault.Fsck(t.Context(), path, vault.FsckOptions{Views: w.o.Views, Keys: w.o.Keys})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range rep.Problems {
				if strings.Contains(p.String(), c.want) {
					return
				}
			}
			t.Errorf("no problem says %q: %v", c.want, rep.Problems)
		})
	}
}

func swapBodies(a, b int64) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error {
		log := tx.Bucket([]byte("log"))
		va, vb := bytes.Clone(log.Get(be(a))), bytes.Clone(log.Get(be(b)))
		ea, eb := bytes.IndexByte(va, '\n')+1, bytes.IndexByte(vb, '\n')+1
		return errors.Join(log.Put(be(a), append(va[:ea:ea], vb[eb:]...)), log.Put(be(b), append(vb[:eb:eb], va[ea:]...)))
	}
}

func dropName(tx *bolt.Tx) error {
	k, _ := tx.Bucket([]byte("names")).Cursor().First()
	return tx.Bucket([]byte("names")).Delete(bytes.Clone(k))
}

func flipFile(t *testing.T, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-3] ^= 1
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func removeKeys(t *testing.T, path, part string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(path, "keyring", "*"+part+"*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no keys like %s: %v", part, err)
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
}
