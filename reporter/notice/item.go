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
	Action       string `json:"requested_action"`
	GoodFaith    string `json:"good_faith,omitempty"`
}

// The request where a route says nothing else.
const defaultAction = "Review each account and post below under your rules, remove or restrict what breaks them, and tell us the outcome with the case number."

const defaultGoodFaith = "We believe in good faith that what is stated here is accurate and complete. Two people reviewed each case."

// Notice is the machine twin; its JSON is the file notice.json.
type Notice struct {
	Format    string        `json:"format"` // muhafiz-notice/1
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
	Account      Account                `json:"account"`
	Organisation string                 `json:"organisation"`
	Designations []evidence.Designation `json:"designations"`
	Affiliation  string                 `json:"affiliation"`
	FirstSeen    evidence.Time          `json:"first_recorded,omitzero"`
	LastSeen     evidence.Time          `json:"last_recorded,omitzero"`
	Passages     []Passage              `json:"passages"`
	Decision     evidence.RecordRef     `json:"decision"`
	Approval     evidence.RecordRef     `json:"approval"`
}

// Account is the account that a case is about.
type Account struct {
	Platform  string   `json:"platform"`
	Type      string   `json:"type"` // channel …
	ID        string   `json:"id"`   // the platform's permanent id
	Address   string   `json:"address"`
	Title     string   `json:"title,omitempty"`
	Usernames []string `json:"usernames,omitempty"`
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

var severities = map[string]int{"low": 1, "medium": 2, "high": 3, "threat-to-life": 4}

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
