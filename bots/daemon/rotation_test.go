package daemon

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/secrets"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

// forger claims a key that it does not have: it signs a change of keys with nothing, and all else with the signer below it, if any.
type forger struct{ note.Signer }

func (f forger) Sign(msg []byte) ([]byte, error) {
	if strings.HasPrefix(string(msg), "muhafiz log key rotation") {
		return make([]byte, 64), nil
	}
	return f.Signer.Sign(msg)
}

// TestFsckNamesAForgedKeyChange has somebody write a change of keys into the log without the old key, and one without the new key.
func TestFsckNamesAForgedKeyChange(t *testing.T) {
	for _, without := range []string{"old", "new", ""} {
		t.Run("without "+without, func(t *testing.T) {
			key := func(name string) (note.Signer, string) {
				t.Helper()
				path := filepath.Join(t.TempDir(), name)
				if _, err := secrets.WriteLogKey(path, "log.example/test"); err != nil {
					t.Fatal(err)
				}
				s, vkey, err := secrets.LoadLogKey(path)
				if err != nil {
					t.Fatal(err)
				}
				if name == without {
					s = forger{s}
				}
				return s, vkey
			}
			old, oldKey := key("old")
			next, nextKey := key("new")
			dir := filepath.Join(t.TempDir(), "vault")
			v, err := vault.Create(dir, vault.Options{Views: Views(), Signer: old, LogKey: oldKey, Build: "test", Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := v.RotateKey(t.Context(), evidence.Vault(), next, nextKey, "test"); err != nil {
				t.Fatal(err)
			}
			seq := v.Size() - 1
			if err := v.Close(); err != nil {
				t.Fatal(err)
			}
			rep, err := vault.Fsck(t.Context(), dir, vault.FsckOptions{Views: Views()})
			if err != nil {
				t.Fatal(err)
			}
			if without == "" {
				if len(rep.Problems) != 0 {
					t.Errorf("an honest change: %v", rep.Problems)
				}
				return
			}
			want := vault.Problem{Where: "record 1", What: "it is not signed by the log's key and by the new one"}
			if seq != 1 || len(rep.Problems) != 1 || rep.Problems[0] != want {
				t.Errorf("record %d: %v, want %v", seq, rep.Problems, want)
			}
		})
	}
}
