package config

import (
	"os"
	"path/filepath"
	"testing"
)

const (
	keyA = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
)

func TestSmoke(t *testing.T) {
	dir := t.TempDir()
	w := func(name, s string) {
		p := filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(p), 0o755)
		os.WriteFile(p, []byte(s), 0o644)
	}
	w("muhafiz.yaml", "vault: vault\nlog_key: keys/log\nlegal_basis: a b\npeople:\n - {id: a, name: A, roles: [analist, reviewer], ssh_key: "+keyA+" x}\norganisations: o.yaml\nwatchlists: [w/*.yaml]\nreporter:\n  shedule: 1\n")
	w("o.yaml", "organisations:\n - id: x\n   name: X\n")
	w("w/a.yaml", "targets:\n - address: https://t.me/s/Example_One\n   organisation: y\n   listed_by: a\n   affiliation: {basis: b, citation: {title: t, url: 'https://example.org'}}\n")
	_, err := Load(filepath.Join(dir, "muhafiz.yaml"), Options{})
	t.Log(err)
}
