package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestHoldsRetentionAndQuarantineByHand goes through the commands of a sealed vault as people would, refusals and exit codes included.
func TestHoldsRetentionAndQuarantineByHand(t *testing.T) {
	muhafiz := program(t)
	dir := approvedSite(t, muhafiz, "https://t.me/simulated_channel")
	run(t, dir, muhafiz, "key", "person", "--out", "sara", "sara").want(t, 0, "key person")
	run(t, dir, muhafiz, "key", "vault", "--out", "vault.age").want(t, 0, "key vault")
	run(t, dir, muhafiz, "key", "vault", "--out", "vault.age").want(t, 1, "key vault over another")
	b, err := os.ReadFile(filepath.Join(dir, "muhafiz.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(b), "log_key: log.key\n", "log_key: log.key\nvault_key: {file: vault.age}\nkeyring: keyring\n", 1)
	text = strings.Replace(text, "organisations: orgs", "  - {id: sara, name: Sara, roles: [senior, legal, operator], ssh_key: {file: sara.pub}}\norganisations: orgs", 1)
	if err := os.WriteFile(filepath.Join(dir, "muhafiz.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	said := func(r ran, words string) {
		t.Helper()
		if !strings.Contains(r.out+r.err, words) {
			t.Errorf("nothing of %q:\n%s%s", words, r.out, r.err)
		}
	}
	said(run(t, dir, muhafiz, "check").want(t, 0, "check"), "Sealed       yes")
	said(run(t, dir, muhafiz, "status").want(t, 0, "status"), "bodies are sealed at rest; retention never ran; 0 holds")
	said(run(t, dir, muhafiz, "compact").want(t, 0, "compact"), "take a new backup")
	run(t, dir, muhafiz, "fsck", "vault").want(t, 0, "fsck")
	said(run(t, dir, muhafiz, "fsck", "--without-key", "vault").want(t, exitIncomplete, "fsck without the key"), "not checked:")

	said(run(t, dir, muhafiz, "hold", "place", "--target", "channel", "--reason", "proceedings", "--basis", "order 1", "--until", "2199-01-01", "--as", "sara").want(t, 0, "hold place"), "it ends with: muhafiz hold release")
	said(run(t, dir, muhafiz, "hold", "place", "--target", "channel", "--reason", "x", "--as", "amna").want(t, 1, "hold by an analyst"), "takes the role")
	run(t, dir, muhafiz, "hold", "place", "--reason", "x", "--as", "sara").want(t, 1, "hold of nothing")
	run(t, dir, muhafiz, "hold", "place", "--target", "channel", "--from", "2026-01-01", "--reason", "x", "--as", "sara").want(t, exitUsage, "hold of a time")
	said(run(t, dir, muhafiz, "hold").want(t, 0, "hold"), "order 1")
	run(t, dir, muhafiz, "hold", "release", "1", "--reason", "x", "--as", "sara").want(t, 1, "release of no hold")

	said(run(t, dir, muhafiz, "retain", "--dry-run").want(t, 0, "retain"), "would be erased")
	run(t, dir, muhafiz, "retain", "run").want(t, exitUsage, "retain run by nobody")
	said(run(t, dir, muhafiz, "retain", "run", "--as", "sara", "--json").want(t, 0, "retain run"), `"due": 0`)
	said(run(t, dir, muhafiz, "status").want(t, 0, "status"), "retention ran 2")

	said(run(t, dir, muhafiz, "watch", "erase", "channel", "--reason", "x", "--as", "bilal", "--key", "bilal").want(t, 1, "erase of what is collected"), "only what was collected of a suspended or innocent one is erased")
	run(t, dir, muhafiz, "watch", "erase", "channel", "--confirm", "--reason", "x", "--as", "bilal", "--key", "bilal").want(t, exitUsage, "confirm of nothing")

	said(run(t, dir, muhafiz, "quarantine", "a1/1", "--reason", "x", "--as", "amna").want(t, 1, "quarantine of nothing"), "there is no a1 in this vault")
	run(t, dir, muhafiz, "quarantine", "order", "a1/1", "--reason", "x", "--as", "sara", "--key", "sara").want(t, exitUsage, "an order of nothing")
	run(t, dir, muhafiz, "quarantine", "list").want(t, 0, "quarantine list")
	if err := os.Rename(filepath.Join(dir, "vault.age"), filepath.Join(dir, "away.age")); err != nil {
		t.Fatal(err)
	}
	said(run(t, dir, muhafiz, "status").want(t, 1, "status without the key"), "there is no vault key at")
}
