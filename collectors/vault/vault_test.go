package vault_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// sorts are the options of a vault of each sort.
var sorts = map[string]func(testing.TB, ...evidence.View) vault.Options{"plain": vaulttest.Options, "sealed": vaulttest.SealedOptions}

func TestContract(t *testing.T) {
	for name, options := range sorts {
		t.Run(name, func(t *testing.T) {
			vaulttest.Suite(t, func(t *testing.T, views ...evidence.View) vaulttest.Log {
				o := options(t, views...)
				v, err := vault.Create(filepath.Join(t.TempDir(), "vault"), o)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					if err := v.Close(); err != nil {
						t.Error(err)
					}
					cleanWith(t, v.Path(), o)
				})
				return v
			})
		})
	}
}

// cleanWith insists that fsck finds nothing in a vault with these options.
func cleanWith(t testing.TB, path string, o vault.Options) vault.FsckReport {
	t.Helper()
	rep, err := vault.Fsck(context.Background(), path, vault.FsckOptions{Views: o.Views, Keys: o.Keys})
	if err != nil {
		t.Error(err)
	}
	for _, p := range rep.Problems {
		t.Error(p)
	}
	if len(rep.Unchecked) > 0 {
		t.Errorf("not checked: %q", rep.Unchecked)
	}
	return rep
}

// clean insists that fsck finds nothing.
func clean(t testing.TB, path string, views ...evidence.View) vault.FsckReport {
	t.Helper()
	rep, err := vault.Fsck(context.Background(), path, vault.FsckOptions{Views: views})
	if err != nil {
		t.Error(err)
	}
	for _, p := range rep.Problems {
		t.Error(p)
	}
	return rep
}

// reopen closes a vault and opens it again.
func reopen(t *testing.T, v *vault.Vault, o vault.Options) *vault.Vault {
	t.Helper()
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := vault.Open(v.Path(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Close() })
	return again
}

func TestOpenRefuses(t *testing.T) {
	v := vaulttest.New(t)
	began := time.Now()
	if _, err := vault.Open(v.Path(), vaulttest.Options(t)); !errors.Is(err, vault.ErrLocked) || !strings.Contains(err.Error(), "another muhafiz holds this vault") {
		t.Errorf("a vault that is open: %v", err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %s to say so", took)
	}
	if _, err := vault.Create(v.Path(), vaulttest.Options(t)); !errors.Is(err, vault.ErrExists) {
		t.Errorf("a vault that is there: %v", err)
	}
	if _, err := vault.Open(t.TempDir(), vaulttest.Options(t)); !errors.Is(err, vault.ErrNotVault) {
		t.Errorf("an empty folder: %v", err)
	}
	junk := t.TempDir()
	if err := os.WriteFile(filepath.Join(junk, "vault.db"), bytes.Repeat([]byte("simulated"), 9999), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.Open(junk, vaulttest.Options(t)); !errors.Is(err, vault.ErrDamaged) {
		t.Errorf("another file of that name: %v", err)
	}
	o := vaulttest.Options(t)
	o.LogKey = vaulttest.Options(t).LogKey
	if _, err := vault.Create(filepath.Join(t.TempDir(), "v"), o); err == nil {
		t.Error("created with a key that does not verify what is signed")
	}
	if _, err := vault.Create(filepath.Join(t.TempDir(), "v"), vault.Options{}); err == nil {
		t.Error("created without a key")
	}
	other := copyVault(t, closed(t))
	doTo(t, other, change("meta", []byte("format"), func([]byte) []byte { return []byte("5") }))
	if _, err := vault.Open(other, vaulttest.Options(t)); !errors.Is(err, vault.ErrFormat) || !strings.Contains(err.Error(), `format "5"`) {
		t.Errorf("a newer format: %v", err)
	}
}

func closed(t *testing.T) string {
	v := vaulttest.New(t)
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	return v.Path()
}

// Open cannot look at everything, but at the end of the log it does.
func TestOpenLooksAtTheEnd(t *testing.T) {
	path, _, o := damaged(t)
	count := tlog.StoredHashCount(90)
	for name, do := range map[string]func(*bolt.Tx) error{
		"last record gone":     change("log", be(89), remove),
		"last record changed":  change("log", be(89), swap(`"actor":"s1"`, `"actor":"v0"`)),
		"head gone":            change("meta", []byte("head"), remove),
		"root changed":         change("meta", []byte("head"), flip(-1)),
		"last hash changed":    change("tree", be((count-1)/16), flip(int((count-1)%16)*32)),
		"last hashes gone":     change("tree", be((count-1)/16), remove),
		"a bucket gone":        func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("ids")) },
		"everything gone":      func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("meta")) },
		"record 0 unreadable":  change("log", be(0), func([]byte) []byte { return []byte("x") }),
		"record 0 of no vault": change("log", be(0), func(v []byte) []byte { return v[:bytes.IndexByte(v, '\n')+1] }),
	} {
		t.Run(name, func(t *testing.T) {
			copied := copyVault(t, path)
			doTo(t, copied, do)
			if v, err := vault.Open(copied, o); err == nil {
				t.Errorf("opened with %d records", v.Size())
				v.Close()
			}
		})
	}
	cut := copyVault(t, path)
	if err := os.Truncate(filepath.Join(cut, "vault.db"), 40<<10); err != nil {
		t.Fatal(err)
	}
	if v, err := vault.Open(cut, o); err == nil {
		t.Errorf("a file cut short was opened with %d records", v.Size())
		v.Close()
	}
}

