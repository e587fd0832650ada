package demo

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/muhafiz/muhafiz/collectors/secrets"
)

// The people of the demo. Amna lists and decides, Bilal confirms, Lubna takes the bundle out, Zain audits.
const (
	analyst  = "amna"
	reviewer = "bilal"
	lawyer   = "lubna"
	auditor  = "zain"

	signerIdentity = "evidence@demo.example"
)

// folder is the demo's folder as a user would have it.
type folder struct{ dir string }

func (f folder) path(parts ...string) string {
	return filepath.Join(append([]string{f.dir}, parts...)...)
}

// addrs are where the loopback servers listen.
type addrs struct{ Telegram, WhatsApp, Media, SMTP string }

// prepare makes what is not there: keys, secrets, configuration. What is there stays, but for the loopback servers' addresses,
// which change when their ports are taken by others. It reports whether the folder was new.
func (f folder) prepare(at addrs) (fresh bool, err error) {
	_, err = os.Stat(f.path("muhafiz.yaml"))
	fresh = errors.Is(err, fs.ErrNotExist)
	for _, d := range []string{"keys", "secrets", "watchlists", "outbox", "bundles", "loopback"} {
		if err := os.MkdirAll(f.path(d), 0o700); err != nil {
			return fresh, err
		}
	}
	if err := f.keys(); err != nil {
		return fresh, err
	}
	for name, value := range map[string]string{"app_hash": "0123456789abcdef0123456789abcdef", "phone": demoPhone} {
		if err := writeOnce(f.path("secrets", name), []byte(value+"\n"), 0o600); err != nil {
			return fresh, err
		}
	}
	people := map[string]string{}
	for _, p := range []string{analyst, reviewer, lawyer, auditor} {
		b, err := os.ReadFile(f.path("keys", p+".pub"))
		if err != nil {
			return fresh, err
		}
		people[p] = strings.TrimSpace(string(b))
	}
	var cfg strings.Builder
	if err := configuration.Execute(&cfg, map[string]any{"At": at, "People": people, "Identity": signerIdentity}); err != nil {
		return fresh, err
	}
	if err := os.WriteFile(f.path("muhafiz.yaml"), []byte(cfg.String()), 0o600); err != nil {
		return fresh, err
	}
	if err := writeOnce(f.path("organisations.yaml"), []byte(organisations), 0o600); err != nil {
		return fresh, err
	}
	return fresh, writeOnce(f.path("watchlists", "demo.yaml"), []byte(watchlist), 0o600)
}

// keys makes the log's key, the people's, the bundle's, and the allowed_signers file that a reader of bundles would hold.
func (f folder) keys() error {
	vkey, err := secrets.WriteLogKey(f.path("keys", "log.key"), "demo.example/muhafiz")
	if err == nil {
		var pem []byte
		if pem, err = secrets.LogKeyPEM(vkey); err == nil {
			err = errors.Join(os.WriteFile(f.path("keys", "log.key.pub"), []byte(vkey+"\n"), 0o644), os.WriteFile(f.path("keys", "log.key.pem"), pem, 0o644))
		}
	}
	if err != nil && !errors.Is(err, secrets.ErrExists) {
		return err
	}
	// An earlier run's vault may have been made before there was sealing: it is sealed from now on.
	if _, err := secrets.WriteVaultKey(f.path("keys", "vault.age")); err != nil && !errors.Is(err, secrets.ErrExists) {
		return err
	}
	for _, name := range []string{analyst, reviewer, lawyer, auditor, "bundle"} {
		if _, err := secrets.NewPersonKey(f.path("keys", name), name+"@demo.example"); err != nil && !errors.Is(err, secrets.ErrExists) {
			return err
		}
	}
	pub, err := os.ReadFile(f.path("keys", "bundle.pub"))
	if err != nil {
		return err
	}
	line := fmt.Sprintf("%s namespaces=\"file@muhafiz\" %s", signerIdentity, pub)
	return writeOnce(f.path("allowed_signers"), []byte(line), 0o644)
}

// serverKey is the loopback Telegram's RSA key; it stays the same, so that the configuration's copy of its public half does.
func (f folder) serverKey() (*rsa.PrivateKey, error) {
	path := f.path("loopback", "server.key")
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		b := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)})
		return k, writeOnce(path, b, 0o600)
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("%s is not PEM: remove it, and the demo makes another", path)
	}
	return x509.ParsePKCS1PrivateKey(block.Bytes)
}

// address returns the loopback address that a server had in an earlier run where it is free, else a new one, and remembers it.
func (f folder) address(name string) (string, error) {
	path := f.path("loopback", name+".address")
	want := "127.0.0.1:0"
	if b, err := os.ReadFile(path); err == nil {
		want = strings.TrimSpace(string(b))
	}
	ln, err := net.Listen("tcp", want)
	if err != nil {
		if ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return "", err
		}
	}
	defer ln.Close()
	addr := ln.Addr().String()
	return addr, os.WriteFile(path, []byte(addr+"\n"), 0o600)
}

