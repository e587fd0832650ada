package evidence

// AccountBound gives an ordinal to a platform identity; the vault writes it before the ordinal's first use. Subject: aN, or pN for a
// private person.
type AccountBound struct {
	Key      string `json:"key"` // `PLATFORM TYPE ID`
	Platform string `json:"platform"`
	Type     string `json:"type"` // channel, user …
	ID       string `json:"id"`   // the platform's own, as text
	Private  bool   `json:"private,omitempty"`
}

// AccountSeen is a snapshot of an account's public metadata. Subject: aN.
type AccountSeen struct {
	Method      string        `json:"method"`
	Vantage     string        `json:"vantage"`
	Acquisition ID            `json:"acquisition"`
	Observed    Span          `json:"observed"`
	Usernames   []string      `json:"usernames,omitempty"`
	Title       string        `json:"title"`
	About       string        `json:"about,omitempty"`
	InvalidUTF8 bool          `json:"invalid_utf8,omitempty"` // a name or text was not UTF-8, see the raw bytes
	PhotoID     string        `json:"photo_id,omitempty"`
	CreatedAt   Time          `json:"created_at,omitzero"` // the platform's claim
	Verified    bool          `json:"verified,omitempty"`
	Scam        bool          `json:"scam,omitempty"`
	Fake        bool          `json:"fake,omitempty"`
	Restriction []Restriction `json:"restriction,omitempty"`
	Subscribers int64         `json:"subscribers,omitempty"` // at the time; not compared
	LinkedChat  string        `json:"linked_chat,omitempty"` // id of a discussion group, never read
}

// Restriction is the platform's own mark that content is withheld somewhere.
type Restriction struct {
	Where  string `json:"where"` // all, ios, android …
	Reason string `json:"reason"`
	Text   string `json:"text,omitempty"`
}

// Collector is the state of one of our own accounts or sources, or a folded count of empty polls. Subject: sN.
type Collector struct {
	Key      string `json:"key"` // the source's name
	Platform string `json:"platform,omitempty"`
	State    string `json:"state"` // starting, healthy, flood-waiting, logged-out, needs-password, frozen, banned, failed, polls, stopped
	Detail   string `json:"detail,omitempty"`
	Until    Time   `json:"until,omitzero"` // of a wait
	Polls    int64  `json:"polls,omitempty"`
	Span     *Span  `json:"span,omitempty"`
	Advice   string `json:"advice,omitempty"` // what a person can do
	// FrozenSince and FrozenUntil are the platform's word on a frozen account: until when it is only that, and not deleted.
	FrozenSince Time   `json:"frozen_since,omitzero"`
	FrozenUntil Time   `json:"frozen_until,omitzero"`
	Appeal      string `json:"appeal,omitempty"` // where the platform takes appeals
}

// Gap is a stretch that could not be observed. Subject: tN or aN.
type Gap struct {
	Span
	Cause  string `json:"cause"` // restart, outage, flood-wait, too-long, account-lost, not-authorised, disk …
	Detail string `json:"detail,omitempty"`
	Source string `json:"source"`
	// Recovered says that the history was read again across the gap, so that what is lost is only what came and went within it.
	Recovered bool `json:"recovered,omitempty"`
}

// BindingKey implements Binding.
func (a *AccountBound) BindingKey() string { return a.Key }

// BindingKey implements Binding.
func (c *Collector) BindingKey() string { return c.Key }

// NamesPerson implements PrivateBody.
func (a *AccountBound) NamesPerson() bool { return a.Private }

// Facets implements Observer: everything but the subscriber count and who looked; restrictions compare per vantage.
func (a *AccountSeen) Facets() []Facet {
	c := *a
	c.Vantage, c.Acquisition, c.Observed, c.Restriction, c.Subscribers = "", ID{}, Span{}, nil, 0
	return []Facet{{Slot: a.Method, Value: canonical(c)}, presence(a.Vantage, a.Method, "", a.Restriction)}
}

// Kind implements Body.
func (*AccountBound) Kind() Kind { return KindAccountBound }

// Kind implements Body.
func (*AccountSeen) Kind() Kind { return KindAccountSeen }

// Kind implements Body.
func (*Collector) Kind() Kind { return KindCollector }

// Kind implements Body.
func (*Gap) Kind() Kind { return KindGap }

// Schema implements Body.
func (*AccountBound) Schema() int { return 1 }

// Schema implements Body.
func (*AccountSeen) Schema() int { return 1 }

// Schema implements Body.
func (*Collector) Schema() int { return 1 }

// Schema implements Body.
func (*Gap) Schema() int { return 1 }
