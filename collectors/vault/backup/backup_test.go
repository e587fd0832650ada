package backup_test

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

	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/backup"
)

// TestThereAndBack takes a vault through backup, verification, loss and restore, on every kind of place.
func TestThereAndBack(t *testing.T) {
	s3 := func(t *testing.T) backup.Store {
		s, err := backup.OpenS3(context.Background(), gateway(t))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	dir := func(t *testing.T) backup.Store { return folder(t) }
	for _, tc := range []struct {
		name   string
		place  func(*testing.T) backup.Store
		sealed bool
	}{{"folder", dir, false}, {"folder, encrypted", dir, true}, {"s3", s3, false}, {"s3, encrypted", s3, true}} {
		t.Run(tc.name, func(t *testing.T) {
			w, place := newWorld(t), tc.place(t)
			var to backup.Recipients
			var ids backup.Identities
			if tc.sealed {
				to, ids, _ = key(t)
			}
			sealed := func(o *backup.Options) { o.Recipients = to }
			for range 60 {
				w.page(1, 100)
			}
			first := w.backup(place, sealed)
			before := objects(t, place)
			if first.Records != w.v.Size()-1+1 || first.Blobs != 60 || first.Segments < 2 {
				t.Errorf("first run: %+v, the vault holds %d", first, w.v.Size())
			}
			w.page(2, 10)
			second := w.backup(place, sealed)
			// The last segment, one blob and its list, and the indexes that changed.
			after := objects(t, place)
			if n := len(after) - len(before) - 1; int64(n) != second.NewObjects || n < 3 || n > 14 {
				t.Errorf("the second run wrote %d objects and says %d; %d were there", n, second.NewObjects, len(before))
			}
			for name, size := range before {
				if after[name] != size {
					t.Errorf("%s was changed", name)
				}
			}
			rep, err := backup.Verify(context.Background(), backup.VerifyOptions{From: place, Identities: ids, LogKey: w.o.LogKey, Sample: 1})
			if err != nil || len(rep.Problems) > 0 || len(rep.Unchecked) > 0 || rep.Signed == 0 || rep.Records != second.Records || rep.Read < rep.Objects {
				t.Fatalf("verify: %+v, %v", rep, err)
			}
			restored(t, w, place, ids, second)
		})
	}
}

// restored destroys the vault, brings it back and lets it go on.
func restored(t *testing.T, w *world, place backup.Store, ids backup.Identities, run backup.Result) {
	t.Helper()
	want := values(t, w.v, run.Records)
	kept, err := w.v.Checkpoint(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	cursor, err := w.v.Cursor(context.Background(), "channel 2")
	if err != nil {
		t.Fatal(err)
	}
	w.v.Close()
	if err := os.RemoveAll(w.path); err != nil {
		t.Fatal(err)
	}
	checked := false
	res, err := backup.Restore(context.Background(), backup.RestoreOptions{
		From: place, Identities: ids, LogKey: w.o.LogKey, To: w.path,
		Check: func(ctx context.Context, dir string, _ backup.Restored) error {
			v, err := vault.Open(dir, w.o) // builds the views
			if err != nil {
				return err
			}
			if err := v.Close(); err != nil {
				return err
			}
			rep, err := vault.Fsck(ctx, dir, vault.FsckOptions{Views: w.o.Views})
			checked = true
			if err != nil || len(rep.Problems) > 0 {
				t.Errorf("fsck: %+v, %v", rep.Problems, err)
			}
			return err
		},
	})
	if err != nil || !checked || res.Records != run.Records || res.Blobs != run.Blobs || len(res.Lacking) > 0 {
		t.Fatalf("restore: %+v, %v", res, err)
	}
	v, err := vault.Open(w.path, w.o)
	if err != nil {
		t.Fatal(err)
	}
	w.v = v
	got := values(t, v, v.Size())
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
	for i := range got {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("record %d differs", i)
		}
	}
	if c, err := v.Cursor(context.Background(), "channel 2"); err != nil || !bytes.Equal(c, cursor) {
		t.Errorf("cursor %q, %v, want %q", c, err, cursor)
	}
	if root, err := v.Root(context.Background(), run.Records); err != nil || root != run.Root {
		t.Errorf("root %s, %v", root, err)
	}
	if kept.Size < run.Records {
		t.Errorf("the checkpoint kept is of %d records", kept.Size)
	}
	// It is the same log: what was there is recognised, what is new comes after it.
	w.n = 0
	size := v.Size()
	w.page(1, 100)
	if v.Size() != size {
		t.Errorf("%d records were written for posts that were there", v.Size()-size)
	}
	w.n = 6000
	w.page(1, 5)
	if v.Size() != size+6 {
		t.Errorf("%d records, want %d", v.Size(), size+6)
	}
	third := w.backup(place, func(o *backup.Options) {
		if ids != nil {
			o.Recipients = recipientsOf(t, place)
		}
	})
	if third.Records <= run.Records {
		t.Errorf("the restored vault's backup: %+v", third)
	}
}

func recipientsOf(t *testing.T, place backup.Store) backup.Recipients {
	t.Helper()
	rep, err := backup.Verify(context.Background(), backup.VerifyOptions{From: place})
	if err != nil {
		t.Fatal(err)
	}
	r, err := backup.ParseRecipients(rep.Recipients)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestDebianAge has Debian's age open a segment.
func TestDebianAge(t *testing.T) {
	program, err := exec.LookPath("age")
	if err != nil {
		t.Skip("age is not installed")
	}
	w, place := newWorld(t), folder(t)
	to, _, identity := key(t)
	w.page(1, 10)
	w.backup(place, func(o *backup.Options) { o.Recipients = to })
	plain, encrypted := 0, 0
	for name := range objects(t, place) {
		if !strings.HasPrefix(name, "objects/") {
			continue
		}
		b := read(t, place, name)
		if !bytes.HasPrefix(b, []byte("age-encryption.org/v1\n")) {
			if !bytes.HasPrefix(b, []byte("muhafiz-segment 1 backup.inventory\n")) {
				t.Errorf("%s is not encrypted", name)
			}
			plain++
			continue
		}
		encrypted++
		cmd := exec.Command(program, "-d", "-i", identity)
		cmd.Stdin = bytes.NewReader(b)
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if bytes.HasPrefix(out, []byte("muhafiz-segment 1 log\n")) && !bytes.Contains(out, []byte("bakers")) {
			t.Errorf("%s does not hold the posts", name)
		}
	}
	if plain != 1 || encrypted < 6 {
		t.Errorf("%d objects in the clear, %d encrypted", plain, encrypted)
	}
}

// TestWhileWriting backs up a vault that several sources write to, and holds the copy against the vault.
func TestWhileWriting(t *testing.T) {
	w, place := newWorld(t), folder(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	fed := make(chan struct{}, 1)
	for c := range 3 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				b, err := page(w.v, c, i*20, 20)
				if err == nil {
					_, err = w.v.Put(context.Background(), b)
				}
				if err != nil {
					t.Error(err)
					return
				}
				select {
				case fed <- struct{}{}:
				default:
				}
			}
		})
	}
	var last backup.Result
	for range 5 {
		<-fed
		last = w.backup(place)
	}
	close(stop)
	wg.Wait()
	t.Logf("%d of %d records in the last of 5 backups; the one read transaction lasted %s", last.Records, w.v.Size(), last.Held)
	runs, err := backup.Runs(context.Background(), place)
	if err != nil || len(runs) != 5 {
		t.Fatalf("%v, %v", runs, err)
	}
	for _, name := range runs {
		to := filepath.Join(t.TempDir(), "restored")
		_, err := backup.Restore(context.Background(), backup.RestoreOptions{From: place, Run: name, To: to, LogKey: w.o.LogKey})
		if err != nil {
			t.Fatal(err)
		}
		if rep, err := vault.Fsck(context.Background(), to, vault.FsckOptions{}); err != nil || len(rep.Problems) > 0 {
			t.Fatalf("%s: %v, %v", name, rep.Problems, err)
		}
	}
}

