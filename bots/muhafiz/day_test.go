package main

import (
	"strings"
	"testing"
)

// TestTheAnalystsDay plays the day of an analyst through the program's own commands, beside the daemon that they speak to.
func TestTheAnalystsDay(t *testing.T) {
	muhafiz := program(t)
	dir := t.TempDir()
	r := run(t, dir, muhafiz, "demo", "--dir", dir, "--day").want(t, 0, "demo --day")
	for _, want := range []string{
		"9 new, 1 known, 1 duplicate", // the list
		"x-northhaven_sim",            // listed only
		"is marked innocent",          // the journalist
		"was found innocent",          // the same list again
		"two other people must first", // one reviewer alone
		"ACCOUNTS DOWN (2)",           // the morning after
		"as the successor of",         // one came back
		`the answer "removed"`,        // the desk's answer
		"signatures of people hold",   // the auditor's export
		"ok  fsck is clean",           //
	} {
		if !strings.Contains(r.out, want) {
			t.Errorf("the day does not show %q", want)
		}
	}
	if t.Failed() {
		t.Log(r.out)
	}
	if again := run(t, dir, muhafiz, "demo", "--dir", dir, "--day"); again.code != exitFailed || !strings.Contains(again.err, "had its day") {
		t.Errorf("a second day: exit %d, %s", again.code, again.err)
	}
	run(t, dir, muhafiz, "fsck", "vault").want(t, 0, "fsck")
}
