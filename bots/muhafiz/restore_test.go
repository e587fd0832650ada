package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestRestoredVault plays the story, backs the vault up, loses it, and has every verifier look at a bundle that the restored one gives.
func TestRestoredVault(t *testing.T) {
	if testing.Short() {
		t.Skip("the story takes a while")
	}
	muhafiz := program(t)
	dir := t.TempDir()
	run(t, dir, muhafiz, "demo", "--dir", dir).want(t, 0, "demo")
	if err := os.Mkdir(filepath.Join(dir, "copies"), 0o700); err != nil {
		t.Fatal(err)
	}
	appendTo(t, dir, "muhafiz.yaml", fmt.Sprintf("backup:\n  to: copies\n  recipients: [%s]\n", ageKey(t, dir, "identity.txt")))
	run(t, dir, muhafiz, "checkpoint", "export", "--out", "kept").want(t, 0, "checkpoint export")
	run(t, dir, muhafiz, "backup").want(t, 0, "backup")
	before := envelopes(t, dir)
	if err := os.RemoveAll(filepath.Join(dir, "vault")); err != nil {
		t.Fatal(err)
	}
	run(t, dir, muhafiz, "restore", "vault", "--identity", "identity.txt", "--against", "kept").want(t, 0, "restore")
	run(t, dir, muhafiz, "fsck", "vault").want(t, 0, "fsck")
	after := envelopes(t, dir)
	if len(after) < len(before)-1 {
		t.Fatalf("%d records, %d before", len(after), len(before))
	}
	for i, e := range before[:len(before)-1] { // the last is run.stopped of the backup's own run
		if after[i] != e {
			t.Fatalf("record %d differs", i)
		}
	}
	run(t, dir, muhafiz, "bundle", "--case", "c1", "--as", "bilal", "--out", "bundles", "--name", "restored").want(t, 0, "bundle")
	for _, v := range threeVerifiers(t, muhafiz, dir) {
		args := v.args(filepath.Join("bundles", "restored"))
		run(t, dir, args[0], args[1:]...).want(t, 0, v.name)
	}
	run(t, dir, muhafiz, "checkpoint", "verify", "--against", "kept").want(t, exitIncomplete, "checkpoint verify without a key")
}
