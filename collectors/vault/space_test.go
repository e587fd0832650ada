package vault

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A sync that did not fit refuses one file; any other that failed, and a commit that did not fit, end all writing.
func TestWhatDidNotFit(t *testing.T) {
	var disk *diskError
	for _, c := range []struct {
		err  error
		ends bool
	}{{unix.ENOSPC, false}, {unix.EDQUOT, false}, {unix.EIO, true}, {unix.EROFS, true}} {
		wrapped := &os.PathError{Op: "sync", Path: "x", Err: c.err}
		if got := errors.As(syncedFresh(wrapped), &disk); got != c.ends {
			t.Errorf("%v: ends writing: %t", c.err, got)
		}
	}
	if s := plainly(&os.PathError{Op: "write", Path: "vault.db", Err: unix.ENOSPC}).Error(); !strings.Contains(s, "make room") {
		t.Error(s)
	}
	if err := plainly(unix.EIO); err != unix.EIO {
		t.Error(err)
	}
}

// What is set aside has blocks of the disk, and is gone when it is given up.
func TestReserve(t *testing.T) {
	v := &Vault{path: t.TempDir()}
	const n = 3<<20 + 5
	if v.Reserved(n) {
		t.Error("it is there before it is made")
	}
	for range 2 {
		if err := v.Reserve(n); err != nil {
			t.Fatal(err)
		}
	}
	st, err := os.Stat(filepath.Join(v.path, reserveName))
	if err != nil || st.Sys().(*syscall.Stat_t).Blocks*512 < n || st.Mode().Perm() != 0o600 {
		t.Fatalf("got %+v, %v", st, err)
	}
	if !v.Reserved(n) || v.Reserved(2*n) {
		t.Error("its size is not what was asked for")
	}
	for range 2 {
		if err := v.Release(); err != nil {
			t.Fatal(err)
		}
	}
	if v.Reserved(1) {
		t.Error("it is there after it was given up")
	}
	sparse := filepath.Join(v.path, reserveName)
	if err := os.WriteFile(sparse, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(sparse, n); err != nil {
		t.Fatal(err)
	}
	if v.Reserved(n) {
		t.Error("a file without blocks counts as a reserve")
	}
}

func TestFill(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "x"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := fill(f, 1<<20+7); err != nil {
		t.Fatal(err)
	}
	if st, err := f.Stat(); err != nil || st.Size() != 1<<20+7 {
		t.Errorf("got %v, %v", st, err)
	}
}
