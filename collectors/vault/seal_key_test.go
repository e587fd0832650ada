package vault_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// What was sealed for a file outside opens in a later run and with no other ring, and no byte of it may be changed.
func TestKeysOfFilesOutside(t *testing.T) {
	o := vaulttest.SealedOptions(t)
	path := filepath.Join(t.TempDir(), "vault")
	v, err := vault.Create(path, o)
	if err != nil {
		t.Fatal(err)
	}
	secret := []byte("thirty-two bytes, simulated key.")
	sealed, err := v.SealKey(secret)
	if err != nil || !v.Seals() || bytes.Contains(sealed, secret[:8]) {
		t.Fatalf("%x, %v", sealed, err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if v, err = vault.Open(path, o); err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if got, err := v.OpenKey(sealed); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("%q, %v", got, err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i]++
		if _, err := v.OpenKey(bad); err == nil {
			t.Errorf("byte %d was changed, and it opens", i)
		}
		if _, err := v.OpenKey(sealed[:i]); err == nil {
			t.Errorf("it opens with %d bytes", i)
		}
	}
	if _, err := vaulttest.Sealed(t).OpenKey(sealed); err == nil {
		t.Error("another vault opens it")
	}
	plain := vaulttest.New(t)
	if _, err := plain.SealKey(secret); err == nil || plain.Seals() {
		t.Error("a vault that is not sealed seals")
	}
	if _, err := plain.OpenKey(sealed); err == nil {
		t.Error("a vault that is not sealed opens")
	}
}
