package evidence

// PersonSet is a person of the team as the configuration has them. Subject: uN.
type PersonSet struct {
	Key    string   `json:"key"` // the configured id
	Name   string   `json:"name"`
	Email  string   `json:"email,omitempty"`
	Roles  []string `json:"roles"`   // analyst, reviewer, senior, legal, operator, auditor
	SSHKey string   `json:"ssh_key"` // one authorized_keys line without options
	// Fingerprint is the key's, as ssh-keygen prints it: SHA256:….
	Fingerprint string `json:"fingerprint"`
	Removed     bool   `json:"removed,omitempty"` // no longer on the roster
}

// Designation is one authority's listing of an organisation.
type Designation struct {
	Authority string `json:"authority"`         // `UN 1267`, `EU`, `UK`, `US FTO`, `Pakistan` …
	Reference string `json:"reference"`         // the list's own number or the act
	Date      string `json:"date"`              // as precise as known: 2011-07-29, 2011-01 or 2015
	Source    string `json:"source"`            // where it was read
	Note      string `json:"note,omitempty"`    // uncertainty, in words
	Aliases   []Text `json:"aliases,omitempty"` // names under which this authority lists it
}

// Text is a text in a language and script, given as a BCP 47 tag; the tag may be empty.
type Text struct {
	Value string `json:"value"`
	Lang  string `json:"lang,omitempty"`
}

// Organisation is whom targets are said to belong to.
type Organisation struct {
	ID           string        `json:"id"`
	Name         string        `json:"name"`
	Aliases      []Text        `json:"aliases,omitempty"`
	Designations []Designation `json:"designations"`
}

// Citation is the source that named an account.
type Citation struct {
	Title  string `json:"title"`
	URL    string `json:"url,omitempty"`
	Date   string `json:"date,omitempty"`
	SHA256 Digest `json:"sha256,omitzero"` // of the cited document, where one was given
}

// Affiliation says why this account is that organisation's.
type Affiliation struct {
	Basis    string   `json:"basis"`
	Citation Citation `json:"citation"`
}

// Collect says what is kept of a target.
type Collect struct {
	Backfill bool     `json:"backfill"`        // read the history to its start
	Media    []string `json:"media,omitempty"` // photo, document, video, audio
	MaxBytes int64    `json:"max_bytes"`       // of one file
}

// TargetSet is the effective target. Subject: tN. An identical target is not written again, whatever else its file says.
type TargetSet struct {
	Key          string       `json:"key"`      // the configured id
	Platform     string       `json:"platform"` // telegram, whatsapp …
	Address      string       `json:"address"`  // normalised: https://t.me/name
	Organisation Organisation `json:"organisation"`
	Affiliation  Affiliation  `json:"affiliation"`
	LegalBasis   string       `json:"legal_basis"`
	Collect      Collect      `json:"collect"`
	Report       bool         `json:"report"`
	ListedBy     string       `json:"listed_by"` // a person's configured id
	File         string       `json:"file"`      // base name of the watchlist
	FileSHA256   Digest       `json:"file_sha256"`
}

// TargetApproved is the second person's word that collection may begin. Subject: tN. Payload is the JSON of a Statement,
// signed with SSHSIG under the namespace decision@muhafiz.
type TargetApproved struct {
	Signed
	// Listing proves that the one who listed the target had signed that. Approvals of before there were signed listings, and
	// emergency starts, have none.
	Listing *ListingProof `json:"listing,omitempty"`
}

// TargetSuspended stops collection and unsent notices at once. Subject: tN.
type TargetSuspended struct {
	Reason string `json:"reason"`
}

// TargetRemoved says that a target left the watchlist. Subject: tN.
type TargetRemoved struct {
	Reason string `json:"reason"`
}

// TargetBound says which platform identity a target's address resolved to. Subject: tN.
type TargetBound struct {
	Account     Ref    `json:"account"`
	Address     string `json:"address"`
	Acquisition ID     `json:"acquisition"`
}

// BindingKey implements Binding.
func (p *PersonSet) BindingKey() string { return p.Key }

// BindingKey implements Binding.
func (t *TargetSet) BindingKey() string { return t.Key }

// Facets implements Observer: the whole roster entry.
func (p *PersonSet) Facets() []Facet { return []Facet{{Slot: "person", Value: canonical(p)}} }

// Facets implements Observer: all but the file that it stands in.
func (t *TargetSet) Facets() []Facet {
	return []Facet{{Slot: "target", Value: t.Effective()}}
}

// Facets implements Observer: a removed target that is set again is written again.
func (t *TargetRemoved) Facets() []Facet {
	return []Facet{{Slot: "target", Value: canonical("removed")}}
}

// Refs implements Referrer.
func (t *TargetBound) Refs() []*Ref { return []*Ref{&t.Account} }

// Facets implements Observer.
func (t *TargetBound) Facets() []Facet {
	return []Facet{{Slot: "bound", Value: canonical([]string{string(t.Account.Ordinal), t.Address})}}
}

// Kind implements Body.
func (*PersonSet) Kind() Kind { return KindPersonSet }

// Kind implements Body.
func (*TargetSet) Kind() Kind { return KindTargetSet }

// Kind implements Body.
func (*TargetApproved) Kind() Kind { return KindTargetApproved }

// Kind implements Body.
func (*TargetSuspended) Kind() Kind { return KindTargetSuspended }

// Kind implements Body.
func (*TargetRemoved) Kind() Kind { return KindTargetRemoved }

// Kind implements Body.
func (*TargetBound) Kind() Kind { return KindTargetBound }

// Schema implements Body.
func (*PersonSet) Schema() int { return 1 }

// Schema implements Body.
func (*TargetSet) Schema() int { return 1 }

// Schema implements Body.
func (*TargetApproved) Schema() int { return 1 }

// Schema implements Body.
func (*TargetSuspended) Schema() int { return 1 }

// Schema implements Body.
func (*TargetRemoved) Schema() int { return 1 }

// Schema implements Body.
func (*TargetBound) Schema() int { return 1 }
