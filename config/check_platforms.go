package config

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (l *loader) checkTelegram(d *decoder) {
	t := &l.cfg.Telegram
	names := unique{}
	for i, a := range t.Accounts {
		d.slug(at("telegram.accounts", i, "name"), a.Name)
		names.check(d, at("telegram.accounts", i, "name"), a.Name, fmt.Sprintf("the account %q", a.Name))
		if p := at("telegram.accounts", i, "app_id"); a.AppID == 0 && d.given(p) && !d.failed(p) {
			d.errAt(p, "must be the number from https://my.telegram.org")
		}
	}
	for i, a := range t.Accounts {
		a.Budget.least(func(key string, v int) {
			if p := at("telegram.accounts", i, "budget."+key); v < 1 && !d.failed(p) {
				d.errAt(p, "must be at least 1: with none of them nothing is observed")
			}
		})
	}
	for i := range t.Accounts {
		checkDevice(d, at("telegram.accounts", i, "device"), t.Accounts[i].Device)
		if a := &t.Accounts[i]; a.Vantage == "" {
			a.Vantage = a.Name
		}
	}
	for i := 1; i < len(t.RecheckAges); i++ {
		if t.RecheckAges[i] <= t.RecheckAges[i-1] {
			d.errAt(at("telegram.recheck_ages", i, ""), "must be more than the age before it, %s, is %s", t.RecheckAges[i-1], t.RecheckAges[i])
		}
	}
	if t.Network != nil {
		checkNetwork(d, t.Network)
		return
	}
	for i, age := range t.RecheckAges {
		floor(d, at("telegram.recheck_ages", i, ""), age, time.Minute)
	}
	floor(d, "telegram.poll_every", t.PollEvery, 5*time.Second)
	floor(d, "telegram.recheck_every", t.RecheckEvery, time.Minute)
	floor(d, "telegram.recheck_round", t.RecheckRound, 24*time.Hour)
}

// floor keeps our accounts from being locked out for asking too often.
func floor(d *decoder, path string, v Duration, least time.Duration) {
	if v != 0 && time.Duration(v) < least {
		d.errAt(path, "must be at least %s, is %s: platforms lock out accounts that ask more often", least, v)
	}
}

func checkNetwork(d *decoder, n *TelegramNetwork) {
	if d.given("telegram.network.dc") && !d.failed("telegram.network.dc") && (n.DC < 1 || n.DC > 1000) {
		d.errAt("telegram.network.dc", "must be from 1 to 1000, is %d", n.DC)
	}
	if n.Address != "" {
		if ap, err := netip.ParseAddrPort(n.Address); err != nil || ap.Port() == 0 {
			d.errAt("telegram.network.address", "must be IP:PORT, such as 127.0.0.1:10443, is %q", clip(n.Address))
		}
	}
	if n.PublicKey == "" {
		return
	}
	n.PublicKey = d.abs(n.PublicKey)
	b, err := readLimited(n.PublicKey, maxText)
	if err != nil {
		d.errAt("telegram.network.public_key", "%v", err)
	} else if !isRSAPublicKey(b) {
		d.errAt("telegram.network.public_key", "%s is not a PEM file with an RSA public key", n.PublicKey)
	}
}

func isRSAPublicKey(b []byte) bool {
	block, _ := pem.Decode(b)
	if block == nil {
		return false
	}
	if _, err := x509.ParsePKCS1PublicKey(block.Bytes); err == nil {
		return true
	}
	k, err := x509.ParsePKIXPublicKey(block.Bytes)
	_, ok := k.(*rsa.PublicKey)
	return err == nil && ok
}

var scheduleForm = regexp.MustCompile(`^(?:(?:CRON_TZ|TZ)=\S+\s+)?(?:@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)|@every \S+|\S+(?:\s+\S+){4})$`)