func TestCloseEndsEverything(t *testing.T) {
	v := vaulttest.New(t)
	waiting := make(chan error)
	go func() { waiting <- v.Wait(context.Background(), v.Size()) }()
	for range 2 {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-waiting; !errors.Is(err, vault.ErrClosed) {
		t.Errorf("wait: %v", err)
	}
	if _, err := v.Put(t.Context(), evidence.Batch{}); !errors.Is(err, vault.ErrClosed) {
		t.Errorf("put: %v", err)
	}
	if _, err := v.Record(t.Context(), 0); !errors.Is(err, vault.ErrClosed) {
		t.Errorf("read: %v", err)
	}
}

func TestWaitSeesGrowth(t *testing.T) {
	v := vaulttest.New(t)
	size := v.Size()
	waiting := make(chan error)
	go func() { waiting <- v.Wait(context.Background(), size) }()
	put(t, v, vaulttest.Bind("telegram/main"))
	if err := <-waiting; err != nil {
		t.Error(err)
	}
	if err := v.Wait(t.Context(), size); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := v.Wait(ctx, v.Size()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestTheCommitClockNeverGoesBack(t *testing.T) {
	o := vaulttest.Options(t)
	now := time.Date(2026, 3, 1, 12, 0, 0, 1500, time.FixedZone("PKT", 5*3600))
	o.Now = func() time.Time { return now }
	v, err := vault.Create(filepath.Join(t.TempDir(), "vault"), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { v.Close() }()
	at := func() string { return put(t, v, vaulttest.Bind("telegram/main"))[0].At.Format(evidence.TimeFormat) }
	if got := at(); got != "2026-03-01T07:00:00.000001Z" {
		t.Error(got)
	}
	now = now.Add(-time.Hour)
	if got := at(); got != "2026-03-01T07:00:00.000001Z" {
		t.Errorf("it went back to %s", got)
	}
	v = reopen(t, v, o)
	if got := at(); got != "2026-03-01T07:00:00.000001Z" {
		t.Errorf("after opening again it went back to %s", got)
	}
	now = now.Add(2 * time.Hour)
	if got := at(); got != "2026-03-01T08:00:00.000001Z" {
		t.Error(got)
	}
}

func TestCheckpointsAndProofs(t *testing.T) {
	o := vaulttest.Options(t)
	v, err := vault.Create(filepath.Join(t.TempDir(), "vault"), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { v.Close() }()
	put(t, v, vaulttest.Bind("telegram/main"))
	for i := range 40 {
		put(t, v, posts("telegram/main", i, "one", "two")...)
		if i%13 == 0 {
			provesAll(t, v)
		}
	}
	v = reopen(t, v, o)
	provesAll(t, v)
	if _, err := v.Prove(t.Context(), []int64{0}, v.Size()+1); !errors.Is(err, evidence.ErrNotFound) {
		t.Errorf("a tree that is not there: %v", err)
	}
	if _, err := v.Prove(t.Context(), []int64{5}, 5); !errors.Is(err, evidence.ErrNotFound) {
		t.Errorf("a record outside of the tree: %v", err)
	}
	stranger := vaulttest.Options(t)
	v = reopen(t, v, stranger)
	if c, err := v.Checkpoint(t.Context()); err == nil {
		t.Errorf("signed with another key: %s", c.Note)
	}
	stranger.Signer = nil
	v = reopen(t, v, stranger)
	if _, err := v.Checkpoint(t.Context()); err == nil {
		t.Error("signed without a key")
	}
	clean(t, copyVault(t, closeIt(t, v)))
}

func closeIt(t *testing.T, v *vault.Vault) string {
	t.Helper()
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	return v.Path()
}

// provesAll makes a checkpoint and checks it, and every record against it, with nothing of the vault's own.
func provesAll(t *testing.T, v *vault.Vault) {
	t.Helper()
	size := v.Size()
	c, err := v.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c.Size != size || v.Size() != size+1 {
		t.Errorf("a checkpoint over %d of %d records", c.Size, size)
	}
	verifier, err := note.NewVerifier(v.LogKey())
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open([]byte(c.Note), note.VerifierList(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%s\n%d\n%s\n", verifier.Name(), size, base64.StdEncoding.EncodeToString(c.Root[:])); n.Text != want {
		t.Errorf("signed %q, want %q", n.Text, want)
	}
	var seqs []int64
	for seq := range size {
		seqs = append(seqs, seq)
	}
	paths, err := v.Prove(t.Context(), seqs, size)
	if err != nil {
		t.Fatal(err)
	}
	for seq, path := range paths {
		r, err := v.Record(t.Context(), int64(seq))
		if err != nil {
			t.Fatal(err)
		}
		proof := make(tlog.RecordProof, len(path))
		for i, h := range path {
			proof[i] = tlog.Hash(h)
		}
		if err := tlog.CheckRecord(proof, size, tlog.Hash(c.Root), int64(seq), tlog.RecordHash(r.EnvelopeBytes)); err != nil {
			t.Errorf("record %d: %v", seq, err)
		}
	}
}

func TestFilesAreForTheOwnerAlone(t *testing.T) {
	v := vaulttest.New(t)
	if _, _, err := v.Keep(t.Context(), strings.NewReader("simulated"), 9); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(v.Path(), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := d.Info()
		if err == nil && st.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %s", path, st.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestADamagedBlobIsNotWrittenOver(t *testing.T) {
	o := vaulttest.Options(t)
	v, err := vault.Create(filepath.Join(t.TempDir(), "vault"), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { v.Close() }()
	d, _, err := v.Keep(t.Context(), strings.NewReader("simulated"), 9)
	if err != nil {
		t.Fatal(err)
	}
	s := d.String()
	file := filepath.Join(v.Path(), "blobs", "sha256", s[:2], s)
	for _, bad := range []string{"simulatet", "simulated and more", ""} {
		if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := v.Keep(t.Context(), strings.NewReader("simulated"), 9); !errors.Is(err, vault.ErrDamagedBlob) {
			t.Errorf("got %v", err)
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != bad {
			t.Errorf("it was written over: %q, %v", got, err)
		}
	}
	if err := os.WriteFile(file, []byte("simulated"), 0o600); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(v.Path(), "blobs", "tmp", "keep-7")
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	v = reopen(t, v, o)
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a left-over file is still there: %v", err)
	}
	if _, _, err := v.Keep(t.Context(), strings.NewReader("simulated"), 9); err != nil {
		t.Error(err)
	}
}
