package faults

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/config"
)

var built struct {
	sync.Once
	path string
	err  error
}

// program builds the program once, without the race detector, and returns its path.
func program(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs the whole program")
	}
	built.Do(func() {
		dir, err := os.MkdirTemp("", "muhafiz-faults-")
		if err != nil {
			built.err = err
			return
		}
		built.path = filepath.Join(dir, "muhafiz")
		if out, err := exec.Command("go", "build", "-o", built.path, "../muhafiz").CombinedOutput(); err != nil {
			built.err = errors.New(string(out))
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}

// traceable in the environment makes the test binary become the program, after it allowed anybody to trace it: where the kernel lets only
// a parent trace (Yama), strace could not be attached to it otherwise.
const traceable = "MUHAFIZ_TEST_TRACEABLE"

func TestMain(m *testing.M) {
	if path := os.Getenv(traceable); path != "" {
		if err := unix.Prctl(unix.PR_SET_PTRACER, ^uintptr(0), 0, 0, 0); err != nil && !errors.Is(err, unix.EINVAL) { // EINVAL: no Yama
			fmt.Fprintln(os.Stderr, "allow tracing:", err)
			os.Exit(1)
		}
		fmt.Fprintln(os.Stderr, "become the program:", unix.Exec(path, append([]string{path}, os.Args[1:]...), os.Environ()))
		os.Exit(1)
	}
	code := m.Run()
	if built.path != "" {
		os.RemoveAll(filepath.Dir(built.path))
	}
	os.Exit(code)
}

// site is a folder with a configuration, as a user would have it.
type site struct {
	t       *testing.T
	muhafiz string
	dir     string
	channel *telegramtest.Channel // that the daemon reads; nil where it has no account
	archive int64                 // the channel that exports are of
}

func (s *site) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(s.path(name)), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

const target = "  - {id: %s, address: 'https://t.me/northhaven_%[1]s_sim', organisation: stand-in, affiliation: {basis: test, citation: {title: test, url: 'https://example.org/'}}, report: true, listed_by: amna, collect: {mode: poll}}\n"

// newSite makes a folder with two approved targets. fed: a loopback Telegram serves the first one.
func newSite(t *testing.T, sealed, fed bool) *site {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir()) // strace compares paths as the kernel tells them
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, muhafiz: program(t), dir: dir, archive: 4242}
	s.run("key", "log", "--out", "log.key").want(0)
	for _, p := range []string{"amna", "bilal"} {
		s.run("key", "person", "--out", p, p).want(0)
	}
	cfg := `vault: vault
log_key: log.key
legal_basis: A test with simulated posts.
space: {reserve: 8MB}
people:
  - {id: amna, name: Amna, roles: [analyst, auditor], ssh_key: {file: amna.pub}}
  - {id: bilal, name: Bilal, roles: [reviewer], ssh_key: {file: bilal.pub}}
organisations: orgs.yaml
watchlists: [list.yaml]
`
	if sealed {
		s.run("key", "vault", "--out", "vault.age").want(0)
		cfg += "vault_key: {file: vault.age}\nkeyring: keyring\n"
	}
	if fed {
		cfg += s.feed()
	}
	s.write("muhafiz.yaml", cfg)
	s.write("orgs.yaml", "organisations:\n  - {id: stand-in, name: Stand-in for a test, designations: [{authority: Exampleland, reference: none, date: 2026, source: test}]}\n")
	s.write("list.yaml", "targets:\n"+fmt.Sprintf(target, "front")+fmt.Sprintf(target, "archive"))
	s.run("watch", "sign", "--as", "amna", "--key", "amna").want(0)
	for _, id := range []string{"front", "archive"} {
		s.run("watch", "approve", id, "--as", "bilal", "--key", "bilal").want(0)
	}
	if fed {
		s.run("login", "telegram", "main", "--code-from", "code").want(0)
	}
	return s
}

// feed starts a loopback Telegram and returns the part of the configuration that names it.
func (s *site) feed() string {
	world := telegramtest.NewWorld(nil)
	s.channel = world.AddChannel(telegramtest.Profile{Username: "northhaven_front_sim", Title: "Northhaven Front (simulated)"})
	s.archive = world.AddChannel(telegramtest.Profile{Username: "northhaven_archive_sim", Title: "Northhaven Archive (simulated)"}).ID()
	server, err := telegramtest.Serve(s.t.Context(), world, telegramtest.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { server.Close() })
	for name, text := range map[string]string{
		"server.pem": string(server.PublicKeyPEM()), "hash": telegramtest.AppHash + "\n",
		"phone": telegramtest.DefaultAccount().Phone + "\n", "code": telegramtest.DefaultAccount().Code + "\n",
	} {
		s.write(name, text)
	}
	return fmt.Sprintf(`session_key: session.age
telegram:
  accounts: [{name: main, app_id: %d, app_hash: {file: hash}, phone: {file: phone}}]
  poll_every: 50ms
  network: {dc: %d, address: "%s", public_key: server.pem}
`, telegramtest.AppID, server.DC(), server.Addr())
}

// ran is what a command printed and how it ended.
type ran struct {
	t        *testing.T
	what     string
	out, err string
	code     int
}

func (s *site) run(args ...string) ran {
	s.t.Helper()
	cmd := exec.Command(s.muhafiz, args...)
	cmd.Dir = s.dir
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var ee *exec.ExitError
	if err != nil && !errors.As(err, &ee) {
		s.t.Fatal(err)
	}
	return ran{s.t, strings.Join(args, " "), out.String(), errOut.String(), cmd.ProcessState.ExitCode()}
}

func (r ran) want(code int) {
	r.t.Helper()
	if r.code != code {
		r.t.Fatalf("muhafiz %s: exit %d, want %d\n%s%s", r.what, r.code, code, r.out, r.err)
	}
}

// options open the site's vault in this process.
func (s *site) options() vault.Options {
	s.t.Helper()
	c, err := config.Load(s.path("muhafiz.yaml"), config.Options{Getenv: os.Getenv})
	if err != nil {
		s.t.Fatal(err)
	}
	o, err := daemon.VaultOptions(daemon.Options{Config: c})
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}
