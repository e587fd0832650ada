package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/muhafiz/muhafiz/reporter/notice"
)

func TestNoticeAdmissible(t *testing.T) {
	muhafiz := program(t)
	dir := t.TempDir() // without a configuration
	r := run(t, dir, muhafiz, "notice", "admissible", "--json").want(t, 0, "admissible --json")
	var rows []notice.Row
	if err := json.Unmarshal([]byte(r.out), &rows); err != nil || len(rows) != len(notice.Table()) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	r = run(t, dir, muhafiz, "notice", "admissible").want(t, 0, "admissible")
	for _, want := range []string{"Union or member-state law", "2703(f)", "five headings", "allowed"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("no %q in\n%s", want, r.out)
		}
	}
	for _, code := range notice.Kinds() {
		if !strings.Contains(r.out, "\n"+code+" ") {
			t.Errorf("the table leaves out %s", code)
		}
	}
}

// The history of a notice on the command line: an answer, an objection, a correction whose mail server is gone, and what is refused.
func TestNoticeHistory(t *testing.T) {
	muhafiz := program(t)
	dir := t.TempDir()
	run(t, dir, muhafiz, "demo", "--dir", dir).want(t, 0, "demo")
	do := func(code int, want string, args ...string) {
		t.Helper()
		r := run(t, dir, muhafiz, append([]string{"notice"}, args...)...).want(t, code, strings.Join(args, " "))
		if !strings.Contains(r.out+r.err, want) {
			t.Errorf("%v says no %q:\n%s%s", args, want, r.out, r.err)
		}
	}
	do(exitUsage, "--outcome", "answer", "n1", "--as", "amna", "--outcome", "gone")
	do(exitFailed, "ground", "answer", "n1", "--as", "amna", "--outcome", "refused")
	do(0, "recorded", "answer", "n1", "--as", "amna", "--outcome", "refused", "--ground", "no violation", "--ticket", "T-1")
	do(0, "disputed", "dispute", "n1", "--as", "amna", "--from", "the channel (simulated)", "--text", "we are not they")
	do(exitFailed, "role senior", "approve", "n1", "--as", "amna", "--key", "keys/amna")
	do(exitFailed, "not about account a99", "correct", "n1", "--as", "amna", "--account", "a99", "--reason", "x")
	do(0, "n2 (correction of notice n1) is failed", "correct", "n1", "--as", "amna", "--reason", "a journalist's (simulated)")
	do(exitFailed, "put right by notice n2 already", "withdraw", "n1", "--as", "amna", "--reason", "x")
	do(0, "T-1", "list")
	do(0, "no violation", "show", "n1", "--as", "bilal")
	do(0, "a journalist's", "show", "n2", "--as", "bilal")
	run(t, dir, muhafiz, "fsck", "vault").want(t, 0, "fsck")
}
