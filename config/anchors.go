package config

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"
)

// Anchors is when the log's head is signed, and who outside confirms it. Without authorities and witnesses the log proves only that
// nothing changed since a checkpoint that somebody else holds.
type Anchors struct {
	// Every is how much time may pass before the head is signed again, if anything was recorded. Default 1h, at least 1m.
	Every Duration `yaml:"every"`
	// Records is how many records may come before the head is signed again. Default 10000.
	Records int `yaml:"records"`
	// Authorities are time-stamping authorities (RFC 3161). Each stamps every checkpoint; one that is down is asked again later.
	Authorities []Authority `yaml:"authorities"`
	// Witnesses are the public keys (vkeys, NAME+HASH+KEY) of witnesses whose cosignatures `muhafiz checkpoint accept` takes.
	Witnesses []string `yaml:"witnesses"`
}

// Authority is a time-stamping authority.
type Authority struct {
	// Name stands in records and in file names: lower case letters, digits, hyphen.
	Name string `yaml:"name,required"`
	// URL is where it answers, http or https.
	URL string `yaml:"url,required"`
	// Roots is a PEM file with the root certificates that its chain ends in, got from the authority by another way.
	Roots string `yaml:"roots,required"`
}

func (a *Anchors) setDefaults() {
	*a = Anchors{Every: Duration(time.Hour), Records: 10000}
}

func (l *loader) checkAnchors(d *decoder) {
	a := &l.cfg.Anchors
	if a.Every < Duration(time.Minute) {
		d.errAt("anchors.every", "must be at least 1m, is %s", a.Every)
	}
	if a.Records < 100 {
		d.errAt("anchors.records", "must be at least 100, is %d; each checkpoint is a record itself", a.Records)
	}
	names := unique{}
	for i := range a.Authorities {
		x := &a.Authorities[i]
		path := func(key string) string { return at("anchors.authorities", i, key) }
		if x.Name != "" && strings.Trim(x.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			d.errAt(path("name"), "must be lower case letters, digits and hyphens, is %q", clip(x.Name))
		}
		names.check(d, path("name"), x.Name, "an authority of this name")
		if u, err := url.Parse(x.URL); x.URL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			d.errAt(path("url"), "must be an http or https address, is %q", clip(x.URL))
		}
		if x.Roots == "" {
			continue
		}
		x.Roots = d.abs(x.Roots)
		if err := checkCertificates(x.Roots); err != nil {
			d.errAt(path("roots"), "%v", err)
		}
	}
	for i, w := range a.Witnesses {
		if strings.Count(w, "+") < 2 || strings.ContainsAny(w, " \t\n") {
			d.errAt(at("anchors.witnesses", i, ""), "must be a public key as a witness publishes it, NAME+HASH+KEY, is %q", clip(w))
		}
	}
}

func checkCertificates(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("cannot be read: %w", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(b) {
		return fmt.Errorf("%s holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)", path)
	}
	return nil
}
