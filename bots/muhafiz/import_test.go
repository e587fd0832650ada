package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestImportOfARealExport imports the public export of the shared data folder, twice.
func TestImportOfARealExport(t *testing.T) {
	export, err := filepath.Abs("../../../shared/data/telegram-export")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(export); err != nil {
		t.Log("not applicable: the export is not beside this checkout")
		return
	}
	muhafiz := program(t)
	dir := approvedSite(t, muhafiz, "https://t.me/trantor_library")
	type report struct {
		Messages, Posts, Service, Unchanged, Skipped, MediaKept, Records int
		MediaMissed                                                      map[string]int
	}
	get := func(r ran) (rep report) {
		t.Helper()
		if err := json.Unmarshal([]byte(r.out), &rep); err != nil {
			t.Fatal(err)
		}
		return rep
	}
	args := []string{"import", "--json", "--as", "amna", "--target", "channel", export}
	first := get(run(t, dir, muhafiz, args...).want(t, exitIncomplete, "import"))
	if first.Messages != 924 || first.Posts+first.Service+first.Skipped != 924 || first.MediaKept == 0 || first.MediaMissed["missing"] == 0 {
		t.Errorf("first import: %+v", first)
	}
	second := get(run(t, dir, muhafiz, args...).want(t, exitIncomplete, "import again"))
	if second.Unchanged != 924 || second.Records != 0 {
		t.Errorf("second import: %+v", second)
	}
	run(t, dir, muhafiz, "fsck", "vault").want(t, 0, "fsck")
}

func TestAnImportThatCannotBe(t *testing.T) {
	muhafiz := program(t)
	dir := approvedSite(t, muhafiz, "https://t.me/northhaven_front_sim")
	for name, export := range map[string]string{
		"group":     `{"name":"g","type":"private_group","id":1,"messages":[]}`,
		"truncated": `{"name":"c","type":"public_channel","id":1,"messages":[{"id":1,"type":"message","date":"2026-01-01T00:00:00","date_unixtime":"1767225600","text":"Simulated."},{"id":2,"ty`,
		"nothing":   ``,
		"not JSON":  "Simulated text\x00",
	} {
		path := filepath.Join(t.TempDir(), "result.json")
		if err := os.WriteFile(path, []byte(export), 0o600); err != nil {
			t.Fatal(err)
		}
		r := run(t, dir, muhafiz, "import", "--as", "amna", "--target", "channel", path)
		if r.code == 0 || strings.Contains(r.err, "panic") || r.out+r.err == "" {
			t.Errorf("%s: exit %d, %s%s", name, r.code, r.out, r.err)
		}
	}
	run(t, dir, muhafiz, "fsck", "vault").want(t, 0, "fsck")
}

// TestAWhatsAppExportNeedsAKnownChannel: nothing in the text says that it is of a channel.
func TestAWhatsAppExportNeedsAKnownChannel(t *testing.T) {
	muhafiz := program(t)
	dir := approvedSite(t, muhafiz, "https://whatsapp.com/channel/0029VaExample_-00000000")
	path := filepath.Join(t.TempDir(), "_chat.txt")
	if err := os.WriteFile(path, []byte("13/1/24, 10:00 - Somebody (simulated): This is simulated.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := run(t, dir, muhafiz, "import", "--as", "amna", "--target", "channel", "--date-order", "dmy", path).want(t, exitFailed, "import")
	if !strings.Contains(r.err, "let a WhatsApp account read the channel first") {
		t.Errorf("says %q", r.err)
	}
	if r := run(t, dir, muhafiz, "import", "-h").want(t, 0, "help"); !strings.Contains(r.out, "--date-order") || !strings.Contains(r.out, "refuse the whole file") {
		t.Errorf("help: %s", r.out)
	}
}
