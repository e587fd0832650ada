package whatsapp_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
	"github.com/muhafiz/muhafiz/collectors/whatsapp"
	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

// The client library's reader waits for ever with a frame that comes after nobody asks for frames any more; that is the one leak known.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("go.mau.fi/whatsmeow/socket.(*FrameSocket).frameComplete"))
}

// keys keeps a store's key in memory.
type keys struct {
	mu   sync.Mutex
	data []byte
}

func (k *keys) LoadSession(context.Context) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.data, nil
}

func (k *keys) StoreSession(_ context.Context, b []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.data = append([]byte(nil), b...)
	return nil
}

// lab is a loopback WhatsApp and an account of ours that is linked to it.
type lab struct {
	srv   *whatsapptest.Server
	world *whatsapptest.World
	o     whatsapp.Options
}

func newLab(t testing.TB) *lab {
	t.Helper()
	w := whatsapptest.NewWorld(nil)
	srv, err := whatsapptest.Serve(context.Background(), w, whatsapptest.Options{PreKeys: 100})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	n := whatsapp.Network(srv.Endpoint())
	l := &lab{srv: srv, world: w, o: whatsapp.Options{
		Alias: "desk", Build: "test", Network: &n, Log: zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.InfoLevel),
		Device:    whatsapp.Device{Path: filepath.Join(t.TempDir(), "desk.db"), Key: &keys{}},
		QueryPace: -1, QueriesAnHour: -1, RetryMin: 5 * time.Millisecond, RetryMax: 50 * time.Millisecond,
		LimitMin: 20 * time.Millisecond, LimitMax: 100 * time.Millisecond, QueryTimeout: 5 * time.Second, ConnectTimeout: 10 * time.Second,
		TargetRetry: 50 * time.Millisecond, RecheckEvery: time.Hour, PageSize: 50,
		PollEvery: map[string]time.Duration{collectors.ModeRotation: time.Hour, collectors.ModePoll: 20 * time.Millisecond, collectors.ModeJoined: time.Hour},
	}}
	return l
}

// linked pairs the account by scanning its code.
func linked(t testing.TB) *lab {
	t.Helper()
	l := newLab(t)
	l.login(t)
	return l
}

func (l *lab) login(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := whatsapp.Login(ctx, l.o, whatsapp.Pairing{QR: func(code string) {
		go func() { _, _ = l.srv.Scan(ctx, code, whatsapptest.DefaultAccount()) }()
	}})
	if err != nil {
		t.Fatal(err)
	}
}

func target(ch *whatsapptest.Channel, change ...func(*collectors.Target)) collectors.Target {
	t := collectors.Target{
		ID: "target-" + ch.Profile().ID, Platform: "whatsapp", Address: ch.Link(), Backfill: true,
		Media: []string{"photo", "document", "video", "audio"}, MaxBytes: 8 << 20, Mode: collectors.ModePoll,
	}
	for _, c := range change {
		c(&t)
	}
	return t
}

func joined(t *collectors.Target)   { t.Mode = collectors.ModeJoined }
func rotation(t *collectors.Target) { t.Mode = collectors.ModeRotation }

// once makes the first page all that is asked for: a connection that the server cuts while the library sends is a data race within
// the library.
func once(t *collectors.Target) { t.Backfill = false }

type rig struct {
	src    *whatsapp.Source
	v      *vault.Vault
	cancel context.CancelFunc
	done   chan error
}

func start(t testing.TB, v *vault.Vault, sink collectors.Sink, o whatsapp.Options, targets ...collectors.Target) *rig {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &rig{src: whatsapp.New(o), v: v, cancel: cancel, done: make(chan error, 1)}
	r.src.Watch(targets)
	go func() { r.done <- r.src.Run(ctx, sink) }()
	t.Cleanup(func() {
		cancel()
		r.stop(t)
	})
	return r
}

// observe starts a source with a fresh vault.
func observe(t testing.TB, l *lab, targets ...collectors.Target) *rig {
	t.Helper()
	v := newVault(t, targets...)
	return start(t, v, v, l.o, targets...)
}

