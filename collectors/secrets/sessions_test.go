package secrets

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"
)

func open(t *testing.T, dir, key string) *Sessions {
	t.Helper()
	s, err := Open(dir, key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func session(t *testing.T, s *Sessions, name string) *Session {
	t.Helper()
	x, err := s.Session(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	return x
}

func TestSessionIsSealedAndComesBack(t *testing.T) {
	root := t.TempDir()
	dir, key := filepath.Join(root, "sessions"), filepath.Join(root, "keys", "session.age")
	ctx := context.Background()
	x := session(t, open(t, dir, key), "telegram-main")
	if got, err := x.LoadSession(ctx); got != nil || err != nil {
		t.Fatalf("nothing stored: %q, %v, want nil, nil", got, err)
	}
	for _, want := range []string{`{"Version":1,"Data":"plain words"}`, "second", ""} {
		if err := x.StoreSession(ctx, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if got, err := x.LoadSession(ctx); string(got) != want || err != nil {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
	if err := x.StoreSession(ctx, []byte("plain words")); err != nil {
		t.Fatal(err)
	}
	x.Close()
	for _, p := range []string{filepath.Join(dir, "telegram-main.age"), key} {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("plain words")) {
			t.Errorf("%s holds the session in the clear", p)
		}
		if st, err := os.Stat(p); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v, want 0600", p, st.Mode().Perm(), err)
		}
	}
	// Another process, later.
	y := session(t, open(t, dir, key), "telegram-main")
	if got, err := y.LoadSession(ctx); string(got) != "plain words" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("%d files in the folder (%v), want the session and its lock", len(left), err)
	}
	if err := y.Remove(); err != nil {
		t.Fatal(err)
	}
	if got, err := y.LoadSession(ctx); got != nil || err != nil {
		t.Errorf("removed: %q, %v, want nil, nil", got, err)
	}
}

func TestSessionIsOneHoldersOnly(t *testing.T) {
	root := t.TempDir()
	dir, key := filepath.Join(root, "sessions"), filepath.Join(root, "key")
	x := session(t, open(t, dir, key), "main")
	other := open(t, dir, key)
	_, err := other.Session("main")
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "another muhafiz") {
		t.Fatalf("second holder: %v, want ErrInUse", err)
	}
	session(t, other, "second") // another account is free
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
	session(t, other, "main")
	if err := x.StoreSession(context.Background(), []byte("late")); err == nil {
		t.Error("a closed session was written")
	}
	if _, err := x.LoadSession(context.Background()); err == nil {
		t.Error("a closed session was read")
	}
}

// TestLockIsAgainstOtherProcesses asks a child process for the same session.
func TestLockIsAgainstOtherProcesses(t *testing.T) {
	if dir := os.Getenv("MUHAFIZ_TEST_SESSIONS"); dir != "" {
		s, err := Open(dir, os.Getenv("MUHAFIZ_TEST_KEY"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Session("main")
		if !errors.Is(err, ErrInUse) {
			t.Fatalf("the child got the session: %v", err)
		}
		return
	}
	root := t.TempDir()
	dir, key := filepath.Join(root, "sessions"), filepath.Join(root, "key")
	session(t, open(t, dir, key), "main")
	cmd := exec.Command(os.Args[0], "-test.run=^TestLockIsAgainstOtherProcesses$")
	cmd.Env = append(os.Environ(), "MUHAFIZ_TEST_SESSIONS="+dir, "MUHAFIZ_TEST_KEY="+key)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestSessionRefusals(t *testing.T) {
	root := t.TempDir()
	dir, key := filepath.Join(root, "sessions"), filepath.Join(root, "key")
	ctx := context.Background()
	x := session(t, open(t, dir, key), "main")
	if err := x.StoreSession(ctx, []byte("secret words")); err != nil {
		t.Fatal(err)
	}

	t.Run("key lost", func(t *testing.T) {
		moved := key + ".away"
		if err := os.Rename(key, moved); err != nil {
			t.Fatal(err)
		}
		defer os.Rename(moved, key)
		_, err := Open(dir, key)
		if err == nil || !strings.Contains(err.Error(), "restore it, or remove them and log in again") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("another key", func(t *testing.T) {
		id, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		y := &Session{s: &Sessions{dir: dir, identity: id, path: "other"}, name: "main", path: x.path, lock: x.lock}
		if _, err := y.LoadSession(ctx); err == nil || !strings.Contains(err.Error(), "sealed to another key or is damaged") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("damaged", func(t *testing.T) {
		b, err := os.ReadFile(x.path)
		if err != nil {
			t.Fatal(err)
		}
		defer os.WriteFile(x.path, b, 0o600)
		for _, i := range []int{0, len(b) / 2, len(b) - 1} {
			c := bytes.Clone(b)
			c[i] ^= 1
			if err := os.WriteFile(x.path, c, 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := x.LoadSession(ctx); err == nil {
				t.Errorf("byte %d flipped: read %q", i, got)
			}
		}
		for _, n := range []int{0, 10, len(b) - 1} {
			if err := os.WriteFile(x.path, b[:n], 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := x.LoadSession(ctx); err == nil {
				t.Errorf("cut to %d bytes: read %q", n, got)
			}
		}
	})
	t.Run("key readable by others", func(t *testing.T) {
		if err := os.Chmod(key, 0o644); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(key, 0o600)
		if _, err := Open(dir, key); err == nil || !strings.Contains(err.Error(), "chmod 600 "+key) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("key is something else", func(t *testing.T) {
		p := filepath.Join(root, "nonsense")
		if err := os.WriteFile(p, []byte("AGE-SECRET-KEY-1NOTREALLY\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(dir, p)
		if err == nil || !strings.Contains(err.Error(), "exactly one age X25519 identity") || strings.Contains(err.Error(), "NOTREALLY") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("key among the sessions", func(t *testing.T) {
		if _, err := Open(dir, filepath.Join(dir, "key")); err == nil {
			t.Error("taken")
		}
	})
	t.Run("names", func(t *testing.T) {
		for _, name := range []string{"", "../main", "a/b", ".hidden", "A", "x\x00"} {
			if _, err := open(t, dir, key).Session(name); err == nil {
				t.Errorf("%q was taken", name)
			}
		}
	})
	t.Run("context done", func(t *testing.T) {
		done, cancel := context.WithCancel(ctx)
		cancel()
		if err := x.StoreSession(done, []byte("late")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	if got, err := x.LoadSession(ctx); string(got) != "secret words" || err != nil {
		t.Errorf("after all that: %q, %v", got, err)
	}
}

// TestFirstStart opens one folder from many places at once: one identity comes out of it.
func TestFirstStart(t *testing.T) {
	root := t.TempDir()
	var wg sync.WaitGroup
	got := make([]string, 8)
	for i := range got {
		wg.Go(func() {
			s, err := Open(filepath.Join(root, "sessions"), filepath.Join(root, "keys", "key"))
			if err != nil {
				t.Error(err)
				return
			}
			got[i] = s.identity.String()
		})
	}
	wg.Wait()
	for _, g := range got {
		if g != got[0] {
			t.Error("two identities were handed out")
		}
	}
}