func checkReporter(d *decoder, r *Reporter, vault string) {
	// Only the shape: the reporter parses schedules and the daemon reports its verdict at Config.Position.
	if r.Schedule != "" && !scheduleForm.MatchString(r.Schedule) {
		d.errAt("reporter.schedule", "must be five cron fields (minute hour day month weekday) or @every DURATION, is %q", clip(r.Schedule))
	}
	if r.CorrectionsContact != "" && !validMail(r.CorrectionsContact) {
		d.errAt("reporter.corrections_contact", "must be a mail address such as corrections@example.org, is %q", clip(r.CorrectionsContact))
	}
	if r.DailyCap == 0 {
		d.errAt("reporter.daily_cap", "must be at least 1; to send nothing, remove the routes")
	}
	checkNotifier(d, &r.Notifier)
	platforms, mailed := unique{}, false
	for i := range r.Routes {
		path := fmt.Sprintf("reporter.routes[%d]", i)
		checkRoute(d, path, &r.Routes[i], vault)
		platforms.check(d, join(path, "platform"), r.Routes[i].Platform, "the route for "+r.Routes[i].Platform)
		mailed = mailed || r.Routes[i].Mail != nil
	}
	switch {
	case r.SMTP != nil:
		checkSMTP(d, r.SMTP)
	case mailed && !d.given("reporter.smtp"):
		d.errAt("reporter.smtp", "required, since a route has mail: {address: HOST:PORT, …}")
	}
}

func checkRoute(d *decoder, path string, r *Route, vault string) {
	if r.Platform != "" && !slices.Contains(Platforms(), r.Platform) {
		d.errAt(join(path, "platform"), "must be one of %s, is %q", strings.Join(Platforms(), ", "), clip(r.Platform))
	}
	d.oneOf(join(path, "kind"), &r.Kind, RouteKinds()[0], RouteKinds()...)
	if r.Mail == nil && r.Outbox == "" && !d.given(join(path, "mail")) && !d.given(join(path, "outbox")) {
		d.errAt(path, "goes nowhere: give mail, outbox or both")
	}
	if r.Outbox != "" {
		r.Outbox = d.abs(r.Outbox)
		if vault != "" && inside(vault, r.Outbox) {
			d.errAt(join(path, "outbox"), "lies inside the vault folder %s; choose another", vault)
		}
	}
	if r.Mail == nil {
		return
	}
	for i, a := range r.Mail.To {
		checkMail(d, fmt.Sprintf("%s.mail.to[%d]", path, i), a)
	}
	checkMail(d, join(path, "mail.from"), r.Mail.From)
}

var countryForm = regexp.MustCompile(`^[A-Z]{2}$`)

func checkNotifier(d *decoder, n *Notifier) {
	d.oneOf("reporter.notifier.status", &n.Status, NotifierOrdinary, NotifierOrdinary, NotifierTrustedFlagger, NotifierAuthority)
	const path = "reporter.notifier.country"
	switch {
	case n.Status != NotifierAuthority && n.Country != "":
		d.errAt(path, "belongs to the status %s alone", NotifierAuthority)
	case n.Status == NotifierAuthority && n.Country == "UK":
		d.errAt(path, "the United Kingdom is GB in ISO 3166")
	case n.Status == NotifierAuthority && !countryForm.MatchString(n.Country):
		d.errAt(path, "must be two capital letters of ISO 3166, such as PK or GB, is %q", clip(n.Country))
	}
}

func checkMail(d *decoder, path, a string) {
	if a != "" && !validMail(a) {
		d.errAt(path, "must be a mail address such as name@example.org, is %q", clip(a))
	}
}

func checkSMTP(d *decoder, s *SMTP) {
	d.oneOf("reporter.smtp.starttls", &s.StartTLS, StartTLSAlways, StartTLSAlways, StartTLSOpportunistic, StartTLSNever)
	if s.Address != "" && !validHostPort(s.Address) {
		d.errAt("reporter.smtp.address", "must be HOST:PORT, such as mail.example.org:587, is %q", clip(s.Address))
	}
	if d.given("reporter.smtp.username") != d.given("reporter.smtp.password") {
		d.errAt("reporter.smtp", "give username and password together, or neither")
	}
}

var hostForm = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$`)

func validHostPort(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || strings.HasPrefix(port, "+") {
		return false
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return hostForm.MatchString(host)
}
