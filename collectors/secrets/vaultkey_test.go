package secrets_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/secrets"
)

func TestVaultKeys(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "vault.key")
	public, err := secrets.WriteVaultKey(file)
	if err != nil || !strings.HasPrefix(public, "age1") {
		t.Fatal(public, err)
	}
	if _, err := secrets.WriteVaultKey(file); !errors.Is(err, secrets.ErrExists) {
		t.Errorf("written over: %v", err)
	}
	phrase := filepath.Join(dir, "phrase")
	if err := os.WriteFile(phrase, []byte("a simulated passphrase\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := secrets.LoadVaultKey(file, "")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := key.Seal([]byte("simulated"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := key.Open(sealed); err != nil || string(got) != "simulated" {
		t.Errorf("%q, %v", got, err)
	}
	if again, err := secrets.LoadVaultKey("credential:vault.key", dir); err != nil {
		t.Error(err)
	} else if got, err := again.Open(sealed); err != nil || string(got) != "simulated" {
		t.Errorf("as a credential: %q, %v", got, err)
	}
	other, err := secrets.LoadVaultKey(phrase, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Open(sealed); err == nil {
		t.Error("another key opened it")
	}
	if sealed, err = other.Seal([]byte("simulated")); err != nil {
		t.Fatal(err)
	}
	if got, err := other.Open(sealed); err != nil || string(got) != "simulated" {
		t.Errorf("with a passphrase: %q, %v", got, err)
	}
	if s := fmt.Sprintf("%v %s %+v", key, other, other); strings.Contains(s, "simulated passphrase") || strings.Contains(s, "AGE-SECRET") {
		t.Errorf("the key shows itself: %s", s)
	}
}

func TestVaultKeysRefused(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"short":  {"tiny one", 0o600, "at least 12 characters"},
		"open":   {"a simulated passphrase", 0o644, "chmod 600"},
		"broken": {"AGE-SECRET-KEY-1BROKEN", 0o600, "exactly one age X25519 identity"},
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := secrets.LoadVaultKey(file, ""); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for where, want := range map[string]string{"credential:x": "LoadCredentialEncrypted=x", "credential:": "names no credential", dir + "/none": "no such file"} {
		if _, err := secrets.LoadVaultKey(where, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", where, err)
		}
	}
}
