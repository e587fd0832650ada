package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFromAListToAWatch adds a list, approves, shows, follows a successor and removes, as people do it.
func TestFromAListToAWatch(t *testing.T) {
	muhafiz := program(t)
	dir := approvedSite(t, muhafiz, "https://t.me/northhaven_front_sim")
	appendTo(t, dir, "muhafiz.yaml", "")
	b, err := os.ReadFile(filepath.Join(dir, "muhafiz.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	main := strings.Replace(string(b), "[list.yaml]", "[list.yaml, 'watch/*.yaml']", 1)
	for name, text := range map[string]string{
		"muhafiz.yaml": main,
		"news.csv":     "Platform,Link,Date\nTelegram,t.me/Northhaven_Sim_2,31/01/2026\nX,@northhaven_sim,1 Feb 2026\nTelegram,https://t.me/northhaven_front_sim,\nTelegram,https://t.me/+AbCd,\n",
		"report.pdf":   "A simulated report.\n",
	} {
		if err := os.MkdirAll(filepath.Join(dir, "watch"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "watch", "z.yaml"), []byte("targets: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	add := []string{"watch", "add", "news.csv", "--organisation", "stand-in", "--source", "report.pdf", "--as", "amna", "--report"}
	says := func(r ran, wants ...string) {
		t.Helper()
		for _, w := range wants {
			if !strings.Contains(r.out, w) {
				t.Errorf("prints no %q:\n%s%s", w, r.out, r.err)
			}
		}
	}
	says(run(t, dir, muhafiz, append(add, "--dry-run")...).want(t, exitIncomplete, "dry run"), "would write", "2 new, 1 known, 1 refused")
	says(run(t, dir, muhafiz, append(add, "--json")...).want(t, exitIncomplete, "add"), `"address": "https://x.com/northhaven_sim"`)
	says(run(t, dir, muhafiz, add...).want(t, exitIncomplete, "add again"), "3 known, 1 refused", "no file was written")
	says(run(t, dir, muhafiz, "check").want(t, 0, "check"), "listed only, report")

	says(run(t, dir, muhafiz, "watch").want(t, 0, "list"), "listed (listed only), listing not signed")
	if r := run(t, dir, muhafiz, "watch", "approve", "x-northhaven_sim", "--as", "bilal", "--key", "bilal").want(t, exitFailed, "approve what nobody signed"); !strings.Contains(r.err, "amna, who is named in listed_by of target x-northhaven_sim, has not signed the listing") {
		t.Errorf("says %s", r.err)
	}
	if r := run(t, dir, muhafiz, "watch", "sign", "channel", "--as", "bilal", "--key", "bilal").want(t, exitFailed, "sign for another"); !strings.Contains(r.err, "target channel names amna in listed_by, who signs it") {
		t.Errorf("says %s", r.err)
	}
	says(run(t, dir, muhafiz, "watch", "sign", "--as", "amna", "--key", "amna").want(t, 0, "sign"), "amna signed the listing of 2 targets, record ")
	says(run(t, dir, muhafiz, "watch", "sign", "--as", "amna", "--key", "amna").want(t, 0, "sign again"), "nothing is to be signed by amna")

	r := run(t, dir, muhafiz, "watch", "approve", "x-northhaven_sim", "telegram-northhaven_sim_2", "--as", "bilal", "--key", "bilal", "--until", "2099-12-31").want(t, 0, "approve until")
	says(r, "listed only", "ends 2099-12-31 23:59Z")
	run(t, dir, muhafiz, "watch", "approve", "channel", "--as", "bilal", "--key", "bilal", "--until", "soon").want(t, exitUsage, "a bad end")
	says(run(t, dir, muhafiz, "watch", "list", "--state", "approved").want(t, 0, "list"), "until 2099-12-31", "(listed only)", "northhaven_sim_2")
	says(run(t, dir, muhafiz, "watch", "show", "telegram-northhaven_sim_2").want(t, 0, "show"), "Stand-in for a test", "report.pdf", "dated 2026-01-31", "History", "Legal basis")

	run(t, dir, muhafiz, "watch", "successor", "telegram-northhaven_sim_2", "https://t.me/northhaven_sim_3", "--as", "amna", "--basis", "announced there (simulated)", "--key", "amna").want(t, 0, "successor")
	says(run(t, dir, muhafiz, "watch", "list", "--state", "listed").want(t, 0, "list"), "telegram-northhaven_sim_3")
	run(t, dir, muhafiz, "watch", "approve", "telegram-northhaven_sim_3", "--as", "bilal", "--key", "bilal").want(t, 0, "approve the successor")
	run(t, dir, muhafiz, "watch", "remove", "telegram-northhaven_sim_2", "--as", "amna", "--reason", "gone (simulated)").want(t, 0, "remove")
	r = run(t, dir, muhafiz, "watch", "list", "--state", "removed", "--json").want(t, 0, "list")
	var gone []struct{ ID, Reason, By string }
	if err := json.Unmarshal([]byte(r.out), &gone); err != nil || len(gone) != 1 || gone[0].Reason != "gone (simulated)" || !strings.HasPrefix(gone[0].By, "u") {
		t.Errorf("%v: %s", err, r.out)
	}
	says(run(t, dir, muhafiz, add...).want(t, exitIncomplete, "add what was removed"), "1 past")
	run(t, dir, muhafiz, "watch", "suspend", "x-northhaven_sim", "--as", "amna", "--reason", "in doubt").want(t, 0, "suspend")
	if r := run(t, dir, muhafiz, "watch", "remove", "x-northhaven_sim", "--as", "amna", "--reason", "x"); r.code == 0 || !strings.Contains(r.err, "stays on the list") {
		t.Errorf("a suspended target was removed: %s%s", r.out, r.err)
	}
	says(run(t, dir, muhafiz, add...).want(t, exitIncomplete, "add what is suspended"), "1 suspended")
	run(t, dir, muhafiz, "fsck", "vault").want(t, 0, "fsck")
}

// TestEmergencyIsSaidEverywhere starts alone and looks for it in each answer.
func TestEmergencyIsSaidEverywhere(t *testing.T) {
	muhafiz := program(t)
	dir := approvedSite(t, muhafiz, "https://t.me/northhaven_front_sim")
	appendTo(t, dir, "list.yaml", "  - {id: urgent, address: '@northhaven_urgent_sim', organisation: stand-in, affiliation: {basis: test, citation: {title: test, url: 'https://example.org/'}}, listed_by: bilal}\n")
	run(t, dir, muhafiz, "watch", "approve", "urgent", "--as", "bilal", "--key", "bilal", "--emergency").want(t, 0, "emergency")
	for _, args := range [][]string{{"watch"}, {"watch", "list", "--state", "emergency"}, {"watch", "show", "urgent"}, {"status"}} {
		if r := run(t, dir, muhafiz, args...).want(t, 0, strings.Join(args, " ")); !strings.Contains(r.out, "EMERGENCY START") {
			t.Errorf("%v does not say it:\n%s", args, r.out)
		}
	}
}

// TestAddSignsWhatItLists goes from a list to an approval without a word in between; the vault is made on the way.
func TestAddSignsWhatItLists(t *testing.T) {
	muhafiz := program(t)
	dir := approvedSite(t, muhafiz, "https://t.me/northhaven_front_sim")
	if err := os.RemoveAll(filepath.Join(dir, "vault")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "news.txt"), []byte("t.me/northhaven_one_sim\nt.me/northhaven_two_sim\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	add := []string{"watch", "add", "news.txt", "--organisation", "stand-in", "--source", "A simulated report", "--to", "list.yaml", "--as", "amna", "--key"}
	run(t, dir, muhafiz, append(add, "nokey")...).want(t, exitFailed, "a key that is not there")
	if r := run(t, dir, muhafiz, append(add, "bilal")...).want(t, exitFailed, "another's key"); !strings.Contains(r.err, "is not the one that the roster holds for amna") {
		t.Errorf("says %s", r.err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "list.yaml")); err != nil || strings.Contains(string(b), "northhaven_one") {
		t.Errorf("an unsigned listing was written: %s, %v", b, err)
	}
	if r := run(t, dir, muhafiz, append(add, "amna")...).want(t, 0, "add"); !strings.Contains(r.out, "amna signed the listing, record ") {
		t.Errorf("prints %s", r.out)
	}
	run(t, dir, muhafiz, "watch", "approve", "telegram-northhaven_one_sim", "telegram-northhaven_two_sim", "--as", "bilal", "--key", "bilal").want(t, 0, "approve")
	run(t, dir, muhafiz, "fsck", "vault").want(t, 0, "fsck")
}
