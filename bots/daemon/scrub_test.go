package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/backup"
	"github.com/muhafiz/muhafiz/config"
)

// keepFile puts a file of a post into a vault, as a source does.
func keepFile(t *testing.T, r *Rooms, post int64, text string) evidence.Digest {
	t.Helper()
	d, n, err := r.Vault.Keep(t.Context(), strings.NewReader(text), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	ch := evidence.Account("telegram", "channel", "1")
	span := evidence.Span{From: evidence.At(r.Now()), To: evidence.At(r.Now())}
	if err := r.write(t.Context(), evidence.Vault(), ch.Post(post), &evidence.MediaKept{
		MediaID: fmt.Sprint("photo ", post), Blob: evidence.Object{SHA256: d, Size: n}, Observed: span,
	}); err != nil {
		t.Fatal(err)
	}
	return d
}

// rot flips a bit in the file of a blob.
func rot(t *testing.T, r *Rooms, d evidence.Digest) {
	t.Helper()
	err := r.Vault.Vault.SnapshotBlobs(t.Context(), func(b vault.SnapshotBlob) error {
		if b.Name != d {
			return nil
		}
		f, err := os.ReadFile(b.Path)
		if err != nil {
			return err
		}
		f[len(f)-1] ^= 1
		return os.WriteFile(b.Path, f, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// damages returns what the log says of damage, a line each.
func damages(t *testing.T, r *Rooms) (out []string) {
	t.Helper()
	err := r.Vault.Records(t.Context(), 0, func(rec evidence.Record) error {
		b, err := evidence.DecodeBody(rec)
		switch b := b.(type) {
		case *evidence.DamageFound:
			out = append(out, "found "+b.Part)
		case *evidence.DamageEnded:
			out = append(out, "ended "+b.How+" "+b.By)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func scrubOnce(t *testing.T, c *Client, in ScrubRequest) (out Scrubbed) {
	t.Helper()
	if err := c.Call(t.Context(), "POST", "/v1/scrubs", in, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func statusOf(t *testing.T, c *Client) (s Status) {
	t.Helper()
	if err := c.Call(t.Context(), "GET", "/v1/status", nil, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// Rot is found while the daemon runs, recorded once, told, and mended from a backup given.
func TestRotIsFoundRecordedOnceAndMendedFromABackup(t *testing.T) {
	s := newSite(t)
	if err := os.Mkdir(s.path("copies"), 0o700); err != nil {
		t.Fatal(err)
	}
	d := s.start()
	c := s.client(nil)
	r := d.rooms
	whole, rotten := keepFile(t, r, 1, "a simulated photo"), keepFile(t, r, 2, "another simulated photo")
	place, err := backup.OpenFolder(s.path("copies"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Run(t.Context(), backup.Options{Vault: r.Vault, To: place, Build: "test", Log: r.Log, Now: r.Now}); err != nil {
		t.Fatal(err)
	}
	late := keepFile(t, r, 3, "a photo after the backup")
	rot(t, r, rotten)
	rot(t, r, late)

	for range 2 { // the second pass says nothing new
		out := scrubOnce(t, c, ScrubRequest{})
		if len(out.Open) != 2 || out.Blobs < 1 || out.Records < 5 {
			t.Fatalf("%+v", out)
		}
		if _, err := os.Stat(filepath.Join(s.path("vault"), out.Open[0].Aside)); err != nil || !strings.HasPrefix(out.Open[0].Aside, "damaged/") {
			t.Errorf("set aside: %q, %v", out.Open[0].Aside, err)
		}
	}
	if got := fmt.Sprint(damages(t, r)); got != "[found blob found blob]" {
		t.Errorf("the log says %s", got)
	}
	if st := statusOf(t, c); st.Scrub.Damaged != 2 || st.Scrub.Last == nil || !strings.Contains(fmt.Sprint(st.Warnings), "2 blobs on the disk not as recorded: bring back what is damaged with `muhafiz scrub --from") {
		t.Errorf("status: %+v %q", st.Scrub, st.Warnings)
	}
	w := d.watchman(d.cfg)
	if ts, err := w.damage(t.Context()); err != nil || len(ts) != 1 || ts[0].key != "damage" {
		t.Errorf("nobody would be told: %+v, %v", ts, err)
	}
	out := scrubOnce(t, c, ScrubRequest{From: &MendPlace{To: s.path("copies")}})
	if out.Mended == nil || out.Mended.Had != 1 || len(out.Mended.Lacked) != 1 || len(out.Open) != 1 || out.Open[0].Blob != late {
		t.Errorf("%+v", out)
	}
	for _, blob := range []evidence.Digest{whole, rotten} {
		if wrong, err := r.Vault.CheckBlob(t.Context(), blob); wrong != "" || err != nil {
			t.Errorf("%s: %s %v", blob, wrong, err)
		}
	}
	// A source brings the same bytes once more.
	keepFile(t, r, 4, "a photo after the backup")
	if out := scrubOnce(t, c, ScrubRequest{}); len(out.Open) != 0 {
		t.Errorf("%+v", out.Open)
	}
	if got := fmt.Sprint(damages(t, r)[2:]); !strings.HasPrefix(got, "[ended backup 2") || !strings.HasSuffix(got, "ended whole ]") {
		t.Errorf("the log says %s", got)
	}
	if st := statusOf(t, c); st.Scrub.Damaged != 0 {
		t.Errorf("status: %+v", st.Scrub)
	}
}

// bringer is a source that brings a file again, or other bytes.
type bringer struct {
	source
	text  string
	err   error
	asked int
}

func (b *bringer) Name() string { return "telegram/main" }

func (b *bringer) Refetch(ctx context.Context, f collectors.Refetch, keep collectors.Keep) error {
	b.asked++
	if b.err != nil {
		return b.err
	}
	if f.Post != evidence.Account("telegram", "channel", "1").Post(1) || f.MediaID != "photo 1" {
		return fmt.Errorf("asked for %+v", f)
	}
	_, _, err := keep(ctx, strings.NewReader(b.text), 1<<20)
	return err
}

// Only the same bytes take a blob's place; what the platform did not bring is asked for again a day later.
func TestADamagedFileIsAskedForAgain(t *testing.T) {
	s := newSite(t)
	now, o := time.Now(), s.options()
	o.Now = func() time.Time { return now }
	r, err := OpenRooms(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	blob := keepFile(t, r, 1, "a simulated photo")
	b := &bringer{text: "other bytes"}
	r.refetchers = func() []source { return []source{b} }
	rot(t, r, blob)
	c := s.client(func() (*Rooms, error) { return r, nil })
	if out := scrubOnce(t, c, ScrubRequest{}); len(out.Open) != 1 || b.asked != 1 {
		t.Errorf("%+v, asked %d times", out.Open, b.asked)
	}
	b.text = "a simulated photo"
	if out := scrubOnce(t, c, ScrubRequest{}); len(out.Open) != 1 || b.asked != 1 {
		t.Errorf("at once: %+v, asked %d times", out.Open, b.asked)
	}
	now = now.Add(25 * time.Hour)
	if err := r.mendDamage(t.Context()); err != nil || b.asked != 2 {
		t.Errorf("asked %d times, %v", b.asked, err)
	}
	if got := fmt.Sprint(damages(t, r)); got != "[found blob ended refetched telegram/main]" {
		t.Errorf("the log says %s", got)
	}
	// What no account of ours watches is asked for as soon as one does.
	rot(t, r, blob)
	b.err = collectors.ErrNotOurs
	scrubOnce(t, c, ScrubRequest{})
	b.err = nil
	if err := r.mendDamage(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := damages(t, r); len(got) != 4 || got[3] != "ended refetched telegram/main" {
		t.Errorf("the log says %q", got)
	}
}

// A pass that ends early goes on where it was, also in another run of the daemon, and reads no faster than it may.
func TestAPassIsPacedAndGoesOnAfterARestart(t *testing.T) {
	s := newSite(t)
	r, err := OpenRooms(t.Context(), s.options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	for i := range 20 {
		keepFile(t, r, int64(i+1), strings.Repeat(fmt.Sprintf("simulated %d ", i), 1000))
	}
	rate := int64(64 << 10)
	begun, wanted := time.Now(), 0
	slept := time.Duration(0)
	p := &pacer{rate: func() int64 { return rate }, busy: func() bool { return false }, after: func(d time.Duration) <-chan time.Time {
		slept += d
		return time.After(0)
	}}
	err = r.scrubOn(t.Context(), p, func() bool { wanted++; return wanted < 12 })
	if !errors.Is(err, errScrubOff) {
		t.Fatalf("it ended with %v", err)
	}
	st, err := r.scrubState(t.Context())
	if err != nil || st.Now == nil || st.Last != nil || st.At.Stage != vault.ScrubBlobs {
		t.Fatalf("%+v, %v", st, err)
	}
	first := *st.Now
	if err := r.scrubOn(t.Context(), p, func() bool { return true }); err != nil {
		t.Fatal(err)
	}
	st, err = r.scrubState(t.Context())
	if err != nil || st.Now != nil || st.Last == nil || st.Last.Blobs != 20 || st.Last.Begun.Before(begun.Add(-time.Second)) || !st.Last.Begun.Equal(first.Begun) {
		t.Fatalf("%+v, %v", st.Last, err)
	}
	if want := time.Duration(float64(st.Last.Bytes) / float64(rate) * float64(time.Second)); slept > want+time.Second || slept < want-time.Second {
		t.Errorf("%d bytes at %d a second took %s, want %s", st.Last.Bytes, rate, slept, want)
	}
	every := config.Scrub{Every: config.Interval(time.Hour)}
	if wait, ok := r.scrubIn(st, every); !ok || wait <= 0 || wait > time.Hour {
		t.Errorf("the next pass begins in %s, %v", wait, ok)
	}
	if _, ok := r.scrubIn(st, config.Scrub{}); ok {
		t.Error("a pass begins although none is wanted")
	}
}

// Whoever writes goes first, but not for ever.
func TestAPassYieldsToCollection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := true
		p := &pacer{rate: func() int64 { return 1 << 20 }, busy: func() bool { return busy }, after: time.After}
		begun := time.Now()
		if err := p.pace(t.Context(), 1<<20); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took != time.Second+busyMost*busyPause {
			t.Errorf("took %s while somebody writes all the time", took)
		}
		busy, begun = false, time.Now()
		for range 10 {
			if err := p.pace(t.Context(), 1<<20); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(begun); took != 10*time.Second {
			t.Errorf("10 MiB at 1 MiB a second took %s", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.pace(ctx, 1); !errors.Is(err, context.Canceled) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// A running daemon reads by itself, and says so in its metrics.
func TestTheDaemonScrubsByItself(t *testing.T) {
	s := newSite(t)
	var ahead atomic.Int64
	idle, again := make(chan struct{}, 1), make(chan time.Time)
	o := s.options()
	o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	o.After = func(d time.Duration) <-chan time.Time {
		if d != scrubRetry {
			return nil
		}
		idle <- struct{}{}
		return again
	}
	d := New(o)
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	<-idle // after its first pass
	rot(t, d.rooms, keepFile(t, d.rooms, 1, "a simulated photo"))
	again <- time.Time{}
	<-idle
	if got := damages(t, d.rooms); len(got) != 0 {
		t.Errorf("before it is due the log says %q", got)
	}
	ahead.Store(int64(8 * 24 * time.Hour))
	again <- time.Time{}
	<-idle
	if got := fmt.Sprint(damages(t, d.rooms)); got != "[found blob]" {
		t.Errorf("the log says %s", got)
	}
	w := httptest.NewRecorder()
	d.metrics.handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{"muhafiz_damage_open 1\n", "muhafiz_scrub_read_bytes_total ", "muhafiz_scrub_damage_found_total 1\n", "muhafiz_scrub_last_pass_age_seconds "} {
		if !strings.Contains(w.Body.String(), "\n"+want) {
			t.Errorf("the metrics lack %q", want)
		}
	}
}