// TestDamage spoils a place in every way and asks verify and restore.
func TestDamage(t *testing.T) {
	w, place := newWorld(t), folder(t)
	for range 50 {
		w.page(1, 100)
	}
	res := w.backup(place)
	all := objects(t, place)
	var blob, segment string
	for name := range all {
		b := read(t, place, name)
		switch {
		case bytes.HasPrefix(b, []byte("simulated reply")):
			blob = name
		case bytes.HasPrefix(b, []byte("muhafiz-segment 1 log\n")):
			segment = name
		}
	}
	verify := func(key string) backup.VerifyReport {
		t.Helper()
		rep, err := backup.Verify(context.Background(), backup.VerifyOptions{From: place, LogKey: key, Sample: 1})
		if err != nil {
			t.Fatal(err)
		}
		return rep
	}
	restore := func(o backup.RestoreOptions) (backup.Restored, error) {
		t.Helper()
		o.From, o.To = place, filepath.Join(t.TempDir(), "restored")
		res, err := backup.Restore(context.Background(), o)
		if _, there := os.Stat(filepath.Join(o.To, "vault.db")); err != nil && there == nil {
			t.Errorf("there is a vault after %v", err)
		}
		return res, err
	}
	swap := func(name string, b []byte) (undo func()) {
		was := read(t, place, name)
		if err := place.Delete(context.Background(), []string{name}); err != nil {
			t.Fatal(err)
		}
		if b != nil {
			if err := place.Put(context.Background(), name, bytes.NewReader(b), int64(len(b))); err != nil {
				t.Fatal(err)
			}
		}
		return func() {
			if err := place.Put(context.Background(), name, bytes.NewReader(was), int64(len(was))); err != nil {
				t.Fatal(err)
			}
		}
	}
	flip := func(name string) []byte {
		b := bytes.Clone(read(t, place, name))
		b[len(b)/2] ^= 1
		return b
	}
	for _, name := range []string{segment, blob} {
		for _, b := range [][]byte{nil, flip(name), read(t, place, name)[:100]} {
			undo := swap(name, b)
			if rep := verify(w.o.LogKey); len(rep.Problems) == 0 || !strings.Contains(strings.Join(rep.Problems, "\n"), name) {
				t.Errorf("%s: %d bytes: %v", name, len(b), rep.Problems)
			}
			got, err := restore(backup.RestoreOptions{LogKey: w.o.LogKey})
			switch {
			case name == segment && !errors.Is(err, backup.ErrMissing) && !errors.Is(err, backup.ErrDamaged):
				t.Errorf("restore without a segment: %v", err)
			case name == blob && (err != nil || len(got.Lacking) != 1):
				t.Errorf("restore without a blob: %+v, %v", got, err)
			}
			undo()
		}
	}
	manifest := "manifests/" + res.Run + ".json"
	undo := swap(manifest, bytes.Replace(read(t, place, manifest), []byte(`"build":"test"`), []byte(`"build":"best"`), 1))
	if rep := verify(w.o.LogKey); len(rep.Problems) == 0 {
		t.Error("a changed manifest passes")
	}
	if _, err := restore(backup.RestoreOptions{LogKey: w.o.LogKey}); !errors.Is(err, backup.ErrSignature) {
		t.Errorf("restore of a changed manifest: %v", err)
	}
	undo()
	undo = swap(manifest, bytes.Replace(read(t, place, manifest), []byte(`{"format":1`), []byte(`{"format":2`), 1))
	if _, err := restore(backup.RestoreOptions{}); !errors.Is(err, backup.ErrFormat) {
		t.Errorf("restore of a newer manifest: %v", err)
	}
	undo()
	if rep := verify(w.o.LogKey); len(rep.Problems) > 0 {
		t.Errorf("after all was put right: %v", rep.Problems)
	}
}

