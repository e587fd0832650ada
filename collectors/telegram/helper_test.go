package telegram_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gotd/td/session"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// lab is the one server and the one login that the tests share: a key exchange takes seconds.
type collectorsTarget = collectors.Target

type lab struct {
	srv   *telegramtest.Server
	world *telegramtest.World
	store *session.StorageMemory
	names atomic.Int64
}

// name returns a user name that nobody has yet.
func (l *lab) name() string { return fmt.Sprintf("simulated_%d", l.names.Add(1)) }

var shared struct {
	once sync.Once
	lab  *lab
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if err := onlyAllowed(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if shared.lab != nil {
		shared.lab.srv.Close()
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func theLab(t testing.TB) *lab {
	t.Helper()
	shared.once.Do(func() { shared.lab, shared.err = newLab(telegramtest.Options{}) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	t.Cleanup(shared.lab.srv.Calm)
	return shared.lab
}

func newLab(o telegramtest.Options) (*lab, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	o.Key, o.Ledger = key, &ledger
	w := telegramtest.NewWorld(nil)
	srv, err := telegramtest.Serve(context.Background(), w, o)
	if err != nil {
		return nil, err
	}
	l := &lab{srv: srv, world: w, store: &session.StorageMemory{}}
	return l, l.login()
}

func (l *lab) login() error {
	a := telegramtest.DefaultAccount()
	return telegram.Login(context.Background(), l.options(nil), telegram.Authenticator{
		Phone: a.Phone, Code: func(context.Context) (string, error) { return a.Code, nil },
	})
}

// options are those of an impatient test.
func (l *lab) options(t testing.TB) telegram.Options {
	o := telegram.Options{
		Alias: "main", AppID: telegramtest.AppID, AppHash: telegramtest.AppHash, Session: l.store, Build: "test",
		Network:   &telegram.Network{DC: l.srv.DC(), Addr: l.srv.Addr(), PublicKeyPEM: l.srv.PublicKeyPEM()},
		PollEvery: 20 * time.Millisecond, RecheckEvery: time.Hour, HistoryPace: -1, Unpaced: true, RPCTimeout: 20 * time.Second,
		RetryMin: 10 * time.Millisecond, FoldEvery: 50 * time.Millisecond, TargetRetry: 50 * time.Millisecond,
	}
	if t != nil && os.Getenv("MUHAFIZ_TEST_LOG") != "" {
		o.Log = zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.DebugLevel)
	}
	return o
}

// channel adds a channel with n posts, told in no update.
func (l *lab) channel(t testing.TB, n int) *telegramtest.Channel {
	ch := l.world.AddChannel(telegramtest.Profile{Username: l.name(), Title: "Simulated channel", About: "Simulated, for a test."})
	ch.Fill(n, func(i int) telegramtest.Post {
		return telegramtest.Post{Text: fmt.Sprintf("Simulated notice %d", i+1), Views: i + 1}
	})
	return ch
}

func target(ch *telegramtest.Channel) collectors.Target {
	return collectors.Target{
		ID: ch.Profile().Username, Platform: "telegram", Address: "https://t.me/" + ch.Profile().Username, Backfill: true,
		Media: []string{"photo", "document"}, MaxBytes: 4 << 20, Mode: collectors.ModePoll,
	}
}

// rig is a source at work on a vault.
type rig struct {
	v      *vault.Vault
	src    *telegram.Source
	first  string // id of the first target, which is its name in the beginning
	cancel context.CancelFunc
	done   chan error
}

func start(t testing.TB, v *vault.Vault, sink collectors.Sink, o telegram.Options, targets ...collectors.Target) *rig {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &rig{v: v, src: telegram.New(o), cancel: cancel, done: make(chan error, 1)}
	r.src.Watch(targets)
	if len(targets) > 0 {
		r.first = targets[0].ID
	}
	go func() { r.done <- r.src.Run(ctx, sink) }()
	t.Cleanup(func() { r.stop(t) })
	return r
}

// observe starts a source on the shared server with a new vault.
func observe(t testing.TB, l *lab, targets ...collectors.Target) *rig {
	t.Helper()
	v := newVault(t, targets...)
	return start(t, v, v, l.options(t), targets...)
}

// newVault returns a vault that knows the targets, as the daemon's does before it hands them to a source.
func newVault(t testing.TB, targets ...collectors.Target) *vault.Vault {
	t.Helper()
	v := vaulttest.New(t)
	for _, x := range targets {
		know(t, v, x.ID)
	}
	return v
}

func know(t testing.TB, v *vault.Vault, id string) {
	t.Helper()
	_, err := v.Put(t.Context(), evidence.Batch{Drafts: []evidence.Draft{{
		ID: evidence.NewID(time.Now()), Actor: evidence.Vault(), Subject: evidence.Target(id),
		Body: &evidence.TargetSet{Key: id, Platform: "telegram"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
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
	case <-time.After(40 * time.Second):
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
		ended := wctx.Err() != nil && ctx.Err() == nil
		stop()
		if err != nil && r.v.Size() == size {
			for _, c := range of[*evidence.Collector](rs) {
				t.Logf("collector %s %s", c.State, c.Detail)
			}
			for _, g := range of[*evidence.Gap](rs)[:min(5, len(of[*evidence.Gap](rs)))] {
				t.Logf("gap %s %s", g.Cause, g.Detail)
			}
			if ended {
				err = <-r.done
				r.done <- err
			}
			t.Fatalf("waited in vain for %s: %v; %d records", what, err, len(rs))
		}
	}
}

func texts(rs []record) map[evidence.Ordinal][]string {
	out := map[evidence.Ordinal][]string{}
	for _, r := range rs {
		if b, ok := r.body.(*evidence.PostSeen); ok {
			out[r.Subject] = append(out[r.Subject], b.Text)
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

func hasState(rs []record, state string) bool {
	for _, c := range of[*evidence.Collector](rs) {
		if c.State == state {
			return true
		}
	}
	return false
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
