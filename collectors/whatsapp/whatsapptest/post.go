package whatsapptest

import (
	"fmt"
	"maps"
	"slices"
)

// Post is a channel's message as the world keeps it. The zero value of a field means that the message does not carry it.
type Post struct {
	ServerID  int    // assigned when zero; a number given must be above the channel's last one
	MessageID string // assigned when empty
	Date      int64  // Unix seconds; the world's clock when zero
	EditMS    int64  // Unix milliseconds of the last edit or of the deletion; set by Edit and Delete
	Text      string // the caption, when there is a file
	Media     *Media
	Poll      *Poll
	Link      *Link
	Quote     *Quote
	Forward   *Forward
	Views     int
	Forwards  int
	Reactions map[string]int // emoji to count
	Deleted   Deletion       // set by Delete

	// Raw is sent as the plaintext instead of what the fields above say: malformed or huge protobuf.
	Raw []byte
	// NoPlaintext leaves the plaintext element out altogether.
	NoPlaintext bool
}

// Deletion is how a deletion looks on the wire. The client library raises an event for the first two only.
type Deletion string

// The wire forms of a deletion, all in a message with edit "8".
const (
	DeleteEmpty  Deletion = "empty"  // a plaintext of no bytes
	DeleteRevoke Deletion = "revoke" // a plaintext with a ProtocolMessage REVOKE
	DeleteBare   Deletion = "bare"   // a plaintext element without content: a warning, no event
	DeleteAbsent Deletion = "absent" // no plaintext element: nothing at all
)

// Deletions returns all forms.
func Deletions() []Deletion { return []Deletion{DeleteEmpty, DeleteRevoke, DeleteBare, DeleteAbsent} }

// Media is a file of a post. ID is assigned when zero; a changed file is a new Media.
type Media struct {
	ID      int64
	Kind    string // image, video, round, gif, audio, voice, document, sticker; document when empty
	Bytes   []byte `json:"-"`
	MIME    string
	Name    string // of a document
	Thumb   []byte // inline JPEG preview
	Width   int
	Height  int
	Seconds int

	Length   uint64 // announced instead of len(Bytes)
	SHA256   []byte // announced instead of the true digest
	URL      string // absolute URL in the message, which the library fetches as given: see Trap
	NoPath   bool   // without a direct path
	MediaKey []byte // without an encrypted digest, as voice notes come: the library then fails with "invalid media hmac"
	Tamper   Tamper
}

// Tamper is how a file is served otherwise than announced.
type Tamper string

// The kinds of tampering. Expired, Forbidden and Failing are HTTP statuses.
const (
	TamperNone     Tamper = ""
	WrongBytes     Tamper = "wrong bytes"  // of the announced length
	Truncated      Tamper = "truncated"    // half of it
	Padded         Tamper = "padded"       // bytes after the end
	CutShort       Tamper = "cut short"    // the connection breaks in the middle
	GzipBomb       Tamper = "gzip bomb"    // Content-Encoding gzip, a gigabyte of zeros in a megabyte
	Endless        Tamper = "endless"      // a body that never ends
	Stalled        Tamper = "stalled"      // half of it, then silence
	Expired        Tamper = "410"          // as after the server's retention
	Missing        Tamper = "404"          //
	Forbidden      Tamper = "403"          //
	Overloaded     Tamper = "429"          // with Retry-After: 1
	Failing        Tamper = "500"          //
	RedirectedAway Tamper = "redirect to " // followed by a URL
)

// Poll is a question; votes are not played.
type Poll struct {
	Question string
	Options  []string
	Multiple bool
}

// Link is a link preview of a text.
type Link struct{ URL, Title, Description string }

// Quote is the post that this one replies to.
type Quote struct {
	MessageID string
	Text      string
}

// Forward is where a post says that it comes from: a channel, or nothing but having been forwarded.
type Forward struct {
	Channel  string // JID
	ServerID int
	Name     string
	Score    int // how often forwarded; 1 when zero
}

// clone returns a post that shares no mutable part with p but its file, which nobody changes but Tamper.
func (p Post) clone() Post {
	p.Poll, p.Link, p.Quote, p.Forward = copied(p.Poll), copied(p.Link), copied(p.Quote), copied(p.Forward)
	if p.Poll != nil {
		p.Poll.Options = slices.Clone(p.Poll.Options)
	}
	p.Reactions = maps.Clone(p.Reactions)
	return p
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

// messageID looks like the ids that phones make.
func messageID(n int64) string { return fmt.Sprintf("3EB0%016X", uint64(n)*0x9E3779B97F4A7C15) }
