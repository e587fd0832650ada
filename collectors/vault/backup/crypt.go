package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"filippo.io/age"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Recipients are who can read a backup: age public keys (age1…). The zero value stands for a backup that is not encrypted.
type Recipients struct {
	text []string
	to   []age.Recipient
}

// ParseRecipients reads age public keys.
func ParseRecipients(keys []string) (Recipients, error) {
	var r Recipients
	for _, k := range keys {
		got, err := age.ParseRecipients(strings.NewReader(k))
		if err != nil || len(got) != 1 {
			return r, fmt.Errorf("%q is not an age public key (age1…); age-keygen makes one", k)
		}
		r.text, r.to = append(r.text, strings.TrimSpace(k)), append(r.to, got[0])
	}
	slices.Sort(r.text)
	return r, nil
}

// digest names the set of recipients.
func (r Recipients) digest() evidence.Digest { return evidence.Sum([]byte(strings.Join(r.text, "\n"))) }

// Seal returns b encrypted, or b itself where there are no recipients.
func (r Recipients) Seal(b []byte) ([]byte, error) {
	if len(r.to) == 0 {
		return b, nil
	}
	var out bytes.Buffer
	out.Grow(len(b) + len(b)/4096 + 1024)
	err := r.sealTo(&out, bytes.NewReader(b))
	return out.Bytes(), err
}

func (r Recipients) sealTo(out io.Writer, in io.Reader) error {
	w, err := age.Encrypt(out, r.to...)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, in); err != nil {
		return err
	}
	return w.Close()
}

// Identities open an encrypted backup. The zero value opens none.
type Identities []age.Identity

// ParseIdentities reads an age identity file.
func ParseIdentities(r io.Reader) (Identities, error) {
	ids, err := age.ParseIdentities(r)
	if err != nil {
		return nil, fmt.Errorf("not an age identity file (AGE-SECRET-KEY-1…): %w", err)
	}
	return ids, nil
}

var (
	// ErrIdentity: the backup is for somebody else.
	ErrIdentity = errors.New("the backup is encrypted to other recipients: give the identity file of one of those that its manifest lists (--identity)")
	// ErrNoIdentity: the backup is encrypted and no identity was given.
	ErrNoIdentity = errors.New("the backup is encrypted: give the age identity file of one of its recipients (--identity)")
)

// open returns a reader of what was sealed.
func (ids Identities) open(r io.Reader) (io.Reader, error) {
	if len(ids) == 0 {
		return nil, ErrNoIdentity
	}
	out, err := age.Decrypt(r, ids...)
	var no *age.NoIdentityMatchError
	if errors.As(err, &no) {
		return nil, ErrIdentity
	}
	return out, err
}

func (ids Identities) openBytes(b []byte) ([]byte, error) {
	r, err := ids.open(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
