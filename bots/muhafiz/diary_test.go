package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheMorningAndTheAuditor reads the trail and takes the acts out, as people type it.
func TestTheMorningAndTheAuditor(t *testing.T) {
	muhafiz := program(t)
	dir := approvedSite(t, muhafiz, "https://t.me/northhaven_front_sim")
	run(t, dir, muhafiz, "key", "person", "--out", "odile", "odile").want(t, 0, "key person")
	conf, err := os.ReadFile(filepath.Join(dir, "muhafiz.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	with := strings.Replace(string(conf), "organisations:", "  - {id: odile, name: Odile, roles: [auditor], ssh_key: {file: odile.pub}}\norganisations:", 1)
	if err := os.WriteFile(filepath.Join(dir, "muhafiz.yaml"), []byte(with), 0o600); err != nil {
		t.Fatal(err)
	}
	log := run(t, dir, muhafiz, "log", "--as", "odile", "--subject", "t1").want(t, 0, "log")
	if !strings.Contains(log.out, "bilal approved the target channel as record ") {
		t.Errorf("the trail of the target:\n%s", log.out)
	}
	if r := run(t, dir, muhafiz, "log", "--as", "odile", "--limit", "2").want(t, 0, "log"); strings.Count(r.out, "\n") != 2 || !strings.Contains(r.err, "there may be more") {
		t.Errorf("the newest two:\n%s%s", r.out, r.err)
	}
	if r := run(t, dir, muhafiz, "log", "--as", "odile", "--since", "next week").want(t, exitUsage, "log"); !strings.Contains(r.err, "is no moment") {
		t.Errorf("a moment that is none: %s", r.err)
	}
	if r := run(t, dir, muhafiz, "today", "--as", "amna").want(t, 0, "today"); !strings.Contains(r.out, "BLIND (1)") || !strings.Contains(r.out, "was not resolved to an account yet") {
		t.Errorf("the morning:\n%s", r.out)
	}
	run(t, dir, muhafiz, "suspend").want(t, exitUsage, "no such command")
	run(t, dir, muhafiz, "watch", "suspend", "channel", "--as", "amna", "--reason", "Simulated:\u202e a newspaper.").want(t, 0, "watch suspend")
	if r := run(t, dir, muhafiz, "today", "--as", "amna", "--since", "1d").want(t, 0, "today"); !strings.Contains(r.out, "SUSPENDED OR MARKED (1)") || strings.Contains(r.out, "\u202e") {
		t.Errorf("the morning after:\n%s", r.out)
	}

	run(t, dir, muhafiz, "audit", "export", "--as", "amna", "--out", "acts").want(t, exitFailed, "audit export of an analyst")
	run(t, dir, muhafiz, "audit", "export", "--as", "odile", "--out", "acts").want(t, 0, "audit export")
	acts, err := os.ReadFile(filepath.Join(dir, "acts/acts.txt"))
	if err != nil || !strings.Contains(string(acts), "amna was refused POST /v1/audits") {
		t.Errorf("the refusal is not in the export: %v\n%s", err, acts)
	}
	key, err := os.ReadFile(filepath.Join(dir, "acts/README.txt"))
	if err != nil {
		t.Fatal(err)
	}
	_, vkey, _ := strings.Cut(string(key), "states for itself is ")
	vkey, _, _ = strings.Cut(vkey, "\n")
	run(t, dir, muhafiz, "audit", "verify", "acts", "--log", vkey).want(t, 0, "audit verify")
	run(t, dir, muhafiz, "audit", "verify", "acts").want(t, exitIncomplete, "audit verify without a key")
	envelopes := filepath.Join(dir, "acts/envelopes.jsonl")
	b, err := os.ReadFile(envelopes)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(envelopes, []byte(strings.Replace(string(b), `"kind":"refused"`, `"kind":"refuser"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	r := run(t, dir, muhafiz, "audit", "verify", "acts", "--log", vkey).want(t, exitIntegrity, "audit verify of a changed export")
	if !strings.Contains(r.err, "is not in the log that the checkpoint states") {
		t.Error(r.err)
	}
	run(t, dir, muhafiz, "fsck", "vault").want(t, 0, "fsck")
}
