package telegram_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gotd/td/session"
	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// soak is a stretch of time of many channels, two of our accounts and a vault, with everything that can go wrong. Time is that of a
// bubble: the connections are in memory, and the vault writes to a real disk.
type soak struct {
	*testing.T
	srv   *telegramtest.Server
	truth *truth
	rnd   *rand.Rand
	path  string
	vault vault.Options
	saw   *witness
	down  atomic.Bool  // nothing gets through to the platform
	slow  atomic.Int64 // nanoseconds by which every answer is late

	began    time.Time
	tune     func(*telegram.Options)
	store    map[string]*session.StorageMemory // by alias
	lost     map[string]bool
	restarts int
	crashes  int
	faults   int

	mu      sync.Mutex
	process context.CancelFunc // ends our process
	sink    *faulty
}

const (
	soakMain, soakSpare = "main", "spare"

	soakRotateMin, soakRotateMax = 15 * time.Minute, 25 * time.Minute
	soakRecheck                  = 30 * time.Minute
)

// TestSoak compares what was recorded with what was. MUHAFIZ_SOAK_CHANNELS and MUHAFIZ_SOAK_DAYS say how long a form is run, and
// MUHAFIZ_SOAK_SEED which one.
func TestSoak(t *testing.T) {
	channels, days, seed := number(t, "MUHAFIZ_SOAK_CHANNELS", 12), number(t, "MUHAFIZ_SOAK_DAYS", 2), number(t, "MUHAFIZ_SOAK_SEED", 1)
	wall := time.Now()
	synctest.Test(t, func(t *testing.T) {
		<-time.After(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
		s := newSoak(t, channels, days, uint64(seed))
		s.run()
		s.compare()
	})
	t.Logf("%d channels, %d days, seed %d: %.1f s", channels, days, seed, time.Since(wall).Seconds())
}

func number(t *testing.T, env string, byDefault int) int {
	v := os.Getenv(env)
	if v == "" {
		return byDefault
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		t.Fatalf("%s: %q is not a positive number", env, v)
	}
	return n
}

func newSoak(t *testing.T, channels, days int, seed uint64) *soak {
	w := telegramtest.NewWorld(nil)
	accounts := []telegramtest.Account{telegramtest.DefaultAccount(), {Phone: "+10005550101", Code: "20055", User: telegramtest.User{ID: 600_000_002, FirstName: "Spare"}}}
	saw := newWitness()
	srv, err := telegramtest.Serve(context.Background(), w, telegramtest.Options{
		Memory: true, Accounts: accounts, PollTimeout: 50, Ledger: &ledger, Answered: saw.answered,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	s := &soak{
		T: t, srv: srv, saw: saw, rnd: rand.New(rand.NewPCG(seed, 2)), path: filepath.Join(t.TempDir(), "vault"), vault: vaulttest.Options(t),
		truth: newTruth(seed, w, channels, time.Now().Add(time.Duration(days)*24*time.Hour)),
		store: map[string]*session.StorageMemory{}, lost: map[string]bool{},
	}
	saw.latency = func() time.Duration { return time.Duration(s.slow.Load()) }
	for i, alias := range []string{soakMain, soakSpare} {
		s.store[alias] = &session.StorageMemory{}
		a := accounts[i]
		err := telegram.Login(t.Context(), s.options(alias), telegram.Authenticator{
			Phone: a.Phone, Code: func(context.Context) (string, error) { return a.Code, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	v, err := vault.Create(s.path, s.vault)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range s.truth.channels {
		know(t, v, c.target.ID)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *soak) options(alias string) telegram.Options {
	log := zerolog.Nop()
	if os.Getenv("MUHAFIZ_TEST_LOG") != "" {
		log = zerolog.New(zerolog.NewTestWriter(s.T)).Level(zerolog.WarnLevel)
		log = log.Hook(zerolog.HookFunc(func(e *zerolog.Event, _ zerolog.Level, _ string) { e.Time("t", time.Now()) }))
	}
	o := telegram.Options{
		Alias: alias, AppID: telegramtest.AppID, AppHash: telegramtest.AppHash, Session: s.store[alias], Build: "test", Log: log,
		Network:  &telegram.Network{DC: s.srv.DC(), Addr: s.srv.Addr(), PublicKeyPEM: s.srv.PublicKeyPEM(), Dial: s.dial},
		Siblings: []string{"telegram/" + soakMain, "telegram/" + soakSpare},

		RotateMin: soakRotateMin, RotateMax: soakRotateMax, RecheckEvery: soakRecheck, HistoryPace: -1, FoldEvery: 5 * time.Minute,
	}
	if s.tune != nil {
		s.tune(&o)
	}
	return o
}

func (s *soak) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if s.down.Load() {
		return nil, errors.New("no way to the platform (simulated)")
	}
	conn, err := s.srv.Dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &listening{Conn: conn, w: s.saw}, nil
}

// run lets the world happen while trouble comes and goes, and then all settle.
func (s *soak) run() {
	ctx, stop := context.WithCancel(s.Context())
	var all sync.WaitGroup
	all.Go(func() { s.live(ctx) })
	trouble, calm := context.WithCancel(ctx)
	all.Go(func() { s.trouble(trouble) })
	s.began = time.Now()
	s.truth.run()
	if d := time.Until(s.truth.end); d > 0 {
		<-time.After(d)
	}
	calm()
	s.down.Store(false)
	s.delay(0)
	s.srv.Calm()
	<-time.After(6 * time.Hour)
	stop()
	all.Wait()
}

// live is our daemon, which is stopped and killed and started again.
func (s *soak) live(ctx context.Context) {
	for ctx.Err() == nil {
		v, err := vault.Open(s.path, s.vault)
		if err != nil {
			s.Errorf("open the vault again: %v", err)
			return
		}
		pctx, cancel := context.WithCancel(ctx)
		sink := &faulty{Vault: v, fail: func(evidence.Batch) bool { return false }}
		s.mu.Lock()
		s.process, s.sink = cancel, sink
		s.mu.Unlock()
		err = s.daemon(pctx, sink)
		cancel()
		if err != nil && !errors.Is(err, errCut) {
			s.Errorf("the daemon failed: %v", err)
		}
		if err := v.Close(); err != nil {
			s.Errorf("close the vault: %v", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(1+s.restarts%20) * time.Minute):
		}
	}
}

// daemon runs a source per account that is not lost and moves the targets of one that is lost meanwhile.
func (s *soak) daemon(ctx context.Context, sink collectors.Sink) error {
	sources := map[string]*telegram.Source{}
	spread := collectors.NewSpread()
	assign := func() {
		var accounts []collectors.Account
		for name := range sources {
			accounts = append(accounts, collectors.Account{Source: name, Usable: !s.lost[name], Polled: 10})
		}
		var targets []collectors.Target
		for i, c := range s.truth.channels {
			if home := []string{soakMain, soakSpare}[i%2]; spread.Source(c.target.ID) == "" && !s.lost["telegram/"+home] {
				spread.Hold(c.target.ID, "telegram/"+home)
			}
			targets = append(targets, c.target)
		}
		for name, ts := range spread.Assign(accounts, targets) {
			sources[name].Watch(ts)
		}
	}
	var run []collectors.Source
	for alias := range s.store {
		if !s.lost["telegram/"+alias] {
			src := telegram.New(s.options(alias))
			sources[src.Name()], run = src, append(run, src)
		}
	}
	assign()
	var mu sync.Mutex
	sup := &collectors.Supervisor{
		Sink: sink, Log: zerolog.Nop(), Now: time.Now, After: time.After, Min: time.Second, Max: 5 * time.Minute,
		Failed: func(source string, err error, permanent bool) {
			if !permanent {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			s.lost[source] = true
			sources[source].Watch(nil)
			assign()
		},
	}
	return sup.Run(ctx, run...)
}
