package daemon

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/backup"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// TestRestoreOfASealedVault needs the key ring, and says so.
func TestRestoreOfASealedVault(t *testing.T) {
	o := vaulttest.SealedOptions(t, Views()...)
	o.Keys.Ring = filepath.Join(t.TempDir(), "ring")
	v, err := vault.Create(filepath.Join(t.TempDir(), "vault"), o)
	if err != nil {
		t.Fatal(err)
	}
	place, err := backup.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Put(t.Context(), evidence.Batch{Drafts: []evidence.Draft{vaulttest.Bind("telegram:main")}}); err != nil {
		t.Fatal(err)
	}
	_, err = backup.Run(t.Context(), backup.Options{Vault: v, To: place, Signer: o.Signer, Log: zerolog.Nop()})
	if err = errors.Join(err, v.Close()); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "fresh")
	in := RestoreRequest{RestoreOptions: backup.RestoreOptions{From: place, To: to, LogKey: o.LogKey}}
	if _, err := Restore(t.Context(), in); !errors.Is(err, vault.ErrSealed) {
		t.Errorf("without keys: %v", err)
	}
	in.Keys = o.Keys
	rep, err := Restore(t.Context(), in)
	if err != nil || len(rep.Fsck.Problems) > 0 || rep.Fsck.Sealed == 0 {
		t.Errorf("with keys: %d sealed, %v, %v", rep.Fsck.Sealed, rep.Fsck.Problems, err)
	}
	// It has more records than the ring saw in the lost vault.
	if v, err = vault.Open(to, vault.Options{Views: Views(), Keys: o.Keys, Log: zerolog.Nop()}); err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
}