// TestRefusals asks for what must not happen.
func TestRefusals(t *testing.T) {
	w, other, place := newWorld(t), newWorld(t), folder(t)
	to, ids, _ := key(t)
	_, stranger, _ := key(t)
	w.page(1, 10)
	w.backup(place, func(o *backup.Options) { o.Recipients = to })
	before := len(objects(t, place))
	if _, err := other.tryBackup(place); !errors.Is(err, backup.ErrOtherVault) {
		t.Errorf("another vault: %v", err)
	}
	restore := func(to string, ids backup.Identities) error {
		_, err := backup.Restore(context.Background(), backup.RestoreOptions{From: place, To: to, Identities: ids})
		return err
	}
	fresh := filepath.Join(t.TempDir(), "fresh")
	if err := restore(fresh, nil); !errors.Is(err, backup.ErrNoIdentity) {
		t.Errorf("no identity: %v", err)
	}
	if err := restore(fresh, stranger); !errors.Is(err, backup.ErrIdentity) {
		t.Errorf("a stranger's identity: %v", err)
	}
	if err := restore(w.path, ids); !errors.Is(err, vault.ErrExists) {
		t.Errorf("over a vault: %v", err)
	}
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "letter.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := restore(full, ids); !errors.Is(err, backup.ErrNotEmpty) {
		t.Errorf("into a folder that is not empty: %v", err)
	}
	if err := restore(fresh, ids); err != nil {
		t.Errorf("the right one: %v", err)
	}
	if _, err := backup.OpenFolder(filepath.Join(full, "absent")); !errors.Is(err, backup.ErrNoPlace) {
		t.Errorf("no place: %v", err)
	}
	if len(objects(t, place)) != before {
		t.Error("a refusal wrote something")
	}
	// The restored copy and the lost original both go on: the second to back up is refused.
	fork, err := vault.Open(fresh, w.o)
	if err != nil {
		t.Fatal(err)
	}
	w.page(1, 5)
	w.backup(place, func(o *backup.Options) { o.Recipients = to })
	old := w.v
	w.v = fork
	defer func() { w.v = old; fork.Close() }()
	for range 3 {
		w.page(2, 5)
	}
	if _, err := w.tryBackup(place, func(o *backup.Options) { o.Recipients = to }); !errors.Is(err, backup.ErrFork) {
		t.Errorf("a fork: %v", err)
	}
}

