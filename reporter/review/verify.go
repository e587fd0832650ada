package review

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

const maxSignature = 16 << 10

// verify reads a statement and proves that the person made it: the signature is by the key that the roster holds for them now.
func (d *Desk) verify(ctx context.Context, person, typ string, s evidence.Signed) (Person, evidence.Statement, error) {
	st, err := ParseStatement(s.Payload)
	if err == nil {
		err = d.checkClock()
	}
	if err != nil {
		return Person{}, st, err
	}
	p, err := d.person(ctx, person)
	if err != nil {
		return p, st, err
	}
	key, fingerprint, err := p.key()
	if err != nil {
		return p, st, err
	}
	if err := d.verifySignature(ctx, p, key, s); err != nil {
		return p, st, err
	}
	switch {
	case st.Type != typ:
		err = refuse(BadStatement, "this is a signed %q, and a %q was asked for", st.Type, typ)
	case st.Vault != d.Log.ID():
		err = refuse(WrongVault, "the statement was made for vault %s and this is vault %s; prepare it here", clip(st.Vault), d.Log.ID())
	case st.Person != p.ID:
		err = refuse(WrongPerson, "the statement speaks for %s and %s handed it in; each person signs for themselves", clip(st.Person), p.ID)
	case st.Fingerprint != fingerprint:
		err = refuse(WrongKey, "the statement names key %s and the roster holds %s for %s; prepare it again", clip(st.Fingerprint), fingerprint, p.ID)
	case st.Time.After(d.now().Add(clockStep)):
		err = refuse(BadStatement, "the statement is dated %s, which has not come yet; prepare it again", st.Time.UTC().Format(time.RFC3339))
	}
	return p, st, err
}

func (d *Desk) verifySignature(ctx context.Context, p Person, key ssh.PublicKey, s evidence.Signed) error {
	if len(s.Signature) > maxSignature {
		return refuse(BadSignature, "the signature has %d bytes, more than any SSH signature; sign again", len(s.Signature))
	}
	sig, err := sshsig.Unarmor([]byte(s.Signature))
	if err != nil {
		return refuse(BadSignature, "the signature cannot be read; sign with ssh-keygen -Y sign -n %s", evidence.SignatureNamespace)
	}
	err = sshsig.Verify(strings.NewReader(s.Payload), sig, key, sig.HashAlgorithm, evidence.SignatureNamespace)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sshsig.ErrPublicKeyMismatch):
		return d.strangeKey(ctx, p, ssh.FingerprintSHA256(sig.PublicKey))
	case errors.Is(err, sshsig.ErrNamespaceMismatch):
		return refuse(BadSignature, "the signature was made for the namespace %q and not for %s; sign again", clip(sig.Namespace), evidence.SignatureNamespace)
	}
	return refuse(BadSignature, "the signature does not match the statement; prepare it again and sign it unchanged")
}

// strangeKey tells a key that nobody on the roster holds from one that somebody else holds.
func (d *Desk) strangeKey(ctx context.Context, p Person, fingerprint string) error {
	all, err := d.Roster(ctx)
	if err != nil {
		return err
	}
	for _, other := range all {
		if _, f, err := other.key(); err == nil && f == fingerprint && !other.Removed {
			return refuse(WrongKey, "this was signed with the key of %s and not with that of %s; each person signs with their own", other.ID, p.ID)
		}
	}
	return refuse(UnknownKey, "the key %s is not on the roster; sign with the key that the roster holds for %s, or have the new one added", fingerprint, p.ID)
}

func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}
