package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/secrets"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// site is a configuration on disk with two people and one target.
type site struct {
	t    testing.TB
	dir  string
	keys map[string]string // public lines
}

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), keys: map[string]string{}}
	if _, err := secrets.WriteLogKey(s.path("log.key"), "log.example/test"); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"amna", "bilal"} {
		line, err := secrets.NewPersonKey(s.path(p), p)
		if err != nil {
			t.Fatal(err)
		}
		s.keys[p] = line
	}
	s.write("orgs.yaml", "organisations:\n  - {id: nf, name: Northhaven Front (fictional), designations: [{authority: Exampleland, reference: EX-1, date: 2025-01-15, source: simulated}]}\n")
	s.write("list.yaml", "targets:\n"+target("one"))
	s.write("muhafiz.yaml", fmt.Sprintf(`vault: vault
log_key: log.key
legal_basis: A test with simulated posts.
people:
  - {id: amna, name: Amna, roles: [analyst], ssh_key: %s}
  - {id: bilal, name: Bilal, roles: [reviewer], ssh_key: %s}
organisations: orgs.yaml
watchlists: [list.yaml]
`, s.keys["amna"], s.keys["bilal"]))
	return s
}

func target(name string) string {
	return "  - {id: " + name + ", address: https://t.me/northhaven_" + name + ", organisation: nf, affiliation: {basis: simulated, citation: {title: simulated, url: 'https://example.org/1'}}, report: true, listed_by: amna}\n"
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) options() Options {
	s.t.Helper()
	c, err := config.Load(s.path("muhafiz.yaml"), config.Options{Getenv: os.Getenv})
	if err != nil {
		s.t.Fatal(err)
	}
	return Options{Config: c, Build: "test", Log: zerolog.Nop(), Command: "test", MayCreate: true}
}

func (s *site) start() *Daemon {
	s.t.Helper()
	d := New(s.options())
	if err := d.Start(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			s.t.Error(err)
		}
	})
	return d
}

func (s *site) client(open func() (*Rooms, error)) *Client {
	s.t.Helper()
	c, err := Connect(s.t.Context(), s.path("vault"), open)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := c.Close(); err != nil {
			s.t.Error(err)
		}
	})
	return c
}