// TestRot damages a blob in the vault: the copy that was made while it was whole stays the one that the backup names.
func TestRot(t *testing.T) {
	w, place := newWorld(t), folder(t)
	w.page(1, 3)
	w.backup(place)
	var path string
	if err := w.v.SnapshotBlobs(context.Background(), func(b vault.SnapshotBlob) error { path = b.Path; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("rotten"), 0o600); err != nil {
		t.Fatal(err)
	}
	res := w.backup(place)
	if len(res.Damaged) != 1 || !strings.Contains(res.Damaged[0], "earlier copy is kept") {
		t.Errorf("%+v", res)
	}
	fresh := filepath.Join(t.TempDir(), "fresh")
	if _, err := backup.Restore(context.Background(), backup.RestoreOptions{From: place, To: fresh}); err != nil {
		t.Fatal(err)
	}
	if rep, err := vault.Fsck(context.Background(), fresh, vault.FsckOptions{}); err != nil || len(rep.Problems) > 0 {
		t.Errorf("the restored vault: %v, %v", rep.Problems, err)
	}
}

// TestKeep lets a place keep two backups of four.
func TestKeep(t *testing.T) {
	w, place := newWorld(t), folder(t)
	to, ids, _ := key(t)
	for i := range 4 {
		w.page(1, 20)
		res := w.backup(place, func(o *backup.Options) { o.Keep, o.Recipients = 2, to })
		if i > 2 && res.Removed == 0 {
			t.Errorf("run %d removed nothing", i)
		}
	}
	runs, err := backup.Runs(context.Background(), place)
	if err != nil || len(runs) != 2 {
		t.Fatalf("%v, %v", runs, err)
	}
	for _, run := range runs {
		rep, err := backup.Verify(context.Background(), backup.VerifyOptions{From: place, Run: run, Identities: ids, LogKey: w.o.LogKey, Sample: 1})
		if err != nil || len(rep.Problems) > 0 {
			t.Errorf("%s: %v, %v", run, rep.Problems, err)
		}
	}
}

// TestS3Refusals asks a real server for what it refuses.
func TestS3Refusals(t *testing.T) {
	good := gateway(t)
	for _, tc := range []struct {
		name   string
		change func(*backup.S3Options)
		want   error
	}{
		{"bucket", func(o *backup.S3Options) { o.Bucket = "absent" }, backup.ErrNoBucket},
		{"secret", func(o *backup.S3Options) { o.SecretKey = "wrong" }, backup.ErrDenied},
		{"user", func(o *backup.S3Options) { o.AccessKey = "nobody" }, backup.ErrDenied},
	} {
		o := good
		tc.change(&o)
		if _, err := backup.OpenS3(context.Background(), o); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	s, err := backup.OpenS3(context.Background(), good)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(context.Background(), "objects/absent"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an absent object: %v", err)
	}
	if _, err := backup.Verify(context.Background(), backup.VerifyOptions{From: s}); !errors.Is(err, backup.ErrNoBackup) {
		t.Errorf("an empty place: %v", err)
	}
}
