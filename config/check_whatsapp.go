package config

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"regexp"
	"time"
)

var webVersion = regexp.MustCompile(`^[0-9]{1,4}\.[0-9]{1,6}\.[0-9]{1,10}$`)

func (l *loader) checkWhatsApp(d *decoder) {
	w := &l.cfg.WhatsApp
	names := unique{}
	for i := range w.Accounts {
		a := &w.Accounts[i]
		d.slug(at("whatsapp.accounts", i, "name"), a.Name)
		names.check(d, at("whatsapp.accounts", i, "name"), a.Name, fmt.Sprintf("the account %q", a.Name))
		if p := at("whatsapp.accounts", i, "budget.queries_per_hour"); a.Budget.QueriesPerHour < 1 && !d.failed(p) {
			d.errAt(p, "must be at least 1: with none of them nothing is observed")
		}
		checkShown(d, at("whatsapp.accounts", i, "device.name"), a.Device.Name)
		if a.Vantage == "" {
			a.Vantage = a.Name
		}
	}
	if w.Version != "" && !webVersion.MatchString(w.Version) {
		d.errAt("whatsapp.version", "must be a version of WhatsApp's web client, such as 2.3000.1031080782, is %q", clip(w.Version))
	}
	if w.Network != nil {
		checkWhatsAppNetwork(d, w.Network)
		return
	}
	floor(d, "whatsapp.poll_every", w.PollEvery, 20*time.Second)
	floor(d, "whatsapp.rotate_every", w.RotateEvery, time.Minute)
	floor(d, "whatsapp.recheck_every", w.RecheckEvery, 5*time.Minute)
}

func checkWhatsAppNetwork(d *decoder, n *WhatsAppNetwork) {
	for _, x := range []struct{ key, v string }{{"address", n.Address}, {"media_address", n.MediaAddress}} {
		if x.v == "" {
			continue
		}
		if ap, err := netip.ParseAddrPort(x.v); err != nil || ap.Port() == 0 || !ap.Addr().IsLoopback() {
			d.errAt("whatsapp.network."+x.key, "must be IP:PORT of this machine, such as 127.0.0.1:10443, is %q: such a network speaks without TLS", clip(x.v))
		}
	}
	if n.RootKey == "" {
		return
	}
	n.RootKey = d.abs(n.RootKey)
	b, err := readLimited(n.RootKey, maxText)
	if err != nil {
		d.errAt("whatsapp.network.root_key", "%v", err)
		return
	}
	key, err := hex.DecodeString(string(bytes.TrimSpace(b)))
	if err != nil || copy(n.Root[:], key) != len(key) || len(key) != len(n.Root) {
		d.errAt("whatsapp.network.root_key", "%s does not hold a key: 64 hexadecimal digits", n.RootKey)
	}
}

// firstPlatform returns a platform on which there is an account of ours, empty where there is none.
func (c *Config) firstPlatform() string {
	switch {
	case len(c.Telegram.Accounts) > 0:
		return PlatformTelegram
	case len(c.WhatsApp.Accounts) > 0:
		return PlatformWhatsApp
	}
	return ""
}
