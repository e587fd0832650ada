package bundle

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
	"golang.org/x/mod/sumdb/note"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

func testSigner(t *testing.T, seed byte) ssh.Signer {
	t.Helper()
	s, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ssh-keygen is asked the same question, so that our reading of allowed_signers cannot drift from it.
func TestAllowedSignersAsSSHKeygenReadsThem(t *testing.T) {
	own, other := testSigner(t, 1), testSigner(t, 2)
	key := func(s ssh.Signer) string { return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.PublicKey()))) }
	const message = "simulated\n"
	sig, err := sshsig.Sign(strings.NewReader(message), own, sshsig.HashSHA512, SignatureNamespace)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	sigFile, signersFile := filepath.Join(dir, "sig"), filepath.Join(dir, "signers")
	if err := os.WriteFile(sigFile, sshsig.Armor(sig), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, line := range map[string]string{
		"plain": "me@x " + key(own), "other key": "me@x " + key(other), "other name": "you@x " + key(own), "list": "you@x,me@x " + key(own),
		"pattern": "*@x " + key(own), "question mark": "m?@x " + key(own), "excluded": "*@x,!me@x " + key(own), "namespace": `me@x namespaces="file@muhafiz" ` + key(own),
		"other namespace": `me@x namespaces="git" ` + key(own), "namespace pattern": `me@x namespaces="git,file@*" ` + key(own),
		"ended": `me@x valid-before="20200101" ` + key(own), "not yet": `me@x valid-after="29990101Z" ` + key(own), "within": `me@x valid-after="20200101",valid-before="29990101" ` + key(own),
		"authority": "me@x cert-authority " + key(own), "comment": "# me@x " + key(own), "two lines": "me@x " + key(other) + "\nme@x " + key(own), "with comment": "me@x " + key(own) + " someone's key",
		"unknown option": "me@x bogus " + key(own), "empty": "",
	} {
		if err := os.WriteFile(signersFile, []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c := exec.Command("ssh-keygen", "-Y", "verify", "-f", signersFile, "-I", "me@x", "-n", SignatureNamespace, "-s", sigFile)
		c.Stdin = strings.NewReader(message)
		want := c.Run() == nil
		err := identify([]byte(line), "me@x", own.PublicKey(), time.Now())
		if got := err == nil; got != want {
			t.Errorf("%s: ours %v, ssh-keygen's %v (%v)", name, got, want, err)
		}
	}
}

func TestCheckpointKeys(t *testing.T) {
	skey, vkey, err := note.GenerateKey(nil, "log.example/simulated")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: "log.example/simulated\n1\n" + strings.Repeat("A", 43) + "=\n"}, signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := parseCheckpoint(signed)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := LogKeyPEM(vkey)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{vkey, pem, vkey + "\n"} {
		v, err := c.verifier(key)
		if err != nil || c.signedBy(v) != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
	_, stranger, err := note.GenerateKey(nil, "log.example/simulated")
	if err != nil {
		t.Fatal(err)
	}
	if v, err := c.verifier(stranger); err != nil || c.signedBy(v) == nil {
		t.Errorf("a stranger's key of the same name passes (%v)", err)
	}
	for _, key := range []string{"x", "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----"} {
		if _, err := c.verifier(key); err == nil {
			t.Errorf("%q is taken for a key", key)
		}
	}
}

func TestUnobservedCountsOverlapsOnce(t *testing.T) {
	at := func(m int) evidence.Time { return evidence.At(time.Date(2031, 1, 1, 0, m, 0, 0, time.UTC)) }
	gaps := []evidence.Missing{{From: at(10), To: at(20)}, {From: at(15), To: at(25)}, {From: at(50)}, {From: at(0), To: at(2)}, {From: at(16), To: at(17)}}
	c := evidence.Coverage{Live: true, From: at(1), Gaps: gaps}
	s := c.Shares(time.Time{}, at(60).Time)
	if got, want := s.Expected-s.Observed, 26*time.Minute; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestExtensions(t *testing.T) {
	for mime, want := range map[string]string{
		"image/png": "png", "image/jpeg": "jpg", "video/mp4": "mp4", "application/pdf": "pdf", "text/plain; charset=utf-8": "txt", "image/svg+xml": "bin",
		"text/html": "bin", "application/javascript": "bin", "": "bin", "image/../x": "bin", "application/zip": "bin",
	} {
		if got := extension(mime); got != want {
			t.Errorf("%q: %s, want %s", mime, got, want)
		}
	}
}

func TestManifestLines(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	for text, ok := range map[string]bool{
		sum + "  data/a\n": true, sum + " *data/a\n": true, sum + "  data/a\n" + sum + "  data/b/c.png\n": true,
		"": false, sum + "  data/a": false, sum + " data/a\n": false, sum + "  data/a\r\n": false, sum + "  data/a\n" + sum + "  data/a\n": false,
		strings.ToUpper(sum) + "  data/a\n": false, sum + "  data/../a\n": false, sum + "  /data/a\n": false, sum + "  data//a\n": false, sum + "  data/.a\n": false,
		sum + "  data/a%25\n": false, "\\" + sum + "  data/a\n": false, sum + "  bagit.txt\n": false, sum + "  data/\n": false, "\ufeff" + sum + "  data/a\n": false,
		sum + "  data/" + strings.Repeat("a", maxManifestLine) + "\n": false,
	} {
		if _, err := parseManifest(strings.NewReader(text), 64, okPayloadPath); (err == nil) != ok {
			t.Errorf("%.120q: %v", text, err)
		}
	}
	for path, ok := range map[string]bool{"bagit.txt": true, "data": false, "a/b": false, "tagmanifest-sha256.txt": false, "..": false, "fetch.txt": false} {
		if okTagPath(path) != ok {
			t.Errorf("%q: %v", path, !ok)
		}
	}
}

func FuzzManifest(f *testing.F) {
	sum := strings.Repeat("0f", 32)
	f.Add([]byte(sum + "  data/report.html\n"))
	f.Add([]byte(sum + "  data/../x\n" + sum))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseManifest(bytes.NewReader(b), 64, okPayloadPath)
		if err != nil {
			return
		}
		var again bytes.Buffer
		for _, p := range m.paths {
			if strings.Contains(p, "..") && strings.Contains(p, "/../") || !strings.HasPrefix(p, "data/") {
				t.Fatalf("%q was let through", p)
			}
			again.WriteString(m.sums[p] + "  " + p + "\n")
		}
		if !bytes.Equal(again.Bytes(), bytes.ReplaceAll(b, []byte(" *data"), []byte("  data"))) {
			t.Fatalf("%q means something else than it says", b)
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	f.Add([]byte("log.example/x\n12\n" + strings.Repeat("A", 43) + "=\n\n— log.example/x AAAA\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseCheckpoint(b)
		if err != nil {
			if !errors.Is(err, errCheckpoint) {
				t.Fatalf("unnamed error %v", err)
			}
			return
		}
		if c.Size < 1 || c.Origin == "" || strings.Contains(c.Origin, "\n") {
			t.Fatalf("%+v", c)
		}
	})
}

func FuzzProofLine(f *testing.F) {
	f.Add([]byte(`{"seq":1,"path":[]}`))
	f.Add([]byte(`{"seq": 3, "path": ["` + strings.Repeat("A", 43) + `="]}`))
	f.Add([]byte(`{"seq":1,"path":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parseProof(b)
		if err != nil {
			return
		}
		c := checkpointNote{Size: 1 << 40}
		if p.holds(c, []byte("envelope")) == nil {
			t.Fatal("a proof under the root of nothing")
		}
	})
}

// FuzzRecord feeds lines of the log's three files to the verifier.
func FuzzRecord(f *testing.F) {
	env := `{"v":1,"seq":0,"id":"00000000000000000000000000/0","kind":"access","at":"2031-01-01T00:00:00.000000Z","actor":"v0","subject":"v0","body_sha256":"` + strings.Repeat("0", 64) + `"}`
	f.Add([]byte(env), []byte(`{"salt":"00000000000000000000000000000000","schema":1,"what":"x"}`), []byte(`{"seq":0,"path":[]}`))
	f.Fuzz(func(t *testing.T, env, body, proof []byte) {
		v := &verifier{log: logFacts{leaves: map[int64]leaf{}, known: map[evidence.Digest]bool{}, sets: map[int64]*evidence.TargetSet{}}}
		v.log.checkpoint = checkpointNote{Origin: "x", Size: 1, Root: evidence.LeafHash(env)}
		if _, err := v.record(env, body, proof, -1); err != nil && !errors.Is(err, ErrBag) {
			t.Fatalf("%v does not say that the bag is wrong", err)
		}
		// The body alone, as if its envelope had committed to it.
		if e, err := evidence.ParseEnvelope(env); err == nil && len(body) > 0 {
			_ = v.body(evidence.Record{Envelope: e, EnvelopeBytes: env, Body: body})
		}
	})
}

func FuzzAllowedSigners(f *testing.F) {
	f.Add([]byte("me@x namespaces=\"a\" ssh-ed25519 AAAA\n"), "me@x")
	f.Add([]byte("\"a b\" valid-after=\"2020\" x"), "a b")
	f.Fuzz(func(t *testing.T, file []byte, id string) {
		if identify(file, id, testSigner(t, 9).PublicKey(), time.Unix(0, 0)) == nil {
			t.Fatal("a file of noise allows a key")
		}
	})
}

func FuzzVisible(f *testing.F) {
	f.Add("plain \u202e <b> \x00 \xff 👩‍🚀")
	f.Fuzz(func(t *testing.T, s string) {
		out := string(visible(s))
		for _, r := range out {
			if acts(r) {
				t.Fatalf("%U is left in %q", r, out)
			}
		}
		rest := strings.ReplaceAll(strings.ReplaceAll(out, `<span class="ctl" dir="ltr">`, ""), "</span>", "")
		if strings.ContainsAny(rest, "<>\"'") {
			t.Fatalf("markup is left in %q", out)
		}
	})
}
