package evidence

// The states of an account as one vantage sees it. What cannot be told apart is StatusUnknown: unknown is not removed, and the loss of our
// own account is neither.
const (
	StatusUp         = "up"
	StatusRemoved    = "removed"    // the platform knows neither the account nor the name; it does not say who took it away
	StatusRestricted = "restricted" // it is there, and the platform withholds it somewhere
	StatusRenamed    = "renamed"    // the same account under other names than the target's
	StatusUnknown    = "unknown"
)

// Why an account is in a state, in words for programs.
const (
	StatusPrivate   = "private"    // the platform does not let us in: made private, or removed; it answers the same to both
	StatusNotPublic = "not-public" // it answers to its number and has no public name any more
	StatusNameFree  = "name-free"  // nobody bears the target's name
	StatusNameMoved = "name-moved" // another account bears it
	StatusEmptied   = "emptied"    // it is there, and no post of it is shown to us
)

// Status says that what a vantage sees of an account is another state than before. Subject: aN, or tN where the account was never known.
type Status struct {
	State       string        `json:"state"`
	Because     string        `json:"because,omitempty"`
	Method      string        `json:"method"`
	Vantage     string        `json:"vantage"`
	Said        string        `json:"said,omitempty"`   // the platform's words exactly: `channels.getFullChannel: 400 CHANNEL_PRIVATE`
	Detail      string        `json:"detail,omitempty"` // a sentence for people
	Restriction []Restriction `json:"restriction,omitempty"`
	Names       []string      `json:"names,omitempty"`        // public names that it bears now
	Acquisition ID            `json:"acquisition,omitzero"`   // of the reply, where the platform sent one and not an error
	Observed    Span          `json:"observed"`               // of the requests that it was concluded from
	Was         string        `json:"was,omitempty"`          // the state before, of this vantage
	LastSeen    Time          `json:"last_observed,omitzero"` // when the vantage last saw the account without this state
}

// RuleIdentity is the rule of a Finding that a target's address leads to another account than before.
const RuleIdentity = "identity-changed"

// Finding is what a rule or a model found and a person should look at. Subject: what it is about.
type Finding struct {
	Rule        string `json:"rule"`
	Detail      string `json:"detail,omitempty"` // a sentence for people
	Vantage     string `json:"vantage,omitempty"`
	Address     string `json:"address,omitempty"`
	Was         *Ref   `json:"was,omitempty"` // the account before
	Now         *Ref   `json:"now,omitempty"` // the account that was found
	Acquisition ID     `json:"acquisition,omitzero"`
	Observed    Span   `json:"observed,omitzero"`
}

// TargetConfirmed is a person's word that a target now is another account, which its address leads to. Subject: tN. Nothing is collected
// of that account until a second person approves the target anew. Payload is the JSON of a Statement, signed with SSHSIG under the
// namespace decision@muhafiz.
type TargetConfirmed struct {
	Signed
	Account Ref `json:"account"`
}

// Facets implements Observer: the state within the vantage and the method.
func (s *Status) Facets() []Facet {
	v := struct {
		State, Because string
		Restriction    []Restriction
		Names          []string
	}{s.State, s.Because, s.Restriction, nil}
	if s.State == StatusRenamed {
		v.Names = s.Names
	}
	return []Facet{{Slot: "status " + s.Vantage + " " + s.Method, Value: canonical(v)}}
}

// Refs implements Referrer.
func (f *Finding) Refs() []*Ref {
	var out []*Ref
	for _, r := range []*Ref{f.Was, f.Now} {
		if r != nil {
			out = append(out, r)
		}
	}
	return out
}

// Kind implements Body.
func (*Status) Kind() Kind { return KindStatus }

// Kind implements Body.
func (*Finding) Kind() Kind { return KindFinding }

// Schema implements Body.
func (*Status) Schema() int { return 1 }

// Schema implements Body.
func (*Finding) Schema() int { return 1 }

// Refs implements Referrer.
func (t *TargetConfirmed) Refs() []*Ref { return []*Ref{&t.Account} }

// Kind implements Body.
func (*TargetConfirmed) Kind() Kind { return KindTargetConfirmed }

// Schema implements Body.
func (*TargetConfirmed) Schema() int { return 1 }
