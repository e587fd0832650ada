package notice

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Redress is a correction or a withdrawal; its JSON is the file notice.json.
type Redress struct {
	Format    string        `json:"format"` // muhafiz-correction/1
	Kind      string        `json:"kind"`   // correction, withdrawal
	Reference string        `json:"reference"`
	Vault     string        `json:"vault"`
	Date      evidence.Time `json:"date"`
	Platform  string        `json:"platform"`
	Sender    Letterhead    `json:"sender"`
	Wrong     Wrong         `json:"wrong_notice"`
	Reason    string        `json:"reason"`
}

// Wrong is the notice that is put right.
type Wrong struct {
	Reference string             `json:"reference"`
	MessageID string             `json:"message_id,omitempty"`
	Title     string             `json:"title"`
	Sent      evidence.Time      `json:"sent,omitzero"`
	Tickets   []string           `json:"tickets,omitempty"` // the addressee's own numbers
	Cases     []evidence.Ordinal `json:"cases"`
	Accounts  []Account          `json:"accounts"` // those that it is put right for
}

// NewRedress makes a correction or withdrawal.
func NewRedress(vault, reference, platform, kind string, now time.Time, head Letterhead, wrong Wrong, reason string) Redress {
	k, _ := LawOf(kind)
	head.Action, head.GoodFaith = k.Action, ""
	return Redress{
		Format: "muhafiz-correction/1", Kind: k.Code, Reference: reference, Vault: vault, Date: evidence.At(now),
		Platform: platform, Sender: head, Wrong: wrong, Reason: reason,
	}
}

// Title is the subject line: ours alone, without foreign text.
func (r Redress) Title() string {
	k, _ := LawOf(r.Kind)
	return fmt.Sprintf("%s %s: our notice %s", k.Title, r.Reference, r.Wrong.Reference)
}

// Text returns the part for people: plain text in lines that end in LF.
func (r Redress) Text() string {
	k, _ := LawOf(r.Kind)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.Title())
	field(&b, "", "From", r.Sender.Organisation)
	field(&b, "", "Status of the notifier", r.Sender.Status)
	field(&b, "", "Corrections and questions", r.Sender.Contact)
	field(&b, "", "Platform", r.Platform)
	field(&b, "", "Date", day(r.Date.Time))
	fmt.Fprintf(&b, "\n%s\n", k.Statement)
	field(&b, "  ", "Notice", r.Wrong.Reference)
	field(&b, "  ", "Subject", r.Wrong.Title)
	field(&b, "  ", "Message", r.Wrong.MessageID)
	field(&b, "  ", "Sent", day(r.Wrong.Sent.Time))
	field(&b, "  ", "Your ticket", isolate(strings.Join(r.Wrong.Tickets, ", ")))
	for _, c := range r.Wrong.Cases {
		fmt.Fprintf(&b, "  Case: %s of the log %s\n", c, r.Vault)
	}
	for _, a := range r.Wrong.Accounts {
		field(&b, "  ", "Account", a.Platform+" "+a.Type+" "+a.ID)
		field(&b, "    ", "Address", a.Address)
		field(&b, "    ", "Names", isolate(strings.Join(a.Usernames, ", ")))
	}
	fmt.Fprintf(&b, "\nWhy\n  %s\n\nRequested action\n  %s\n", isolate(r.Reason), r.Sender.Action)
	fmt.Fprintf(&b, "\nQuestions go to %s.\n", r.Sender.Contact)
	return b.String()
}

// Machine returns the JSON twin, indented, ending in a line feed.
func (r Redress) Machine() ([]byte, error) {
	b, err := json.MarshalIndent(r, "", "  ")
	return append(b, '\n'), err
}

// ReadMachine reads the JSON twin of a notice, as a correction needs it.
func ReadMachine(b []byte) (Notice, error) {
	var n Notice
	if err := json.Unmarshal(b, &n); err != nil {
		return n, fmt.Errorf("read the notice's JSON: %w", err)
	}
	return n, nil
}
