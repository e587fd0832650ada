package secrets

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
	"golang.org/x/mod/sumdb/note"
)

// CredentialPrefix begins the place of a key that systemd hands over (LoadCredential=, LoadCredentialEncrypted=; systemd.exec(5)).
const CredentialPrefix = "credential:"

// MinPassphrase is how many bytes a passphrase for a new key has at least.
const MinPassphrase = 12

var credentialName = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$`)

// LogKeySource says where a log key is and how it is opened.
type LogKeySource struct {
	At         string                 // a file, or credential:NAME
	Getenv     func(string) string    // nil: os.Getenv
	Passphrase func() (string, error) // asked where the key is sealed with a passphrase; nil: nobody can be asked
}

// OpenLogKey reads a checkpoint key: a private file or a systemd credential, in the clear or sealed with a passphrase (age, scrypt). The
// error is fs.ErrNotExist where there is no file; that a credential is missing is another error, since no key is to be made for it.
func OpenLogKey(s LogKeySource) (signer note.Signer, vkey string, err error) {
	b, at, err := s.read()
	if err != nil {
		return nil, "", err
	}
	if sealed(b) {
		if b, err = s.unseal(b, at); err != nil {
			return nil, "", err
		}
	}
	skey := strings.TrimSpace(string(b))
	signer, err = note.NewSigner(skey)
	if err != nil {
		return nil, "", fmt.Errorf("%s holds no log key (PRIVATE+KEY+…); restore it from where you keep your keys", at)
	}
	vkey, err = publicOf(signer.Name(), skey)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", at, err)
	}
	return signer, vkey, nil
}

// read returns the key's bytes and its place, for messages.
func (s LogKeySource) read() (b []byte, at string, err error) {
	name, ok := strings.CutPrefix(s.At, CredentialPrefix)
	if !ok {
		if b, err = readPrivate(s.At); err != nil {
			err = fmt.Errorf("read log key: %w", err)
		}
		return b, s.At, err
	}
	if !credentialName.MatchString(name) {
		return nil, "", fmt.Errorf("%q is not the name of a systemd credential: use letters, digits, dot, hyphen and underscore", name)
	}
	getenv := s.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	dir := getenv("CREDENTIALS_DIRECTORY")
	if !filepath.IsAbs(dir) {
		return nil, "", fmt.Errorf("the log key is the systemd credential %s, and systemd hands over none here (CREDENTIALS_DIRECTORY is not set): start muhafiz by its unit, with LoadCredential=%s:FILE or LoadCredentialEncrypted= in it; commands of people reach the running daemon and need no key", name, name)
	}
	b, err = readKey(filepath.Join(dir, name), 0o037) // systemd gives a service's user an ACL, whose mask shows as the group's read bit
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", fmt.Errorf("the unit hands over no credential %s: add LoadCredential=%s:FILE to it", name, name)
	}
	if err != nil {
		return nil, "", fmt.Errorf("read the log key from the credential %s: %w", name, err)
	}
	return b, "the credential " + name, nil
}

const ageIntro = "age-encryption.org/"

func sealed(b []byte) bool {
	return bytes.HasPrefix(b, []byte(ageIntro)) || bytes.HasPrefix(bytes.TrimSpace(b), []byte(armor.Header))
}

func (s LogKeySource) unseal(b []byte, at string) ([]byte, error) {
	if s.Passphrase == nil {
		return nil, fmt.Errorf("%s is protected by a passphrase, and there is nobody to ask for it: put log_key_passphrase: {file: PATH} into the configuration, or start on a terminal", at)
	}
	pass, err := s.Passphrase()
	if err != nil {
		return nil, fmt.Errorf("the passphrase of %s: %w", at, err)
	}
	if pass == "" {
		return nil, fmt.Errorf("no passphrase was given for %s", at)
	}
	id, err := age.NewScryptIdentity(pass)
	if err != nil {
		return nil, fmt.Errorf("the passphrase of %s cannot be used: %w", at, err)
	}
	in := io.Reader(bytes.NewReader(b))
	if !bytes.HasPrefix(b, []byte(ageIntro)) {
		in = armor.NewReader(bufio.NewReader(in))
	}
	r, err := age.Decrypt(in, id)
	var other *age.NoIdentityMatchError
	switch {
	case errors.As(err, &other) && bytes.Contains(unarmored(b), []byte("\n-> scrypt ")):
		return nil, fmt.Errorf("the passphrase does not open %s; try again, nothing was changed", at)
	case errors.As(err, &other):
		return nil, fmt.Errorf("%s is not sealed with a passphrase but for another key: open it with age -d -i IDENTITY and seal it with age -p", at)
	case err != nil:
		return nil, fmt.Errorf("%s is damaged: %w; restore it from where you keep your keys", at, err)
	}
	out, err := io.ReadAll(io.LimitReader(r, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: %w; restore it from where you keep your keys", at, err)
	}
	return out, nil
}

// unarmored returns the beginning of an age file, in either form.
func unarmored(b []byte) []byte {
	if bytes.HasPrefix(b, []byte(ageIntro)) {
		return b
	}
	out, err := io.ReadAll(io.LimitReader(armor.NewReader(bytes.NewReader(b)), 1<<10))
	if err != nil {
		return nil
	}
	return out
}

// WriteSealedLogKey makes a checkpoint key and writes it to path sealed with a passphrase, as an armored age file that `age -d` opens too.
// It returns the public key, and ErrExists if there is a file.
func WriteSealedLogKey(path, origin, passphrase string) (vkey string, err error) {
	if len(passphrase) < MinPassphrase {
		return "", fmt.Errorf("the passphrase has %d bytes; choose one of at least %d: whoever has the file can try as many as they like", len(passphrase), MinPassphrase)
	}
	skey, vkey, err := NewLogKey(origin)
	if err != nil {
		return "", err
	}
	b, err := sealKey(skey+"\n", passphrase, 0)
	if err != nil {
		return "", err
	}
	return vkey, writeNew(path, b, 0o600)
}

// sealKey seals with a scrypt work factor of 2^logN, age's own (about a second) where logN is 0.
func sealKey(text, passphrase string, logN int) ([]byte, error) {
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("seal log key: %w", err)
	}
	if logN > 0 {
		to.SetWorkFactor(logN)
	}
	var out bytes.Buffer
	arm := armor.NewWriter(&out)
	w, err := age.Encrypt(arm, to)
	if err != nil {
		return nil, fmt.Errorf("seal log key: %w", err)
	}
	_, err = io.WriteString(w, text)
	if err := errors.Join(err, w.Close(), arm.Close()); err != nil {
		return nil, fmt.Errorf("seal log key: %w", err)
	}
	return out.Bytes(), nil
}
