package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/secrets"
	"github.com/muhafiz/muhafiz/collectors/whatsapp"
	"github.com/muhafiz/muhafiz/config"
)

// whatsappAccount opens one of our WhatsApp accounts. The keys of its device lie encrypted in a file of their own; what is locked until
// release is called, and sealed, is the key to that file.
func whatsappAccount(c *config.Config, name, build string, now func() time.Time, log zerolog.Logger) (o whatsapp.Options, acc config.WhatsAppAccount, release func() error, err error) {
	i := slices.IndexFunc(c.WhatsApp.Accounts, func(a config.WhatsAppAccount) bool { return a.Name == name })
	if i < 0 {
		return o, acc, nil, fmt.Errorf("the configuration has no WhatsApp account %q: add it under whatsapp.accounts", name)
	}
	acc = c.WhatsApp.Accounts[i]
	sessions, err := secrets.Open(filepath.Join(c.Vault, "sessions"), c.SessionKey)
	if err != nil {
		return o, acc, nil, err
	}
	key, err := sessions.Session("whatsapp-" + name)
	if errors.Is(err, secrets.ErrInUse) {
		return o, acc, nil, inUse(name, err)
	}
	if err != nil {
		return o, acc, nil, err
	}
	o = whatsappOptions(c, acc, now)
	o.Build, o.Log = build, log
	o.Device = whatsapp.Device{Path: filepath.Join(c.Vault, "sessions", "whatsapp-"+name+".db"), Key: key}
	if o.Proxy, err = parseProxy(acc); err != nil {
		return o, acc, nil, errors.Join(fmt.Errorf("the proxy of account %s: %w", name, err), key.Close())
	}
	return o, acc, key.Close, nil
}

// inUse says that one session is used by one process.
func inUse(name string, err error) error {
	return fmt.Errorf("another process uses the session of account %s: stop it first, since one session is used by one process only (%w)", name, err)
}

// whatsappOptions are those that do not touch the account's session.
func whatsappOptions(c *config.Config, acc config.WhatsAppAccount, now func() time.Time) whatsapp.Options {
	w := c.WhatsApp
	o := whatsapp.Options{
		Alias: acc.Name, Vantage: acc.Vantage, Version: w.Version, Shown: acc.Device.Name, Now: now, QueriesAnHour: acc.Budget.QueriesPerHour,
		PollEvery: map[string]time.Duration{
			collectors.ModePoll: time.Duration(w.PollEvery), collectors.ModeRotation: time.Duration(w.RotateEvery),
		},
		RecheckEvery: time.Duration(w.RecheckEvery),
	}
	if n := w.Network; n != nil {
		o.Network = &whatsapp.Network{Addr: n.Address, MediaAddr: n.MediaAddress, RootKey: n.Root}
		o.QueryPace, o.QueriesAnHour, o.LimitMin, o.LimitMax, o.RoomPause = -1, -1, testPause, testPause, testPause // pauses are owed to the real platform
	}
	return o
}

// testPause is how long a test network is left alone when it says that we ask too much.
const testPause = 500 * time.Millisecond

// parseProxy reads an account's proxy; nil where it has none.
func parseProxy(acc config.WhatsAppAccount) (*url.URL, error) {
	s := acc.Proxy.Reveal()
	if s == "" {
		return nil, nil
	}
	u, err := url.Parse(s)
	// The error of the parser quotes its input, which holds the password.
	if err != nil || u.Hostname() == "" || u.Port() == "" || u.Port() == "0" || !slices.Contains([]string{"socks5", "socks5h", "http", "https"}, u.Scheme) {
		return nil, errors.New("it must be socks5://USER:PASSWORD@HOST:PORT, or http:// or https:// with host and port")
	}
	if u.Scheme == "socks5" {
		u.Scheme = "socks5h" // names are looked up beyond the proxy
	}
	return u, nil
}

func (d *Daemon) openWhatsApp(c *config.Config, name string) (source, error) {
	o, _, release, err := whatsappAccount(c, name, d.o.Build, d.o.Now, d.o.Log)
	if err != nil {
		return nil, err
	}
	o.Room = d.rooms.space
	src := whatsapp.New(o)
	d.release[src.Name()] = release
	return src, nil
}

