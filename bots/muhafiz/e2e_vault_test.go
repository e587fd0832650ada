package main

import (
	"path/filepath"
	"testing"

	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/secrets"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

// envelopes returns the exact envelopes of a demo's vault.
func envelopes(t *testing.T, dir string) []string {
	t.Helper()
	key, err := secrets.LoadVaultKey(filepath.Join(dir, "keys", "vault.age"), "")
	if err != nil {
		t.Fatal(err)
	}
	keys := &vault.Keys{Ring: filepath.Join(dir, "keyring"), Sealer: key}
	v, err := vault.Open(filepath.Join(dir, "vault"), vault.Options{Keys: keys, Views: daemon.Views(), Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	var out []string
	err = v.Records(t.Context(), 0, func(r evidence.Record) error {
		out = append(out, string(r.EnvelopeBytes))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
