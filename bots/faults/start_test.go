package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// startFault is one call that fails once while the daemon starts.
type startFault struct {
	call, where, errno, path string
	fresh                    bool   // there is no vault yet
	says                     string // the next step that the operator reads
}

func startFaults() []startFault {
	const db = "vault/vault.db"
	full, broken, readOnly := "free some space", "read the kernel's log", "mount it for writing"
	return []startFault{
		{"openat", "vault.db", "EROFS", db, false, readOnly},
		{"openat", "vault.db", "EMFILE", db, false, "ulimit -n"},
		{"mmap", "vault.db into memory", "ENOMEM", db, false, "ulimit -v"},
		{"pwrite64", "vault.db, the first commit", "ENOSPC", db, false, "run muhafiz fsck"},
		{"fdatasync", "vault.db, the first commit", "EIO", db, false, "run muhafiz fsck"},
		{"mkdirat", "the folder of temporary files", "EROFS", "vault/blobs/tmp", false, readOnly},
		{"fsync", "the folder of blobs", "EIO", "vault/blobs", false, broken},

		{"mkdirat", "a new vault's folder", "EROFS", "vault", true, readOnly},
		{"openat", "a new vault.db", "EROFS", db + ".new", true, readOnly},
		{"pwrite64", "a new vault.db", "ENOSPC", db + ".new", true, full},
		{"ftruncate", "a new vault.db", "ENOSPC", db + ".new", true, full},
		{"fdatasync", "a new vault.db", "EIO", db + ".new", true, broken},
		{"linkat", "a new vault.db into place", "EIO", db + ".new", true, broken},
		{"fsync", "a new vault's folder", "EIO", "vault", true, broken},
		{"mkdirat", "a new key ring's folder", "ENOSPC", "keyring", true, full},
		{"write", "a new key ring", "ENOSPC", "keyring/ring.json.new", true, full},
		{"fsync", "a new key ring", "EIO", "keyring/ring.json.new", true, broken},
		{"renameat", "a new key ring into place", "EIO", "keyring/ring.json", true, broken},
		{"fsync", "a new key ring's folder", "EIO", "keyring", true, broken},
	}
}

// TestEachCallFailsOnceAtTheStart makes calls fail while a vault is made, sealed or opened. The next start makes good what was left.
func TestEachCallFailsOnceAtTheStart(t *testing.T) {
	needStrace(t)
	opened := newSite(t, true, false)
	o := newObserver(opened)
	d := opened.start().await()
	cl, err := opened.client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := o.works(t.Context(), cl); err != nil {
		t.Fatal(err)
	}
	cl.Close()
	d.stop()
	var table []outcome
	for _, f := range startFaults() {
		t.Run(strings.Join([]string{f.call, f.where, f.errno}, " "), func(t *testing.T) {
			s, look := *opened, o
			s.t = t
			if f.fresh {
				s.dir, look = withoutVault(t, &s), newObserver(&s)
			}
			look.s = &s
			table = append(table, s.failAtStart(look, f))
		})
	}
	tell(t, table)
}

// withoutVault copies a site as it was before it had a vault.
func withoutVault(t *testing.T, s *site) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !f.Type().IsRegular() {
			continue
		}
		b, err := os.ReadFile(s.path(f.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, f.Name()), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func (s *site) failAtStart(o *observer, f startFault) outcome {
	t := s.t
	log := filepath.Join(t.TempDir(), "strace")
	by := append([]string{"strace"}, traceOptions(log, "-s", "200", "-e", writing, "-e", fmt.Sprintf("inject=%s:error=%s:when=1", f.call, f.errno), "-P", s.path(f.path))...)
	d := s.start(by...)
	if code := d.ended(); code != 1 {
		t.Fatalf("exit %d, want 1:\n%s", code, d.words())
	}
	x := fault{call: f.call}
	x.neverAgain(t, s, readTrace(t, log))
	out := outcome{f.call, f.where, f.errno, clip(s, d.lastWords()), "did not start, exit 1"}
	if out.reads == "" || !strings.Contains(out.reads, f.says) {
		t.Errorf("the daemon's last words name no next step: %s", out.reads)
	}
	if !f.fresh && !s.fsckClean() {
		t.Error("fsck after the failure found something")
	}
	s.start().await().stop()
	if s.fsckClean() {
		out.afterwards += "; the next start works, fsck clean"
	}
	if l := o.look(t); l.lost+l.two == 0 && !f.fresh {
		out.afterwards += fmt.Sprintf(", %d acknowledged, 0 lost", o.told())
	}
	return out
}
