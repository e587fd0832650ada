package config

import "slices"

// The roles of a person.
const (
	RoleAnalyst  = "analyst"  // lists targets, decides cases
	RoleReviewer = "reviewer" // confirms what another person decided
	RoleSenior   = "senior"   // a reviewer who can also release what needs a third look
	RoleLegal    = "legal"    // fetches full bundles, places holds
	RoleOperator = "operator" // runs the daemon
	RoleAuditor  = "auditor"  // reads the log
)

// Roles returns all roles.
func Roles() []string {
	return []string{RoleAnalyst, RoleReviewer, RoleSenior, RoleLegal, RoleOperator, RoleAuditor}
}

// Person is one of the team. Two people share neither id nor key.
type Person struct {
	// ID is a short name in lower case, used wherever a person is named: listed_by, the log, the command line. It is never
	// given to somebody else later.
	ID string `yaml:"id,required"`
	// Name is the person's name. It stays inside the vault and the bundles.
	Name string `yaml:"name,required"`
	// Email is optional.
	Email string `yaml:"email"`
	// Roles are any of analyst, reviewer, senior, legal, operator, auditor. At least one.
	Roles []string `yaml:"roles,required"`
	// SSHKey is the public key with which the person signs: an authorized_keys line, or {file: PATH.pub}. Ed25519, ECDSA, RSA of
	// 3072 bits or more, and the hardware-backed sk- forms of the first two.
	SSHKey PublicKey `yaml:"ssh_key,required"`

	Pos Position `yaml:"-"`
}

// Has reports whether the person has a role.
func (p Person) Has(role string) bool { return slices.Contains(p.Roles, role) }

// CanDecide reports whether the person may list targets and decide cases: analysts, reviewers, seniors.
func (p Person) CanDecide() bool {
	return p.Has(RoleAnalyst) || p.CanApprove()
}

// CanApprove reports whether the person may be the second one: reviewers, seniors.
func (p Person) CanApprove() bool { return p.Has(RoleReviewer) || p.Has(RoleSenior) }

// PublicKey is an SSH public key.
type PublicKey struct {
	Line        string // type and base64, as in authorized_keys, without options and comment
	Type        string // ssh-ed25519 …
	Fingerprint string // as ssh-keygen prints it: SHA256:…
}
