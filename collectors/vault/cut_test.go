package vault_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// pages returns how many bytes of a closed vault.db the last commit counts, and the file's length.
func pages(t *testing.T, file string) (used, length int64) {
	t.Helper()
	db, err := bolt.Open(file, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(func(tx *bolt.Tx) error { used = tx.Size(); return nil })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return used, st.Size()
}

// bbolt takes space 16 MiB at a time, so that half of a small vault's file was never used: without it everything is there. A file that
// ends before the highest page that the last commit counts is refused, wherever it ends.
func TestAFileThatIsCutShort(t *testing.T) {
	o := vaulttest.Options(t, vaulttest.Tally())
	path := filepath.Join(t.TempDir(), "vault")
	v, err := vault.Create(path, o)
	if err != nil {
		t.Fatal(err)
	}
	db := filepath.Join(path, "vault.db")
	if used, length := pages(t, closedCopy(t, v)); used > length/2 {
		t.Fatalf("a new vault uses %d of %d bytes: this test shows nothing", used, length)
	}
	put(t, v, vaulttest.Bind("telegram/main"))
	text := strings.Repeat("A simulated text. ", 400)
	for i := range 25 { // about 18 MB of bodies: more than half of the file that they need
		var texts []string
		for j := range 100 {
			texts = append(texts, fmt.Sprint(i, j, text))
		}
		put(t, v, posts("telegram/main", 1+i, texts...)...)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	used, length := pages(t, db)
	t.Logf("%d bytes in use, the file has %d", used, length)
	if used <= length/2 || used >= length {
		t.Fatal("half of the file is not certainly in use")
	}
	page := int64(os.Getpagesize())
	for _, c := range []struct {
		name string
		at   int64
		ok   bool
	}{
		{"in half", length / 2, false},
		{"within the last page", used - 1, false},
		{"before the last page", used - page, false},
		{"to four pages", 4 * page, false},
		{"to its two heads", 2 * page, false},
		{"within its heads", page, false},
		{"to nothing", 0, false},
		{"after the last page", used, true},
		{"between that and the end", (used + length) / 2, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := copyVault(t, path)
			if err := os.Truncate(filepath.Join(at, "vault.db"), c.at); err != nil {
				t.Fatal(err)
			}
			rep, err := vault.Fsck(t.Context(), at, vault.FsckOptions{Views: o.Views})
			if err != nil || (len(rep.Problems) == 0) != c.ok {
				t.Errorf("fsck: %v %v", rep.Problems, err)
			}
			if c.ok && rep.Records != v.Size() {
				t.Errorf("fsck saw %d of %d records", rep.Records, v.Size())
			}
			again, err := vault.Open(at, o)
			if c.ok != (err == nil) || !c.ok && !errors.Is(err, vault.ErrDamaged) {
				t.Errorf("open: %v", err)
			}
			if err == nil {
				put(t, again, posts("telegram/main", 1000, "afterwards")...)
				if err := again.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// closedCopy returns the vault.db of a copy of a vault that is open and at rest.
func closedCopy(t *testing.T, v *vault.Vault) string {
	t.Helper()
	return filepath.Join(copyVault(t, v.Path()), "vault.db")
}
