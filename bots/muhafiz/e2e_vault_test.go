package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/config"
)

// envelopes returns the exact envelopes of a demo's vault.
func envelopes(t *testing.T, dir string) []string {
	t.Helper()
	cfg, err := config.Load(filepath.Join(dir, "muhafiz.yaml"), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := daemon.VaultKeys(cfg, os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(filepath.Join(dir, "vault"), vault.Options{Views: daemon.Views(), Keys: keys, Log: zerolog.Nop()})
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
