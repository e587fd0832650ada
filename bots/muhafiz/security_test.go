package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	fnote "github.com/transparency-dev/formats/note"
	sumnote "golang.org/x/mod/sumdb/note"

	"github.com/muhafiz/muhafiz/collectors/anchor/anchortest"
)

// commandsOf returns the blocks of commands below a heading of SECURITY.md.
func commandsOf(t *testing.T, heading string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(b), "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("SECURITY.md has no section %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var blocks []string
	for _, m := range regexp.MustCompile(`(?m)(^    .*\n)+`).FindAllString(section, -1) {
		blocks = append(blocks, regexp.MustCompile(`(?m)^    `).ReplaceAllString(m, ""))
	}
	return blocks
}

// TestSecurityPage runs the page's commands on what the program made, and on damaged copies of it.
func TestSecurityPage(t *testing.T) {
	muhafiz := program(t)
	site := captureSite(t, muhafiz)
	one := anchortest.New(t, "one")
	wkey, wv, err := sumnote.GenerateKey(rand.Reader, "witness.example/one")
	if err != nil {
		t.Fatal(err)
	}
	appendTo(t, site, "muhafiz.yaml", fmt.Sprintf("anchors:\n  authorities: [{name: one, url: %q, roots: %q}]\n  witnesses: [%q]\n", one.URL, one.RootsFile(), wv))
	capture := writeCapture(t, site, `{"url": "https://x.com/Northhaven_Sim/status/1234567890123456789", "text": "Simulated.", "lang": "en", "claimed_at": "2026-01-30T10:00:00Z"}`, nil)
	run(t, site, muhafiz, "import", "--as", "amna", "--target", "channel", capture).want(t, 0, "import")
	run(t, site, muhafiz, "checkpoint", "stamp").want(t, 0, "stamp")
	shown := run(t, site, muhafiz, "checkpoint", "show").want(t, 0, "show").out
	note := shown[strings.Index(shown, "\n\n")+2:]
	note = note[:strings.Index(note, "\n\n")+2] + regexp.MustCompile(`(?m)^— .*\n`).FindString(note)
	w, err := fnote.NewSignerForCosignatureV1(wkey)
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(note, "\n\n")
	signed, err := sumnote.Sign(&sumnote.Note{Text: text + "\n"}, w)
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := bytes.Cut(signed, []byte("\n\n"))
	if err := os.WriteFile(filepath.Join(site, "cosigned"), append([]byte(note), line...), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, site, muhafiz, "checkpoint", "accept", "cosigned").want(t, 0, "accept")
	run(t, site, muhafiz, "checkpoint", "export", "--out", "head").want(t, 0, "export")
	run(t, site, muhafiz, "bundle", "--account", "a1", "--as", "lubna", "--out", ".", "--name", "bundle").want(t, 0, "bundle")
	run(t, site, muhafiz, "verify", "--tsa", one.RootsFile(), "bundle").want(t, 4, "verify, signer unknown")
	script, err := filepath.Abs("../../scripts/verify-bundle")
	if err != nil {
		t.Fatal(err)
	}
	run(t, site, script, "bundle", "--tsa", one.RootsFile()).want(t, 4, "the script, signer unknown")
	_, stranger, err := sumnote.GenerateKey(rand.Reader, "witness.example/stranger")
	if err != nil {
		t.Fatal(err)
	}
	for _, verifier := range [][]string{{muhafiz, "verify", "bundle"}, {script, "bundle"}} {
		ok := run(t, site, verifier[0], append(verifier[1:], "--tsa", one.RootsFile(), "--witness", wv)...).want(t, 4, "verify a cosignature")
		if !strings.Contains(ok.out, "1 of the given witnesses cosigned ") {
			t.Errorf("%s: %s", verifier[0], ok.out)
		}
		if r := run(t, site, verifier[0], append(verifier[1:], "--tsa", one.RootsFile(), "--witness", stranger)...).want(t, 4, "another witness's key"); strings.Contains(r.out, "cosigned ") {
			t.Errorf("%s: %s", verifier[0], r.out)
		}
	}
	size := strings.Split(text, "\n")[1]

	room := func() string {
		t.Helper()
		dir := t.TempDir()
		if err := os.CopyFS(filepath.Join(dir, "bundle"), os.DirFS(filepath.Join(site, "bundle"))); err != nil {
			t.Fatal(err)
		}
		for to, from := range map[string]string{"head": "head", "log.pem": "log.key.pem", "evidence.pub": "evidence.pub", "tsa-ca.pem": one.RootsFile()} {
			if !filepath.IsAbs(from) {
				from = filepath.Join(site, from)
			}
			b, err := os.ReadFile(from)
			if err != nil {
				t.Fatal(err)
			}
			if to == "evidence.pub" {
				to, b = "allowed_signers", append([]byte("evidence@example.org "), b...)
			}
			if err := os.WriteFile(filepath.Join(dir, to), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "witness.pub"), []byte(wv+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	bash := func(dir, commands string) (string, error) {
		cmd := exec.Command("bash", "-e", "-o", "pipefail", "-c", strings.ReplaceAll(commands, "SIZE", size))
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	blocks := commandsOf(t, "Check it without our program")
	anchors := "bundle/data/log/anchors/" + size
	damaged := []string{"head", anchors + ".checkpoint", anchors + ".cosigned", "bundle/tagmanifest-sha256.txt"}
	if len(blocks) != len(damaged) {
		t.Fatalf("the page has %d blocks of commands, and the test knows %d", len(blocks), len(damaged))
	}
	for i, commands := range blocks {
		if out, err := bash(room(), commands); err != nil {
			t.Errorf("%v\n%s\n%s", err, commands, out)
		}
		dir := room()
		b, err := os.ReadFile(filepath.Join(dir, damaged[i]))
		if err != nil {
			t.Fatal(err)
		}
		at := bytes.LastIndex(b, []byte("\n\n")) - 10 // in the root
		if i == 3 {
			at = 5
		}
		b[at] ^= 1
		if err := os.WriteFile(filepath.Join(dir, damaged[i]), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := bash(dir, commands); err == nil {
			t.Errorf("damaged, and still verified:\n%s\n%s", commands, out)
		}
	}
}
