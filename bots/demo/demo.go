package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/anchor"
	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter/bundle"
	"github.com/muhafiz/muhafiz/reporter/notice"
)

// Options of a demo.
type Options struct {
	Dir   string // empty: a temporary folder, which is left where it is
	Build string
	Log   zerolog.Logger // of the daemon
	// Say is told what happens, a sentence at a time.
	Say func(format string, args ...any)
	Out io.Writer // for the table
	// Day plays an analyst's day after the story, through the program's own commands.
	Day bool
	// Limit is how long any one step may take to be seen; 0: 30 seconds.
	Limit time.Duration
}

// demoPhone and the code belong to the loopback server alone.
const demoPhone = "+10005550100"

// stage is a demo that is running.
type stage struct {
	folder
	o      Options
	fresh  bool
	world  *telegramtest.World
	server *telegramtest.Server
	wa     loopbackWhatsApp
	mail   *mailbox
	cfg    *config.Config
	ledger *ledger
	before int64 // records that an earlier run left
	played map[string]int
	expect map[string]expectation
	ids    map[string]string // of channels by name
	result result
}

// result is what the demo found, for the table and for programs.
type result struct {
	Dir     string            `json:"dir"`
	Fresh   bool              `json:"fresh"`
	Before  int64             `json:"records_before"`
	Records int64             `json:"records"`
	Rows    []channelRow      `json:"channels"`
	Notices []notice.State    `json:"notices"`
	Mails   int               `json:"mails"`
	Bundle  string            `json:"bundle"`
	Checks  []check           `json:"checks"`
	Kinds   map[string]int    `json:"kinds"`
	Fsck    *vault.FsckReport `json:"fsck,omitempty"`
	Seconds float64           `json:"seconds"`
}

type channelRow struct {
	Target  string      `json:"target"`
	Channel string      `json:"channel"`
	Have    expectation `json:"have"`
	Want    expectation `json:"want"`
	Missed  int         `json:"files_missed"`
	Gaps    int         `json:"gaps"`
}

type check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// ErrCheck is returned when the story was played to its end and a check did not hold.
var ErrCheck = errors.New("a check did not hold")

// Run plays the demo, or continues it.
func Run(ctx context.Context, o Options) (err error) {
	start := time.Now()
	if o.Limit == 0 {
		o.Limit = 30 * time.Second
	}
	if o.Dir == "" {
		if o.Dir, err = os.MkdirTemp("", "muhafiz-demo-"); err != nil {
			return err
		}
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return err
	}
	s := &stage{folder: folder{o.Dir}, o: o, expect: map[string]expectation{}, ids: map[string]string{}}
	s.result.Dir = o.Dir
	if err := s.open(ctx); err != nil {
		return err
	}
	defer s.close()
	if err := s.login(ctx); err != nil {
		return err
	}
	if err := s.daemon(ctx); err != nil {
		return err
	}
	if err := s.verify(ctx); err != nil {
		return err
	}
	s.result.Seconds = time.Since(start).Seconds()
	s.print()
	if err := s.writeResult(); err != nil {
		return err
	}
	for _, c := range s.result.Checks {
		if !c.OK {
			return fmt.Errorf("%w: %s: %s", ErrCheck, c.Name, c.Detail)
		}
	}
	return nil
}

// open starts the loopback platforms on the world that an earlier run left, and writes the configuration.
func (s *stage) open(ctx context.Context) error {
	if err := os.MkdirAll(s.path("loopback"), 0o700); err != nil {
		return err
	}
	world := s.path("loopback", "world.json")
	var err error
	if s.world, err = telegramtest.Load(world, time.Now); errors.Is(err, fs.ErrNotExist) {
		s.world, err = telegramtest.NewWorld(time.Now), nil
	}
	if err != nil {
		return fmt.Errorf("load the loopback world: %w", err)
	}
	if err := s.world.Autosave(world); err != nil {
		return err
	}
	key, err := s.serverKey()
	if err != nil {
		return err
	}
	addr, err := s.address("telegram")
	if err != nil {
		return err
	}
	s.server, err = telegramtest.Serve(ctx, s.world, telegramtest.Options{Addr: addr, DC: 2, Key: key})
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.path("loopback", "server.pem"), s.server.PublicKeyPEM(), 0o644); err != nil {
		return err
	}
	smtpAddr, err := s.address("smtp")
	if err != nil {
		return err
	}
	if s.mail, err = openMailbox(s.path("loopback", "mailbox"), smtpAddr); err != nil {
		return err
	}
	wa, err := s.openWhatsApp(ctx)
	if err != nil {
		return err
	}
	if s.fresh, err = s.prepare(addrs{Telegram: addr, WhatsApp: wa.Addr, Media: wa.MediaAddr, SMTP: smtpAddr}); err != nil {
		return fmt.Errorf("prepare %s: %w", s.dir, err)
	}
	s.result.Fresh = s.fresh
	if s.cfg, err = config.Load(s.path("muhafiz.yaml"), config.Options{Getenv: os.Getenv}); err != nil {
		return fmt.Errorf("the demo's configuration: %w", err)
	}
	return s.loadPlayed()
}

func (s *stage) close() {
	if s.mail != nil {
		s.mail.close()
	}
	if s.server != nil {
		s.server.Close()
	}
	if s.wa.server != nil {
		s.wa.server.Close()
	}
}

