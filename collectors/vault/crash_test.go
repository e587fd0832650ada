package vault_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// crashVault in the environment makes the test binary a process that writes to that vault until it is killed.
const crashVault = "MUHAFIZ_TEST_CRASH_VAULT"

// crashPosts is the number of posts in a batch of the process that is killed.
const crashPosts = 20

// fullVault makes it a process that writes to that vault until the disk refuses.
const fullVault = "MUHAFIZ_TEST_FULL_VAULT"

func TestMain(m *testing.M) {
	for name, child := range map[string]func(string) error{crashVault: writeUntilKilled, fullVault: writeUntilFull, eraseVault: eraseUntilKilled} {
		path := os.Getenv(name)
		if path == "" {
			continue
		}
		if err := child(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// writeUntilKilled says `try ACQ` on its output before it puts a batch and `ack ACQ SEQ` after it came back.
func writeUntilKilled(path string) error {
	v, err := vault.Open(path, vault.Options{Views: []evidence.View{vaulttest.Tally()}, Keys: crashKeys(path), Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	var mu sync.Mutex
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Printf(format+"\n", args...)
	}
	errs := make(chan error)
	for w := range 3 {
		go func() {
			for {
				acq := evidence.NewAcq(time.Now())
				media := []byte("simulated " + acq)
				d, err := keepSomehow(v, filepath.Join(path, fmt.Sprintf("taken-%d", w)), media, w)
				if err != nil {
					errs <- err
					return
				}
				say("try %s", acq)
				b := crashBatch(acq, w, d)
				if w > 0 { // as sources do with pages of history
					err = v.Prepare(b.Drafts)
				}
				var recs []evidence.Record
				if err == nil {
					recs, err = v.Put(context.Background(), b)
				}
				if err != nil {
					errs <- err
					return
				}
				say("ack %s %d", acq, recs[0].Seq)
			}
		}()
	}
	return <-errs
}

// keepSomehow keeps bytes: one writer as they are, the others by handing over a file.
func keepSomehow(v *vault.Vault, path string, media []byte, writer int) (evidence.Digest, error) {
	if writer == 0 {
		d, _, err := v.Keep(context.Background(), bytes.NewReader(media), 1<<10)
		return d, err
	}
	if err := os.WriteFile(path, media, 0o600); err != nil {
		return evidence.Digest{}, err
	}
	d, _, err := v.KeepFile(context.Background(), bytes.NewReader(media), path, 1<<10)
	return d, err
}

// crashKeys are the keys of the vault that is killed, where it is a sealed one: its folder is called so.
func crashKeys(path string) *vault.Keys {
	if filepath.Base(path) != "sealed" {
		return nil
	}
	return &vault.Keys{Sealer: vaulttest.KeyOf([32]byte{1})}
}

// crashBatch is the same for the same acquisition.
func crashBatch(acq string, writer int, blob evidence.Digest) evidence.Batch {
	ch := evidence.Account("telegram", "channel", strconv.Itoa(writer))
	ds := []evidence.Draft{{
		ID: evidence.ID{Acq: acq}, Actor: evidence.Vault(), Subject: ch.Post(1),
		Body: &evidence.MediaKept{MediaID: acq, Blob: evidence.Object{SHA256: blob, Size: int64(len("simulated " + acq))}},
	}}
	for i := range crashPosts {
		ds = append(ds, evidence.Draft{
			ID: evidence.ID{Acq: acq, N: uint32(i + 1)}, Actor: evidence.Vault(), Subject: ch.Post(int64(i + 1)),
			Body: &evidence.PostSeen{Method: evidence.MethodMTProto, Text: acq},
		})
	}
	return evidence.Batch{Drafts: ds, Cursor: &evidence.Cursor{Name: ch.Key, Data: []byte(acq)}}
}

// TestKillLosesNothingAcknowledged kills a writing process again and again. MUHAFIZ_SOAK is how often; a few times without it.
func TestKillLosesNothingAcknowledged(t *testing.T) {
	rounds := 4
	if s := os.Getenv("MUHAFIZ_SOAK"); s != "" {
		var err error
		if rounds, err = strconv.Atoi(s); err != nil {
			t.Fatalf("MUHAFIZ_SOAK: %v", err)
		}
	}
	for name := range sorts {
		t.Run(name, func(t *testing.T) { killAgainAndAgain(t, filepath.Join(t.TempDir(), name), rounds) })
	}
}

func killAgainAndAgain(t *testing.T, path string, rounds int) {
	o := vaulttest.Options(t, vaulttest.Tally())
	o.Keys = crashKeys(path)
	v, err := vault.Create(path, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	acked, tried := map[string]int64{}, map[string]bool{}
	for range rounds {
		killOnce(t, path, acked, tried)
		afterKill(t, path, o, acked, tried)
	}
	t.Logf("%d batches acknowledged over %d kills", len(acked), rounds)
}

// killOnce lets the process acknowledge a random number of batches and kills it at once.
func killOnce(t *testing.T, path string, acked map[string]int64, tried map[string]bool) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashVault+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	stop := rand.IntN(60)
	for n := 0; lines.Scan(); n++ {
		if n == stop {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		switch f := strings.Fields(lines.Text()); {
		case len(f) == 2 && f[0] == "try":
			tried[f[1]] = true
		case len(f) == 3 && f[0] == "ack":
			seq, err := strconv.ParseInt(f[2], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			acked[f[1]] = seq
		}
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the writing process was not killed: %v", err)
	}
}

// afterKill checks what is there, puts everything again that was tried, and insists on each record once.
func afterKill(t *testing.T, path string, o vault.Options, acked map[string]int64, tried map[string]bool) {
	cleanWith(t, path, o)
	v, err := vault.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	for acq, seq := range acked {
		r, err := v.ByID(t.Context(), evidence.ID{Acq: acq})
		if err != nil || r.Seq != seq {
			t.Errorf("acknowledged as record %d, found %d: %v", seq, r.Seq, err)
		}
	}
	counts := map[string]int{}
	err = v.Records(t.Context(), 0, func(r evidence.Record) error {
		if r.Kind == evidence.KindPostSeen || r.Kind == evidence.KindMediaKept {
			counts[r.ID.Acq]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for acq, n := range counts {
		if n != crashPosts+1 || !tried[acq] {
			t.Errorf("a batch has %d records, want %d", n, crashPosts+1)
		}
	}
	size := v.Size()
	for acq := range tried {
		b := crashBatch(acq, 0, evidence.Sum([]byte("simulated "+acq)))
		if counts[acq] == 0 {
			size += crashPosts + 1
		} else {
			b.Cursor = nil
		}
		recs, err := v.Put(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		if got := recs[0].Outcome == evidence.Repeated; got != (counts[acq] > 0) {
			t.Errorf("a batch put again after the kill: outcome %d, %d records before", recs[0].Outcome, counts[acq])
		}
		acked[acq] = recs[0].Seq
	}
	if v.Size() != size && v.Size() != size+1 { // one more where the first account is bound only now
		t.Errorf("%d records, want %d", v.Size(), size)
	}
}

// writeUntilFull puts until vault.db may not grow, and insists that nothing can be written from then on.
func writeUntilFull(path string) error {
	v, err := vault.Open(path, vault.Options{Keys: crashKeys(path), Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	ctx := context.Background()
	limit := unix.Rlimit{Cur: 4 << 20, Max: 4 << 20}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	acked := 0
	for {
		acq := evidence.NewAcq(time.Now())
		blob, _, kerr := v.Keep(ctx, strings.NewReader("simulated "+acq), 1<<10)
		if kerr != nil {
			return kerr
		}
		if _, err = v.Put(ctx, crashBatch(acq, acked, blob)); err != nil {
			break
		}
		acked++
	}
	if !errors.Is(err, vault.ErrFailed) {
		return fmt.Errorf("the failed commit: %w", err)
	}
	if _, err := v.Put(ctx, evidence.Batch{Cursor: &evidence.Cursor{Name: "x"}}); !errors.Is(err, vault.ErrFailed) {
		return fmt.Errorf("a put after the failed commit: %w", err)
	}
	if _, _, err := v.Keep(ctx, strings.NewReader("x"), 1); !errors.Is(err, vault.ErrFailed) {
		return fmt.Errorf("a keep after the failed commit: %w", err)
	}
	if err := v.Wait(ctx, v.Size()); !errors.Is(err, vault.ErrFailed) {
		return fmt.Errorf("waiting after the failed commit: %w", err)
	}
	fmt.Println(acked)
	return v.Close()
}

func TestNothingIsWrittenAfterAFailedCommit(t *testing.T) {
	for name := range sorts {
		t.Run(name, func(t *testing.T) { failACommit(t, filepath.Join(t.TempDir(), name)) })
	}
}

func failACommit(t *testing.T, path string) {
	o := vaulttest.Options(t)
	o.Keys = crashKeys(path)
	v, err := vault.Create(path, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fullVault+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	acked, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil || acked == 0 {
		t.Fatalf("%q batches were acknowledged", out)
	}
	rep := cleanWith(t, path, o)
	if bound := int64(acked); rep.Records != 1+bound*(crashPosts+2) {
		t.Errorf("%d records of %d acknowledged batches", rep.Records, acked)
	}
}
