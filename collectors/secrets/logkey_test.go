package secrets

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

func TestLogKeyRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "log")
	vkey, err := WriteLogKey(path, "example.org/log")
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := st.Mode().Perm(); got != 0o600 {
		t.Errorf("mode %04o, want 0600", got)
	}
	signer, got, err := LoadLogKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != vkey {
		t.Errorf("derived vkey %s, want %s", got, vkey)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := note.Sign(&note.Note{Text: "example.org/log\n1\nAAAA\n"}, signer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(msg, note.VerifierList(verifier)); err != nil {
		t.Errorf("a note signed by the loaded key: %v", err)
	}
}

// TestLogKeyManyNames derives the public key for many keys, since base64 may hold the separator.
func TestLogKeyManyNames(t *testing.T) {
	for range 200 {
		skey, vkey, err := NewLogKey("muhafiz.example/α")
		if err != nil {
			t.Fatal(err)
		}
		got, err := publicOf("muhafiz.example/α", skey)
		if err != nil || got != vkey {
			t.Fatalf("publicOf = %q, %v, want %q", got, err, vkey)
		}
		if _, err := LogKeyPEM(vkey); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLogKeyRefusals(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode fs.FileMode) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(p, mode); err != nil {
			t.Fatal(err)
		}
		return p
	}
	skey, vkey, err := NewLogKey("example.org/log")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{write("group", skey, 0o640), "mode 0640); run: chmod 600 " + filepath.Join(dir, "group")},
		{write("it's others", skey, 0o604), `chmod 600 '` + dir + `/it'\''s others'`},
		{write("public", vkey, 0o600), "holds no log key"},
		{write("empty", "", 0o600), "holds no log key"},
		{write("large", strings.Repeat("x", maxKeyFile+1), 0o600), "not a key"},
		{dir, "not a regular file"},
	} {
		_, _, err := LoadLogKey(c.path)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.path, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), skey[len(skey)-20:]) {
			t.Errorf("%s: the error shows the key", c.path)
		}
	}
	if _, _, err := LoadLogKey(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v, want fs.ErrNotExist", err)
	}
	if _, err := WriteLogKey(filepath.Join(dir, "group"), "example.org/log"); !errors.Is(err, ErrExists) {
		t.Errorf("overwrite: %v, want ErrExists", err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "group")); err != nil || string(b) != skey {
		t.Errorf("the key that was there changed: %v", err)
	}
	for _, origin := range []string{"two words", "a+b"} {
		if _, _, err := NewLogKey(origin); err == nil {
			t.Errorf("origin %q was taken", origin)
		}
	}
	_, one, err := NewLogKey("")
	if err != nil {
		t.Fatal(err)
	}
	_, two, err := NewLogKey("")
	if err != nil || strings.SplitN(one, "+", 2)[0] == strings.SplitN(two, "+", 2)[0] {
		t.Errorf("two logs without a name: %s, %s, %v, want two names", one, two, err)
	}
	if _, err := LogKeyPEM("nonsense"); err == nil {
		t.Error("a vkey of nonsense was taken")
	}
}

func TestLogKeyPEM(t *testing.T) {
	skey, vkey, err := NewLogKey("example.org/log")
	if err != nil {
		t.Fatal(err)
	}
	b, err := LogKeyPEM(vkey)
	if err != nil {
		t.Fatal(err)
	}
	block, rest := pem.Decode(b)
	if block == nil || len(rest) > 0 {
		t.Fatalf("not one PEM block: %q", b)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	pub, ok := key.(ed25519.PublicKey)
	if !ok {
		t.Fatalf("%T, want an Ed25519 key", key)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	text := []byte("example.org/log\n7\nroot\n")
	sig, err := signer.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	if !ed25519.Verify(pub, text, sig) {
		t.Error("the PEM key does not verify the signer's signature")
	}
	opensslVerifies(t, b, text, sig)
}

// opensslVerifies asks openssl as well, where there is one.
func opensslVerifies(t *testing.T, pub, text, sig []byte) {
	t.Helper()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Log("openssl is not installed: its verdict was not asked for")
		return
	}
	dir := t.TempDir()
	for name, b := range map[string][]byte{"pub.pem": pub, "text": text, "sig": sig} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(openssl, "pkeyutl", "-verify", "-pubin", "-inkey", "pub.pem", "-rawin", "-in", "text", "-sigfile", "sig")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("openssl: %v: %s", err, out)
	}
}
