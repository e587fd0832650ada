package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// badSite is an approved site, sealed or not, whose vault a test may spoil.
func badSite(t *testing.T, muhafiz string, sealed bool) string {
	t.Helper()
	dir := approvedSite(t, muhafiz, "https://t.me/example_channel")
	if sealed {
		run(t, dir, muhafiz, "key", "vault", "--out", "vault.age").want(t, 0, "key vault")
		appendTo(t, dir, "muhafiz.yaml", "vault_key: {file: vault.age}\nkeyring: ring\n")
	}
	run(t, dir, muhafiz, "checkpoint", "export", "--out", "kept").want(t, 0, "export")
	return dir
}

func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestBadVaults spoils a vault in the ways that an operator meets, and holds what the program says of it against this table. With -v it
// prints the table.
func TestBadVaults(t *testing.T) {
	muhafiz := program(t)
	db := func(dir string) string { return filepath.Join(dir, "vault", "vault.db") }
	older := func(t *testing.T, dir string) { // than what was exported: what came since is lost
		before, err := os.ReadFile(db(dir))
		if err != nil {
			t.Fatal(err)
		}
		run(t, dir, muhafiz, "checkpoint", "export", "--since", "kept", "--out", "later").want(t, 0, "export")
		edit(t, db(dir), func([]byte) []byte { return before })
	}
	type say struct {
		command string
		code    int
		words   []string // what is wrong, and the next step
	}
	for _, c := range []struct {
		name   string
		sealed bool
		spoil  func(t *testing.T, dir string)
		says   []say
	}{
		{"a vault from a newer version", false, func(t *testing.T, dir string) {
			b, err := bolt.Open(db(dir), 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Update(func(tx *bolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("format"), []byte("3")) }); err != nil {
				t.Fatal(err)
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
		}, []say{
			{"status", exitFailed, []string{`format "3"`, "use the muhafiz that wrote it, or a newer one"}},
		}},
		{"a truncated vault.db", false, func(t *testing.T, dir string) {
			edit(t, db(dir), func(b []byte) []byte { return b[:4*4096] })
		}, []say{
			{"status", exitFailed, []string{"muhafiz fsck"}},
			{"fsck vault", exitIntegrity, []string{"vault.db: ", "keep this vault as it is"}},
		}},
		{"a vault.db of a few bytes", false, func(t *testing.T, dir string) {
			edit(t, db(dir), func(b []byte) []byte { return b[:100] })
		}, []say{
			{"status", exitFailed, []string{"vault.db is damaged", "restore it from a backup"}},
			{"fsck vault", exitIntegrity, []string{"restore it from a backup"}},
		}},
		{"an empty vault.db", false, func(t *testing.T, dir string) {
			edit(t, db(dir), func([]byte) []byte { return nil })
		}, []say{
			{"status", exitFailed, []string{"vault.db is empty", "restore it from a backup"}},
		}},
		{"an older vault.db", false, older, []say{
			{"checkpoint verify --against later --log log.key.pub", exitIntegrity, []string{"an older copy of the vault"}},
			{"checkpoint verify --against kept --log log.key.pub", exitDone, nil},
		}},
		{"an older vault.db, sealed", true, older, []say{
			{"status", exitIntegrity, []string{"vault.db is not the one that its key ring saw last", "put back the newest vault.db"}},
		}},
		{"another log key", false, func(t *testing.T, dir string) {
			run(t, dir, muhafiz, "key", "log", "--out", "other.key").want(t, 0, "key log")
			edit(t, filepath.Join(dir, "muhafiz.yaml"), func(b []byte) []byte {
				return []byte(strings.Replace(string(b), "log_key: log.key", "log_key: other.key", 1))
			})
		}, []say{{"status", exitFailed, []string{"is not this vault's", "give the key that the vault was made with"}}}},
		{"another vault key", true, func(t *testing.T, dir string) {
			run(t, dir, muhafiz, "key", "vault", "--out", "other.age").want(t, 0, "key vault")
			edit(t, filepath.Join(dir, "muhafiz.yaml"), func(b []byte) []byte {
				return []byte(strings.Replace(string(b), "vault.age", "other.age", 1))
			})
		}, []say{
			{"status", exitUsage, []string{"the vault key does not open the key ring", "give the key that the ring was made with"}},
			{"fsck vault", exitUsage, []string{"the vault key does not open the key ring"}},
		}},
		{"no vault key", true, func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "muhafiz.yaml"), func(b []byte) []byte {
				return []byte(strings.Replace(string(b), "vault_key: {file: vault.age}\nkeyring: ring\n", "", 1))
			})
		}, []say{
			{"status", exitUsage, []string{"this vault is sealed", "vault_key and keyring in the configuration"}},
			{"fsck vault", exitIncomplete, []string{"not checked: the sealed bodies"}},
		}},
		{"a folder that others may write", false, func(t *testing.T, dir string) {
			if err := os.Chmod(filepath.Join(dir, "vault"), 0o777); err != nil {
				t.Fatal(err)
			}
		}, []say{{"status", exitFailed, []string{"run chmod 700"}}}},
		{"a log key that others may read", false, func(t *testing.T, dir string) {
			if err := os.Chmod(filepath.Join(dir, "log.key"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, []say{{"status", exitUsage, []string{"chmod 600"}}}},
		{"no vault there", false, func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, "vault")); err != nil {
				t.Fatal(err)
			}
		}, []say{
			{"status", exitFailed, []string{"there is no vault at", "muhafiz run"}},
			{"fsck vault", exitFailed, []string{"not a vault: name the folder that holds vault.db"}},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := badSite(t, muhafiz, c.sealed)
			c.spoil(t, dir)
			for _, s := range c.says {
				r := run(t, dir, muhafiz, strings.Fields(s.command)...)
				shown(t, c.name, s.command, r, dir)
				if r.code != s.code {
					t.Errorf("%s: exit %d, want %d: %s", s.command, r.code, s.code, r.err)
				}
				for _, w := range s.words {
					if !strings.Contains(r.out+r.err, w) {
						t.Errorf("%s: no %q in %s%s", s.command, w, r.out, r.err)
					}
				}
			}
		})
	}
	t.Run("two daemons", func(t *testing.T) {
		dir := badSite(t, muhafiz, false)
		first := exec.Command(muhafiz, "run")
		first.Dir = dir
		log, err := first.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := first.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(log)
		for lines.Scan() && !strings.Contains(lines.Text(), `"running"`) {
		}
		for _, command := range []string{"run", "fsck vault", "compact"} {
			r := run(t, dir, muhafiz, strings.Fields(command)...)
			shown(t, "two daemons", command, r, dir)
			if r.code != exitFailed || !strings.Contains(r.err, "another muhafiz holds this vault: stop it first") {
				t.Errorf("%s: exit %d: %s", command, r.code, r.err)
			}
		}
		if err := first.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
		}
		if err := first.Wait(); err != nil {
			t.Errorf("the first daemon: %v", err)
		}
	})
}

// shown prints a line of the table.
func shown(t *testing.T, what, command string, r ran, dir string) {
	t.Helper()
	last := ""
	for line := range strings.Lines(r.err) {
		if strings.HasPrefix(line, "muhafiz: ") {
			last = strings.TrimSpace(strings.ReplaceAll(line, dir+"/", ""))
		}
	}
	t.Logf("%-32s %-14.14s exit %d  %s", what, command, r.code, last)
}
