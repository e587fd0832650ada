package config

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// VaultKey is what opens the vault's key ring. One of the three.
type VaultKey struct {
	// File holds an age identity, as `muhafiz key vault` makes it, or one line of passphrase; readable by its owner only. It must lie
	// outside the vault folder and outside the key ring.
	File string `yaml:"file"`
	// Credential is the name under which systemd passes such a file (LoadCredentialEncrypted=).
	Credential string `yaml:"credential"`
	// Passphrase is a passphrase of at least 12 characters, as {file: PATH} or {env: NAME}.
	Passphrase Secret `yaml:"passphrase"`
}

// Days is a number of days, written 180d.
type Days int

var daysForm = regexp.MustCompile(`^([0-9]{1,5})d$`)

// maxDays is a hundred years.
const maxDays = 36500

func (x *Days) decodeNode(d *decoder, n *yaml.Node, path string) {
	text, ok := d.text(n, path)
	if !ok {
		return
	}
	m := daysForm.FindStringSubmatch(text)
	if m == nil {
		d.errorf(n, path, "must be a number of days such as 180d, is %q", clip(text))
		return
	}
	v, err := strconv.Atoi(m[1])
	if err != nil || v < 1 || v > maxDays {
		d.errorf(n, path, "must be from 1d to %dd, is %q", maxDays, clip(text))
		return
	}
	*x = Days(v)
}

// String returns the days as they are written.
func (x Days) String() string { return strconv.Itoa(int(x)) + "d" }

// Duration returns the days as a span of time.
func (x Days) Duration() time.Duration { return time.Duration(x) * 24 * time.Hour }

// Retention is how long what was collected is kept. Terms run from the moment at which it was recorded. What a hold covers stays beyond
// them. Envelopes, and with them every proof, are never erased.
type Retention struct {
	// Default is the term of what no other rule names. Default 180d.
	Default Days `yaml:"default"`
	// Warn is how long before its end the morning and `status` say that something will go. Default 30d.
	Warn Days `yaml:"warn"`
	// Acts is the term of people's acts: decisions, approvals, notices and their answers, looks, refusals. Default 3650d.
	Acts Days `yaml:"acts"`
	// Compact is by when at the latest `muhafiz compact` should follow an erasure that leaves bytes in free pages of the vault's file or in
	// backups; until then they linger. Default 30d.
	Compact Days `yaml:"compact"`
	// Organisations are terms by the organisation's id.
	Organisations map[string]Days `yaml:"-"`
	// Rules are the terms of organisations.
	Rules []RetentionRule `yaml:"organisations"`
	// Holds is how long work holds what it rests on, by itself.
	Holds AutomaticHolds `yaml:"holds"`
}

// sentence is for people.
func (r Retention) sentence() string {
	s := fmt.Sprintf("%s, with %s warning", r.Default, r.Warn)
	for _, rule := range r.Rules {
		s += fmt.Sprintf("; %s of %s", rule.Retain, rule.ID)
	}
	return s + fmt.Sprintf("; people's acts %s", r.Acts)
}

// RetentionRule is an organisation's term.
type RetentionRule struct {
	ID     string `yaml:"id,required"`
	Retain Days   `yaml:"retain,required"`
}

// AutomaticHolds are the terms for which work holds what it rests on. Each ends, so that nothing forgotten is kept for ever.
type AutomaticHolds struct {
	// Case is how long an open case holds its exhibits, with their bytes in raw replies, from when it was opened or last decided. Default 730d.
	Case Days `yaml:"case"`
	// Notice is how long a notice without an answer does, from when it left. Default 730d.
	Notice Days `yaml:"notice"`
	// Answer is how long it does after its answer. Default 180d.
	Answer Days `yaml:"answer"`
	// Dispute is how long it does after the latest dispute. Default 365d.
	Dispute Days `yaml:"dispute"`
	// Bundle is how long a bundle holds what it was built of. Default 730d.
	Bundle Days `yaml:"bundle"`
}

func (r *Retention) setDefaults() {
	*r = Retention{
		Default: 180, Warn: 30, Acts: 3650, Compact: 30,
		Holds: AutomaticHolds{Case: 730, Notice: 730, Answer: 180, Dispute: 365, Bundle: 730},
	}
}

// What the law that you work under demands of abuse material of children.
const (
	QuarantineKeep    = "keep"    // preserve it for the authority
	QuarantineDestroy = "destroy" // destroy it, once it was reported
)

// Quarantine is what becomes of a post that was put out of sight.
type Quarantine struct {
	// Law is keep or destroy: what your law demands of such material. Ask counsel; several laws demand that it is preserved for a time.
	// Default keep: nothing can be destroyed then.
	Law string `yaml:"law"`
	// Recipients are the age public keys (age1…) of hotlines and authorities to whom a packet may be handed over. None: to nobody.
	Recipients []string `yaml:"recipients"`
}

var ageForm = regexp.MustCompile(`^age1[02-9ac-hj-np-z]{58}$`)

func (l *loader) checkVaultKey(d *decoder) {
	c := l.cfg
	if c.Keyring != "" {
		c.Keyring = d.abs(c.Keyring)
	}
	k := c.VaultKey
	if k == nil {
		if c.Keyring != "" {
			d.errAt("keyring", "there is no vault_key that opens it; give one, or remove this")
		}
		return
	}
	given := 0
	for _, key := range []string{"file", "credential", "passphrase"} {
		if d.given("vault_key." + key) {
			given++
		}
	}
	if given != 1 {
		d.errAt("vault_key", "give one of file, credential and passphrase")
	}
	l.keyPath(d, "vault_key.file", &k.File)
	switch {
	case k.File == "":
	case k.File == c.LogKey, k.File == c.SessionKey:
		d.errAt("vault_key.file", "is the same file as another key; they are different keys")
	case c.Keyring != "" && inside(c.Keyring, k.File):
		d.errAt("vault_key.file", "lies inside the key ring %s, which it opens; keep it elsewhere", c.Keyring)
	}
}

func (l *loader) checkRetention(d *decoder) {
	r := &l.cfg.Retention
	if r.Warn >= r.Default {
		d.errAt("retention.warn", "must be shorter than retention.default (%s), is %s", r.Default, r.Warn)
	}
	if r.Acts < r.Default {
		d.errAt("retention.acts", "must not be shorter than retention.default (%s), is %s: who decided what must outlast what it was decided on", r.Default, r.Acts)
	}
	r.Organisations = map[string]Days{}
	ids := unique{}
	for i, rule := range r.Rules {
		ids.check(d, at("retention.organisations", i, "id"), rule.ID, "a rule for this organisation")
		r.Organisations[rule.ID] = rule.Retain
	}
	q := &l.cfg.Quarantine
	d.oneOf("quarantine.law", &q.Law, QuarantineKeep, QuarantineKeep, QuarantineDestroy)
	for i, a := range q.Recipients {
		if !ageForm.MatchString(a) {
			d.errAt(at("quarantine.recipients", i, ""), "must be an age public key (age1… of 62 characters), is %q", clip(a))
		}
	}
}

// checkRetained refuses rules about organisations that are not there.
func (l *loader) checkRetained(d *decoder) {
	for i, rule := range l.cfg.Retention.Rules {
		if _, ok := l.cfg.Organisation(rule.ID); !ok && rule.ID != "" {
			d.errAt(at("retention.organisations", i, "id"), "there is no organisation %q in the organisations file", clip(rule.ID))
		}
	}
}