// writeOnce writes a file that is not there.
func writeOnce(path string, b []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

var configuration = template.Must(template.New("muhafiz.yaml").Parse(`# The demo's configuration. Everything in it is fictional, and its networks are on this machine.
vault: vault
log_key: keys/log.key
session_key: keys/session.age
vault_key: {file: keys/vault.age}
keyring: keyring
legal_basis: Demonstration with simulated posts of a fictional organisation; nothing here is anybody's data.

people:
  - {id: amna, name: Amna (demo), roles: [analyst, operator], ssh_key: {{index .People "amna"}}}
  - {id: bilal, name: Bilal (demo), roles: [reviewer], ssh_key: {{index .People "bilal"}}}
  - {id: lubna, name: Lubna (demo), roles: [legal], ssh_key: {{index .People "lubna"}}}
  - {id: zain, name: Zain (demo), roles: [senior, auditor], ssh_key: {{index .People "zain"}}}

organisations: organisations.yaml
watchlists: [watchlists/*.yaml]

telegram:
  accounts:
    - {name: demo, app_id: 1, app_hash: {file: secrets/app_hash}, phone: {file: secrets/phone}}
  poll_every: 1s
  recheck_every: 2s
  recheck_ages: [1s]
  recheck_round: 2s
  network: {dc: 2, address: "{{.At.Telegram}}", public_key: loopback/server.pem}

whatsapp:
  accounts: [{name: demo-one}, {name: demo-two}]
  poll_every: 500ms
  rotate_every: 1s
  recheck_every: 1s
  network: {address: "{{.At.WhatsApp}}", media_address: "{{.At.Media}}", root_key: loopback/whatsapp.root}

reporter:
  schedule: "@every 1s"
  organisation_name: Muhafiz demonstration
  corrections_contact: corrections@demo.example
  routes:
    - platform: telegram
      mail: {to: [abuse@platform.example], from: notices@demo.example}
      outbox: outbox
  smtp: {address: "{{.At.SMTP}}", starttls: never}

bundle: {ssh_key: keys/bundle, identity: {{.Identity}}}
`))

const organisations = `# A fictional organisation with fictional designations.
organisations:
  - id: northhaven
    name: Northhaven Front (fictional)
    aliases:
      - NF
      - {value: شمالی پناہ محاذ, lang: ur}
      - {value: جبهة الملاذ الشمالي, lang: ar}
    designations:
      - authority: Republic of Exampleland
        reference: EX-1
        date: 2025-01-15
        source: Gazette of Exampleland no. 1 (fictional)
        note: Simulated; no such state, list or organisation exists.
      - authority: UN example list (fictional)
        reference: EX-2
        date: 2025-02-01
        source: Simulated list no. 2
        note: Simulated; with one state's list alone a senior would have to approve each notice as well.
`

const watchlist = `# The demo's channels. They exist only on the loopback server.
targets:
  - id: front
    address: https://t.me/northhaven_front_sim
    organisation: northhaven
    affiliation:
      basis: Named as the front's English channel in its own (simulated) announcement.
      citation: {title: Simulated announcement no. 1, url: "https://northhaven.example/1", date: 2026-01-01}
    report: true
    listed_by: amna
    collect: {mode: poll}
  - id: urdu
    address: https://t.me/s/northhaven_urdu_sim
    organisation: northhaven
    affiliation:
      basis: Linked from the English channel's description.
      citation: {title: Simulated announcement no. 2, url: "https://northhaven.example/2", date: 2026-01-01}
    report: true
    listed_by: amna
    collect: {mode: poll}
  - id: pashto
    address: "@northhaven_pashto_sim"
    organisation: northhaven
    affiliation:
      basis: Linked from the English channel's description.
      citation: {title: Simulated announcement no. 2, url: "https://northhaven.example/2", date: 2026-01-01}
    listed_by: amna
    collect: {mode: poll}
  - id: balochi
    address: tg://resolve?domain=northhaven_balochi_sim
    organisation: northhaven
    affiliation:
      basis: Linked from the English channel's description.
      citation: {title: Simulated announcement no. 2, url: "https://northhaven.example/2", date: 2026-01-01}
    listed_by: amna
    collect: {mode: poll}
  - id: wa-front
    address: https://www.whatsapp.com/channel/0029VaNorthhavenSimA?simulated=yes
    organisation: northhaven
    affiliation:
      basis: Named as the front's WhatsApp channel in its own (simulated) announcement.
      citation: {title: Simulated announcement no. 3, url: "https://northhaven.example/3", date: 2026-01-01}
    listed_by: amna
    collect: {mode: poll}
  - id: wa-urdu
    address: https://whatsapp.com/channel/0029VaNorthhavenSimB/100
    organisation: northhaven
    affiliation:
      basis: Linked from the WhatsApp channel's description.
      citation: {title: Simulated announcement no. 3, url: "https://northhaven.example/3", date: 2026-01-01}
    listed_by: amna
    collect: {mode: joined}
`
