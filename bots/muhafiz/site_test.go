package main

import (
	"os"
	"path/filepath"
	"testing"
)

// approvedSite is a folder in which a second person approved one target, and nothing else.
func approvedSite(t *testing.T, muhafiz, address string) string {
	t.Helper()
	dir := t.TempDir()
	run(t, dir, muhafiz, "key", "log", "--out", "log.key").want(t, 0, "key log")
	for _, p := range []string{"amna", "bilal"} {
		run(t, dir, muhafiz, "key", "person", "--out", p, p).want(t, 0, "key person")
	}
	for name, text := range map[string]string{
		"muhafiz.yaml": `vault: vault
log_key: log.key
legal_basis: A test of the import.
people:
  - {id: amna, name: Amna, roles: [analyst], ssh_key: {file: amna.pub}}
  - {id: bilal, name: Bilal, roles: [reviewer], ssh_key: {file: bilal.pub}}
organisations: orgs.yaml
watchlists: [list.yaml]
`,
		"orgs.yaml": "organisations:\n  - {id: stand-in, name: Stand-in for a test, designations: [{authority: Exampleland, reference: none, date: 2026, source: test}]}\n",
		"list.yaml": "targets:\n  - {id: channel, address: '" + address + "', organisation: stand-in, affiliation: {basis: test, citation: {title: test, url: 'https://example.org/'}}, listed_by: amna}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, muhafiz, "watch", "sign", "--as", "amna", "--key", "amna").want(t, 0, "watch sign")
	run(t, dir, muhafiz, "watch", "approve", "channel", "--as", "bilal", "--key", "bilal").want(t, 0, "watch approve")
	return dir
}

func appendTo(t *testing.T, dir, name, text string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}
