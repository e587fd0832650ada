package notice

import (
	"encoding/json"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Letterhead is what our side says of itself and asks for. It names no analyst.
type Letterhead struct {
	Organisation string `json:"organisation"`
	Contact      string `json:"contact"`          // e-mail address for questions and corrections
	Status       string `json:"status,omitempty"` // `ordinary`, `trusted flagger`, `authority (PK)`
	Action       string `json:"requested_action"` // empty: the kind's
	GoodFaith    string `json:"good_faith,omitempty"`
}

const defaultGoodFaith = "We believe in good faith that what is stated here is accurate and complete. Two people reviewed each case."

// Notice is the machine twin; its JSON is the file notice.json.
type Notice struct {
	Format    string        `json:"format"` // muhafiz-notice/1
	Kind      string        `json:"kind"`   // the law's name for it: platform-rules, dsa-art16 …
	Basis     string        `json:"basis"`  // what it is made under
	Language  string        `json:"language"`
	Urgent    bool          `json:"threat_to_life,omitempty"`
	Reference string        `json:"reference"`
	Vault     string        `json:"vault"` // case numbers are this vault's
	Date      evidence.Time `json:"date"`
	Platform  string        `json:"platform"`
	Severity  string        `json:"severity"` // the highest
	Sender    Letterhead    `json:"sender"`
	WhoWhat   string        `json:"who_and_what"`
	Items     []Item        `json:"items"`
}

// Item is one case.
type Item struct {
	Case         evidence.Ordinal       `json:"case"`
	Severity     string                 `json:"severity"`
	Action       string                 `json:"requested_action"`
	Account      Account                `json:"account"`
	Organisation string                 `json:"organisation"`
	Designations []evidence.Designation `json:"designations"`
	Affiliation  string                 `json:"affiliation"`
	FirstSeen    evidence.Time          `json:"first_recorded,omitzero"`
	LastSeen     evidence.Time          `json:"last_recorded,omitzero"`
	Passages     []Passage              `json:"passages"`
	Hashes       []evidence.Digest      `json:"media_sha256,omitempty"` // of all media of the exhibits, each once, sorted
	Decision     evidence.RecordRef     `json:"decision"`
	Approval     evidence.RecordRef     `json:"approval"`
	Grounds      []Ground               `json:"-"` // what the case offers, cited or not
}

// Account is the account that a case is about.
type Account struct {
	Platform  string   `json:"platform"`
	Type      string   `json:"type"` // channel …
	ID        string   `json:"id"`   // the platform's permanent id
	Address   string   `json:"address"`
	Title     string   `json:"title,omitempty"`
	Usernames []string `json:"usernames,omitempty"`

	Names     []UsedName    `json:"names_used,omitempty"` // every username that was seen, oldest first
	Audience  *Audience     `json:"audience,omitempty"`
	FirstSeen evidence.Time `json:"first_recorded,omitzero"` // of the account itself
	LastSeen  evidence.Time `json:"last_recorded,omitzero"`
}

// UsedName is a username and when a record held it first and last.
type UsedName struct {
	Name  string        `json:"name"`
	First evidence.Time `json:"first_recorded,omitzero"`
	Last  evidence.Time `json:"last_recorded,omitzero"`
}

// Audience is the number of subscribers as the platform gave it at the last recorded snapshot.
type Audience struct {
	Subscribers int64         `json:"subscribers"`
	At          evidence.Time `json:"at,omitzero"`
}

// Passage is what one post breaks, and the proof of it.
type Passage struct {
	Exhibit   int                `json:"exhibit"`
	PostID    string             `json:"post_id"` // the platform's message number
	Link      string             `json:"link,omitempty"`
	Claimed   string             `json:"claimed_at,omitempty"` // the platform's date
	FirstSeen evidence.Time      `json:"first_recorded,omitzero"`
	LastSeen  evidence.Time      `json:"last_recorded,omitzero"`
	Gone      string             `json:"gone,omitempty"` // how it was found gone, where the newest observation missed it
	Edited    bool               `json:"edited_since,omitempty"`
	Quote     string             `json:"quote"`
	Gloss     string             `json:"gloss,omitempty"`
	GlossBy   string             `json:"gloss_by,omitempty"`
	Rule      string             `json:"rule"`
	Offence   string             `json:"offence,omitempty"` // incites, solicits_act …
	Severity  string             `json:"severity"`
	Record    evidence.RecordRef `json:"record"`
	BodyHash  evidence.Digest    `json:"body_sha256"`
	Media     []Media            `json:"media,omitempty"` // digests only, nothing is attached
}

// Media is a file of a post that we hold.
type Media struct {
	Type   string          `json:"type"`
	SHA256 evidence.Digest `json:"sha256"`
	Size   int64           `json:"size"`
}

// ThreatToLife is the gravest severity: such a case leaves alone, and says so in its subject.
const ThreatToLife = "threat-to-life"

var severities = map[string]int{"low": 1, "medium": 2, "high": 3, ThreatToLife: 4}

func higher(a, b string) string {
	if severities[b] > severities[a] {
		return b
	}
	return a
}

// Machine returns the JSON twin, indented, ending in a line feed.
func (n Notice) Machine() ([]byte, error) {
	b, err := json.MarshalIndent(n, "", "  ")
	return append(b, '\n'), err
}
