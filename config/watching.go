package config

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Alerts says who is told when we no longer see: an account of ours is lost, no account is left, every source fails, or a target
// was not observed for long; and when sight returns. At least one of Mail and Command.
type Alerts struct {
	// Mail is who gets a message, by way of reporter.smtp.
	Mail []string `yaml:"mail"`
	// From is the sender's address. Default: reporter.corrections_contact.
	From string `yaml:"from"`
	// Command is a program with its arguments, run without a shell. It gets the alert as JSON on standard input, has half a minute,
	// and must exit with 0: otherwise the alert counts as not told by this way.
	Command []string `yaml:"command"`
	// After is how long a source must have failed, or all of them, before somebody is told; a lost account is told at once. Default 10m.
	After Duration `yaml:"after"`
	// BlindAfter is how long a target may go unobserved. Default 6h: give more than the plan's longest delay (`muhafiz plan`).
	BlindAfter Duration `yaml:"blind_after"`
	// Repeat is the first pause between two messages about the same trouble; each next one is twice as long, up to a day. Default 6h.
	Repeat Duration `yaml:"repeat"`
	// Escalate tells more people of trouble that lasts.
	Escalate *Escalate `yaml:"escalate"`
}

// Escalate tells more people of trouble that lasts.
type Escalate struct {
	// After is how long the trouble must have lasted. Default 24h.
	After Duration `yaml:"after"`
	// Mail is who is told beside the others from then on.
	Mail []string `yaml:"mail,required"`
}

// Metrics are for a Prometheus server.
type Metrics struct {
	// Listen is IP:PORT on this machine, such as 127.0.0.1:9464. Metrics name targets and accounts, but hold no post and no person.
	Listen string `yaml:"listen,required"`
	// Expose allows an address that other machines can reach. There is no password and no TLS: put a proxy with both before it.
	Expose bool `yaml:"expose"`
}

func (a *Alerts) setDefaults() {
	a.After, a.BlindAfter, a.Repeat = Duration(10*time.Minute), Duration(6*time.Hour), Duration(6*time.Hour)
}

func (e *Escalate) setDefaults() { e.After = Duration(24 * time.Hour) }

func checkAlerts(d *decoder, c *Config) {
	a := c.Alerts
	if len(a.Mail) == 0 && len(a.Command) == 0 && !d.given("alerts.mail") && !d.given("alerts.command") {
		d.errAt("alerts", "nobody is told: give mail, command or both")
	}
	for i, m := range a.Mail {
		checkMail(d, fmt.Sprintf("alerts.mail[%d]", i), m)
	}
	mailed := len(a.Mail) > 0
	if e := a.Escalate; e != nil {
		mailed = mailed || len(e.Mail) > 0
		for i, m := range e.Mail {
			checkMail(d, fmt.Sprintf("alerts.escalate.mail[%d]", i), m)
		}
	}
	if mailed && (c.Reporter == nil || c.Reporter.SMTP == nil) && !d.given("reporter.smtp") {
		d.errAt("alerts.mail", "needs the mail server: add reporter.smtp")
	}
	checkMail(d, "alerts.from", a.From)
	if a.From == "" && c.Reporter != nil {
		a.From = c.Reporter.CorrectionsContact
	}
	if len(a.Command) > 0 && !filepath.IsAbs(a.Command[0]) {
		d.errAt("alerts.command[0]", "must be the program's absolute path, is %q: the daemon's search path may be another one than yours", clip(a.Command[0]))
	}
	for _, x := range []struct {
		key  string
		v    Duration
		most time.Duration
	}{{"after", a.After, 24 * time.Hour}, {"blind_after", a.BlindAfter, 31 * 24 * time.Hour}, {"repeat", a.Repeat, 24 * time.Hour}} {
		if time.Duration(x.v) > x.most {
			d.errAt("alerts."+x.key, "must be at most %s, is %s: an alert that comes so late is none", x.most, x.v)
		}
	}
}

func checkMetrics(d *decoder, m *Metrics) {
	if m.Listen == "" {
		return
	}
	ap, err := netip.ParseAddrPort(m.Listen)
	switch {
	case err != nil:
		if host, _, herr := net.SplitHostPort(m.Listen); herr == nil && host == "" {
			d.errAt("metrics.listen", "must name the address, such as 127.0.0.1:9464; without one every network of this machine could read it")
			return
		}
		d.errAt("metrics.listen", "must be IP:PORT, such as 127.0.0.1:9464, is %q", clip(m.Listen))
	case !ap.Addr().IsLoopback() && !m.Expose:
		d.errAt("metrics.listen", "%s can be reached from other machines; use 127.0.0.1, or say `expose: true` if that is meant", clip(m.Listen))
	}
}

// maxDevice is the length of a device's string in bytes.
const maxDevice = 64

var languageForm = regexp.MustCompile(`^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$`)

func checkDevice(d *decoder, path string, v Device) {
	for _, x := range []struct{ key, v string }{{"model", v.Model}, {"system", v.System}, {"app_version", v.AppVersion}} {
		checkShown(d, join(path, x.key), x.v)
	}
	if v.Language != "" && !languageForm.MatchString(v.Language) {
		d.errAt(join(path, "language"), "must be a language tag such as en or ur-PK, is %q", clip(v.Language))
	}
}

// checkShown checks a word that the platform shows to an account's owner.
func checkShown(d *decoder, path, v string) {
	if len(v) > maxDevice || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		d.errAt(path, "must be at most %d bytes without control characters", maxDevice)
	}
}