// newVault returns a vault that knows the targets, as the daemon's does before it hands them to a source.
func newVault(t testing.TB, targets ...collectors.Target) *vault.Vault {
	t.Helper()
	v := vaulttest.New(t)
	for _, x := range targets {
		_, err := v.Put(t.Context(), evidence.Batch{Drafts: []evidence.Draft{{
			ID: evidence.NewID(time.Now()), Actor: evidence.Vault(), Subject: evidence.Target(x.ID),
			Body: &evidence.TargetSet{Key: x.ID, Platform: "whatsapp"},
		}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return v
}

func (r *rig) stop(t testing.TB) {
	t.Helper()
	r.cancel()
	select {
	case err := <-r.done:
		r.done <- err
	case <-time.After(30 * time.Second):
		t.Fatal("the source does not stop")
	}
}

// ended waits for the source to return by itself.
func (r *rig) ended(t testing.TB) error {
	t.Helper()
	select {
	case err := <-r.done:
		r.done <- err
		return err
	case <-time.After(30 * time.Second):
		t.Fatal("the source goes on")
		return nil
	}
}

type record struct {
	evidence.Record
	body evidence.Body
}

func records(t testing.TB, v *vault.Vault) []record {
	t.Helper()
	var out []record
	err := v.Records(context.Background(), 0, func(r evidence.Record) error {
		b, err := evidence.DecodeBody(r)
		out = append(out, record{r, b})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// of returns the bodies of one type, in order.
func of[B evidence.Body](rs []record) []B {
	var out []B
	for _, r := range rs {
		if b, ok := r.body.(B); ok {
			out = append(out, b)
		}
	}
	return out
}

// until waits for records that satisfy cond; it wakes with every commit.
func (r *rig) until(t testing.TB, what string, cond func([]record) bool) []record {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for {
		size := r.v.Size()
		rs := records(t, r.v)
		if cond(rs) {
			return rs
		}
		wctx, stop := context.WithCancel(ctx)
		go func() {
			select {
			case err := <-r.done:
				r.done <- err
				stop()
			case <-wctx.Done():
			}
		}()
		err := r.v.Wait(wctx, size)
		stop()
		if err != nil && r.v.Size() == size {
			for _, c := range of[*evidence.Collector](rs) {
				t.Logf("collector %s %s", c.State, c.Detail)
			}
			for _, g := range of[*evidence.Gap](rs) {
				t.Logf("gap %s %s", g.Cause, g.Detail)
			}
			select {
			case err = <-r.done:
				r.done <- err
			default:
			}
			t.Fatalf("waited in vain for %s: %v; %d records", what, err, len(rs))
		}
	}
}

func texts(rs []record) map[string][]string {
	out := map[string][]string{}
	for _, r := range rs {
		if b, ok := r.body.(*evidence.PostSeen); ok {
			out[r.Subject.Part()] = append(out[r.Subject.Part()], b.Text)
		}
	}
	return out
}

func gone(rs []record) map[string][]string {
	out := map[string][]string{}
	for _, r := range rs {
		if b, ok := r.body.(*evidence.PostGone); ok {
			out[r.Subject.Part()] = append(out[r.Subject.Part()], b.How)
		}
	}
	return out
}

func gaps(rs []record, cause string) []*evidence.Gap {
	var out []*evidence.Gap
	for _, g := range of[*evidence.Gap](rs) {
		if g.Cause == cause {
			out = append(out, g)
		}
	}
	return out
}

func hasState(rs []record, state string) *evidence.Collector {
	for _, c := range of[*evidence.Collector](rs) {
		if c.State == state {
			return c
		}
	}
	return nil
}

func posts(n int) func([]record) bool {
	return func(rs []record) bool { return len(texts(rs)) >= n }
}

func blob(t testing.TB, v *vault.Vault, d evidence.Digest) []byte {
	t.Helper()
	f, _, err := v.Blob(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// faulty is the vault with a power cut: from the moment that fail says so, nothing is written any more.
type faulty struct {
	*vault.Vault
	mu   sync.Mutex
	fail func(evidence.Batch) bool
	dead bool
}

var errCut = errors.New("power cut (simulated)")

func (f *faulty) Put(ctx context.Context, b evidence.Batch) ([]evidence.Record, error) {
	f.mu.Lock()
	f.dead = f.dead || f.fail(b)
	dead := f.dead
	f.mu.Unlock()
	if dead {
		return nil, errCut
	}
	return f.Vault.Put(ctx, b)
}

// noise is n bytes that are the same in every run.
func noise(n int, seed byte) []byte {
	b := make([]byte, n)
	c := rand.NewChaCha8([32]byte{seed})
	_, _ = c.Read(b)
	return b
}

// raced reports whether the race detector is on, and says that the test is for a run without it: the client library races with itself
// where a server closes the connection. scripts/test runs these tests without the detector.
func raced(t *testing.T) bool {
	t.Helper()
	if detectsRaces {
		t.Log("not applicable: under -race, where the client library races with itself when a server closes the connection")
	}
	return detectsRaces
}
