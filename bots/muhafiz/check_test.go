package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckTellsWhatTheLawRefuses holds routes against listings: what is certain from the configuration is said before a case is lost to it.
func TestCheckTellsWhatTheLawRefuses(t *testing.T) {
	muhafiz := program(t)
	dir := t.TempDir()
	for _, p := range []string{"amna", "bilal"} {
		run(t, dir, muhafiz, "key", "person", "--out", p, p).want(t, 0, "key person")
	}
	write := func(kind, authority string) {
		t.Helper()
		for name, text := range map[string]string{
			"muhafiz.yaml": `vault: vault
log_key: log.key
legal_basis: A test of what the law refuses.
people:
  - {id: amna, name: Amna, roles: [analyst], ssh_key: {file: amna.pub}}
  - {id: bilal, name: Bilal, roles: [reviewer], ssh_key: {file: bilal.pub}}
reporter: {schedule: '@daily', organisation_name: Test, corrections_contact: c@example.org, routes: [{platform: x, kind: ` + kind + `, outbox: out}]}
organisations: orgs.yaml
watchlists: [list.yaml]
`,
			"orgs.yaml": "organisations:\n  - {id: stand-in, name: Stand-in for a test, designations: [{authority: " + authority + ", reference: none, date: 2026, source: test}]}\n",
			"list.yaml": "targets:\n  - {id: channel, address: 'https://x.com/northhaven_sim', organisation: stand-in, affiliation: {basis: test, citation: {title: test, url: 'https://example.org/'}}, report: true, listed_by: amna}\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	says := func(code int, want ...string) {
		t.Helper()
		r := run(t, dir, muhafiz, "check").want(t, code, "check")
		for _, w := range want {
			if !strings.Contains(r.out+r.err, w) {
				t.Errorf("check does not say %q:\n%s%s", w, r.out, r.err)
			}
		}
	}
	write("dsa-art16", "Pakistan NACTA")
	says(0, "Route        x, dsa-art16: outbox", "refused on the listings alone", "a dsa-art16 cannot rest on a listing by Pakistan")
	write("pakistan-complaint", "US FTO")
	says(0, "refused  a pakistan-complaint cannot rest on a listing by the United States")
	write("platform-rules", "Pakistan NACTA")
	says(0, "Route        x, platform-rules: outbox", "allowed", "a senior approves it first")
	write("tco-referral", "EU")
	says(exitUsage, "reporter.routes[0].kind: a notifier who is ordinary may not send a tco-referral")
}
