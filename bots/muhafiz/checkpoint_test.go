package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	fnote "github.com/transparency-dev/formats/note"
	sumnote "golang.org/x/mod/sumdb/note"

	"github.com/muhafiz/muhafiz/collectors/anchor/anchortest"
)

// TestCheckpoints has outsiders confirm a vault's log, changes its key, and then puts an older copy in its place.
func TestCheckpoints(t *testing.T) {
	muhafiz := program(t)
	dir := approvedSite(t, muhafiz, "https://t.me/example_channel")
	one, down := anchortest.New(t, "one"), anchortest.New(t, "two")
	wkey, wv, err := sumnote.GenerateKey(rand.Reader, "witness.example/one")
	if err != nil {
		t.Fatal(err)
	}
	plain := run(t, dir, muhafiz, "status")
	if !strings.Contains(plain.out, "warning: no outside anchor") {
		t.Errorf("status without outsiders: %s", plain.out)
	}
	appendTo(t, dir, "muhafiz.yaml", fmt.Sprintf(`anchors:
  authorities:
    - {name: one, url: %q, roots: %q}
    - {name: two, url: "http://127.0.0.1:1/", roots: %q}
  witnesses: [%q]
`, one.URL, one.RootsFile(), down.RootsFile(), wv))
	write := func(name string, b []byte) string {
		t.Helper()
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	key, err := os.ReadFile(filepath.Join(dir, "log.key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	log := strings.TrimSpace(string(key))

	stamp := run(t, dir, muhafiz, "checkpoint", "stamp")
	stamp.want(t, 4, "one of two authorities is down")
	if !strings.Contains(stamp.out, "one confirmed") || !strings.Contains(stamp.err, "two") {
		t.Errorf("%s%s", stamp.out, stamp.err)
	}
	if st := run(t, dir, muhafiz, "status"); !strings.Contains(st.out, "newest outside anchor: one, ") || strings.Contains(st.out, "no outside anchor") {
		t.Errorf("status: %s", st.out)
	}

	run(t, dir, muhafiz, "checkpoint", "export", "--out", "first").want(t, 0, "export")
	before, err := os.ReadFile(filepath.Join(dir, "vault", "vault.db"))
	if err != nil {
		t.Fatal(err)
	}
	run(t, dir, muhafiz, "checkpoint", "export", "--since", "first", "--out", "second").want(t, 0, "export since")
	second, err := os.ReadFile(filepath.Join(dir, "second"))
	if err != nil || bytes.HasPrefix(second, []byte("old 0\n")) {
		t.Errorf("the second export: %s %v", second, err)
	}
	_, note, _ := bytes.Cut(second, []byte("\n\n"))
	w, err := fnote.NewSignerForCosignatureV1(wkey)
	if err != nil {
		t.Fatal(err)
	}
	body, _, _ := bytes.Cut(note, []byte("\n\n"))
	cosigned, err := sumnote.Sign(&sumnote.Note{Text: string(body) + "\n"}, w)
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := bytes.Cut(cosigned, []byte("\n\n"))
	write("cosigned", append(note, line...))
	if acc := run(t, dir, muhafiz, "checkpoint", "accept", "cosigned"); acc.code != 0 || !strings.Contains(acc.out, "witness.example/one") {
		t.Errorf("accept: %+v", acc)
	}
	if acc := run(t, dir, muhafiz, "checkpoint", "accept", "cosigned"); acc.code != 0 || !strings.Contains(acc.out, "nothing new") {
		t.Errorf("accept again: %+v", acc)
	}

	run(t, dir, muhafiz, "checkpoint", "verify", "--against", "first", "--log", log).want(t, 0, "verify")
	run(t, dir, muhafiz, "checkpoint", "verify", "--against", "cosigned").want(t, 4, "verify without a key of one's own")
	_, stranger, err := sumnote.GenerateKey(rand.Reader, "witness.example/two")
	if err != nil {
		t.Fatal(err)
	}
	cut := bytes.LastIndex(append(bytes.Clone(note), line...), []byte(" ")) + 40
	forged := append(bytes.Clone(note), line...)
	letter := byte('A') // in the signature's base64, past the key's hash and the time
	if forged[cut] == letter {
		letter = 'B'
	}
	forged[cut] = letter
	write("forged", forged)
	for _, c := range []struct {
		code  int
		file  string
		keys  []string
		words string
	}{
		{0, "cosigned", []string{wv}, "witness witness.example/one: valid, it saw this checkpoint at "},
		{0, "cosigned", nil, "witness witness.example/one: unknown, its signature was not checked"},
		{exitIncomplete, "cosigned", []string{stranger}, "witness witness.example/two: it did not sign this checkpoint"},
		{exitIntegrity, "forged", []string{wv}, "witness witness.example/one: WRONG SIGNATURE"},
		{exitUsage, "cosigned", []string{"no key"}, "the witness's key"},
	} {
		args := []string{"checkpoint", "verify", "--against", c.file, "--log", log}
		for _, k := range c.keys {
			args = append(args, "--witness", k)
		}
		if r := run(t, dir, muhafiz, args...).want(t, c.code, c.words); !strings.Contains(r.out+r.err, c.words) {
			t.Errorf("%s%s", r.out, r.err)
		}
	}
	name, _, _ := strings.Cut(log, "+")
	run(t, dir, muhafiz, "key", "log", "--out", "log2.key", "--name", name).want(t, 0, "key log")
	run(t, dir, muhafiz, "key", "rotate", "--new", "log2.key", "--as", "amna", "--reason", "a yearly change").want(t, 0, "rotate")
	if r := run(t, dir, muhafiz, "status"); r.code == 0 || !strings.Contains(r.err, "is not this vault's") {
		t.Errorf("the old key after the change: %+v", r)
	}
	cfg, err := os.ReadFile(filepath.Join(dir, "muhafiz.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	write("muhafiz.yaml", bytes.Replace(cfg, []byte("log_key: log.key"), []byte("log_key: log2.key"), 1))
	run(t, dir, muhafiz, "checkpoint", "verify", "--against", "first", "--log", log).want(t, 0, "verify a checkpoint of the old key")
	run(t, dir, muhafiz, "checkpoint", "export", "--since", "second", "--out", "third").want(t, 0, "export after the change")
	run(t, dir, muhafiz, "fsck", "vault").want(t, 0, "fsck")

	write("muhafiz.yaml", cfg)
	write("vault/vault.db", before)
	if r := run(t, dir, muhafiz, "checkpoint", "verify", "--against", "cosigned", "--log", log); r.code != 3 || !strings.Contains(r.err, "an older copy of the vault") {
		t.Errorf("rolled back: %+v", r)
	}
}
