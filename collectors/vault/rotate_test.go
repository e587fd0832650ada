package vault_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

func logKey(t *testing.T, name string) (note.Signer, string) {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	return s, vkey
}

func TestKeyRotation(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir() + "/vault"
	o := vaulttest.Options(t)
	first := o.LogKey
	v, err := vault.Create(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	name := o.Signer.Name()
	if _, err := v.Checkpoint(ctx); err != nil {
		t.Fatal(err)
	}
	s2, k2 := logKey(t, name)
	stranger, strange := logKey(t, "another.example/log")
	for _, c := range []struct {
		s    note.Signer
		k    string
		want string
	}{
		{stranger, strange, "make it with the log's name"},
		{o.Signer, first, "the one in use"},
		{s2, strange, "the vault's log key is"},
	} {
		if _, err := v.RotateKey(ctx, evidence.Vault(), c.s, c.k, "test"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	if _, err := v.RotateKey(ctx, evidence.Vault(), s2, k2, "a yearly change"); err != nil {
		t.Fatal(err)
	}
	cp, err := v.Checkpoint(ctx)
	if err != nil {
		t.Fatal(err)
	}
	ver, err := note.NewVerifier(k2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open([]byte(cp.Note), note.VerifierList(ver)); err != nil {
		t.Errorf("the checkpoint after the change: %v", err)
	}
	_, err = v.Put(ctx, evidence.Batch{Drafts: []evidence.Draft{{
		ID: evidence.NewID(time.Now()), Actor: evidence.Vault(), Subject: evidence.Vault(), Body: &evidence.KeyRotated{Old: k2, New: strange},
	}}})
	if err == nil || !strings.Contains(err.Error(), "written by the vault alone") {
		t.Errorf("anybody changes the key: %v", err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}

	if v, err = vault.Open(dir, o); err != nil { // with the old key
		t.Fatal(err)
	}
	if v.LogKey() != k2 {
		t.Errorf("after a restart the log's key is %s", v.LogKey())
	}
	if _, err := v.Checkpoint(ctx); err == nil || !strings.Contains(err.Error(), "use the key that belongs to this vault") {
		t.Errorf("a checkpoint with the old key: %v", err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	rep, err := vault.Fsck(ctx, dir, vault.FsckOptions{})
	if err != nil || len(rep.Problems) > 0 || rep.Checkpoints != 2 {
		t.Errorf("%+v %v", rep, err)
	}
}
