package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// captureSite is a folder in which an X account is listed and approved, with a route for notices and a signer of bundles.
func captureSite(t *testing.T, muhafiz string) string {
	t.Helper()
	dir := approvedSite(t, muhafiz, "https://x.com/northhaven_sim")
	for _, p := range []string{"lubna", "sara", "evidence"} {
		run(t, dir, muhafiz, "key", "person", "--out", p, p).want(t, 0, "key person")
	}
	path := filepath.Join(dir, "muhafiz.yaml")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(b), "organisations:", `  - {id: lubna, name: Lubna, roles: [legal], ssh_key: {file: lubna.pub}}
  - {id: sara, name: Sara, roles: [senior], ssh_key: {file: sara.pub}}
organisations:`, 1) + `bundle: {ssh_key: evidence, identity: evidence@test.example}
reporter:
  schedule: "@every 1h"
  organisation_name: Stand-in (simulated)
  corrections_contact: corrections@test.example
  routes: [{platform: x, outbox: outbox}]
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "list.yaml")
	if b, err = os.ReadFile(list); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(list, []byte(strings.Replace(string(b), "listed_by:", "report: true, listed_by:", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, dir, muhafiz, "watch", "sign", "--as", "amna", "--key", "amna").want(t, 0, "sign what changed")
	run(t, dir, muhafiz, "watch", "approve", "channel", "--as", "bilal", "--key", "bilal").want(t, 0, "approve for reporting")
	return dir
}

func writeCapture(t *testing.T, dir, posts string, files map[string]string) string {
	t.Helper()
	capture := filepath.Join(dir, "captures", "2026-01-31")
	if err := os.MkdirAll(capture, 0o700); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"capture.json": `{"platform": "x", "account": "https://x.com/Northhaven_Sim", "account_id": "4242424242",
 "captured_at": "2026-01-31T12:00:00Z", "captured_by": "amna", "tool": "Simulated Browser 1", "posts": [` + posts + `]}`}
	for name, content := range files {
		all[name] = content
	}
	for name, content := range all {
		if err := os.WriteFile(filepath.Join(capture, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return capture
}

// TestFromCaptureToVerifiedBundle lists an account that no collector reads, and reports it from a capture.
func TestFromCaptureToVerifiedBundle(t *testing.T) {
	muhafiz := program(t)
	dir := captureSite(t, muhafiz)
	const link = "https://x.com/northhaven_sim/status/1234567890123456789"
	capture := writeCapture(t, dir, `{"url": "https://x.com/Northhaven_Sim/status/1234567890123456789", "text": "Simulated: give to the fictional fund.", "lang": "en",
  "claimed_at": "2026-01-30T10:00:00Z", "files": [{"path": "shot.png", "what": "screenshot"}, {"path": "photo.jpg", "what": "media"}]}`,
		map[string]string{"shot.png": "\x89PNG\r\n\x1a\n simulated", "photo.jpg": "\xff\xd8\xff simulated"})
	says := func(code int, want string, args ...string) string {
		t.Helper()
		r := run(t, dir, muhafiz, args...).want(t, code, strings.Join(args, " "))
		if !strings.Contains(r.out+r.err, want) {
			t.Errorf("%v says no %q:\n%s%s", args, want, r.out, r.err)
		}
		return r.out
	}
	says(0, "x account 4242424242, captured by amna", "import", "--as", "amna", "--target", "channel", capture)
	says(0, "nothing new", "import", "--as", "amna", "--target", "channel", filepath.Join(capture, "capture.json"))
	says(0, "put right: 0 listings found wrong, 0 notices corrected", "status")
	says(0, "a1/1234567890123456789", "review", "queue", "--as", "amna")
	const post = "a1/1234567890123456789"
	shown := says(0, link, "review", "show", post, "--as", "amna")
	for _, want := range []string{"give to the fictional fund", "screenshot", "image/jpeg"} {
		if !strings.Contains(shown, want) {
			t.Errorf("review show prints no %q:\n%s", want, shown)
		}
	}
	says(0, "", "review", "decide", post, "--as", "amna", "--key", "amna", "--quote", "give to the fictional fund", "--rule", "rules of the platform (simulated)",
		"--offence", "fundraises", "--severity", "high", "--exclusion", "none", "--affiliation", "named by a simulated source", "--languages", "en")
	says(0, "", "review", "show", "c1", "--as", "bilal")
	says(0, "", "review", "show", post, "--as", "bilal")
	says(0, "", "review", "approve", "c1", "--as", "bilal", "--key", "bilal")
	says(0, "", "notice", "run", "--as", "bilal")
	says(0, link, "notice", "show", "n1", "--as", "bilal")
	says(0, "", "notice", "show", "n1", "--as", "sara")
	says(0, "", "notice", "approve", "n1", "--as", "sara", "--key", "sara") // the ground is a single state's list
	says(0, "", "notice", "run", "--as", "bilal")
	says(0, "sent", "notice", "list")
	sent := false
	err := filepath.WalkDir(filepath.Join(dir, "outbox"), func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			b, errRead := os.ReadFile(path)
			sent, err = sent || strings.Contains(string(b), "4242424242"), errRead
		}
		return err
	})
	if err != nil || !sent {
		t.Errorf("the outbox holds no notice: %v", err)
	}
	var bundled struct{ Path string }
	out := says(0, "", "bundle", "--case", "c1", "--as", "lubna", "--edition", "full", "--out", "bundles", "--name", "bag", "--json")
	if err := json.Unmarshal([]byte(out), &bundled); err != nil {
		t.Fatal(err)
	}
	signers, err := os.ReadFile(filepath.Join(dir, "evidence.pub"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "allowed_signers"), []byte("evidence@test.example "+string(signers)), 0o600); err != nil {
		t.Fatal(err)
	}
	says(0, "", "verify", "--signers", "allowed_signers", "--identity", "evidence@test.example", "--log", "log.key.pem", "bundles/bag")
	run(t, dir, muhafiz, "fsck", "vault").want(t, 0, "fsck")

	says(0, "a correction is drafted", "watch", "mark", "channel", "--innocent", "journalist", "--reason", "a newsroom (simulated)", "--as", "amna")
	says(0, "", "notice", "correct", "n1", "--as", "amna", "--reason", "a newsroom (simulated)")
	says(0, "put right: 1 listings found wrong, 1 notices corrected (median 0.0 hours", "status")
	says(0, `"notices_corrected": 1`, "status", "--json")
	says(exitFailed, "is innocent", "import", "--as", "amna", "--target", "channel", capture)
	run(t, dir, muhafiz, "fsck", "vault").want(t, 0, "fsck")
}

func TestCapturesOnTheCommandLine(t *testing.T) {
	muhafiz := program(t)
	dir := captureSite(t, muhafiz)
	fails := func(code int, want, path string) {
		t.Helper()
		r := run(t, dir, muhafiz, "import", "--as", "amna", "--target", "channel", path).want(t, code, "import")
		if !strings.Contains(r.out+r.err, want) {
			t.Errorf("no %q in %s%s", want, r.out, r.err)
		}
	}
	fails(exitUsage, "a folder with a capture.json", t.TempDir())
	fails(exitFailed, "is another account than target channel", writeCapture(t, dir, `{"url": "https://x.com/other_sim/status/1", "text": "Simulated."}`, nil))
	fails(exitFailed, "does not stay in the capture's folder", writeCapture(t, dir, `{"url": "https://x.com/northhaven_sim/status/1", "files": [{"path": "../list.yaml", "what": "page"}]}`, nil))
	fails(exitIncomplete, "missing", writeCapture(t, dir, `{"url": "https://x.com/northhaven_sim/status/1", "files": [{"path": "gone.png", "what": "screenshot"}]}`, nil))
	run(t, dir, muhafiz, "fsck", "vault").want(t, 0, "fsck")
}
