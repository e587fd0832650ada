package secrets

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"
)

func TestNewPersonKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "amina")
	line, err := NewPersonKey(path, "amina@example.org")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(b)
	if err != nil {
		t.Fatal(err)
	}
	pub, comment, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(pub.Marshal(), signer.PublicKey().Marshal()) || comment != "amina@example.org" {
		t.Errorf("line %q is not the private key's", line)
	}
	for name, want := range map[string]os.FileMode{path: 0o600, path + ".pub": 0o644} {
		if st, err := os.Stat(name); err != nil || st.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v, want %04o", name, st.Mode().Perm(), err, want)
		}
	}
	if got, err := os.ReadFile(path + ".pub"); err != nil || string(got) != line+"\n" {
		t.Errorf(".pub holds %q, %v", got, err)
	}
	if _, err := NewPersonKey(path, "again"); !errors.Is(err, ErrExists) {
		t.Errorf("again: %v, want ErrExists", err)
	}
	if again, err := os.ReadFile(path); err != nil || !bytes.Equal(again, b) {
		t.Errorf("the key changed: %v", err)
	}
	if _, err := NewPersonKey(filepath.Join(t.TempDir(), "x"), "two\nlines"); err == nil {
		t.Error("a comment of two lines was taken")
	}
}
