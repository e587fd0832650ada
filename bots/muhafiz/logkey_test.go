package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/anchor/anchortest"
)

// TestStampedBundleAndKeyForms packs a stamped bundle, then changes the log's key for one under a passphrase, and for a credential.
func TestStampedBundleAndKeyForms(t *testing.T) {
	muhafiz := program(t)
	dir := captureSite(t, muhafiz)
	one, other, down := anchortest.New(t, "one"), anchortest.New(t, "other"), anchortest.New(t, "down")
	says := func(code int, want string, args ...string) {
		t.Helper()
		r := run(t, dir, muhafiz, args...).want(t, code, strings.Join(args, " "))
		if !strings.Contains(r.out+r.err, want) {
			t.Errorf("%v says no %q:\n%s%s", args, want, r.out, r.err)
		}
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	capture := writeCapture(t, dir, `{"url": "https://x.com/Northhaven_Sim/status/1234567890123456789", "text": "Simulated.", "lang": "en", "claimed_at": "2026-01-30T10:00:00Z"}`, nil)
	says(0, "", "import", "--as", "amna", "--target", "channel", capture)
	write("allowed_signers", "evidence@test.example "+read("evidence.pub"))
	trust := []string{"verify", "--signers", "allowed_signers", "--identity", "evidence@test.example", "--log", "log.key.pem"}
	verify := func(code int, want string, more ...string) {
		t.Helper()
		says(code, want, append(append([]string{}, trust...), more...)...)
	}

	says(0, "No outside anchor", "bundle", "--account", "a1", "--as", "lubna", "--out", "bundles", "--name", "bare")
	verify(0, "bundle verified", "bundles/bare")
	verify(3, "is of the given authority", "--tsa", one.RootsFile(), "bundles/bare")
	plain := read("muhafiz.yaml")
	anchors := fmt.Sprintf("anchors:\n  authorities:\n    - {name: one, url: %q, roots: %q}\n", one.URL, one.RootsFile())
	write("muhafiz.yaml", plain+anchors+fmt.Sprintf("    - {name: down, url: 'http://127.0.0.1:1/', roots: %q}\n", down.RootsFile()))
	says(4, "one confirmed", "checkpoint", "stamp")
	says(0, "The authority down did not time-stamp this bundle", "bundle", "--account", "a1", "--as", "lubna", "--out", "bundles", "--name", "bag")
	verify(0, "existed on", "--tsa", one.RootsFile(), "bundles/bag")
	verify(0, "takes the authority's root certificate", "bundles/bag")
	verify(3, "is of the given authority", "--tsa", other.RootsFile(), "bundles/bag")
	verify(2, "no certificate in PEM form", "--tsa", "muhafiz.yaml", "bundles/bag")
	script, err := filepath.Abs("../../scripts/verify-bundle")
	if err != nil {
		t.Fatal(err)
	}
	run(t, dir, script, "bundles/bag", "--signers", "allowed_signers", "--identity", "evidence@test.example", "--log", "log.key.pem", "--tsa", one.RootsFile()).want(t, 0, "the script")

	name, _, _ := strings.Cut(read("log.key.pub"), "+")
	write("pass", "a simulated passphrase\n")
	write("wrong", "another simulated passphrase\n")
	says(exitUsage, "give --passphrase-file", "key", "log", "--out", "x.key", "--passphrase")
	says(0, "", "key", "log", "--out", "sealed.key", "--name", name, "--passphrase-file", "pass")
	says(exitUsage, "sealed.key is protected by a passphrase", "key", "rotate", "--new", "sealed.key", "--as", "amna", "--reason", "test")
	says(exitUsage, "the passphrase does not open", "key", "rotate", "--new", "sealed.key", "--as", "amna", "--reason", "test", "--passphrase-file", "wrong")
	says(0, "and is now", "key", "rotate", "--new", "sealed.key", "--as", "amna", "--reason", "test", "--passphrase-file", "pass")
	config := strings.Replace(plain+anchors, "log_key: log.key\n", "log_key: sealed.key\n", 1)
	write("muhafiz.yaml", config)
	says(1, "put log_key_passphrase", "status")
	write("muhafiz.yaml", config+"log_key_passphrase: {file: wrong}\n")
	says(1, "the passphrase does not open", "status")
	write("muhafiz.yaml", config+"log_key_passphrase: {file: pass}\n")
	says(0, "newest outside anchor: one", "status")
	says(0, "", "bundle", "--account", "a1", "--as", "lubna", "--out", "bundles", "--name", "after")
	verify(0, "by a change of keys signed by both", "--tsa", one.RootsFile(), "bundles/after") // with the key before

	write("muhafiz.yaml", strings.Replace(config, "log_key: sealed.key\n", "log_key: credential:log\nlog_key_passphrase: {file: pass}\n", 1))
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	says(0, "", "check")
	says(1, "systemd hands over none here", "status")
	t.Setenv("CREDENTIALS_DIRECTORY", filepath.Join(dir, "credentials"))
	says(1, "the unit hands over no credential log", "status")
	if err := os.Mkdir(filepath.Join(dir, "credentials"), 0o700); err != nil {
		t.Fatal(err)
	}
	write("credentials/log", read("sealed.key"))
	says(0, "newest outside anchor: one", "status")
	says(0, "", "fsck", "vault")
}
