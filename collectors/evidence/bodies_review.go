package evidence

import "slices"

// SignatureNamespace is the SSHSIG namespace of what people decide.
const SignatureNamespace = "decision@muhafiz"

// Signed is a statement and the signature over its exact bytes.
type Signed struct {
	Payload   string `json:"payload"`   // the JSON of a Statement, kept exactly
	Signature string `json:"signature"` // armored SSHSIG over the payload, namespace SignatureNamespace
}

// The types of a Statement.
const (
	StatementDecision       = "decision"
	StatementApproval       = "approval"
	StatementTargetApproval = "target-approval"
	StatementAdjudication   = "adjudication" // a third person's, between the first who decided and the second who refused
	StatementRelisting      = "relisting"    // a marked address belongs on the list after all
	StatementIdentity       = "identity"     // a target is another account now
	StatementErasure        = "erasure"      // what was collected of a stopped target is erased
	StatementOrder          = "order"        // something is done with a quarantined post
)

// Statement is what a person signs. Its JSON bytes are signed and kept as Signed.Payload; nothing is re-encoded.
type Statement struct {
	Type        string    `json:"type"`
	Vault       string    `json:"vault"`       // the vault's id: a signature is worth nothing elsewhere
	Person      string    `json:"person"`      // configured id
	Fingerprint string    `json:"fingerprint"` // of the key that signs
	Time        Time      `json:"time"`        // the signer's clock
	Exhibits    []Exhibit `json:"exhibits"`    // what was looked at, bound by leaf hash
	Comment     string    `json:"comment,omitempty"`

	Case        Ordinal `json:"case,omitempty"`
	CaseVersion int64   `json:"case_version,omitempty"` // the version of the case that the person saw

	// Of a decision.
	Outcome string  `json:"outcome,omitempty"` // report, no_action
	Grounds *Ground `json:"grounds,omitempty"`

	// Of an approval: the decision that it confirms or refuses, and of a target's approval: the target as it was set.
	Confirms *RecordRef `json:"confirms,omitempty"`
	Agree    bool       `json:"agree,omitempty"`
	Until    Time       `json:"until,omitzero"` // of a target's approval that ends
	// Blind marks an approval whose person had not been shown the decision: instead of Agree it has an Outcome of its own. It marks a
	// decision that waits for such an approval whatever its outcome; without it, a decision of no action closes the case.
	Blind bool `json:"blind,omitempty"`

	// Adjudicates is the refusal that a third person decides upon; Confirms is then the decision that was refused.
	Adjudicates *RecordRef `json:"adjudicates,omitempty"`
	// Lifts is the mark that a relisting sets aside; Confirms is then the target as it was set.
	Lifts *RecordRef `json:"lifts,omitempty"`
	// Identity is the account that a target is now, as the platform has it: `telegram channel 1234`. Confirms is the target as it was set.
	Identity string `json:"identity,omitempty"`
	// Lists is what a listing signs.
	Lists *Lists `json:"lists,omitempty"`
	// Orders is what two people want done with a quarantined post; Confirms is then the record that quarantined it.
	Orders *Order `json:"orders,omitempty"`
}

// Agrees reports whether a word on a decision agrees with it. A blind one does where it comes to the same outcome on the same
// exhibits. That Confirms names this very decision is for the caller to check.
func (s Statement) Agrees(decision Statement) bool {
	if !s.Blind {
		return s.Agree
	}
	return s.Outcome != "" && s.Outcome == decision.Outcome && slices.Equal(s.Exhibits, decision.Exhibits)
}

// RecordRef binds a record by its place in the log and its RFC 6962 leaf hash.
type RecordRef struct {
	Seq  int64  `json:"seq"`
	Leaf Digest `json:"leaf"`
}

// Exhibit is one numbered version of a post within a case.
type Exhibit struct {
	Number int     `json:"number"` // from 1
	Post   Ordinal `json:"post"`
	RecordRef
}

// Ground is why a case is reported: who (designation) and what (the rule broken) are different things.
type Ground struct {
	Designation RecordRef `json:"designation"` // the target.set that carried the designations, as it stood
	Affiliation string    `json:"affiliation"` // the basis, as reviewed
	Passages    []Passage `json:"passages"`
	Languages   []string  `json:"languages"` // that the reviewer reads
}

// Passage is what one exhibit breaks.
type Passage struct {
	Exhibit   int    `json:"exhibit"`
	Quote     string `json:"quote"`              // in the original; must occur in the exhibit's text, or describes its media
	Gloss     string `json:"gloss,omitempty"`    // in English
	GlossBy   string `json:"gloss_by,omitempty"` // human or machine
	Rule      string `json:"rule"`               // the platform's rule or the offence, in words
	Offence   string `json:"offence,omitempty"`  // incites, solicits_act, solicits_participation, instructs, threatens, claims, glorifies, fundraises
	Severity  string `json:"severity"`           // low, medium, high, threat-to-life
	Exclusion string `json:"exclusion"`          // none, or journalism, research, education, art, counter-speech, human-rights
}

// CaseOpened begins the case of an account. Subject: cN.
type CaseOpened struct {
	Key     string `json:"key"`
	Account Ref    `json:"account"`
	Target  string `json:"target"` // configured id of the target that it was collected under
	// Follows is the account's case before this one, which had been approved or had left when further exhibits were decided.
	Follows Ordinal `json:"follows,omitempty"`
}

// Decision is the first person's signed statement. Subject: cN.
type Decision struct {
	Signed
	// NamesAPerson marks a statement about an exhibit that names a private person: its quotes may do so as well.
	NamesAPerson bool `json:"names_person,omitempty"`
}

// Approval is the second person's signed statement, or the third person's between the first two. Subject: cN.
type Approval struct{ Signed }

// BindingKey implements Binding.
func (c *CaseOpened) BindingKey() string { return c.Key }

// NamesPerson implements PrivateBody.
func (d *Decision) NamesPerson() bool { return d.NamesAPerson }

// Refs implements Referrer.
func (c *CaseOpened) Refs() []*Ref { return []*Ref{&c.Account} }

// Kind implements Body.
func (*CaseOpened) Kind() Kind { return KindCaseOpened }

// Kind implements Body.
func (*Decision) Kind() Kind { return KindDecision }

// Kind implements Body.
func (*Approval) Kind() Kind { return KindApproval }

// Schema implements Body.
func (*CaseOpened) Schema() int { return 1 }

// Schema implements Body.
func (*Decision) Schema() int { return 1 }

// Schema implements Body.
func (*Approval) Schema() int { return 1 }
