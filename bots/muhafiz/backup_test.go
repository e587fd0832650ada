package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
)

// TestBackup backs a vault up, destroys it and brings it back; then an older copy of it, as somebody might by mistake.
func TestBackup(t *testing.T) {
	muhafiz := program(t)
	dir := approvedSite(t, muhafiz, "https://t.me/example_channel")
	content, keys := ageKey(t, dir, "content.txt"), ageKey(t, dir, "keys.txt")
	for _, d := range []string{"copies", "keycopies"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if r := run(t, dir, muhafiz, "backup"); r.code != exitUsage || !strings.Contains(r.err, "add backup:") {
		t.Errorf("without a place: %d %s", r.code, r.err)
	}
	appendTo(t, dir, "muhafiz.yaml", fmt.Sprintf("backup:\n  to: copies\n  recipients: [%s]\n  keys: {to: keycopies, recipients: [%s]}\n", content, keys))
	if r := run(t, dir, muhafiz, "status"); !strings.Contains(r.out, "no backup was made yet") {
		t.Errorf("status before: %s", r.out)
	}
	run(t, dir, muhafiz, "backup").want(t, 0, "backup")
	old := strings.TrimSpace(run(t, dir, muhafiz, "backup", "list").want(t, 0, "backup list").out)
	run(t, dir, muhafiz, "checkpoint", "export", "--out", "early").want(t, 0, "checkpoint export")
	run(t, dir, muhafiz, "backup", "--json").want(t, 0, "backup")
	run(t, dir, muhafiz, "checkpoint", "export", "--out", "late").want(t, 0, "checkpoint export")
	if r := run(t, dir, muhafiz, "status"); strings.Contains(r.out, "backup") {
		t.Errorf("status after: %s", r.out)
	}
	verify := []string{"backup", "verify", "--identity", "content.txt", "--log", "log.key.pub"}
	run(t, dir, muhafiz, verify...).want(t, 0, "backup verify")
	run(t, dir, muhafiz, verify[:4]...).want(t, 4, "without the log's key")
	run(t, dir, muhafiz, "backup", "verify", "--log", "log.key.pub").want(t, 4, "without an identity")

	// The disk is gone, and the machine's configuration with it.
	if err := os.RemoveAll(filepath.Join(dir, "vault")); err != nil {
		t.Fatal(err)
	}
	restore := []string{"restore", "vault", "--from", "copies", "--log", "log.key.pub"}
	run(t, dir, muhafiz, restore...).want(t, 2, "without an identity")
	run(t, dir, muhafiz, append(restore, "--identity", "keys.txt")...).want(t, 2, "with the wrong identity")
	r := run(t, dir, muhafiz, append(restore, "--identity", "content.txt", "--against", "early", "--against", "late", "--json")...)
	r.want(t, 4, "restore, with a later checkpoint")
	var rep struct {
		Lost    int64
		Records int64
		Fsck    struct{ Problems []any }
	}
	if err := json.Unmarshal([]byte(r.out), &rep); err != nil || rep.Lost < 1 || rep.Records < 5 || len(rep.Fsck.Problems) > 0 {
		t.Errorf("%+v, %v", rep, err)
	}
	run(t, dir, muhafiz, append(restore, "--identity", "content.txt")...).want(t, 2, "restore over a vault")
	run(t, dir, muhafiz, "checkpoint", "verify", "--against", "early", "--log", "log.key.pub").want(t, 0, "it continues what was exported before the backup")
	run(t, dir, muhafiz, "checkpoint", "verify", "--against", "late", "--log", "log.key.pub").want(t, 3, "it does not continue what was signed after the backup")
	if r := run(t, dir, muhafiz, "log", "--as", "amna"); !strings.Contains(r.out, "made of the backup") {
		t.Errorf("log: %s%s", r.out, r.err)
	}
	if r := run(t, dir, muhafiz, "status"); !strings.Contains(r.out, "no notice is sent: this vault was made of a backup") {
		t.Errorf("status of a restored vault: %s", r.out)
	}
	run(t, dir, muhafiz, "backup").want(t, 0, "backup of the restored vault")
	run(t, dir, muhafiz, "fsck", "vault").want(t, 0, "fsck")

	// Somebody starts an older copy beside it: the place refuses it.
	run(t, dir, muhafiz, "restore", "older", "--from", "copies", "--log", "log.key.pub", "--identity", "content.txt", "--run", old).want(t, 0, "restore of the older one")
	if err := os.Rename(filepath.Join(dir, "vault"), filepath.Join(dir, "newer")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "older"), filepath.Join(dir, "vault")); err != nil {
		t.Fatal(err)
	}
	if r := run(t, dir, muhafiz, "backup"); r.code != exitFailed || !strings.Contains(r.err, "does not continue the newest backup") {
		t.Errorf("backup of an older copy: %d %s", r.code, r.err)
	}
	keysApart(t, dir, muhafiz)
}

// keysApart copies the keys five times and opens the last copy with standard tools.
func keysApart(t *testing.T, dir, muhafiz string) {
	t.Helper()
	var last string
	for range 5 {
		r := run(t, dir, muhafiz, "backup", "keys", "--json").want(t, 0, "backup keys")
		var out struct{ File string }
		if err := json.Unmarshal([]byte(r.out), &out); err != nil {
			t.Fatal(err)
		}
		last = out.File
	}
	left, err := filepath.Glob(filepath.Join(dir, "keycopies", "*"))
	if err != nil || len(left) != 3 {
		t.Errorf("%q, %v", left, err)
	}
	program, err := exec.LookPath("age")
	if err != nil {
		t.Skip("age is not installed")
	}
	if err := exec.Command(program, "-d", "-i", filepath.Join(dir, "content.txt"), last).Run(); err == nil {
		t.Error("the content's identity opens the keys")
	}
	b, err := exec.Command(program, "-d", "-i", filepath.Join(dir, "keys.txt"), last).Output()
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(dir, "log.key"))
	if err != nil || !bytes.Contains(b, bytes.TrimSpace(key)) {
		t.Errorf("the copy does not hold the log's key (%v)", err)
	}
}

func ageKey(t *testing.T, dir, name string) (recipient string) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return id.Recipient().String()
}
