package secrets

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
)

// VaultKey seals and opens a vault's key ring: an age X25519 identity, or a passphrase (age's scrypt).
type VaultKey struct {
	from      string // what errors call it
	recipient age.Recipient
	identity  age.Identity
}

// credentialPrefix names a systemd credential instead of a file.
const credentialPrefix = "credential:"

// minPassphrase is the fewest characters that a passphrase may have.
const minPassphrase = 12

// WriteVaultKey makes an age identity and writes it to path, mode 0600. It returns the public half, and ErrExists if there is a file.
func WriteVaultKey(path string) (public string, err error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", fmt.Errorf("make vault key: %w", err)
	}
	text := fmt.Sprintf("# opens the vault's key ring; without it the vault is lost: keep a copy where the vault's backups are not\n# public key: %s\n%s\n", id.Recipient(), id)
	if err := writeNew(path, []byte(text), 0o600); err != nil {
		return "", err
	}
	return id.Recipient().String(), nil
}

// LoadVaultKey reads a vault key: a file with one age identity or one line of passphrase, which nobody but its owner may read, or
// `credential:NAME`, what systemd passes under that name (LoadCredential=, LoadCredentialEncrypted=) in the folder credentials, which is
// $CREDENTIALS_DIRECTORY.
func LoadVaultKey(where, credentials string) (*VaultKey, error) {
	name, isCredential := strings.CutPrefix(where, credentialPrefix)
	var b []byte
	var err error
	switch {
	case isCredential && (name == "" || name != filepath.Base(name)):
		return nil, fmt.Errorf("%q names no credential: write credential:NAME", where)
	case isCredential && credentials == "":
		return nil, fmt.Errorf("%s: systemd passes no credentials to this process: set LoadCredentialEncrypted=%s in the unit, or name a file", where, name)
	case isCredential:
		// systemd guards the folder, with an ACL that shows as permissions of the group.
		b, err = os.ReadFile(filepath.Join(credentials, name))
	default:
		b, err = readPrivate(where)
	}
	if err != nil {
		return nil, fmt.Errorf("read vault key: %w", err)
	}
	return parseVaultKey(where, b)
}

func parseVaultKey(from string, b []byte) (*VaultKey, error) {
	if !bytes.Contains(b, []byte("AGE-")) {
		return PassphraseKey(from, strings.TrimRight(string(b), "\r\n"))
	}
	ids, err := age.ParseIdentities(bytes.NewReader(b))
	if err == nil && len(ids) == 1 {
		if id, ok := ids[0].(*age.X25519Identity); ok {
			return &VaultKey{from, id.Recipient(), id}, nil
		}
	}
	// Not age's own error: it may quote the line.
	return nil, fmt.Errorf("%s does not hold exactly one age X25519 identity (AGE-SECRET-KEY-1…) or one line of passphrase", from)
}

// PassphraseKey makes a vault key of a passphrase. Sealing and opening takes about a second each, on purpose. from is what errors call it.
func PassphraseKey(from, passphrase string) (*VaultKey, error) {
	if len([]rune(passphrase)) < minPassphrase || strings.ContainsAny(passphrase, "\r\n") {
		return nil, fmt.Errorf("%s: the passphrase of a vault is one line of at least %d characters", from, minPassphrase)
	}
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	i, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	return &VaultKey{from, r, i}, nil
}

// String keeps the key out of logs.
func (k *VaultKey) String() string { return "<vault key " + k.from + ">" }

// Seal seals a few bytes to the key.
func (k *VaultKey) Seal(plain []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, k.recipient)
	if err == nil {
		_, err = w.Write(plain)
		err = errors.Join(err, w.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("seal with %s: %w", k, err)
	}
	return out.Bytes(), nil
}

// Open opens what Seal made.
func (k *VaultKey) Open(sealed []byte) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), k.identity)
	if err != nil {
		return nil, fmt.Errorf("%s does not open it", k)
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("%s opens it, but it is damaged", k)
	}
	return plain, nil
}
