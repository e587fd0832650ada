package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAWrongListingIsPutRight marks a target as two people type it, and brings it back by two others.
func TestAWrongListingIsPutRight(t *testing.T) {
	muhafiz := program(t)
	dir := approvedSite(t, muhafiz, "https://t.me/northhaven_front_sim")
	for _, p := range []string{"sara", "zahra"} {
		run(t, dir, muhafiz, "key", "person", "--out", p, p).want(t, 0, "key person")
	}
	path := filepath.Join(dir, "muhafiz.yaml")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(b), "organisations:", `  - {id: sara, name: Sara, roles: [senior], ssh_key: {file: sara.pub}}
  - {id: zahra, name: Zahra, roles: [reviewer], ssh_key: {file: zahra.pub}}
organisations:`, 1)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	says := func(code int, sentence string, args ...string) {
		t.Helper()
		r := run(t, dir, muhafiz, args...).want(t, code, strings.Join(args, " "))
		if !strings.Contains(r.out+r.err, sentence) {
			t.Errorf("%v: no %q in %s%s", args, sentence, r.out, r.err)
		}
	}
	says(exitUsage, "must be one of", "watch", "mark", "channel", "--innocent", "friend", "--reason", "x", "--as", "bilal")
	says(0, "channel is marked innocent (journalist)", "watch", "mark", "channel", "--innocent", "journalist", "--reason", "works for a paper (simulated)", "--as", "bilal")
	says(0, "nothing is known to have left", "watch", "redress", "channel", "--as", "amna")
	says(exitFailed, "is marked innocent (journalist: works for a paper (simulated))", "watch", "approve", "channel", "--as", "zahra", "--key", "zahra")
	says(exitFailed, "bilal marked or suspended target channel", "watch", "relist", "channel", "--reason", "y", "--as", "bilal", "--key", "bilal")
	says(0, "one more person must sign", "watch", "relist", "channel", "--reason", "the paper does not know them (simulated)", "--as", "zahra", "--key", "zahra")
	says(exitFailed, "zahra signed already", "watch", "relist", "channel", "--reason", "again", "--as", "zahra", "--key", "zahra")
	says(0, "waits for its approval", "watch", "relist", "channel", "--reason", "confirmed (simulated)", "--as", "sara", "--key", "sara")
	says(0, "", "watch", "approve", "channel", "--as", "bilal", "--key", "bilal")
	says(exitFailed, "there is no case c1", "review", "adjudicate", "c1", "--agree", "--comment", "why", "--as", "sara", "--key", "sara")
	run(t, dir, muhafiz, "fsck", "vault").want(t, 0, "fsck")
}
