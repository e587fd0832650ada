package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

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
	appendTo(t, dir, "muhafiz.yaml", "backup: {to: copy, recipients: ["+ageKey(t, dir, "content.txt")+"]}\n")
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

// used is how many bytes of a closed vault.db the last commit counts: bbolt takes space in advance, 16 MiB at a time, and what lies beyond
// was never written.
func used(t *testing.T, file string) int64 {
	t.Helper()
	b, err := bolt.Open(file, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	err = b.View(func(tx *bolt.Tx) error { size = tx.Size(); return nil })
	if err := errors.Join(err, b.Close()); err != nil {
		t.Fatal(err)
	}
	return size
}

// readOnly makes the vault's folder a read-only mount.
func readOnly(t *testing.T, dir string) {
	t.Helper()
	folder := filepath.Join(dir, "vault")
	if err := syscall.Mount(folder, folder, "", syscall.MS_BIND, ""); err != nil {
		t.Skip("not applicable: this user may not mount:", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	if err := syscall.Mount("", folder, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skip("not applicable: this user may not mount read-only:", err)
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
	newer := []string{`the vault is of format "5", and this build reads 1 to 4`, "use the muhafiz that wrote it, or a newer one"}
	short := []string{"vault.db is cut short", "restore it from a backup"}
	cut := []say{
		{"status", exitIntegrity, short},
		{"run", exitIntegrity, short},
		{"backup", exitIntegrity, short},
		{"fsck vault", exitIntegrity, []string{"it is cut short", "keep this vault as it is"}},
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
			if err := b.Update(func(tx *bolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("format"), []byte("5")) }); err != nil {
				t.Fatal(err)
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
		}, []say{
			{"status", exitUsage, newer},
			{"run", exitUsage, newer},
			{"fsck vault", exitUsage, newer},
			{"compact", exitUsage, newer},
			{"backup", exitUsage, newer},
			{"checkpoint verify --against kept --log log.key.pub", exitUsage, newer},
			{"watch list", exitUsage, newer},
		}},
		{"a vault.db cut in half, as it was used", false, func(t *testing.T, dir string) {
			edit(t, db(dir), func(b []byte) []byte { return b[:used(t, db(dir))/2/4096*4096] })
		}, cut},
		{"a vault.db cut to its last page but one", false, func(t *testing.T, dir string) {
			edit(t, db(dir), func(b []byte) []byte { return b[:used(t, db(dir))-4096] })
		}, cut},
		{"a vault.db without what was never used", false, func(t *testing.T, dir string) {
			edit(t, db(dir), func(b []byte) []byte { return b[:used(t, db(dir))] })
		}, []say{
			{"fsck vault", exitDone, []string{"everything holds"}},
			{"status", exitDone, nil},
		}},
		{"a vault.db of four pages", false, func(t *testing.T, dir string) {
			edit(t, db(dir), func(b []byte) []byte { return b[:4*4096] })
		}, cut},
		{"a vault.db of a few bytes", false, func(t *testing.T, dir string) {
			edit(t, db(dir), func(b []byte) []byte { return b[:100] })
		}, []say{
			{"status", exitIntegrity, []string{"vault.db is cut short", "restore it from a backup"}},
			{"fsck vault", exitIntegrity, []string{"restore it from a backup"}},
		}},
		{"an empty vault.db", false, func(t *testing.T, dir string) {
			edit(t, db(dir), func([]byte) []byte { return nil })
		}, []say{
			{"status", exitIntegrity, []string{"vault.db is empty", "restore it from a backup"}},
			{"run", exitIntegrity, []string{"vault.db is empty", "restore it from a backup"}},
			{"fsck vault", exitIntegrity, []string{"it is empty", "restore it from a backup"}},
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
		}, []say{{"status", exitUsage, []string{"is not this vault's", "give the key that the vault was made with"}}}},
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
		}, []say{{"status", exitUsage, []string{"others can change", "run chmod 700"}}, {"run", exitUsage, []string{"run chmod 700"}}}},
		{"a vault of another user", false, func(t *testing.T, dir string) {
			if os.Geteuid() != 0 {
				t.Skip("not applicable: only root can give a folder away")
			}
			if err := os.Chown(filepath.Join(dir, "vault"), 65534, -1); err != nil {
				t.Fatal(err)
			}
		}, []say{{"status", exitUsage, []string{"belongs to user 65534", "run muhafiz as its owner, or chown it"}}}},
		{"a key ring that others may read", true, func(t *testing.T, dir string) {
			if err := os.Chmod(filepath.Join(dir, "ring"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, []say{{"status", exitUsage, []string{"open to others", "run chmod 700"}}}},
		{"a vault on a disk that is read-only", false, readOnly, []say{
			{"status", exitFailed, []string{"read-only"}},
			{"run", exitFailed, []string{"read-only"}},
			{"fsck vault", exitFailed, []string{"rebuild views", "mount it for writing"}}, // beside the vault: they hold what it seals
		}},
		{"a log key that others may read", false, func(t *testing.T, dir string) {
			if err := os.Chmod(filepath.Join(dir, "log.key"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, []say{{"status", exitUsage, []string{"chmod 600"}}}},
		{"a signed list that is missing", false, func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, "vault", "blobs", "sha256")); err != nil {
				t.Fatal(err)
			}
		}, []say{
			{"status", exitDone, []string{"the list of 1 targets that amna signed", "is missing", "muhafiz scrub --from BACKUP"}},
			{"watch list", exitDone, nil},
			{"fsck vault", exitIntegrity, nil},
		}},
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
