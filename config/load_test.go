package config

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the expected errors in testdata")

// layOut writes the good configuration, changed by the archive's files, to a folder. Files under keys/ and secrets/ are private
// unless `mode` says otherwise; an empty file removes.
func layOut(t testing.TB, changes ...txtar.File) string {
	t.Helper()
	base, err := txtar.ParseFile("testdata/base.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range append(base.Files, changes...) {
		mode := fs.FileMode(0o644)
		if strings.HasPrefix(f.Name, "keys/") || strings.HasPrefix(f.Name, "secrets/") {
			mode = 0o600
		}
		writeFile(t, filepath.Join(dir, f.Name), f.Data, mode)
	}
	for _, f := range changes {
		if f.Name == "mode" {
			chmod(t, dir, string(f.Data))
		}
	}
	return dir
}

func writeFile(t testing.TB, path string, data []byte, mode fs.FileMode) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	err = errors.Join(err, os.WriteFile(path, data, mode))
	if err != nil {
		t.Fatal(err)
	}
}

func chmod(t testing.TB, dir, list string) {
	t.Helper()
	for line := range strings.Lines(list) {
		var name, digits string
		if _, err := fmt.Sscan(line, &digits, &name); err != nil {
			t.Fatal(err)
		}
		mode, err := strconv.ParseUint(digits, 8, 32)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, name), fs.FileMode(mode)); err != nil {
			t.Fatal(err)
		}
	}
}

func testOptions() Options {
	return Options{Getenv: func(name string) string { return map[string]string{"PHONE": "+10000000000"}[name] }}
}

func loadDir(dir string) (*Config, error) {
	return Load(filepath.Join(dir, "muhafiz.yaml"), testOptions())
}

func mustLoad(t *testing.T, changes ...txtar.File) *Config {
	t.Helper()
	c, err := loadDir(layOut(t, changes...))
	if err != nil {
		t.Fatalf("the good configuration is refused:\n%v", err)
	}
	return c
}

