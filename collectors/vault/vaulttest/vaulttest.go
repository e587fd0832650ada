// Package vaulttest helps to test what stands on the vault: a vault that lives as long as a test, and the suite that every
// Sink with readers must pass.
package vaulttest

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/mod/sumdb/note"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

// New returns a fresh vault in a folder of the test's own, with a log key that nobody keeps. It is closed when the test ends.
func New(t testing.TB, views ...evidence.View) *vault.Vault {
	t.Helper()
	return create(t, Options(t, views...))
}

// Options returns options with a throw-away log key. Open a vault again with the same ones.
func Options(t testing.TB, views ...evidence.View) vault.Options {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, "log.example/simulated")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	return vault.Options{Views: views, Signer: signer, LogKey: vkey, Build: "test", Log: zerolog.Nop()}
}

// Bind drafts the collector record that a source begins with.
func Bind(source string) evidence.Draft {
	return evidence.Draft{
		ID: evidence.NewID(time.Now()), Actor: evidence.Source(source), Subject: evidence.Source(source),
		Body: &evidence.Collector{Key: source, State: "starting"},
	}
}
