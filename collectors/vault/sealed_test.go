package vault_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/secrets"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// inside are words of every sort of content that newWorld puts in: a post, a person's name, a cursor, names of accounts and people.
var inside = []string{secretText, secretPerson, "second", "fourth", "telegram channel 1", "amina", "photo 0"}

func TestNothingStandsInTheClear(t *testing.T) {
	plain := newWorld(t, vaulttest.Options)
	plain.again()
	for _, text := range inside {
		if len(plain.grep(text)) == 0 {
			t.Errorf("%q is not in a plain vault: the test looks for nothing", text)
		}
	}
	w := newWorld(t, vaulttest.SealedOptions)
	w.again()
	for _, text := range inside {
		if files := w.grep(text); len(files) > 0 {
			t.Errorf("%q stands in the clear in %v", text, files)
		}
	}
	w.erase(w.plan(w.about("a1/1")...))
	w.again()
	for _, text := range inside {
		if files := w.grep(text); len(files) > 0 {
			t.Errorf("after an erasure %q stands in the clear in %v", text, files)
		}
	}
}

// A vault that was plain is sealed from then on; compaction seals what was there before.
func TestSealingBeginsLater(t *testing.T) {
	w := newWorld(t, vaulttest.Options)
	w.o.Keys = &vault.Keys{Sealer: vaulttest.NewKey()}
	if err := w.v.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(w.v.Path(), "vault.db"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(w.v.Path(), w.o)
	if err != nil {
		t.Fatal(err)
	}
	w.v = v
	later := w.observe("a later text")
	if r, err := w.v.Record(t.Context(), w.page[1].Seq); err != nil || !bytes.Contains(r.Body, []byte(secretText)) {
		t.Errorf("what was plain: %v", err)
	}
	if data, err := w.v.Cursor(t.Context(), "telegram/main t1"); err != nil || string(data) != "cursor "+secretText {
		t.Errorf("the cursor: %q, %v", data, err)
	}
	if s := blobText(t, w.v, w.blob); s != "photo "+secretText {
		t.Errorf("the blob: %q", s)
	}
	if o, err := w.v.Ordinal(t.Context(), evidence.Person("amina")); err != nil || o != "u1" {
		t.Errorf("a name: %s, %v", o, err)
	}
	if rep := w.again(); rep.Sealed != int64(len(later)) {
		t.Errorf("%d bodies are sealed, want %d", rep.Sealed, len(later))
	}
	w.compact()
	if rep := w.again(); rep.Sealed != rep.Records-2 { // vault.created, vault.compacted
		t.Errorf("%d of %d bodies are sealed", rep.Sealed, rep.Records)
	}
	for _, text := range append(inside, "a later text") {
		if files := w.grep(text); len(files) > 0 {
			t.Errorf("%q stands in the clear in %v", text, files)
		}
	}
	if s := blobText(t, w.v, w.blob); s != "photo "+secretText {
		t.Errorf("the blob: %q", s)
	}
	w.v.Close()
	copied := copyVault(t, w.v.Path())
	if err := os.WriteFile(filepath.Join(copied, "vault.db"), before, 0o600); err != nil {
		t.Fatal(err)
	}
	if v, err := vault.Open(copied, w.o); !errors.Is(err, vault.ErrOlder) {
		t.Errorf("with the vault.db from before it was sealed: %v", err)
		v.Close()
	}
}

// compact closes, compacts and opens again.
func (w *world) compact() evidence.VaultCompacted {
	w.Helper()
	if err := w.v.Close(); err != nil {
		w.Fatal(err)
	}
	b, err := vault.Compact(w.Context(), w.v.Path(), w.o, nil)
	if err != nil {
		w.Fatal(err)
	}
	if w.v, err = vault.Open(w.v.Path(), w.o); err != nil {
		w.Fatal(err)
	}
	last, err := w.v.Record(w.Context(), w.v.Size()-1)
	if err != nil || last.Kind != evidence.KindVaultCompacted {
		w.Fatalf("the last record is %s, %v", last.Kind, err)
	}
	return b
}

func TestCompactFreesWhatWasErased(t *testing.T) {
	each(t, func(w *world) {
		for i := range 200 {
			w.observe("filler " + strings.Repeat(secretText+" ", 20) + string(rune('a'+i%26)))
		}
		var seqs []int64
		for _, o := range []evidence.Ordinal{"a1/1"} {
			seqs = append(seqs, w.about(o)...)
		}
		w.erase(w.plan(seqs...))
		if w.o.Keys == nil && len(w.grep("filler")) == 0 {
			w.Error("nothing lingers in the free pages: the test looks for nothing")
		}
		want := w.view("texts")
		keys, err := filepath.Glob(filepath.Join(w.v.Path(), "keyring", "*_a1_2026-03.key"))
		if err != nil {
			w.Fatal(err)
		}
		b := w.compact()
		if b.After > b.Before {
			w.Errorf("%d bytes became %d", b.Before, b.After)
		}
		for _, text := range []string{"filler", secretText} {
			for _, f := range w.grep(text) {
				if b, err := os.ReadFile(f); err != nil || !bytes.Contains(b, []byte("photo "+secretText)) && filepath.Base(f) != "vault.db" || bytes.Contains(b, []byte("filler")) {
					w.Errorf("%q is still in %s: %v", text, f, err)
				}
			}
		}
		if w.o.Keys != nil {
			if len(b.Keys) == 0 || b.Resealed == 0 || len(keys) != 1 {
				w.Errorf("%+v, keys %v", b, keys)
			}
			for _, k := range keys {
				if _, err := os.Stat(k); !errors.Is(err, os.ErrNotExist) {
					w.Errorf("the key %s is still there: %v", k, err)
				}
			}
		}
		if got := w.view("texts"); len(got) != len(want) {
			w.Errorf("%d posts, want %d", len(got), len(want))
		}
		if s := blobText(w, w.v, w.blob); s != "photo "+secretText {
			w.Errorf("a blob that stays: %q", s)
		}
		w.again()
		// Once more there is nothing to do.
		if b := w.compact(); b.Resealed != 0 || len(b.Keys) != 0 {
			w.Errorf("again: %+v", b)
		}
		w.again()
	})
}

// Whatever is wrong with keys, folders and files is said with a next step, and nothing is changed.
func TestOpenRefusesASealedVault(t *testing.T) {
	w := newWorld(t, vaulttest.SealedOptions)
	older := t.TempDir() + "/older"
	if err := w.v.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(older, os.DirFS(w.v.Path())); err != nil {
		t.Fatal(err)
	}
	w.again()
	w.observe("one more")
	w.v.Close()
	other := newWorld(t, vaulttest.SealedOptions)
	other.v.Close()
	replaced := func(p, from string) {
		if err := os.RemoveAll(filepath.Join(p, "keyring")); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(filepath.Join(p, "keyring"), os.DirFS(filepath.Join(from, "keyring"))); err != nil {
			t.Fatal(err)
		}
		guard(t, filepath.Join(p, "keyring"))
	}
	for name, c := range map[string]struct {
		do   func(path string, o *vault.Options)
		want string
	}{
		"no key":             {func(_ string, o *vault.Options) { o.Keys = nil }, "give its vault key and key ring"},
		"another key":        {func(_ string, o *vault.Options) { o.Keys = &vault.Keys{Sealer: vaulttest.NewKey()} }, "give the key that the ring was made with"},
		"no key ring":        {func(p string, _ *vault.Options) { os.RemoveAll(filepath.Join(p, "keyring")) }, "is missing: restore it from its own backup"},
		"an empty key ring":  {func(p string, _ *vault.Options) { os.Remove(filepath.Join(p, "keyring", "ring.json")) }, "there is no key ring in"},
		"a ring cut short":   {func(p string, _ *vault.Options) { os.Truncate(filepath.Join(p, "keyring", "ring.json"), 20) }, "ring.json is damaged"},
		"another's key ring": {func(p string, o *vault.Options) { replaced(p, other.v.Path()); o.Keys = other.o.Keys }, "belongs to the vault"},
		"the ring open":      {func(p string, _ *vault.Options) { os.Chmod(filepath.Join(p, "keyring"), 0o750) }, "chmod 700"},
		"a ring's file open": {func(p string, _ *vault.Options) { os.Chmod(filepath.Join(p, "keyring", "ring.json"), 0o644) }, "chmod 600"},
		"the vault open":     {func(p string, _ *vault.Options) { os.Chmod(p, 0o777) }, "others can change the vault's folder"},
		"the vault another's": {func(p string, _ *vault.Options) {
			if os.Geteuid() != 0 || os.Chown(p, 1, 1) != nil {
				t.Skip("only root can give a folder away")
			}
		}, "belongs to user 1, and this is user 0"},
		"the ring another's": {func(p string, _ *vault.Options) {
			if os.Geteuid() != 0 || os.Chown(filepath.Join(p, "keyring"), 1, 1) != nil {
				t.Skip("only root can give a folder away")
			}
		}, "belongs to user 1, and this is user 0"},
		"the state's key":     {func(p string, _ *vault.Options) { removeKeys(t, p, "_state") }, "restore the key ring from its own backup"},
		"a key's file broken": {func(p string, _ *vault.Options) { flipAll(t, p, "_state") }, "is damaged, renamed or of another key ring"},
		"an older vault.db": {func(p string, _ *vault.Options) {
			b, err := os.ReadFile(filepath.Join(older, "vault.db"))
			if err == nil {
				err = os.WriteFile(filepath.Join(p, "vault.db"), b, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}, "put back the newest vault.db"},
		"a newer version": {func(p string, _ *vault.Options) {
			doTo(t, p, change("meta", []byte("format"), func([]byte) []byte { return []byte("5") }))
		}, "use the muhafiz that wrote it, or a newer one"},
		"vault.db cut short": {func(p string, _ *vault.Options) { os.Truncate(filepath.Join(p, "vault.db"), 40<<10) }, "restore it from a backup"},
	} {
		t.Run(name, func(t *testing.T) {
			path, o := copyVault(t, w.v.Path()), w.o
			c.do(path, &o)
			v, err := vault.Open(path, o)
			if err == nil {
				v.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	path, o := copyVault(t, older), w.o
	replaced(path, w.v.Path())
	keys := *o.Keys
	keys.Restored = true
	o.Keys = &keys
	v, err := vault.Open(path, o)
	if err != nil {
		t.Fatalf("an older vault.db that was restored: %v", err)
	}
	v.Close()
}

func flipAll(t *testing.T, path, part string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(path, "keyring", "*"+part+"*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no keys like %s: %v", part, err)
	}
	for _, f := range files {
		flipFile(t, f)
	}
}

// The vault keys of package secrets fit.
func TestVaultKeyOfSecrets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "vault.key")
	if _, err := secrets.WriteVaultKey(file); err != nil {
		t.Fatal(err)
	}
	key, err := secrets.LoadVaultKey(file, "")
	if err != nil {
		t.Fatal(err)
	}
	phrase, err := secrets.PassphraseKey("a test", "a simulated passphrase")
	if err != nil {
		t.Fatal(err)
	}
	ring := filepath.Join(t.TempDir(), "ring")
	o := vaulttest.Options(t)
	o.Keys = &vault.Keys{Ring: ring, Sealer: key}
	v, err := vault.Create(filepath.Join(t.TempDir(), "vault"), o)
	if err != nil {
		t.Fatal(err)
	}
	put(t, v, vaulttest.Bind("telegram/main"))
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if err := vault.RekeyRing(ring, key, phrase); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.Open(v.Path(), o); !errors.Is(err, vault.ErrVaultKey) {
		t.Errorf("with the old key: %v", err)
	}
	o.Keys.Sealer = phrase
	cleanWith(t, v.Path(), o)
}
