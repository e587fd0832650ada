package secrets

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
)

const testPassphrase = "a simulated passphrase"

// sealedKey writes a sealed key with a work factor for tests.
func sealedKey(t *testing.T) (path, skey, vkey string) {
	t.Helper()
	skey, vkey, err := NewLogKey("example.org/log")
	if err != nil {
		t.Fatal(err)
	}
	b, err := sealKey(skey+"\n", testPassphrase, 10)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "sealed")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, skey, vkey
}

func says(pass string) func() (string, error) { return func() (string, error) { return pass, nil } }

func TestSealedLogKey(t *testing.T) {
	path, skey, want := sealedKey(t)
	if _, got, err := OpenLogKey(LogKeySource{At: path, Passphrase: says(testPassphrase)}); err != nil || got != want {
		t.Fatalf("%s %v, want %s", got, err, want)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, b []byte) string {
		t.Helper()
		p := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	if _, got, err := OpenLogKey(LogKeySource{At: write("binary", fullBinary(t, skey)), Passphrase: says(testPassphrase)}); err != nil || got != want {
		t.Errorf("without armour: %s %v", got, err)
	}
	for name, c := range map[string]struct {
		path string
		pass func() (string, error)
		want string
	}{
		"wrong":        {path, says("another passphrase"), "the passphrase does not open " + path},
		"none":         {path, nil, "there is nobody to ask for it: put log_key_passphrase"},
		"empty":        {path, says(""), "no passphrase was given"},
		"cut off":      {write("cut", b[:len(b)/2]), says(testPassphrase), "is damaged"},
		"for a key":    {write("x25519", forX25519(t)), says(testPassphrase), "is not sealed with a passphrase but for another key"},
		"of no key":    {write("nothing", mustSeal(t, "nothing")), says(testPassphrase), "holds no log key"},
		"not a sealed": {write("plain", []byte("age-plugin")), says(testPassphrase), "holds no log key"},
	} {
		_, _, err := OpenLogKey(LogKeySource{At: c.path, Passphrase: c.pass})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), testPassphrase) || strings.Contains(err.Error(), skey[len(skey)-20:])) {
			t.Errorf("%s: the error shows a secret", name)
		}
	}
}

func mustSeal(t *testing.T, text string) []byte {
	t.Helper()
	b, err := sealKey(text, testPassphrase, 10)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func fullBinary(t *testing.T, skey string) []byte {
	t.Helper()
	to, err := age.NewScryptRecipient(testPassphrase)
	if err != nil {
		t.Fatal(err)
	}
	to.SetWorkFactor(10)
	return seal(t, skey, to)
}

func forX25519(t *testing.T) []byte {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return seal(t, "x", id.Recipient())
}

func seal(t *testing.T, text string, to age.Recipient) []byte {
	t.Helper()
	var out strings.Builder
	w, err := age.Encrypt(&out, to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return []byte(out.String())
}

func TestWriteSealedLogKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "log")
	if _, err := WriteSealedLogKey(path, "example.org/log", "short"); err == nil || !strings.Contains(err.Error(), "at least 12") {
		t.Errorf("a short passphrase: %v", err)
	}
	vkey, err := WriteSealedLogKey(path, "example.org/log", testPassphrase)
	if err != nil {
		t.Fatal(err)
	}
	if _, got, err := OpenLogKey(LogKeySource{At: path, Passphrase: says(testPassphrase)}); err != nil || got != vkey {
		t.Errorf("%s %v, want %s", got, err, vkey)
	}
	if _, err := WriteSealedLogKey(path, "example.org/log", testPassphrase); err == nil {
		t.Error("a key was overwritten")
	}
}

func TestCredential(t *testing.T) {
	dir := t.TempDir()
	skey, want, err := NewLogKey("example.org/log")
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, mode os.FileMode) {
		t.Helper()
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(skey), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(p, mode); err != nil {
			t.Fatal(err)
		}
	}
	write("log", 0o440) // as systemd's ACL shows
	write("world", 0o444)
	env := func(string) string { return dir }
	if _, got, err := OpenLogKey(LogKeySource{At: "credential:log", Getenv: env}); err != nil || got != want {
		t.Errorf("%s %v, want %s", got, err, want)
	}
	for at, msg := range map[string]string{
		"credential:other":   "the unit hands over no credential other: add LoadCredential=other:FILE",
		"credential:world":   "can be read or changed by others (mode 0444)",
		"credential:../log":  "is not the name of a systemd credential",
		"credential:":        "is not the name of a systemd credential",
		"credential:a/b":     "is not the name of a systemd credential",
		"credential:.hidden": "is not the name of a systemd credential",
	} {
		if _, _, err := OpenLogKey(LogKeySource{At: at, Getenv: env}); err == nil || !strings.Contains(err.Error(), msg) {
			t.Errorf("%s: %v, want %q", at, err, msg)
		}
	}
	_, _, err = OpenLogKey(LogKeySource{At: "credential:log", Getenv: func(string) string { return "" }})
	if err == nil || !strings.Contains(err.Error(), "CREDENTIALS_DIRECTORY is not set") {
		t.Errorf("without systemd: %v", err)
	}
}

// TestStrangersKey needs root, who alone can give a file away.
func TestStrangersKey(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not applicable: only root can give a file to another user")
	}
	path := filepath.Join(t.TempDir(), "log")
	if _, err := WriteLogKey(path, "example.org/log"); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 65534, -1); err != nil {
		t.Fatal(err)
	}
	if _, _, err := LoadLogKey(path); err == nil || !strings.Contains(err.Error(), "belongs to another user (id 65534)") || !strings.Contains(err.Error(), "chown 0 "+path) {
		t.Errorf("%v", err)
	}
}

// TestAgeOpensASealedKey asks the age program, where there is one: a key must not depend on us.
func TestAgeOpensASealedKey(t *testing.T) {
	if _, err := exec.LookPath("age"); err != nil {
		t.Skip("not applicable: age is not installed")
	}
	if _, err := exec.LookPath("script"); err != nil {
		t.Skip("not applicable: age asks on a terminal, and there is no script(1) to play one")
	}
	path, skey, _ := sealedKey(t)
	cmd := exec.Command("script", "-qec", "age -d "+path, "/dev/null")
	cmd.Stdin = strings.NewReader(testPassphrase + "\n")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), skey) {
		t.Errorf("age: %v", err)
	}
}
