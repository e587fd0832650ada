package backup_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/backup"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// The environment makes the test binary a process that backs a vault up, or restores one, until it is killed: FROM then TO.
const (
	killedBackup  = "MUHAFIZ_TEST_BACKUP"
	killedRestore = "MUHAFIZ_TEST_RESTORE"
)

func TestMain(m *testing.M) {
	for name, child := range map[string]func(from, to string) error{killedBackup: backupChild, killedRestore: restoreChild} {
		if from, to, ok := strings.Cut(os.Getenv(name), "\n"); ok {
			if err := child(from, to); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	goleak.VerifyTestMain(m)
}

// say prints a line for every step, so that the parent can kill at any of them.
func say() func(string, int64, int64) {
	var mu sync.Mutex
	return func(stage string, done, _ int64) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(stage, done)
	}
}

func backupChild(from, to string) error {
	v, err := vault.Open(from, vault.Options{Views: []evidence.View{vaulttest.Tally()}, Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	defer v.Close()
	place, err := backup.OpenFolder(to)
	if err != nil {
		return err
	}
	_, err = backup.Run(context.Background(), backup.Options{Vault: v, To: place, Progress: say()})
	return err
}

func restoreChild(from, to string) error {
	place, err := backup.OpenFolder(from)
	if err != nil {
		return err
	}
	_, err = backup.Restore(context.Background(), backup.RestoreOptions{From: place, To: to, Progress: say()})
	return err
}

// kill runs a child and kills it after so many steps. It reports whether the child ended by itself before.
func kill(t *testing.T, env, from, to string, steps int) (ended bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), env+"="+from+"\n"+to)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	sc := bufio.NewScanner(out)
	for range steps {
		if !sc.Scan() {
			break
		}
	}
	cmd.Process.Kill()
	return cmd.Wait() == nil
}

// TestKilledBackup kills a backup at one step after another.
func TestKilledBackup(t *testing.T) {
	w, place := newWorld(t), t.TempDir()
	store, err := backup.OpenFolder(place)
	if err != nil {
		t.Fatal(err)
	}
	w.page(1, 20)
	w.backup(store)
	for range 40 {
		w.page(1, 250)
	}
	killed := 0
	for _, steps := range []int{1, 2, 3, 4, 6, 10, 20, 40, 50} {
		w.v.Close()
		if !kill(t, killedBackup, w.path, place, steps) {
			killed++
		}
		if w.v, err = vault.Open(w.path, w.o); err != nil {
			t.Fatal(err)
		}
		rep, err := backup.Verify(context.Background(), backup.VerifyOptions{From: store, Sample: 1})
		if err != nil || len(rep.Problems) > 0 {
			t.Fatalf("after %d steps: %v, %v", steps, rep.Problems, err)
		}
		w.page(2, 5)
	}
	before := len(objects(t, store))
	res := w.backup(store)
	after := objects(t, store)
	if killed < 5 || int(res.NewObjects) > before/2 {
		t.Errorf("%d killed; the last run still had to write %d objects beside %d", killed, res.NewObjects, before)
	}
	if i := slices.IndexFunc(keys(after), func(n string) bool { return strings.Contains(n, "partial") }); i >= 0 {
		t.Error("something partial is left")
	}
	to := filepath.Join(t.TempDir(), "restored")
	if _, err := backup.Restore(context.Background(), backup.RestoreOptions{From: store, To: to}); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d runs killed, the next wrote %d new objects of %d", killed, res.NewObjects, len(after))
}

func keys(m map[string]int64) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	return out
}

// TestKilledRestore kills a restore at one step after another, into the same folder.
func TestKilledRestore(t *testing.T) {
	w, place := newWorld(t), t.TempDir()
	store, err := backup.OpenFolder(place)
	if err != nil {
		t.Fatal(err)
	}
	for range 40 {
		w.page(1, 250)
	}
	res := w.backup(store)
	to := filepath.Join(t.TempDir(), "restored")
	killed := 0
	for _, steps := range []int{1, 2, 3, 5, 8, 20, 40} {
		if kill(t, killedRestore, place, to, steps) {
			t.Fatalf("it ended within %d steps", steps)
		}
		killed++
		if _, err := os.Stat(filepath.Join(to, "vault.db")); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("a killed restore left a vault (%v)", err)
		}
	}
	got, err := backup.Restore(context.Background(), backup.RestoreOptions{From: store, To: to})
	if err != nil || got.Blobs != res.Blobs {
		t.Fatalf("%+v, %v", got, err)
	}
	left, err := os.ReadDir(to)
	if err != nil || len(left) != 2 {
		t.Errorf("%v, %v", left, err)
	}
	v, err := vault.Open(to, w.o)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if rep, err := vault.Fsck(context.Background(), to, vault.FsckOptions{Views: w.o.Views}); err != nil || len(rep.Problems) > 0 {
		t.Errorf("fsck after %d kills: %v, %v", killed, rep.Problems, err)
	}
}

// TestOneAtATime starts a second backup while one runs.
func TestOneAtATime(t *testing.T) {
	w, place := newWorld(t), folder(t)
	w.page(1, 100)
	var second error
	var once sync.Once
	w.backup(place, func(o *backup.Options) {
		o.Progress = func(string, int64, int64) {
			once.Do(func() { _, second = w.tryBackup(folder(t)) })
		}
	})
	if !errors.Is(second, backup.ErrBusy) {
		t.Errorf("the second: %v", second)
	}
}
