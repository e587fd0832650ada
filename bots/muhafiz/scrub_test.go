package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// rotten flips a bit in each blob's file that holds a text, and returns how many there are.
func rotten(t *testing.T, dir, text string) (n int) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "vault", "blobs"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(b, []byte(text)) {
			return err
		}
		n++
		b[len(b)/2] ^= 1
		return os.WriteFile(path, b, 0o600)
	})
	if err != nil || n == 0 {
		t.Fatalf("%d blobs, %v", n, err)
	}
	return n
}

// TestScrub damages what an import kept and has it brought back, as an operator would.
func TestScrub(t *testing.T) {
	muhafiz := program(t)
	dir := approvedSite(t, muhafiz, "https://t.me/example_channel")
	if err := os.WriteFile(filepath.Join(dir, "result.json"), []byte(`{"name":"c","type":"public_channel","id":1,"messages":[
{"id":1,"type":"message","date_unixtime":"1764000000","from":"c","from_id":"channel1","text":"A simulated text.","text_entities":[{"type":"plain","text":"A simulated text."}]}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, dir, muhafiz, "import", "--as", "amna", "--target", "channel", "result.json").want(t, 0, "import")
	if r := run(t, dir, muhafiz, "scrub", "--rate", "1GiB").want(t, 0, "scrub of a whole vault"); !strings.Contains(r.out, "everything is as it was recorded") {
		t.Error(r.out, r.err)
	}
	if r := run(t, dir, muhafiz, "scrub", "--mend").want(t, exitUsage, "no place for backups"); !strings.Contains(r.err, "add backup:") {
		t.Error(r.err)
	}
	if err := os.Mkdir(filepath.Join(dir, "copies"), 0o700); err != nil {
		t.Fatal(err)
	}
	content := ageKey(t, dir, "content.txt")
	appendTo(t, dir, "muhafiz.yaml", "scrub: {every: 0}\nbackup: {to: copies, recipients: ["+content+"]}\n")
	run(t, dir, muhafiz, "backup").want(t, 0, "backup")
	n := rotten(t, dir, "A simulated text.")
	run(t, dir, muhafiz, "fsck", "vault").want(t, exitIntegrity, "fsck of rot")
	r := run(t, dir, muhafiz, "scrub", "--json").want(t, exitIntegrity, "scrub of rot")
	var out struct {
		Found int
		Open  []struct{ Aside, What string }
	}
	if err := json.Unmarshal([]byte(r.out), &out); err != nil || out.Found < n || len(out.Open) != n || !strings.HasPrefix(out.Open[0].Aside, "damaged/") {
		t.Errorf("%+v, %v", out, err)
	}
	if r := run(t, dir, muhafiz, "status"); !strings.Contains(r.out, "DAMAGES ARE NOT MENDED") || !strings.Contains(r.out, "muhafiz scrub --from BACKUP") {
		t.Error(r.out, r.err)
	}
	run(t, dir, muhafiz, "fsck", "vault").want(t, exitIntegrity, "fsck of what is set aside")
	if r := run(t, dir, muhafiz, "scrub", "--mend"); r.code == 0 || !strings.Contains(r.err, "identity") {
		t.Errorf("without an identity: %d %s", r.code, r.err)
	}
	if r := run(t, dir, muhafiz, "scrub", "--from", "copies", "--identity", "content.txt").want(t, 0, "scrub with a backup"); !strings.Contains(r.out, "brought back from the backup") {
		t.Error(r.out, r.err)
	}
	run(t, dir, muhafiz, "fsck", "vault").want(t, 0, "fsck of what was mended")
	if r := run(t, dir, muhafiz, "log", "--as", "amna"); !strings.Contains(r.out, "damaged: its ") || !strings.Contains(r.out, "whole again, from the backup") {
		t.Error(r.out, r.err)
	}
}
