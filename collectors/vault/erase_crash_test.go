package vault_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// eraseVault in the environment makes the test binary a process that erases and compacts that vault until it is killed.
const eraseVault = "MUHAFIZ_TEST_ERASE_VAULT"

func eraseOptions(path string) vault.Options {
	return vault.Options{Views: []evidence.View{texts(), vaulttest.Tally()}, Keys: crashKeys(path), Log: zerolog.Nop()}
}

// eraseUntilKilled observes two posts with a blob each, erases the one, and compacts now and then.
func eraseUntilKilled(path string) error {
	ctx := context.Background()
	for round := 0; ; round++ {
		v, err := vault.Open(path, eraseOptions(path))
		if err != nil {
			return err
		}
		for range 4 {
			if err := observeAndErase(ctx, v); err != nil {
				return errors.Join(err, v.Close())
			}
		}
		if err := v.Close(); err != nil {
			return err
		}
		fmt.Println("compact")
		if _, err := vault.Compact(ctx, path, eraseOptions(path), nil); err != nil {
			return err
		}
		fmt.Println("compacted")
	}
}

func observeAndErase(ctx context.Context, v *vault.Vault) error {
	acq := evidence.NewAcq(time.Now())
	ch := evidence.Account("telegram", "channel", "1")
	var ds []evidence.Draft
	n := v.Size()
	for i, what := range []string{"goes", "stays"} {
		text := what + " " + acq
		d, size, err := v.Keep(ctx, strings.NewReader(text), 1<<10)
		if err != nil {
			return err
		}
		p := ch.Post(n*10 + int64(i))
		ds = append(ds,
			evidence.Draft{ID: evidence.ID{Acq: acq, N: uint32(2 * i)}, Actor: evidence.Vault(), Subject: p, Body: &evidence.PostSeen{Method: evidence.MethodMTProto, Text: text}},
			evidence.Draft{ID: evidence.ID{Acq: acq, N: uint32(2*i + 1)}, Actor: evidence.Vault(), Subject: p, Body: &evidence.MediaKept{MediaID: text, Blob: evidence.Object{SHA256: d, Size: size}}},
		)
	}
	recs, err := v.Put(ctx, evidence.Batch{Drafts: ds})
	if err != nil {
		return err
	}
	fmt.Println("put", acq)
	if _, err := v.Erase(ctx, vault.ErasePlan{By: evidence.Vault(), Rule: "test", Records: []int64{recs[0].Seq, recs[1].Seq}}); err != nil {
		return err
	}
	fmt.Println("erased", acq)
	return nil
}

// TestKillWhileErasing kills the process at random times: what was acknowledged as erased stays erased, all else is there, and fsck finds
// nothing.
func TestKillWhileErasing(t *testing.T) {
	rounds := 6
	if os.Getenv("MUHAFIZ_SOAK") != "" {
		rounds = 100
	}
	for name := range sorts {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			o := vaulttest.Options(t, eraseOptions(path).Views...)
			o.Keys = crashKeys(path)
			v, err := vault.Create(path, o)
			if err != nil {
				t.Fatal(err)
			}
			if err := v.Close(); err != nil {
				t.Fatal(err)
			}
			put, erased := map[string]bool{}, map[string]bool{}
			for range rounds {
				killEraser(t, path, put, erased)
				if v, err = vault.Open(path, o); err != nil {
					t.Fatal(err)
				}
				lookAfterErasures(t, v, put, erased)
				if err := v.Close(); err != nil {
					t.Fatal(err)
				}
				cleanWith(t, path, o)
			}
			t.Logf("%d put, %d erased over %d kills", len(put), len(erased), rounds)
		})
	}
}

func killEraser(t *testing.T, path string, put, erased map[string]bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), eraseVault+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(time.Duration(20+rand.IntN(400))*time.Millisecond, func() { cmd.Process.Kill() })
	defer timer.Stop()
	var said strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := out.Read(buf)
		said.Write(buf[:n])
		if err != nil {
			break
		}
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the erasing process was not killed: %v", err)
	}
	for _, line := range strings.Split(said.String(), "\n") {
		switch verb, acq, _ := strings.Cut(line, " "); {
		case len(acq) != len(evidence.NewAcq(time.Now())):
		case verb == "put":
			put[acq] = true
		case verb == "erased":
			erased[acq] = true
		}
	}
}

func lookAfterErasures(t *testing.T, v *vault.Vault, put, erased map[string]bool) {
	t.Helper()
	for acq := range put {
		for n := range uint32(4) {
			r, err := v.ByID(t.Context(), evidence.ID{Acq: acq, N: n})
			if err != nil {
				t.Fatalf("an acknowledged record: %v", err)
			}
			if n >= 2 && r.Body == nil || n < 2 && erased[acq] && r.Body != nil {
				t.Errorf("record %d of %s: %d bytes of body", n, acq, len(r.Body))
			}
		}
		for what, gone := range map[string]bool{"goes": erased[acq], "stays": false} {
			f, _, err := v.Blob(t.Context(), evidence.Sum([]byte(what+" "+acq)))
			if err == nil {
				f.Close()
			}
			if gone && !errors.Is(err, evidence.ErrNotFound) || what == "stays" && err != nil {
				t.Errorf("the blob that %s: %v", what, err)
			}
		}
	}
}

// Batches go on while others are erased; each sees the vault whole.
func TestEraseWhileWriting(t *testing.T) {
	each(t, func(w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			for i := 0; ; i++ {
				if ctx.Err() != nil {
					done <- nil
					return
				}
				// The erased photo comes again and again.
				d, n, err := w.v.Keep(ctx, strings.NewReader("own "+secretText), 1<<10)
				if err == nil {
					post := evidence.Account("telegram", "channel", "2").Post(int64(i))
					_, err = w.v.Put(ctx, evidence.Batch{Drafts: []evidence.Draft{draftOf("telegram/main", post, &evidence.MediaKept{MediaID: "x", Blob: evidence.Object{SHA256: d, Size: n}})}})
				}
				if err != nil && !errors.Is(err, evidence.ErrMissingBlob) && !errors.Is(err, context.Canceled) {
					done <- err
					return
				}
			}
		}()
		for range 5 {
			w.erase(w.plan(w.about("a1/1")...))
			for range 5 {
				var seqs []int64
				for i := range 4 {
					seqs = append(seqs, w.about(evidence.Ordinal(fmt.Sprint("a2/", i)))...)
				}
				w.erase(w.plan(seqs...))
			}
			put(t, w.v, posts("telegram/main", 1, "again")...)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		w.again()
	})
}
