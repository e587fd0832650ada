package config

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// TestAcceptedKeys has one key of each type that people may sign with.
func TestAcceptedKeys(t *testing.T) {
	edPub, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, minRSABits)
	if err != nil {
		t.Fatal(err)
	}
	keys := []any{edPub, &rsaKey.PublicKey}
	for _, c := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, &k.PublicKey)
	}
	var lines []string
	for _, k := range keys {
		pub, err := ssh.NewPublicKey(k)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(ssh.MarshalAuthorizedKey(pub)))
	}
	blob := ssh.Marshal(struct {
		Type, Key, Application string
	}{ssh.KeyAlgoSKED25519, string(edPub), "ssh:"})
	sk, err := ssh.ParsePublicKey(blob)
	if err != nil {
		t.Fatal(err)
	}
	lines = append(lines, string(ssh.MarshalAuthorizedKey(sk)))
	for _, line := range lines {
		want := strings.TrimSpace(line)
		for _, text := range []string{want, want + " name@host", "# a comment\n" + line} {
			got, err := parsePublicKey(text)
			if err != nil {
				t.Errorf("%.40s: %v", text, err)
				continue
			}
			if got.Line != want || !fingerprintForm.MatchString(got.Fingerprint) || !strings.HasPrefix(want, got.Type+" ") {
				t.Errorf("%.40s: got %+v", text, got)
			}
		}
	}
}

func TestRoles(t *testing.T) {
	for role, want := range map[string][2]bool{
		RoleAnalyst: {true, false}, RoleReviewer: {true, true}, RoleSenior: {true, true},
		RoleLegal: {false, false}, RoleOperator: {false, false}, RoleAuditor: {false, false},
	} {
		p := Person{Roles: []string{role}}
		if got := [2]bool{p.CanDecide(), p.CanApprove()}; got != want {
			t.Errorf("%s: decides, approves %v, want %v", role, got, want)
		}
	}
}
