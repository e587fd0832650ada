package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/muhafiz/muhafiz/reporter/bundle/bundletest"
)

// The end-to-end tests run the program as its users do, built without the race detector: from the wire to a verified bundle.

var built struct {
	sync.Once
	path string
	err  error
}

// program builds the program once and returns its path.
func program(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("the end-to-end test builds and runs the whole program")
	}
	built.Do(func() {
		dir, err := os.MkdirTemp("", "muhafiz-e2e-")
		if err != nil {
			built.err = err
			return
		}
		built.path = filepath.Join(dir, "muhafiz")
		out, err := exec.Command("go", "build", "-o", built.path, ".").CombinedOutput()
		if err != nil {
			built.err = errors.New(string(out))
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.path != "" {
		os.RemoveAll(filepath.Dir(built.path))
	}
	os.Exit(code)
}

// ran is what a command printed and how it ended.
type ran struct {
	out, err string
	code     int
}

func run(t *testing.T, dir, name string, args ...string) ran {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var ee *exec.ExitError
	if err != nil && !errors.As(err, &ee) {
		t.Fatal(err)
	}
	return ran{out.String(), errOut.String(), cmd.ProcessState.ExitCode()}
}

func (r ran) want(t *testing.T, code int, what string) ran {
	t.Helper()
	if r.code != code {
		t.Fatalf("%s: exit %d, want %d\n%s%s", what, r.code, code, r.out, r.err)
	}
	return r
}

// story is what the demo writes for programs.
type story struct {
	Fresh   bool           `json:"fresh"`
	Before  int64          `json:"records_before"`
	Records int64          `json:"records"`
	Bundle  string         `json:"bundle"`
	Mails   int            `json:"mails"`
	Kinds   map[string]int `json:"kinds"`
	Rows    []struct {
		Have, Want map[string]int
	} `json:"channels"`
	Notices []struct {
		Ordinal string `json:"ordinal"`
		Status  string `json:"status"`
	} `json:"notices"`
	Checks []struct {
		Name string
		OK   bool
	} `json:"checks"`
}

func told(t *testing.T, dir string) story {
	t.Helper()
	var s story
	b, err := os.ReadFile(filepath.Join(dir, "loopback", "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDemoFromWireToVerifiedBundle(t *testing.T) {
	muhafiz := program(t)
	dir := t.TempDir()
	run(t, dir, muhafiz, "demo", "--dir", dir).want(t, 0, "demo")
	first := told(t, dir)
	if !first.Fresh || len(first.Checks) < 7 || first.Mails != 1 {
		t.Errorf("first run: %+v", first)
	}

	t.Run("again continues and writes nothing twice", func(t *testing.T) {
		run(t, dir, muhafiz, "demo", "--dir", dir).want(t, 0, "demo again")
		second := told(t, dir)
		if second.Fresh || second.Before == 0 || second.Bundle != first.Bundle || second.Mails != 1 {
			t.Errorf("second run: %+v", second)
		}
		if got, want := second.Kinds["post.seen"], first.Kinds["post.seen"]+len(second.Rows); got != want {
			t.Errorf("post.seen: %d records, want %d: one new post a channel", got, want)
		}
		for _, kind := range []string{"post.gone", "media.kept", "account.bound", "target.set", "target.approved", "person.set", "decision", "approval", "notice.sent"} {
			if first.Kinds[kind] != second.Kinds[kind] {
				t.Errorf("%s: %d records, then %d", kind, first.Kinds[kind], second.Kinds[kind])
			}
		}
	})
	t.Run("every command works on the folder", func(t *testing.T) { commands(t, muhafiz, dir) })
	t.Run("commands work beside a daemon", func(t *testing.T) { besideDaemon(t, muhafiz, dir) })
	t.Run("three verifiers agree", func(t *testing.T) { verifiers(t, muhafiz, dir, first.Bundle) })
	t.Run("what must be refused is refused", func(t *testing.T) { refusals(t, muhafiz, dir) })
	t.Run("a mistake is put right", func(t *testing.T) { putRight(t, muhafiz, dir) })
	run(t, dir, muhafiz, "fsck", "vault").want(t, 0, "fsck")
	if r := run(t, dir, muhafiz, "fsck", "--without-key", "vault").want(t, exitIncomplete, "fsck without the key"); !strings.Contains(r.out, "not checked:") {
		t.Errorf("fsck does not say what it left out:\n%s", r.out)
	}
	t.Run("fsck names a damaged blob", func(t *testing.T) { damagedVault(t, muhafiz, dir) })
}

// putRight finds out that the front's channel was listed by mistake, after a notice about it had left.
func putRight(t *testing.T, muhafiz, dir string) {
	r := run(t, dir, muhafiz, "watch", "mark", "front", "--innocent", "news_outlet", "--reason", "a newsroom (simulated)", "--as", "amna").want(t, 0, "watch mark")
	if !strings.Contains(r.out, "a correction is drafted") {
		t.Errorf("no correction was drafted:\n%s", r.out)
	}
	if r := run(t, dir, muhafiz, "watch", "redress", "front", "--as", "amna").want(t, 0, "watch redress"); !strings.Contains(r.out, "notice") || !strings.Contains(r.out, "bundle") {
		t.Errorf("what left is not listed:\n%s", r.out)
	}
	if r := run(t, dir, muhafiz, "review", "show", front(t, muhafiz, dir)+"/1", "--as", "amna").want(t, 0, "review show"); strings.Contains(r.out, "It exists to test software") {
		t.Error("content of an innocent is shown")
	}
}

// damagedVault turns one bit of one blob in a copy of the vault.
func damagedVault(t *testing.T, muhafiz, dir string) {
	copied := filepath.Join(t.TempDir(), "vault")
	run(t, dir, "cp", "-a", "vault", copied).want(t, 0, "copy")
	blobs, err := filepath.Glob(filepath.Join(copied, "blobs", "sealed", "*", "*"))
	if err != nil || len(blobs) == 0 {
		t.Fatalf("%d blobs, %v", len(blobs), err)
	}
	b, err := os.ReadFile(blobs[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(blobs[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	r := run(t, dir, muhafiz, "fsck", "--copy", copied).want(t, exitIntegrity, "fsck of a damaged vault")
	if !strings.Contains(r.out, filepath.Base(blobs[0])) {
		t.Errorf("fsck does not name the damaged blob:\n%s", r.out)
	}
}

// front is the account that the demo's first target resolved to; accounts are numbered in the order of their discovery.
func front(t *testing.T, muhafiz, dir string) string { return accountOf(t, muhafiz, dir, "front") }

func accountOf(t *testing.T, muhafiz, dir, target string) string {
	t.Helper()
	var targets []struct{ ID, Account string }
	r := run(t, dir, muhafiz, "watch", "--json").want(t, 0, "watch")
	if err := json.Unmarshal([]byte(r.out), &targets); err != nil {
		t.Fatal(err)
	}
	for _, x := range targets {
		if x.ID == target && x.Account != "" {
			return x.Account
		}
	}
	t.Fatalf("no account of the target %s: %s", target, r.out)
	return ""
}

func commands(t *testing.T, muhafiz, dir string) {
	account, wa := front(t, muhafiz, dir), accountOf(t, muhafiz, dir, "wa-front")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"check"}, "No errors"},
		{[]string{"status"}, "no daemon runs"},
		{[]string{"watch"}, "approved"},
		{[]string{"review", "queue", "--as", "amna"}, account + "/"},
		{[]string{"review", "show", account + "/1", "--as", "amna"}, "Simulated"},
		{[]string{"review", "show", "c1", "--as", "bilal"}, "exhibit 2"},
		{[]string{"review", "show", wa + "/100", "--as", "amna"}, "https://whatsapp.com/channel/0029VaNorthhavenSimA/100"},
		{[]string{"review", "show", wa + "/100", "--as", "amna"}, "whatsapp channel 1203"},
		{[]string{"log", "--as", "zain", "--limit", "2000"}, "in our own encoding, since the platform's library hands over what it decoded"},
		{[]string{"notice"}, "sent"},
		{[]string{"notice", "show", "n1", "--as", "bilal"}, "Northhaven"},
	} {
		r := run(t, dir, muhafiz, c.args...).want(t, 0, strings.Join(c.args, " "))
		if !strings.Contains(r.out, c.want) {
			t.Errorf("%v prints no %q:\n%s", c.args, c.want, r.out)
		}
		if c.args[0] == "check" {
			continue
		}
		js := run(t, dir, muhafiz, append(c.args, "--json")...).want(t, 0, strings.Join(c.args, " ")+" --json")
		if !json.Valid([]byte(js.out)) {
			t.Errorf("%v --json is not JSON:\n%s", c.args, js.out)
		}
	}
	if r := run(t, dir, muhafiz, "review", "queue", "--as", "amna"); strings.Contains(r.out, "fictional Northhaven Front. It exists") {
		t.Error("the queue shows content that nobody asked for")
	}
}

// verifier is one of the three ways to verify a bundle.
type verifier struct {
	name string
	args func(bag string) []string
	// refuses says whether an exit code is a refusal.
	refuses func(code int) bool
}

func threeVerifiers(t *testing.T, muhafiz, dir string) []verifier {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	signers, pem, id := filepath.Join(dir, "allowed_signers"), filepath.Join(dir, "keys", "log.key.pem"), "evidence@demo.example"
	integrity := func(code int) bool { return code == exitIntegrity }
	all := []verifier{
		{"muhafiz verify", func(bag string) []string {
			return []string{muhafiz, "verify", "--signers", signers, "--identity", id, "--log", pem, bag}
		}, integrity},
		{"scripts/verify-bundle", func(bag string) []string {
			return []string{filepath.Join(root, "scripts", "verify-bundle"), "--signers", signers, "--identity", id, "--log", pem, bag}
		}, integrity},
	}
	shared := filepath.Join(root, "..", "shared", "tools", "verify-bundle")
	if _, err := os.Stat(shared); err != nil {
		t.Log("not applicable: the independent verifier is not beside this checkout")
		return all
	}
	return append(all, verifier{"the independent verifier", func(bag string) []string {
		return []string{shared, bag, signers, id, "--log", pem}
	}, func(code int) bool { return code == 1 }})
}

func verifiers(t *testing.T, muhafiz, dir, bag string) {
	all := threeVerifiers(t, muhafiz, dir)
	for _, v := range all {
		args := v.args(bag)
		run(t, dir, args[0], args[1:]...).want(t, 0, v.name+" on the genuine bundle")
	}
	run(t, dir, muhafiz, "verify", bag).want(t, exitIncomplete, "verify without keys")
	b, err := os.ReadFile(filepath.Join(dir, "keys", "bundle"))
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.ParsePrivateKey(b)
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, d := range bundletest.Damages() {
		t.Run(d.Name, func(t *testing.T) {
			copied := filepath.Join(t.TempDir(), "bag")
			run(t, dir, "cp", "-a", bag, copied).want(t, 0, "copy")
			if err := d.Apply(copied, bundletest.Resign(signer)); err != nil {
				t.Fatal(err)
			}
			for _, v := range all {
				args := v.args(copied)
				if r := run(t, dir, args[0], args[1:]...); !v.refuses(r.code) {
					t.Errorf("%s: exit %d\n%s%s", v.name, r.code, r.out, r.err)
				}
			}
		})
		tried++
	}
	if tried < 17 {
		t.Errorf("only %d damages were tried", tried)
	}
}

// refusals makes the mistakes and misdeeds of people, as they would on the command line.
func refusals(t *testing.T, muhafiz, dir string) {
	decide := func(post, quote, as, key string) ran {
		run(t, dir, muhafiz, "review", "show", post, "--as", as).want(t, 0, "open the exhibit") // else the decision is refused
		return run(t, dir, muhafiz, "review", "decide", post, "--as", as, "--key", key, "--quote", quote,
			"--rule", "platform rules (simulated)", "--offence", "fundraises", "--severity", "low", "--exclusion", "none",
			"--affiliation", "linked from the simulated announcement", "--languages", "en")
	}
	refused := func(what string, r ran, sentence string) {
		t.Helper()
		r.want(t, exitFailed, what)
		if !strings.Contains(r.err, sentence) {
			t.Errorf("%s: the sentence has no %q: %s", what, sentence, r.err)
		}
	}
	run(t, dir, muhafiz, "key", "person", "--out", "keys/stranger", "stranger").want(t, 0, "key person")
	const quote = "It exists to test software"
	tenth := front(t, muhafiz, dir) + "/10"
	refused("a key that the roster does not know", decide(tenth, quote, "amna", "keys/stranger"), "amna")
	refused("another person's key", decide(tenth, quote, "amna", "keys/bilal"), "bilal")
	refused("a quote that is not there", decide(tenth, "words that nobody wrote", "amna", "keys/amna"), "quote")

	decide(tenth, quote, "bilal", "keys/bilal").want(t, 0, "decide as bilal")
	refused("the same person twice", run(t, dir, muhafiz, "review", "approve", "c2", "--as", "bilal", "--key", "keys/bilal"), "second")

	// Zahra is added to the roster; then the post changes: a newer export of the channel holds another text of it.
	addPerson(t, muhafiz, dir, "zahra", "reviewer")
	changePost(t, muhafiz, dir, tenth)
	refused("exhibits that changed since", run(t, dir, muhafiz, "review", "approve", "c2", "--as", "zahra", "--key", "keys/zahra"), "newer version")
}

func addPerson(t *testing.T, muhafiz, dir, id, role string) {
	t.Helper()
	r := run(t, dir, muhafiz, "key", "person", "--json", "--out", "keys/"+id, id).want(t, 0, "key person")
	var k struct {
		SSHKey string `json:"ssh_key"`
	}
	if err := json.Unmarshal([]byte(r.out), &k); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "muhafiz.yaml")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b = bytes.Replace(b, []byte("people:\n"), []byte("people:\n  - {id: "+id+", name: "+id+", roles: ["+role+"], ssh_key: "+k.SSHKey+"}\n"), 1)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// changePost imports an export of the front's channel in which a post reads differently.
func changePost(t *testing.T, muhafiz, dir, post string) {
	t.Helper()
	var shown struct {
		Platform string `json:"platform"`
	}
	r := run(t, dir, muhafiz, "review", "show", post, "--as", "amna", "--json").want(t, 0, "show")
	if err := json.Unmarshal([]byte(r.out), &shown); err != nil {
		t.Fatal(err)
	}
	_, number, _ := strings.Cut(post, "/")
	channel := shown.Platform[strings.LastIndexByte(shown.Platform, ' ')+1:]
	export := `{"name":"Northhaven Front (simulated)","type":"public_channel","id":` + channel + `,"messages":[{"id":` + number +
		`,"type":"message","date":"2026-01-02T03:04:05","date_unixtime":"1767323045","from":"Northhaven Front (simulated)","from_id":"channel` + channel +
		`","text":"Simulated, and changed since.","text_entities":[{"type":"plain","text":"Simulated, and changed since."}]}]}`
	path := filepath.Join(t.TempDir(), "result.json")
	if err := os.WriteFile(path, []byte(export), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, dir, muhafiz, "import", "--as", "amna", "--target", "front", path).want(t, 0, "import")
}

// TestDemoSurvivesKill kills the demo at random moments, of its first run and of those that continue: what the log held is
// still its beginning, fsck is clean, and the story ends as it would have.
func TestDemoSurvivesKill(t *testing.T) {
	muhafiz := program(t)
	kills := 4
	if n, err := strconv.Atoi(os.Getenv("MUHAFIZ_SOAK")); err == nil {
		kills = n
	}
	for done := 0; done < kills; {
		dir := t.TempDir()
		var log []string
		for _, within := range []time.Duration{6 * time.Second, 4 * time.Second} {
			if killed(t, muhafiz, dir, within) {
				done++
			}
			log = grown(t, muhafiz, dir, log)
			t.Logf("%d kills, %d records", done, len(log))
		}
		run(t, dir, muhafiz, "demo", "--dir", dir).want(t, 0, "demo after the kills")
		grown(t, muhafiz, dir, log)
	}
}

// killed starts the demo and kills it at a random moment; false where it had ended before.
func killed(t *testing.T, muhafiz, dir string, within time.Duration) bool {
	t.Helper()
	cmd := exec.Command(muhafiz, "demo", "--dir", dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// A random moment is what is tested; nothing is waited for.
	moment := time.AfterFunc(200*time.Millisecond+rand.N(within), func() { cmd.Process.Signal(syscall.SIGKILL) })
	defer moment.Stop()
	return cmd.Wait() != nil
}

// grown checks the vault, and that the log begins as it did before.
func grown(t *testing.T, muhafiz, dir string, before []string) []string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "vault", "vault.db")); err != nil && before == nil {
		return nil // the kill came before the vault was made
	}
	run(t, dir, muhafiz, "fsck", "vault").want(t, 0, "fsck after a kill")
	now := envelopes(t, dir)
	if len(now) < len(before) || !slices.Equal(before, now[:len(before)]) {
		t.Fatalf("what had been written changed: %d records, %d before", len(now), len(before))
	}
	return now
}
