package review

import (
	"slices"

	"golang.org/x/crypto/ssh"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// The roles of the roster.
const (
	RoleAnalyst  = "analyst"
	RoleReviewer = "reviewer"
	RoleSenior   = "senior"
	RoleLegal    = "legal"
	RoleOperator = "operator"
	RoleAuditor  = "auditor"
)

// Person is an entry of the roster view, whose keys are the configured ids.
type Person struct {
	ID          string           `json:"id"`
	Ordinal     evidence.Ordinal `json:"ordinal"`
	Name        string           `json:"name"`
	Roles       []string         `json:"roles"`
	SSHKey      string           `json:"ssh_key"`
	Fingerprint string           `json:"fingerprint"`
	Removed     bool             `json:"removed,omitempty"`
}

// Has reports whether the person holds one of the roles.
func (p Person) Has(roles ...string) bool {
	return slices.ContainsFunc(p.Roles, func(r string) bool { return slices.Contains(roles, r) })
}

// key returns the public key and its fingerprint as computed, which is what counts, not the fingerprint that was written down.
func (p Person) key() (ssh.PublicKey, string, error) {
	k, _, _, _, err := ssh.ParseAuthorizedKey([]byte(p.SSHKey))
	if err != nil {
		return nil, "", refuse(UnknownKey, "the roster holds no readable SSH key for %s; put one into the configuration", p.ID)
	}
	return k, ssh.FingerprintSHA256(k), nil
}

func applyRoster(r evidence.Record, kv evidence.KV) error {
	if r.Kind != evidence.KindPersonSet {
		return nil
	}
	b, ok := body[*evidence.PersonSet](r)
	if !ok {
		return nil
	}
	return put(kv, b.Key, Person{
		ID: b.Key, Ordinal: r.Subject, Name: b.Name, Roles: b.Roles,
		SSHKey: b.SSHKey, Fingerprint: b.Fingerprint, Removed: b.Removed,
	})
}
