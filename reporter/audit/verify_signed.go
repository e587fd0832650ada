package audit

import (
	"encoding/json"
	"strings"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// enlisted is a person as the roster had them when a record was written.
type enlisted struct {
	ordinal evidence.Ordinal
	key     string // authorized_keys line
	removed bool
}

// signed checks the signature of a body that holds a statement: by the key that the roster held for that person then, and recorded as
// that person's act. Whose roster entry is not in the export cannot be checked, and is counted.
func (v *verifier) signed(r evidence.Record) error {
	if r.Kind == evidence.KindPersonSet {
		p, err := evidence.Decode[*evidence.PersonSet](r)
		if err != nil {
			return wrong("%w", err)
		}
		v.roster[p.Key] = enlisted{r.Subject, p.SSHKey, p.Removed}
		return nil
	}
	var s evidence.Signed
	var st evidence.Statement
	if err := json.Unmarshal(r.Body, &s); err != nil {
		return wrong("the body of record %d is not JSON: %w", r.Seq, err)
	}
	if s.Payload == "" && s.Signature == "" {
		return nil // no statement
	}
	if err := json.Unmarshal([]byte(s.Payload), &st); err != nil {
		return wrong("the statement in record %d cannot be read: %w", r.Seq, err)
	}
	p, known := v.roster[st.Person]
	if !known {
		v.rep.Unchecked++
		return nil
	}
	if p.removed || p.ordinal != r.Actor {
		return wrong("record %d holds a statement of %q and is the act of %s, which is not that person on the roster of then", r.Seq, st.Person, r.Actor)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(p.key))
	if err != nil {
		return wrong("the roster's key of %q before record %d cannot be read: %w", st.Person, r.Seq, err)
	}
	sig, err := sshsig.Unarmor([]byte(s.Signature))
	if err != nil {
		return wrong("the signature in record %d cannot be read: %w", r.Seq, err)
	}
	if err := sshsig.Verify(strings.NewReader(s.Payload), sig, key, sig.HashAlgorithm, evidence.SignatureNamespace); err != nil {
		return wrong("the statement in record %d is not signed by the key that the roster held for %q: %w", r.Seq, st.Person, err)
	}
	v.rep.Signatures++
	return nil
}
