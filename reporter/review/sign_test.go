package review_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// keyFile writes a fresh private key, encrypted where there is a passphrase.
func keyFile(t *testing.T, passphrase string) (string, ed25519.PrivateKey) {
	t.Helper()
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var block *pem.Block
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(priv, "simulated")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(priv, "simulated", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, priv
}

func TestFileSigner(t *testing.T) {
	plain, _ := keyFile(t, "")
	if _, err := review.FileSigner(plain, nil); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(plain, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := review.FileSigner(plain, nil); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("got %v", err)
	}
	locked, _ := keyFile(t, "word")
	if _, err := review.FileSigner(locked, nil); err == nil || !strings.Contains(err.Error(), "is encrypted") {
		t.Errorf("got %v", err)
	}
	word := "wrong"
	ask := func() ([]byte, error) { return []byte(word), nil }
	if _, err := review.FileSigner(locked, ask); err == nil {
		t.Error("a wrong passphrase opened the key")
	}
	word = "word"
	if _, err := review.FileSigner(locked, ask); err != nil {
		t.Error(err)
	}
	if _, err := review.FileSigner(filepath.Join(t.TempDir(), "none"), nil); err == nil {
		t.Error("no file, no error")
	}
}

func TestAgentSigner(t *testing.T) {
	_, priv := keyFile(t, "")
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: priv}); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "agent")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	sock := filepath.Join(dir, "s")
	l, err := net.Listen("unix", sock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); _ = agent.ServeAgent(ring, c) }()
		}
	}()
	want, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	s, closeAgent, err := review.AgentSigner(sock, ssh.FingerprintSHA256(want.PublicKey()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := review.Sign("{}", s); err != nil {
		t.Error(err)
	}
	if err := closeAgent(); err != nil {
		t.Error(err)
	}
	if _, _, err := review.AgentSigner(sock, "SHA256:other"); err == nil || !strings.Contains(err.Error(), "ssh-add") {
		t.Errorf("got %v", err)
	}
	if _, _, err := review.AgentSigner(sock+"-none", "x"); err == nil {
		t.Error("no agent, no error")
	}
}

// A statement that ssh-keygen signed is taken, and ssh-keygen takes one that Sign signed.
func TestSSHKeygenAgrees(t *testing.T) {
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("not applicable: ssh-keygen is not installed")
	}
	d, post := approvedDesk(t)
	path, priv := keyFile(t, "")
	d.keys["ana"], err = ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	d.enlist("ana", "analyst", d.keys["ana"], false)
	payload := d.prepare("ana", input(post))

	dir := t.TempDir()
	signers := filepath.Join(dir, "allowed_signers")
	line := "ana " + string(ssh.MarshalAuthorizedKey(d.keys["ana"].PublicKey()))
	if err := os.WriteFile(signers, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	ours := filepath.Join(dir, "ours.sig")
	if err := os.WriteFile(ours, []byte(d.sign("ana", payload).Signature), 0o600); err != nil {
		t.Fatal(err)
	}
	check := exec.CommandContext(t.Context(), keygen, "-Y", "verify", "-f", signers, "-I", "ana", "-n", evidence.SignatureNamespace, "-s", ours)
	check.Stdin = strings.NewReader(payload)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	sign := exec.CommandContext(t.Context(), keygen, "-Y", "sign", "-f", path, "-n", evidence.SignatureNamespace)
	sign.Stdin = strings.NewReader(payload)
	var sig bytes.Buffer
	sign.Stdout = &sig
	if err := sign.Run(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Decide(t.Context(), "ana", evidence.Signed{Payload: payload, Signature: sig.String()}); err != nil {
		t.Error(err)
	}
}
