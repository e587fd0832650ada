package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/secrets"
	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/config"
)

// partials is the folder of the parts of files that are not complete yet.
func partials(c *config.Config) string { return filepath.Join(c.Vault, "partial") }

// partKeys seal the parts of unfinished files where the vault seals what it keeps.
func partKeys(v *vault.Vault) telegram.PartKeys {
	if !v.Seals() {
		return nil
	}
	return v
}

// account opens one of our Telegram accounts: its session is locked until release is called, so that no other process can use
// it meanwhile.
func account(c *config.Config, name, build string, now func() time.Time, log zerolog.Logger) (o telegram.Options, acc config.TelegramAccount, release func() error, err error) {
	found := false
	for _, a := range c.Telegram.Accounts {
		if a.Name == name {
			acc, found = a, true
		}
	}
	if !found {
		return o, acc, nil, fmt.Errorf("the configuration has no Telegram account %q: add it under telegram.accounts", name)
	}
	sessions, err := secrets.Open(filepath.Join(c.Vault, "sessions"), c.SessionKey)
	if err != nil {
		return o, acc, nil, err
	}
	session, err := sessions.Session("telegram-" + name)
	if errors.Is(err, secrets.ErrInUse) {
		return o, acc, nil, inUse(name, err)
	}
	if err != nil {
		return o, acc, nil, err
	}
	o = telegram.Options{
		Alias: name, AppID: acc.AppID, AppHash: acc.AppHash.Reveal(), Session: session,
		Build: build, Log: log, Now: now, Partial: partials(c),
		Vantage: acc.Vantage, PollEvery: time.Duration(c.Telegram.PollEvery),
		RecheckEvery: time.Duration(c.Telegram.RecheckEvery), RecheckAgain: time.Duration(c.Telegram.RecheckRound),
		Device: telegram.Device{
			Model: acc.Device.Model, System: acc.Device.System, AppVersion: acc.Device.AppVersion, Language: acc.Device.Language,
		},
	}
	for _, age := range c.Telegram.RecheckAges {
		o.RecheckAges = append(o.RecheckAges, time.Duration(age))
	}
	if !acc.Proxy.IsZero() {
		if o.Proxy, err = telegram.ParseProxy(acc.Proxy.Reveal()); err != nil {
			return o, acc, nil, errors.Join(fmt.Errorf("the proxy of account %s: %w", name, err), session.Close())
		}
	}
	if n := c.Telegram.Network; n != nil {
		pem, err := os.ReadFile(n.PublicKey)
		if err != nil {
			return o, acc, nil, errors.Join(fmt.Errorf("read the test network's public key: %w", err), session.Close())
		}
		o.Network = &telegram.Network{DC: n.DC, Addr: n.Address, PublicKeyPEM: pem}
	}
	return paced(o, c, acc), acc, session.Close, nil
}

func (d *Daemon) openSources() error {
	d.undo = append(d.undo, d.releaseAll)
	for _, a := range ownAccounts(d.cfg) {
		src, err := d.openSource(d.cfg, a.platform, a.name)
		if err != nil {
			return err
		}
		d.sources = append(d.sources, src)
	}
	return nil
}

func (d *Daemon) releaseAll() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all error
	for _, release := range d.release { // once more is harmless
		all = errors.Join(all, release())
	}
	return all
}

// source is a collector's source with what the daemon needs beside the contract.
type source interface {
	collectors.Source
	// HeldUntil is until when the platform holds the account up.
	HeldUntil() time.Time
	// Plan computes what the targets that it watches can expect.
	Plan(ctx context.Context, sink collectors.Sink) (collectors.Plan, error)
}

// ownAccount names one of our accounts.
type ownAccount struct{ platform, name string }

func (a ownAccount) source() string { return a.platform + "/" + a.name }