// TestBad has one file a rule, with the exact errors.
func TestBad(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			dir := layOut(t, ar.Files...)
			c, err := loadDir(dir)
			if err == nil || c != nil {
				t.Fatal("it was taken")
			}
			if AsErrors(err) == nil {
				t.Fatalf("%T, want Errors", err)
			}
			got := strings.ReplaceAll(err.Error(), dir+"/", "") + "\n"
			got = strings.ReplaceAll(got, dir, "DIR")
			want := &ar.Files[len(ar.Files)-1]
			if want.Name != "want" {
				t.Fatal("the archive does not end with want")
			}
			if *update {
				want.Data = []byte(got)
				writeFile(t, name, txtar.Format(ar), 0o644)
			}
			if diff := cmp.Diff(string(want.Data), got); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGood(t *testing.T) {
	dir := layOut(t)
	c, err := loadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Vault, filepath.Join(dir, "vault"); got != want {
		t.Errorf("vault %s, want %s", got, want)
	}
	if got := c.Telegram.Accounts[0]; got.AppHash.Reveal() != "0123" || got.Phone.Reveal() != "+10000000000" || got.Vantage != "main" {
		t.Error("the account's secrets or its vantage are not as given")
	}
	if got, want := c.Reporter.SMTP.StartTLS, StartTLSAlways; got != want {
		t.Errorf("starttls %s, want %s", got, want)
	}
	o, ok := c.Organisation("front")
	if !ok || len(o.Designations) != 2 || o.Designations[0].Date != "2011-07-29" {
		t.Errorf("organisation %+v", o)
	}
	if diff := cmp.Diff([]Alias{{Value: "EF"}, {Value: "مثالی محاذ", Lang: "ur"}}, o.Aliases); diff != "" {
		t.Error(diff)
	}
	b, err := os.ReadFile(filepath.Join(dir, "watchlists/a.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := Target{
		ID: "one", Organisation: "front", ListedBy: "amina", Report: true,
		Address:     Address{PlatformTelegram, "username", "example_one", "https://t.me/example_one"},
		Affiliation: Affiliation{Basis: "named in the report", Citation: Citation{Title: "Report", URL: "https://example.org/report"}},
		Collect:     Collect{Backfill: true, Media: MediaKinds(), MaxBytes: 20_000_000, Mode: ModeRotation, Thumbnails: true},
		File:        "a.yaml", FileSHA256: sha256.Sum256(b),
		Pos: Position{filepath.Join(dir, "watchlists/a.yaml"), 2, 5},
	}
	if diff := cmp.Diff(want, c.Targets[0]); diff != "" {
		t.Errorf("target (-want +got):\n%s", diff)
	}
	if len(c.Files) != 3 || c.Files[2].Name != "a.yaml" || c.Files[2].SHA256 != want.FileSHA256 {
		t.Errorf("files %v", c.Files)
	}
}

// TestLogKeyForms loads a log key that systemd hands over, sealed with a passphrase.
func TestLogKeyForms(t *testing.T) {
	dir := layOut(t)
	path := filepath.Join(dir, "muhafiz.yaml")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, bytes.Replace(b, []byte("log_key: keys/log\n"), []byte("log_key: credential:log\nlog_key_passphrase: {env: PHONE}\n"), 1), 0o644)
	c, err := loadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if c.LogKey != "credential:log" || c.LogKeyPassphrase.Reveal() != "+10000000000" {
		t.Errorf("%s, passphrase of %d bytes", c.LogKey, len(c.LogKeyPassphrase.Reveal()))
	}
	if w := c.Summary().Warnings; len(w) != 0 {
		t.Errorf("%+v: whether systemd hands it over shows when the vault is opened", w)
	}
}

func TestPosition(t *testing.T) {
	c := mustLoad(t)
	main := c.Files[0].Path
	for path, want := range map[string]string{
		"reporter.schedule":             "17:13",
		"people[1].ssh_key":             "7:58",
		"reporter.smtp.starttls":        "24:9", // not given: the mapping that would hold it
		"telegram.network":              "11:3",
		"bundle":                        "25:9",
		"nowhere":                       "1:1",
		"telegram.accounts[0].app_hash": "14:17",
	} {
		if got := c.Position(path).String(); got != main+":"+want {
			t.Errorf("%s at %s, want %s", path, got, want)
		}
	}
	want := main + ":17:13: reporter.schedule: no such minute"
	if got := c.ErrorAt("reporter.schedule", "no such minute").Error(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestBytes has what an editor or a transfer can do to a file.
func TestBytes(t *testing.T) {
	ar, err := txtar.ParseFile("testdata/base.txtar")
	if err != nil {
		t.Fatal(err)
	}
	main := ar.Files[0].Data
	next := fmt.Sprintf(":%d", bytes.Count(main, []byte("\n"))+1) // the line after the last
	crlf := bytes.ReplaceAll(main, []byte("\n"), []byte("\r\n"))
	for _, c := range []struct {
		name string
		data []byte
		want string // the error after the file's name; empty: it is taken
	}{
		{"as is", main, ""},
		{"byte order mark", append([]byte("\ufeff"), main...), ""},
		{"CRLF", crlf, ""},
		{"both", append([]byte("\ufeff"), crlf...), ""},
		{"no line end at the end", bytes.TrimRight(main, "\n"), ""},
		{"comment in another script", append([]byte("# محافظ\n"), main...), ""},
		{"NUL", append(bytes.Clone(main), "# a\x00b\n"...), next + ":4: contains U+0000 NUL, which does not show; remove it"},
		{"invalid UTF-8", append(bytes.Clone(main), "# caf\xe9\n"...), next + ":6: byte 0xE9 is not valid UTF-8; save the file as UTF-8"},
		{"UTF-16", []byte("\xff\xfev\x00"), ":1:1: byte 0xFF is not valid UTF-8; save the file as UTF-8"},
		{"turned line", append([]byte("# a \u202e b\n"), main...), ":1:5: contains U+202E RIGHT-TO-LEFT OVERRIDE, which does not show; remove it"},
		{"empty", nil, ":1:1: the file is empty"},
		{"only a comment", []byte("# nothing\n"), ":1:1: the file is empty"},
		{"only null", []byte("~\n"), ":1:1: has no value: give one, or remove the key"},
		{"too large", bytes.Repeat([]byte("#\n"), maxFile/2+1), ": FILE is larger than 16777216 bytes"},
		{"long text", bytes.Replace(main, []byte("vault: vault"), []byte("vault: "+strings.Repeat("x", maxText+1)), 1), ":1:8: vault: is longer than 64 KiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := layOut(t, txtar.File{Name: "muhafiz.yaml", Data: c.data})
			_, err := loadDir(dir)
			got := ""
			if err != nil {
				file := filepath.Join(dir, "muhafiz.yaml")
				got = strings.ReplaceAll(strings.TrimPrefix(err.Error(), file), file, "FILE")
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestAliases uses anchors sensibly, and as a bomb.
func TestAliases(t *testing.T) {
	ar, err := txtar.ParseFile("testdata/base.txtar")
	if err != nil {
		t.Fatal(err)
	}
	good := bytes.Replace(ar.Files[2].Data, []byte("affiliation:"), []byte("affiliation: &why"), 1)
	good = append(good, "  - {id: two, address: \"@example_two\", organisation: front, affiliation: *why, listed_by: amina}\n"...)
	c := mustLoad(t, txtar.File{Name: "watchlists/a.yaml", Data: good})
	if diff := cmp.Diff(c.Targets[0].Affiliation, c.Targets[1].Affiliation); diff != "" {
		t.Errorf("the alias is not what it stands for: %s", diff)
	}

	var bomb strings.Builder
	bomb.WriteString("aliases: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := range 12 {
		fmt.Fprintf(&bomb, "a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), ", "))
	}
	bomb.WriteString("people: *a12\nwatchlists: *a12\n")
	_, err = loadDir(layOut(t, txtar.File{Name: "muhafiz.yaml", Data: []byte(bomb.String())}))
	if err == nil || !strings.Contains(err.Error(), "unknown key") {
		t.Errorf("bomb of unknown keys: %v", err)
	}

	many := "targets:\n  - collect:\n      media: [&p photo" + strings.Repeat(", *p", maxAliases+5) + "]\n"
	_, err = loadDir(layOut(t, txtar.File{Name: "watchlists/a.yaml", Data: []byte(many)}))
	if n := strings.Count(fmt.Sprint(err), "aliases more than 1000 times"); n != 1 {
		t.Errorf("the alias limit is reported %d times, want 1", n)
	}
	if want := "more errors in this file are not shown"; !strings.Contains(fmt.Sprint(err), want) {
		t.Errorf("the errors are not limited: %.300s", err)
	}
}

// TestVisits follows few aliases to many values.
func TestVisits(t *testing.T) {
	wide := "targets:\n  - collect:\n      media: &w [photo" + strings.Repeat(", photo", 3000) + "]\n" +
		strings.Repeat("  - collect: {media: *w}\n", 900)
	_, err := loadDir(layOut(t, txtar.File{Name: "watchlists/a.yaml", Data: []byte(wide)}))
	if n := strings.Count(fmt.Sprint(err), "has more than 500000 values"); n != 1 {
		t.Errorf("the limit is reported %d times, want 1", n)
	}
}

func TestDeep(t *testing.T) {
	for _, s := range []string{strings.Repeat("[", 50_000), strings.Repeat("- ", 50_000) + "x", "vault: " + strings.Repeat("{a: ", 9_000)} {
		if _, err := loadDir(layOut(t, txtar.File{Name: "muhafiz.yaml", Data: []byte(s)})); err == nil {
			t.Error("nonsense was taken")
		}
	}
}

func TestMissingAndOddFiles(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "none.yaml"): "there is no file",
		dir:                             "is not a regular file",
	} {
		if _, err := Load(path, testOptions()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

// TestFolderNames: a folder's name is never a pattern, and hidden files (an editor's) match no `*`.
func TestFolderNames(t *testing.T) {
	src := layOut(t)
	dir := filepath.Join(t.TempDir(), "odd [a-z]* name")
	if err := os.CopyFS(dir, os.DirFS(src)); err != nil {
		t.Fatal(err)
	}
	chmod(t, dir, "0600 secrets/hash\n0600 secrets/smtp\n0600 keys/bundle\n")
	if err := os.Symlink("someone@host", filepath.Join(dir, "watchlists", ".#a.yaml")); err != nil {
		t.Fatal(err)
	}
	c, err := loadDir(dir)
	if err != nil || len(c.Targets) != 1 {
		t.Errorf("%v", err)
	}
}

func TestVaultBehindALink(t *testing.T) {
	dir := layOut(t, txtar.File{Name: "real/x", Data: []byte("x")})
	if err := os.Symlink("real", filepath.Join(dir, "vault")); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "muhafiz.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "muhafiz.yaml"), bytes.Replace(b, []byte("log_key: keys/log"), []byte("log_key: real/keys/log"), 1), 0o644)
	if _, err := loadDir(dir); err == nil || !strings.Contains(err.Error(), "log_key: lies inside the vault folder") {
		t.Errorf("got %v", err)
	}
}

func TestCitationFile(t *testing.T) {
	ar, err := txtar.ParseFile("testdata/base.txtar")
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Replace(ar.Files[2].Data, []byte(`url: "https://example.org/report"`), []byte("file: ../sources/report.txt"), 1)
	c := mustLoad(t, txtar.File{Name: "watchlists/a.yaml", Data: data}, txtar.File{Name: "sources/report.txt", Data: []byte("report")})
	if got, want := c.Targets[0].Affiliation.Citation.SHA256, sha256.Sum256([]byte("report")); got != want {
		t.Errorf("digest %x, want %x", got, want)
	}
}

func TestNoSecrets(t *testing.T) {
	dir := layOut(t)
	for _, name := range []string{"secrets", "keys"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Load(filepath.Join(dir, "muhafiz.yaml"), Options{NoSecrets: true, Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Telegram.Accounts[0].AppHash.Reveal(); got != "" {
		t.Error("a secret was read")
	}
}