// renewVersion has the accounts say from their next connection on that they are of the version that is configured now. Those that WhatsApp
// refused as another version are used again.
func (d *Daemon) renewVersion(c *config.Config) {
	d.mu.Lock()
	var again []string
	for _, src := range d.sources {
		wa, ok := src.(*whatsapp.Source)
		if !ok {
			continue
		}
		refused := wa.Outdated()
		if err := wa.SetVersion(c.WhatsApp.Version); err != nil { // the configuration's check takes the same versions
			d.o.Log.Error().Str("source", src.Name()).Err(err).Msg("the version of the web client stays as it was")
			continue
		}
		if d.lost[src.Name()] && refused != "" && refused != cmp.Or(c.WhatsApp.Version, whatsapp.BuiltInVersion()) {
			again = append(again, strings.TrimPrefix(src.Name(), config.PlatformWhatsApp+"/"))
		}
	}
	d.mu.Unlock()
	for _, name := range again {
		if err := d.resume(config.PlatformWhatsApp, name); err != nil {
			d.o.Log.Error().Str("source", config.PlatformWhatsApp+"/"+name).Err(err).Msg("the account is not used again")
		}
	}
}

// WhatsAppPrompts is how a device is linked to an account: exactly one of ShowQR and ShowCode.
type WhatsAppPrompts struct {
	// ShowQR shows the text of a code that is to be scanned; a later one replaces it.
	ShowQR func(text string) error
	// Phone is the number for ShowCode; empty: the configuration's.
	Phone    string
	ShowCode func(code string)
}

// LoginWhatsApp links a device to a WhatsApp account. No daemon may use the account meanwhile. An account that is linked already is
// left as it is, and linked is true.
func LoginWhatsApp(ctx context.Context, o Options, name string, ask WhatsAppPrompts) (linked bool, err error) {
	o.setDefaults()
	wo, acc, release, err := whatsappAccount(o.Config, name, o.Build, o.Now, o.Log)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, release()) }()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p := whatsapp.Pairing{}
	if ask.ShowCode != nil {
		p.Phone, p.Code = ask.Phone, ask.ShowCode
		if p.Phone == "" {
			p.Phone = acc.Phone.Reveal()
		}
		if p.Phone == "" {
			return false, fmt.Errorf("a code to type needs the account's number: give it with --code NUMBER, or as phone of account %s in the configuration", name)
		}
	} else {
		p.QR = func(text string) {
			if err := ask.ShowQR(text); err != nil {
				cancel(fmt.Errorf("show the code: %w", err))
			}
		}
	}
	err = whatsapp.Login(ctx, wo, p)
	if errors.Is(err, whatsapp.ErrLinked) {
		return true, nil
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, whatsapp.ErrLogin) {
		err = cause
	}
	return false, err
}

// ForgetWhatsApp unlinks an account's device, at the platform as well, and removes its keys.
func ForgetWhatsApp(ctx context.Context, o Options, name string) error {
	o.setDefaults()
	wo, _, release, err := whatsappAccount(o.Config, name, o.Build, o.Now, o.Log)
	if err != nil {
		return err
	}
	return errors.Join(whatsapp.Forget(ctx, wo), release())
}

// LatestWhatsApp asks which version of the web client WhatsApp serves now, by an account's way out, and returns it with the one that is
// in use.
func LatestWhatsApp(ctx context.Context, o Options, name string) (latest, used string, err error) {
	o.setDefaults()
	i := slices.IndexFunc(o.Config.WhatsApp.Accounts, func(a config.WhatsAppAccount) bool { return a.Name == name })
	if i < 0 {
		return "", "", fmt.Errorf("the configuration has no WhatsApp account %q: add it under whatsapp.accounts", name)
	}
	acc := o.Config.WhatsApp.Accounts[i]
	wo := whatsappOptions(o.Config, acc, o.Now)
	wo.Log = o.Log
	if wo.Proxy, err = parseProxy(acc); err != nil {
		return "", "", fmt.Errorf("the proxy of account %s: %w", name, err)
	}
	if used = wo.Version; used == "" {
		used = whatsapp.BuiltInVersion()
	}
	latest, err = whatsapp.LatestVersion(ctx, wo)
	return latest, used, err
}
