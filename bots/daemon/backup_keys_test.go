package daemon

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/muhafiz/muhafiz/config"
)

// TestCopyKeysTakesKeyRings copies the ring in the vault's folder, and one that is named as a folder.
func TestCopyKeysTakesKeyRings(t *testing.T) {
	dir := t.TempDir()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"vault/keyring/ring.json", "vault/keyring/00_state.key", "elsewhere/ring.json", "to/x"} {
		p = filepath.Join(dir, p)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte("simulated"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := &config.Config{Vault: filepath.Join(dir, "vault"), Backup: &config.Backup{Keys: &config.BackupKeys{
		To: filepath.Join(dir, "to"), Recipients: []string{id.Recipient().String()}, Keep: 1,
	}}}
	absent := filepath.Join(dir, "absent")
	out, err := CopyKeys(c, []string{filepath.Join(dir, "elsewhere"), absent}, time.Unix(1, 0))
	want := []string{"keyring/00_state.key", "keyring/ring.json", "also/1/elsewhere/ring.json"}
	if err != nil || !slices.Equal(out.Holds, want) || !slices.Equal(out.Lacking, []string{absent}) {
		t.Errorf("%+v, %v", out, err)
	}
}
