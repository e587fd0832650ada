// Command backup measures what copying a vault costs, beside cp -a and sha256sum of the same bytes on the same disk in the same run, and
// what a long read transaction does to ingest. It promises figures of this machine and this minute only.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"filippo.io/age"
	"github.com/rs/zerolog"
	"golang.org/x/mod/sumdb/note"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/backup"
)

func main() {
	posts := flag.Int("posts", 200_000, "posts of 1 KiB")
	blobs := flag.Int("blobs", 400, "blobs of 1 MiB")
	hold := flag.Duration("hold", 30*time.Second, "how long the read transaction lasts; 0 for none")
	dir := flag.String("dir", os.TempDir(), "folder to work in")
	flag.Parse()
	if err := measure(*dir, *posts, *blobs, *hold); err != nil {
		fmt.Fprintln(os.Stderr, "backup:", err)
		os.Exit(1)
	}
}

type bench struct {
	ctx  context.Context
	dir  string
	v    *vault.Vault
	next int
	seed *mrand.ChaCha8
}

func measure(parent string, posts, blobs int, hold time.Duration) error {
	dir, err := os.MkdirTemp(parent, "muhafiz-backup-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	skey, vkey, err := note.GenerateKey(rand.Reader, "log.example/measured")
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		return err
	}
	b := &bench{ctx: context.Background(), dir: dir, seed: mrand.NewChaCha8([32]byte{})}
	b.v, err = vault.Create(filepath.Join(dir, "vault"), vault.Options{Signer: signer, LogKey: vkey, Build: "measure", Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	defer b.v.Close()
	if err := b.fill(posts, blobs); err != nil {
		return err
	}
	if err := b.copies(); err != nil || hold == 0 {
		return err
	}
	return b.held(hold)
}

func (b *bench) text() string {
	raw := make([]byte, 400)
	b.seed.Read(raw)
	return fmt.Sprintf("%x", raw)
}

// batch puts 500 posts and returns how long that took.
func (b *bench) batch() (time.Duration, error) {
	acq := evidence.NewAcq(time.Now())
	ds := make([]evidence.Draft, 500)
	for i := range ds {
		b.next++
		ds[i] = evidence.Draft{
			ID: evidence.ID{Acq: acq, N: uint32(i)}, Actor: evidence.Vault(), Subject: evidence.Account("telegram", "channel", "1").Post(int64(b.next)),
			Body: &evidence.PostSeen{Method: evidence.MethodMTProto, Text: b.text()},
		}
	}
	start := time.Now()
	_, err := b.v.Put(b.ctx, evidence.Batch{Drafts: ds})
	return time.Since(start), err
}

func (b *bench) fill(posts, blobs int) error {
	for b.next < posts {
		if _, err := b.batch(); err != nil {
			return err
		}
	}
	raw := make([]byte, 1<<20)
	for range blobs {
		b.seed.Read(raw)
		if _, _, err := b.v.Keep(b.ctx, bytes.NewReader(raw), 1<<20); err != nil {
			return err
		}
	}
	return nil
}

// timed prints one line.
func timed(what string, size int64, fn func() (string, error)) error {
	start := time.Now()
	note, err := fn()
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	took := time.Since(start)
	fmt.Printf("%-42s %8.2f s %8.0f MB/s  %s\n", what, took.Seconds(), float64(size)/1e6/took.Seconds(), note)
	return nil
}

func (b *bench) copies() error {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	to, err := backup.ParseRecipients([]string{id.Recipient().String()})
	if err != nil {
		return err
	}
	source := filepath.Join(b.dir, "vault")
	size, err := bytesIn(source)
	if err != nil {
		return err
	}
	fmt.Printf("%d records, vault folder %.0f MB\n", b.v.Size(), float64(size)/1e6)
	var content int64
	place := func(name string) (*backup.Folder, error) {
		path := filepath.Join(b.dir, name)
		if err := os.Mkdir(path, 0o700); err != nil {
			return nil, err
		}
		return backup.OpenFolder(path)
	}
	run := func(what string, f *backup.Folder, to backup.Recipients) error {
		return timed(what, size, func() (string, error) {
			res, err := backup.Run(b.ctx, backup.Options{Vault: b.v, To: f, Recipients: to, Build: "measure"})
			if content == 0 {
				content = res.NewBytes
			}
			return fmt.Sprintf("%d new objects, %.1f MB; one transaction of %s", res.NewObjects, float64(res.NewBytes)/1e6, res.Held.Round(time.Millisecond)), err
		})
	}
	plain, err := place("plain")
	if err != nil {
		return err
	}
	sealed, err := place("sealed")
	if err != nil {
		return err
	}
	command := func(name string, args ...string) func() (string, error) {
		return func() (string, error) { return "", exec.Command(name, args...).Run() }
	}
	steps := []func() error{
		func() error {
			return timed("sha256sum of the folder", size, command("sh", "-c", "find "+source+" -type f -print0 | xargs -0 sha256sum >/dev/null"))
		},
		func() error {
			return timed("cp -a, then sync", size, command("sh", "-c", "cp -a "+source+" "+b.dir+"/copy && sync -f "+b.dir))
		},
		func() error { return run("backup to a folder", plain, backup.Recipients{}) },
		func() error { return run("backup again, nothing new", plain, backup.Recipients{}) },
		func() error {
			for range 10 {
				if _, err := b.batch(); err != nil {
					return err
				}
			}
			return run("backup after 5,000 more posts", plain, backup.Recipients{})
		},
		func() error { return run("backup, encrypted", sealed, to) },
		func() error {
			return timed("verify", content, func() (string, error) {
				rep, err := backup.Verify(b.ctx, backup.VerifyOptions{From: plain, Sample: 1})
				return fmt.Sprintf("%d objects, %d problems", rep.Read, len(rep.Problems)), err
			})
		},
		func() error {
			return timed("restore", size, func() (string, error) {
				res, err := backup.Restore(b.ctx, backup.RestoreOptions{From: plain, To: filepath.Join(b.dir, "restored")})
				return fmt.Sprintf("%d records", res.Records), err
			})
		},
		func() error {
			return timed("restore, encrypted", size, func() (string, error) {
				res, err := backup.Restore(b.ctx, backup.RestoreOptions{From: sealed, Identities: backup.Identities{id}, To: filepath.Join(b.dir, "opened")})
				return fmt.Sprintf("%d records", res.Records), err
			})
		},
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// held ingests for a third of the time alone, then beside a read transaction, then alone again.
func (b *bench) held(hold time.Duration) error {
	alone := func() error { return b.ingest("ingest alone", hold/3, nil) }
	if err := alone(); err != nil {
		return err
	}
	end := make(chan struct{})
	done := make(chan error, 1)
	began := make(chan struct{})
	go func() {
		first := true
		_, err := b.v.SnapshotRest(b.ctx, 0, func(string, []byte, []byte) error {
			if first {
				first = false
				close(began)
				<-end
			}
			return nil
		})
		done <- err
	}()
	<-began
	if err := b.ingest(fmt.Sprintf("ingest beside a transaction of %s", hold), hold, nil); err != nil {
		return err
	}
	close(end)
	if err := <-done; err != nil {
		return err
	}
	return alone()
}

func (b *bench) ingest(what string, span time.Duration, took []time.Duration) error {
	before, err := bytesIn(filepath.Join(b.dir, "vault"))
	if err != nil {
		return err
	}
	start := time.Now()
	for time.Since(start) < span {
		d, err := b.batch()
		if err != nil {
			return err
		}
		took = append(took, d)
	}
	total := time.Since(start)
	after, err := bytesIn(filepath.Join(b.dir, "vault"))
	if err != nil {
		return err
	}
	slices.Sort(took)
	n := len(took)
	fmt.Printf("%-42s %8.0f records/s; Put p50 %s, p99 %s, max %s; the file grew by %d bytes a record\n", what, float64(n*500)/total.Seconds(),
		took[n/2].Round(time.Microsecond), took[n*99/100].Round(time.Microsecond), took[n-1].Round(time.Microsecond), (after-before)/int64(n*500))
	return nil
}

func bytesIn(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		st, err := e.Info()
		if err == nil {
			n += st.Size()
		}
		return err
	})
	return n, err
}
