package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestBlindReview takes two cases of a site where review is blind through both people, and looks wherever the second one could.
func TestBlindReview(t *testing.T) {
	muhafiz := program(t)
	dir := approvedSite(t, muhafiz, "https://t.me/northhaven_front_sim")
	appendTo(t, dir, "muhafiz.yaml", "review: {blind: true}\nbundle: {ssh_key: packer, identity: packer@example.org}\n")
	run(t, dir, muhafiz, "key", "person", "--out", "packer", "packer").want(t, 0, "key person")
	list, err := os.ReadFile(filepath.Join(dir, "list.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"list.yaml": strings.Replace(string(list), "listed_by:", "report: true, listed_by:", 1),
		"result.json": `{"name":"c","type":"public_channel","id":1,"messages":[
{"id":1,"type":"message","date":"2026-01-01T00:00:00","date_unixtime":"1767225600","text":"A simulated text asks for donations."},
{"id":2,"type":"message","date":"2026-01-01T00:01:00","date_unixtime":"1767225660","text":"Another one asks for donations (simulated)."},
{"id":3,"type":"message","date":"2026-01-01T00:02:00","date_unixtime":"1767225720","text":"A third one asks for donations (simulated)."}]}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	do := func(code int, want string, args ...string) string {
		t.Helper()
		r := run(t, dir, muhafiz, args...).want(t, code, strings.Join(args, " "))
		if !strings.Contains(r.out+r.err, want) {
			t.Errorf("%v: no %q in %s%s", args, want, r.out, r.err)
		}
		return r.out + r.err
	}
	do(0, "signed the listing of 1 target", "watch", "sign", "--as", "amna", "--key", "amna")
	do(0, "", "watch", "approve", "channel", "--as", "bilal", "--key", "bilal")
	do(0, "", "import", "--as", "amna", "--target", "channel", "result.json")
	decide := func(post string, more ...string) {
		t.Helper()
		do(0, "donations", "review", "show", post, "--as", "amna")
		do(0, "approve", append([]string{
			"review", "decide", post, "--as", "amna", "--key", "amna", "--quote", "asks for donations", "--rule", "RULE-BROKEN (simulated)",
			"--offence", "fundraises", "--severity", "high", "--exclusion", "none", "--affiliation", "AS-REVIEWED (simulated)", "--languages", "en",
		}, more...)...)
	}
	decide("a1/1")
	for _, args := range [][]string{
		{"review", "queue"},
		{"review", "show", "c1"},
		{"review", "show", "c1", "--json"},
		{"review", "queue", "--json"},
		{"log", "--subject", "c1"},
		{"log", "--subject", "c1", "--json"},
		{"today"},
		{"watch", "redress", "channel", "--json"},
	} {
		out := do(0, "c1", append(args, "--as", "bilal")...)
		for _, word := range []string{"RULE-BROKEN", "AS-REVIEWED", "fundraises", "high", `"outcome": "report"`} {
			if strings.Contains(out, word) {
				t.Errorf("%v tells the second person %q:\n%s", args, word, out)
			}
		}
		if (slices.Contains(args, "queue") || args[0] == "log") && strings.Contains(strings.ToLower(out), "amna") {
			t.Errorf("%v tells who decided:\n%s", args, out)
		}
	}
	for _, kind := range []string{"decision", "case.opened"} { // whose acts they are would be told by their being there
		if out := do(0, "", "log", "--person", "amna", "--kind", kind, "--as", "bilal"); strings.Contains(out, "c1") {
			t.Errorf("the acts of one person tell who decided:\n%s", out)
		}
	}
	do(0, "blind review: what the first person decided is shown after you have answered", "review", "show", "c1", "--as", "bilal")
	do(0, "RULE-BROKEN", "review", "show", "c1", "--as", "amna")
	do(exitFailed, "its bundle is built once they have answered", "bundle", "--case", "c1", "--out", dir, "--as", "bilal")
	do(exitFailed, "review approve c1 --outcome report, or --outcome no_action", "review", "approve", "c1", "--as", "bilal", "--key", "bilal")
	do(exitUsage, "can't be used together", "review", "approve", "c1", "--as", "bilal", "--key", "bilal", "--refuse", "--outcome", "report")
	do(0, "case c1 is approved", "review", "approve", "c1", "--as", "bilal", "--key", "bilal", "--outcome", "report")
	out := do(0, "RULE-BROKEN", "review", "show", "c1", "--as", "bilal")
	if !strings.Contains(out, "second person bilal answered blind: report") || !strings.Contains(out, "agrees yes") {
		t.Errorf("the answer is shown as\n%s", out)
	}

	decide("a1/2")
	do(0, "", "review", "show", "c2", "--as", "bilal")
	do(0, "you answered no_action and amna decided otherwise", "review", "approve", "c2", "--as", "bilal", "--key", "bilal", "--outcome", "no_action", "--comment", "bland (simulated)")
	do(0, "refused, by no action as their own outcome and without having seen it, the decision on case c2", "log", "--subject", "c2", "--as", "bilal")
	decide("a1/3", "--outcome", "no_action", "--comment", "bland (simulated)")
	do(0, "decided", "review", "show", "c2", "--as", "bilal")
	do(0, "case c2 is closed; both of you came to no action", "review", "approve", "c2", "--as", "bilal", "--key", "bilal", "--outcome", "no_action", "--comment", "bland (simulated)")
	do(0, "1 exhibits", "bundle", "--case", "c1", "--out", dir, "--name", "blind", "--as", "bilal")
	do(exitIncomplete, "agreeing blind approval signed by", "verify", filepath.Join(dir, "blind"))
	do(0, "", "fsck", "vault")
}