// ownAccounts are all accounts of a configuration.
func ownAccounts(c *config.Config) []ownAccount {
	var out []ownAccount
	for _, a := range c.Telegram.Accounts {
		out = append(out, ownAccount{config.PlatformTelegram, a.Name})
	}
	for _, a := range c.WhatsApp.Accounts {
		out = append(out, ownAccount{config.PlatformWhatsApp, a.Name})
	}
	return out
}

// openSource makes an account's source. Its session is ours until the daemon stops or the account is lost.
func (d *Daemon) openSource(c *config.Config, platform, name string) (source, error) {
	if platform == config.PlatformWhatsApp {
		return d.openWhatsApp(c, name)
	}
	o, _, release, err := account(c, name, d.o.Build, d.o.Now, d.o.Log)
	if err != nil {
		return nil, err
	}
	o.Confirmed = func(target, channel string) bool { return d.rooms.confirmed(target, channel) }
	o.Room = d.rooms.space
	o.PartKeys = partKeys(d.rooms.Vault.Vault)
	src := telegram.New(o)
	d.release[src.Name()] = release
	return src, nil
}

// CheckAccounts says what is wrong with the proxies of a configuration whose secrets were read.
func CheckAccounts(c *config.Config) error {
	var errs config.Errors
	for i, a := range c.Telegram.Accounts {
		if a.Proxy.IsZero() || a.Proxy.Reveal() == "" {
			continue
		}
		if _, err := telegram.ParseProxy(a.Proxy.Reveal()); err != nil {
			errs = append(errs, c.ErrorAt(fmt.Sprintf("telegram.accounts[%d].proxy", i), err.Error()))
		}
	}
	for i, a := range c.WhatsApp.Accounts {
		if _, err := parseProxy(a); err != nil {
			errs = append(errs, c.ErrorAt(fmt.Sprintf("whatsapp.accounts[%d].proxy", i), err.Error()))
		}
	}
	if errs != nil {
		return errs
	}
	return nil
}

// LoginPrompts is how a login asks for what only a person has. With ShowQR nothing else but the password is asked.
type LoginPrompts struct {
	Code     func(context.Context) (string, error)
	Password func(context.Context) (string, error)
	CodeSent func(where string)
	ShowQR   func(ctx context.Context, link string, until time.Time) error
}

// Login logs a Telegram account in and seals its session. No daemon may use the account meanwhile.
func Login(ctx context.Context, o Options, name string, ask LoginPrompts) error {
	o.setDefaults()
	to, acc, release, err := account(o.Config, name, o.Build, o.Now, o.Log)
	if err != nil {
		return err
	}
	defer release()
	a := telegram.Authenticator{Phone: acc.Phone.Reveal(), Code: ask.Code, Password: ask.Password, CodeSent: ask.CodeSent}
	if ask.ShowQR != nil {
		a.ShowQR = func(ctx context.Context, q telegram.QR) error { return ask.ShowQR(ctx, q.URL, q.Until) }
	}
	return telegram.Login(ctx, to, a)
}

// collectable returns the targets that may be observed now, as sources see them, from the log and nothing else.
func (r *Rooms) collectable(ctx context.Context) ([]collectors.Target, error) {
	all, err := r.Desk.Targets(ctx)
	if err != nil {
		return nil, err
	}
	var out []collectors.Target
	for _, t := range all {
		if !config.Collectable(t.Platform) || !t.Collectable(r.Desk.Time()) {
			continue
		}
		rec, err := r.Vault.Record(ctx, t.Set.Seq)
		if err != nil {
			return nil, err
		}
		set, err := evidence.Decode[*evidence.TargetSet](rec)
		if err != nil {
			return nil, err
		}
		out = append(out, collectTarget(set))
	}
	return out, nil
}

// ForgetSession throws an account's session away, so that the next login starts anew.
func ForgetSession(c *config.Config, name string) error {
	sessions, err := secrets.Open(filepath.Join(c.Vault, "sessions"), c.SessionKey)
	if err != nil {
		return err
	}
	session, err := sessions.Session("telegram-" + name)
	if err != nil {
		return err
	}
	return errors.Join(session.Remove(), session.Close())
}
