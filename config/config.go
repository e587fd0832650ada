package config

import "crypto/sha256"

// Config is muhafiz.yaml with everything that it names. Field by field, this is the reference manual: the `yaml` tag is the key,
// `required` after it means that the key must be there. Paths are absolute once loaded.
type Config struct {
	// Vault is the folder that holds the log, the blobs and the sealed sessions. It need not exist yet.
	Vault string `yaml:"vault,required"`

	// LogKey is the file with the private key that signs checkpoints. It must lie outside the vault folder, so that whoever
	// copies or rewrites the vault does not hold the key as well. A file that is there must be private (0600). `credential:NAME` is the
	// systemd credential NAME (LoadCredential= in the unit) instead of a file. Either may be sealed with a passphrase (`muhafiz key log
	// --passphrase`).
	LogKey string `yaml:"log_key,required"`

	// LogKeyPassphrase opens a log key that is sealed with a passphrase. Without it the passphrase is asked for on a terminal.
	LogKeyPassphrase Secret `yaml:"log_key_passphrase"`

	// SessionKey is the age identity file that opens the sealed platform sessions. It must lie outside the vault folder.
	// Required as soon as there is an account on a platform.
	SessionKey string `yaml:"session_key"`

	// VaultKey opens the key ring, and so says that bodies, raw bytes and media are sealed at rest. Without it they are not. What a vault
	// holds already when this is first given is sealed by the next `muhafiz compact`.
	VaultKey *VaultKey `yaml:"vault_key"`

	// Keyring is the folder of the data keys. Default: keyring within the vault folder. It is worth keeping elsewhere, out of the vault's
	// backups: whoever has a backup with its keys has what was erased since.
	Keyring string `yaml:"keyring"`

	// LegalBasis says, in a sentence, why you may keep this material: the law, the mandate or the assessment. It is written
	// into the record of every target.
	LegalBasis string `yaml:"legal_basis,required"`

	// People is the team. At least one.
	People []Person `yaml:"people,required"`

	// OrganisationsFile names the file with the organisations and who designates them.
	OrganisationsFile string `yaml:"organisations,required"`

	// Watchlists names the files with the targets; `*`, `?` and `[a-z]` match as in a shell. A pattern that matches no file is
	// an error: a watchlist that vanished must not look like an empty one.
	Watchlists []string `yaml:"watchlists,required"`

	// Telegram is how Telegram is read. Without it nothing is collected there, but exports can be imported.
	Telegram Telegram `yaml:"telegram"`

	// WhatsApp is how WhatsApp Channels are read. Without it nothing is collected there, but exported chats can be imported.
	WhatsApp WhatsApp `yaml:"whatsapp"`

	// Reporter is how approved cases become notices. Without it nothing is sent.
	Reporter *Reporter `yaml:"reporter"`

	// Alerts says who is told when we no longer see. Without it only `muhafiz status`, the log and the metrics say so.
	Alerts *Alerts `yaml:"alerts"`

	// Metrics are for a Prometheus server. The control socket serves them in any case, at /metrics.
	Metrics *Metrics `yaml:"metrics"`

	// Anchors is when the log's head is signed, and who outside confirms it.
	Anchors Anchors `yaml:"anchors"`

	// Review is how people review. Without it the second person sees what the first decided.
	Review Review `yaml:"review"`

	// Retention is how long what was collected is kept. Without it six months, with 30 days' warning.
	Retention Retention `yaml:"retention"`

	// Space is what happens as the disk with the vault gets full. Without it files stop at 8 GB or 10% free, history at 4 GB or 5%,
	// collection at 1 GB or 2%, whichever is less.
	Space Space `yaml:"space"`

	// Quarantine is what becomes of posts that were put out of sight.
	Quarantine Quarantine `yaml:"quarantine"`

	// Bundle is who signs evidence bundles. Without it none can be built.
	Bundle *Bundle `yaml:"bundle"`

	// Scrub is how what lies on the disk is read again.
	Scrub Scrub `yaml:"scrub"`

	// Backup is where copies of the vault go. Without it there are only those that somebody makes by hand.
	Backup *Backup `yaml:"backup"`

	Organisations []Organisation `yaml:"-"` // of the organisations file, in its order
	Targets       []Target       `yaml:"-"` // of all watchlists, in the order of the files' names and within them
	Files         []File         `yaml:"-"` // muhafiz.yaml, the organisations file and the watchlists, as they were read

	places   places // of muhafiz.yaml
	noLogKey bool   // there was no file at LogKey
}

// Review is how people review.
type Review struct {
	// Blind hides what the first person decided, on what grounds, how gravely and who they are from everybody else until the second person
	// has answered with an outcome of their own; a decision of no action waits for a second person as well. That both came to the same
	// settles a case; otherwise a third person decides. Default false.
	Blind bool `yaml:"blind"`
}

// Bundle is who signs evidence bundles. One of SSHKey and Agent is needed. The key must not be the log's key.
type Bundle struct {
	// SSHKey is a private OpenSSH key file, readable by its owner only.
	SSHKey string `yaml:"ssh_key"`
	// Agent is the fingerprint (SHA256:…) of a key that the ssh-agent holds.
	Agent string `yaml:"agent"`
	// Identity is the signer's name as the reader's allowed_signers file has it, such as evidence@example.org.
	Identity string `yaml:"identity,required"`
}

// File is a configuration file as it was read.
type File struct {
	Path   string // absolute
	Name   string // base name
	SHA256 [sha256.Size]byte
}

// Position returns where a path such as `reporter.schedule` or `people[0].email` stands in muhafiz.yaml, or where the nearest part of
// it that is there stands.
func (c *Config) Position(path string) Position { return c.places.position(path) }

// ErrorAt is an Error at a path of muhafiz.yaml, for checks that belong to another package (a schedule, a key's content).
func (c *Config) ErrorAt(path, reason string) Error {
	p := c.Position(path)
	return Error{File: p.File, Line: p.Line, Col: p.Col, Path: path, Reason: reason}
}

// Person returns the person with an id.
func (c *Config) Person(id string) (Person, bool) {
	for _, p := range c.People {
		if p.ID == id {
			return p, true
		}
	}
	return Person{}, false
}

// Organisation returns the organisation with an id.
func (c *Config) Organisation(id string) (Organisation, bool) {
	for _, o := range c.Organisations {
		if o.ID == id {
			return o, true
		}
	}
	return Organisation{}, false
}

// Target returns the target with an id.
func (c *Config) Target(id string) (Target, bool) {
	for _, t := range c.Targets {
		if t.ID == id {
			return t, true
		}
	}
	return Target{}, false
}
