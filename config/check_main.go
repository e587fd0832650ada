package config

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var slugForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

const slugRule = "must be 1 to 64 of a-z, 0-9, dot, hyphen and underscore, beginning with a letter or digit"

func (l *loader) checkMain(d *decoder) {
	c := l.cfg
	l.checkPaths(d)
	checkPeople(d, c.People)
	l.checkTelegram(d)
	l.checkAnchors(d)
	l.checkScrub(d)
	l.checkWhatsApp(d)
	l.checkVaultKey(d)
	l.checkRetention(d)
	l.checkSpace(d)
	if c.Reporter != nil {
		checkReporter(d, c.Reporter, c.Vault)
	}
	if c.Alerts != nil {
		checkAlerts(d, c)
	}
	if c.Metrics != nil {
		checkMetrics(d, c.Metrics)
	}
	if c.Bundle != nil {
		l.checkBundle(d)
	}
	if c.Backup != nil {
		l.checkBackup(d)
	}
}

// A credential is looked for when the vault is opened: commands that reach a running daemon have none and need none.
const credentialPrefix = "credential:"

var credentialForm = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$`)

// checkPaths makes paths absolute and keeps the private keys out of the vault.
func (l *loader) checkPaths(d *decoder) {
	c := l.cfg
	if c.Vault != "" {
		c.Vault = d.abs(c.Vault)
		if st, err := os.Stat(c.Vault); err == nil && !st.IsDir() {
			d.errAt("vault", "%s is a file; name a folder", c.Vault)
		}
	}
	if name, ok := strings.CutPrefix(c.LogKey, credentialPrefix); ok {
		if !credentialForm.MatchString(name) {
			d.errAt("log_key", "must be the name of a systemd credential after credential:, of letters, digits, dot, hyphen and underscore, is %q", clip(name))
		}
	} else {
		l.keyPath(d, "log_key", &c.LogKey)
		_, err := os.Stat(c.LogKey)
		c.noLogKey = err != nil
	}
	l.keyPath(d, "session_key", &c.SessionKey)
	if c.LogKey != "" && c.LogKey == c.SessionKey {
		d.errAt("session_key", "is the same file as log_key; they are different keys")
	}
	if platform := c.firstPlatform(); c.SessionKey == "" && platform != "" && !d.given("session_key") {
		d.errAt("session_key", "required, since there is a %s account: the file with the age identity that seals its session", PlatformName(platform))
	}
}

// keyPath checks a private key's file, which need not be there yet.
func (l *loader) keyPath(d *decoder, path string, p *string) {
	if *p == "" {
		return
	}
	*p = d.abs(*p)
	if l.cfg.Vault != "" && inside(l.cfg.Vault, *p) {
		d.errAt(path, "lies inside the vault folder %s; whoever copies the vault would hold the key: keep it elsewhere", l.cfg.Vault)
		return
	}
	if _, err := os.Stat(*p); err != nil || l.o.NoSecrets {
		return
	}
	if err := checkPrivate(*p); err != nil {
		d.errAt(path, "%v", err)
	}
}

// inside reports whether path lies in the folder dir or is it, also by way of symbolic links.
func inside(dir, path string) bool {
	return within(dir, path) || within(resolve(dir), resolve(path))
}

func within(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// resolve follows the symbolic links of the part of a path that is there.
func resolve(path string) string {
	rest := ""
	for p := path; ; p = filepath.Dir(p) {
		if r, err := filepath.EvalSymlinks(p); err == nil {
			return filepath.Join(r, rest)
		}
		if p == filepath.Dir(p) {
			return path
		}
		rest = filepath.Join(filepath.Base(p), rest)
	}
}

var (
	fingerprintForm = regexp.MustCompile(`^SHA256:[A-Za-z0-9+/]{43}$`)
	identityForm    = regexp.MustCompile(`^[A-Za-z0-9._@+-]+$`)
)

func (l *loader) checkBundle(d *decoder) {
	b := l.cfg.Bundle
	if (b.SSHKey == "") == (b.Agent == "") && !(b.SSHKey == "" && (d.given("bundle.ssh_key") || d.given("bundle.agent"))) {
		d.errAt("bundle", "give one of ssh_key (a private key file) and agent (a fingerprint)")
	}
	if b.Agent != "" && !fingerprintForm.MatchString(b.Agent) {
		d.errAt("bundle.agent", "must be a fingerprint as `ssh-add -l` prints it, such as SHA256:… with 43 characters, is %q", clip(b.Agent))
	}
	if b.Identity != "" && !identityForm.MatchString(b.Identity) {
		d.errAt("bundle.identity", "must be one name as in allowed_signers, such as evidence@example.org, is %q", clip(b.Identity))
	}
	if b.SSHKey == "" {
		return
	}
	b.SSHKey = d.abs(b.SSHKey)
	if b.SSHKey == l.cfg.LogKey {
		d.errAt("bundle.ssh_key", "is the same file as log_key; the bundle's key is another key than the log's")
	}
	if !l.o.NoSecrets {
		if err := checkPrivate(b.SSHKey); err != nil {
			d.errAt("bundle.ssh_key", "%v", err)
		}
	}
}

// given reports whether a key stands in the file, even with a value that was refused.
func (d *decoder) given(path string) bool {
	_, ok := d.places.node(path)
	return ok
}

// oneOf refuses any other word and sets the default where none is given.
func (d *decoder) oneOf(path string, p *string, byDefault string, words ...string) {
	switch {
	case *p == "":
		*p = byDefault
	case !slices.Contains(words, *p):
		d.errAt(path, "must be one of %s, is %q%s", strings.Join(words, ", "), clip(*p), guess(*p, words))
	}
}

// unique refuses the second of two equal values.
type unique map[string]Position

func (u unique) check(d *decoder, path, value, what string) {
	if value == "" {
		return
	}
	here := d.places.position(path)
	if first, ok := u[value]; ok {
		d.errAt(path, "%s is already at %s", what, first)
		return
	}
	u[value] = here
}

func (d *decoder) slug(path, value string) {
	if value != "" && !slugForm.MatchString(value) {
		d.errAt(path, "%s, is %q", slugRule, clip(value))
	}
}

// at is the path of a key, or with none of the item itself, in a list.
func at(list string, i int, key string) string {
	if key == "" {
		return item(list, i)
	}
	return join(item(list, i), key)
}