// list lets amna sign that she listed a target.
func (s *site) list(c *Client, target string) {
	s.t.Helper()
	l := ListOf(s.options().Config, func(t config.Target) bool { return t.ID == target })
	root, err := l.Root()
	if err != nil {
		s.t.Fatal(err)
	}
	var p Prepared
	if err := c.Call(s.t.Context(), "POST", "/v1/targets/sign/prepare", ListingRequest{Person: "amna", Targets: int64(l.Len()), Root: root}, &p); err != nil {
		s.t.Fatal(err)
	}
	key, err := review.FileSigner(s.path("amna"), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	signed, err := review.Sign(p.Payload, key)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := c.Call(s.t.Context(), "POST", "/v1/targets/sign", SignedListing{Person: "amna", Signed: signed, List: l.Text()}, nil); err != nil {
		s.t.Fatal(err)
	}
}

// approve lets a person approve a target, whose listing amna signs first, through the client, as the command does.
func (s *site) approve(c *Client, person, target string) error {
	if person != "amna" {
		s.list(c, target)
	}
	var p Prepared
	if err := c.Call(s.t.Context(), "POST", "/v1/targets/prepare", TargetRequest{Person: person, Target: target}, &p); err != nil {
		return err
	}
	key, err := review.FileSigner(s.path(person), nil)
	if err != nil {
		return err
	}
	signed, err := review.Sign(p.Payload, key)
	if err != nil {
		return err
	}
	return c.Call(s.t.Context(), "POST", "/v1/targets/approve", SignedBy{Person: person, Target: target, Signed: signed}, nil)
}

func TestACommandGetsTheSameAnswerWithAndWithoutADaemon(t *testing.T) {
	s := newSite(t)
	d := s.start()
	c := s.client(func() (*Rooms, error) { return nil, errors.New("must not open the vault beside a daemon") })
	var with Status
	if err := c.Call(t.Context(), "GET", "/v1/status", nil, &with); err != nil {
		t.Fatal(err)
	}
	if c.Via != "socket" || !with.Running || len(with.Targets) != 1 {
		t.Errorf("through the daemon: %s, %+v", c.Via, with)
	}
	_, err := OpenRooms(t.Context(), s.options())
	if !errors.Is(err, vault.ErrLocked) || !strings.Contains(err.Error(), "another muhafiz holds this vault") {
		t.Errorf("a second holder got %v", err)
	}
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	c = s.client(func() (*Rooms, error) { return OpenRooms(t.Context(), s.options()) })
	var without Status
	if err := c.Call(t.Context(), "GET", "/v1/status", nil, &without); err != nil {
		t.Fatal(err)
	}
	if c.Via != "direct" || without.Running || without.Vault != with.Vault || without.Targets[0].Target != with.Targets[0].Target {
		t.Errorf("without a daemon: %s, %+v", c.Via, without)
	}
}

func TestNothingIsCollectedBeforeASecondPersonApproved(t *testing.T) {
	s := newSite(t)
	d := s.start()
	c := s.client(nil)
	collected := func() int {
		ts, err := d.rooms.collectable(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return len(ts)
	}
	if n := collected(); n != 0 {
		t.Fatalf("%d targets are collected before anybody approved", n)
	}
	var api *APIError
	if err := s.approve(c, "amna", "one"); !errors.As(err, &api) {
		t.Errorf("who listed a target approved it: %v", err)
	}
	if err := s.approve(c, "bilal", "one"); err != nil {
		t.Fatal(err)
	}
	if n := collected(); n != 1 {
		t.Fatalf("%d targets are collected after the approval", n)
	}
	req := TargetRequest{Person: "amna", Target: "one", Reason: "simulated mistake"}
	if err := c.Call(t.Context(), "POST", "/v1/targets/suspend", req, nil); err != nil {
		t.Fatal(err)
	}
	if n := collected(); n != 0 {
		t.Errorf("%d targets are collected after the suspension", n)
	}
}

func TestAnImportAsksForTheSecondPersonToo(t *testing.T) {
	s := newSite(t)
	s.start()
	err := s.client(nil).Call(t.Context(), "POST", "/v1/imports", ImportRequest{Person: "amna", Target: "one", Path: s.dir}, nil)
	var api *APIError
	if !errors.As(err, &api) || api.Code != string(review.NotApprovedTarget) {
		t.Errorf("got %v", err)
	}
}

func TestABadEditKeepsTheOldConfiguration(t *testing.T) {
	s := newSite(t)
	d := s.start()
	c := s.client(nil)
	size := d.rooms.Vault.Size()
	s.write("list.yaml", "targets:\n"+target("one")+"  - {id: two, adress: https://t.me/northhaven_two}\n")
	err := c.Call(t.Context(), "POST", "/v1/reload", none{}, nil)
	var api *APIError
	if !errors.As(err, &api) || !strings.Contains(api.Sentence, "list.yaml:3") || !strings.Contains(api.Sentence, "stays in force") {
		t.Errorf("got %v", err)
	}
	if d.rooms.Vault.Size() != size {
		t.Error("a bad edit wrote records")
	}
	s.write("list.yaml", "targets:\n"+target("one")+target("two"))
	var a Applied
	if err := c.Call(t.Context(), "POST", "/v1/reload", none{}, &a); err != nil {
		t.Fatal(err)
	}
	if a != (Applied{Targets: 1}) {
		t.Errorf("a good edit changed %+v", a)
	}
	s.write("list.yaml", "targets:\n"+target("two"))
	if err := c.Call(t.Context(), "POST", "/v1/reload", none{}, &a); err != nil {
		t.Fatal(err)
	}
	if a != (Applied{Removed: 1}) {
		t.Errorf("a removed target changed %+v", a)
	}
}

func TestAChangedFileIsReadByItself(t *testing.T) {
	s := newSite(t)
	d := s.start()
	size := d.rooms.Vault.Size()
	s.write("list.yaml", "targets:\n"+target("one")+target("two"))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for { // other parts of the daemon write as well
		if err := d.rooms.Vault.Wait(ctx, size); err != nil {
			t.Fatalf("the changed watchlist was not read: %v", err)
		}
		size = d.rooms.Vault.Size()
		_, err := d.rooms.Vault.Ordinal(ctx, evidence.Target("two"))
		if err == nil {
			return
		}
		if !errors.Is(err, evidence.ErrUnbound) {
			t.Fatal(err)
		}
	}
}

func TestAKilledRunIsToldByTheNext(t *testing.T) {
	s := newSite(t)
	r, err := OpenRooms(t.Context(), s.options())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Vault.Close(); err != nil { // as a kill leaves it: no run.stopped
		t.Fatal(err)
	}
	if r, err = OpenRooms(t.Context(), s.options()); err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var last *evidence.RunStarted
	err = r.Vault.About(t.Context(), "v0", func(rec evidence.Record) error {
		if b, err := evidence.Decode[*evidence.RunStarted](rec); err == nil {
			last = b
		}
		return nil
	})
	if err != nil || last == nil || !last.Interrupted {
		t.Errorf("got %+v, %v", last, err)
	}
}

func TestAnotherLogKeyIsRefused(t *testing.T) {
	s := newSite(t)
	d := s.start()
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(s.path("log.key")); err != nil {
		t.Fatal(err)
	}
	if _, err := secrets.WriteLogKey(s.path("log.key"), "log.example/other"); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRooms(t.Context(), s.options()); err == nil || !strings.Contains(err.Error(), "not this vault's") {
		t.Errorf("got %v", err)
	}
}

func TestALongVaultPathStillHasASocket(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 30))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	ln, remove, err := listenSocket(dir, evidence.NewAcq(time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	st, err := os.Stat(filepath.Join(dir, socketName))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("socket has mode %v, %v", st.Mode(), err)
	}
	go func() {
		if c, err := ln.Accept(); err == nil {
			c.Close()
		}
	}()
	c, err := dialSocket(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if _, unix := c.(*net.UnixConn); !unix {
		t.Errorf("got %T", c)
	}
}