// login goes through the platforms' real logins. Telegram's is repeated in every run, since its loopback server keeps its keys in memory.
func (s *stage) login(ctx context.Context) error {
	s.o.Say("logging in to the loopback Telegram at %s", s.server.Addr())
	if err := daemon.ForgetSession(s.cfg, "demo"); err != nil {
		return err
	}
	code := func(context.Context) (string, error) { return telegramtest.DefaultAccount().Code, nil }
	if err := daemon.Login(ctx, daemon.Options{Config: s.cfg, Build: s.o.Build, Log: s.o.Log}, "demo", daemon.LoginPrompts{Code: code}); err != nil {
		return err
	}
	return s.linkWhatsApp(ctx)
}

// daemon runs the real daemon while the story is played and people do their work.
func (s *stage) daemon(ctx context.Context) (err error) {
	if err := s.play(ctx, opening(), nil); err != nil {
		return err
	}
	d := daemon.New(daemon.Options{Config: s.cfg, Build: s.o.Build, Log: s.o.Log})
	if err := d.Start(ctx); err != nil {
		return fmt.Errorf("start the daemon: %w", err)
	}
	defer func() { err = errors.Join(err, d.Stop()) }()
	s.ledger = newLedger(d.Rooms().Vault.Vault)
	if err := s.ledger.read(ctx); err != nil {
		return err
	}
	s.before = s.ledger.next
	client, err := daemon.Connect(ctx, s.cfg.Vault, func() (*daemon.Rooms, error) {
		return nil, errors.New("the daemon does not answer on its control socket")
	})
	if err != nil {
		return err
	}
	defer client.Close()
	p := people{s, client}
	if err := p.signListing(ctx); err != nil {
		return err
	}
	if err := p.approveTargets(ctx); err != nil {
		return err
	}
	s.o.Say("reading the channels' history")
	if err := s.await(ctx, "the history"); err != nil {
		return err
	}
	if err := s.play(ctx, live(), s.ledger); err != nil {
		return err
	}
	if err := s.again(ctx); err != nil {
		return err
	}
	if err := p.review(ctx); err != nil {
		return err
	}
	if err := p.notices(ctx); err != nil {
		return err
	}
	if err := p.bundle(ctx); err != nil {
		return err
	}
	if err := s.count(ctx); err != nil || !s.o.Day {
		return err
	}
	return p.day(ctx)
}

// await waits until the vault holds all that was played so far.
func (s *stage) await(ctx context.Context, what string) error {
	ctx, cancel := context.WithTimeout(ctx, s.o.Limit)
	defer cancel()
	err := s.ledger.await(ctx, s.everything)
	if err != nil {
		return fmt.Errorf("%s was not seen within %s: %s: %w", what, s.o.Limit, s.shortfall(), err)
	}
	return nil
}

// everything reports whether the vault holds all that is expected of every channel.
func (s *stage) everything() bool {
	for name, want := range s.expect {
		if !s.ledger.channel(s.id(name)).has(want) {
			return false
		}
	}
	return true
}

// id is the platform's id of a channel of the story, which keeps it when it loses its name.
func (s *stage) id(name string) string {
	if s.ids[name] == "" {
		if ch := s.wa.world.Channel(name); ch != nil {
			s.ids[name] = ch.JID().String()
		} else {
			s.ids[name] = strconv.FormatInt(s.world.Channel(name).ID(), 10)
		}
	}
	return s.ids[name]
}

func (s *stage) shortfall() string {
	out := ""
	for name, want := range s.expect {
		if have := s.ledger.channel(s.id(name)); !have.has(want) {
			out += fmt.Sprintf("%s has %+v of %+v; ", name, have.expectation, want)
		}
	}
	return out
}

// verify does what a stranger would with what is left: verify the bundle with the keys that readers hold, and fsck the vault.
func (s *stage) verify(ctx context.Context) error {
	signers, err := os.ReadFile(s.path("allowed_signers"))
	if err != nil {
		return err
	}
	log, err := os.ReadFile(s.path("keys", "log.key.pub"))
	if err != nil {
		return err
	}
	rep, err := bundle.Verify(ctx, s.result.Bundle, bundle.VerifyOptions{Signers: signers, Identity: signerIdentity, LogKey: string(log), Stamps: anchor.Checker{}})
	if err != nil {
		return err
	}
	s.check("bundle verifies", rep.Status == bundle.StatusVerified, "%s", rep.Sentence())
	s.o.Say("checking the whole vault")
	keys, err := daemon.VaultKeys(s.cfg, os.Getenv)
	if err != nil {
		return err
	}
	fsck, err := vault.Fsck(ctx, s.cfg.Vault, vault.FsckOptions{Keys: keys, Views: daemon.Views(), Log: s.o.Log})
	if err != nil {
		return err
	}
	s.result.Fsck = &fsck
	detail := fmt.Sprintf("%d records, %d of them sealed, %d blobs, %d views", fsck.Records, fsck.Sealed, fsck.Blobs, len(fsck.Views))
	for _, p := range fsck.Problems {
		detail += "; " + p.Where + ": " + p.What
	}
	s.check("fsck is clean", len(fsck.Problems)+len(fsck.Unchecked) == 0, "%s", detail)
	strangers := s.server.Strangers(telegram.Methods(), telegram.LoginMethods())
	s.check("only allowed methods were called", len(strangers) == 0, "%d requests%s", s.server.CallCount("*"), besides(strangers))
	return nil
}

func besides(methods []string) string {
	if len(methods) == 0 {
		return ""
	}
	return ", among them " + strings.Join(methods, ", ")
}

func (s *stage) check(name string, ok bool, format string, args ...any) {
	s.result.Checks = append(s.result.Checks, check{name, ok, fmt.Sprintf(format, args...)})
}

func (s *stage) writeResult() error {
	b, err := json.MarshalIndent(s.result, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(s.path("loopback", "result.json"), append(b, '\n'), 0o600)
}
