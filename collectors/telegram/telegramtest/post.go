package telegramtest

import (
	"strings"
	"unicode/utf16"
)

// Post is a message of a channel as the world keeps it. The zero value of a field means that the message does not carry it.
type Post struct {
	ID       int // assigned when zero; a number given must be above the channel's last one
	Date     int // Unix seconds, UTC; the world's clock when zero
	EditDate int // Unix seconds, UTC; set by Edit
	Text     string
	Entities []Entity

	Photo    *Photo
	Document *Document
	WebPage  *WebPage
	Poll     *Poll
	Geo      *Geo
	Venue    *Venue
	Contact  *Contact
	Game     *Game
	Invoice  *Invoice
	Giveaway *Giveaway
	Dice     *Dice
	Todo     *Todo
	Story    *StoryLink
	Paid     *Paid
	// Unsupported carries a medium that the platform says this layer cannot show.
	Unsupported bool

	Group       int64 // album id: posts of one album share it
	Forward     *Forward
	Signature   string // the author's name under the post
	ReplyTo     int    // message number in the same channel
	Action      *Action
	Views       int
	Forwards    int
	Replies     int
	Reactions   map[string]int // emoji to count
	Restriction []Restriction
	NoForwards  bool
	Pinned      bool
	Silent      bool

	Reply         *Reply
	ViaBot        int64
	Effect        int64
	TTL           int   // seconds
	Stars         int64 // price of the post itself
	FactCheck     *FactCheck
	EditHide      bool
	Comments      bool // comments are open, even if there are none
	PaidReactions int
	Recent        []int64 // users who reacted, commented or voted lately, whom the platform names and nobody may record
}

// Entity is a formatted stretch of the text, in UTF-16 code units as on the wire.
type Entity struct {
	Type string // bold, italic, underline, strike, spoiler, code, pre, quote, url, text_url, mention, mention_name, hashtag, email, phone, custom_emoji,
	// cashtag, bank_card, bot_command, collapsed_quote, date
	Offset int
	Length int
	URL    string // of text_url
	Lang   string // of pre
	User   int64  // of mention_name
	Emoji  int64  // document id of custom_emoji
	Date   int    // Unix seconds, of date
}

// EntityOf returns the entity of the first occurrence of part in text; without one it covers nothing.
func EntityOf(text, part, typ string) Entity {
	i := strings.Index(text, part)
	if i < 0 {
		return Entity{Type: typ}
	}
	return Entity{Type: typ, Offset: units(text[:i]), Length: units(part)}
}

func units(s string) int { return len(utf16.Encode([]rune(s))) }

// Photo is a picture of a post. ID is assigned when zero; a changed picture is a new Photo.
type Photo struct {
	ID    int64
	Bytes []byte `json:"-"` // the largest size, type "y"
	Thumb []byte `json:"-"` // a smaller size, type "m", when not empty
	// Width and Height are of the largest size; read from a PNG or JPEG when zero.
	Width, Height int
	Progressive   bool // the largest size is announced as photoSizeProgressive, as the platform mostly does
	Spoiler       bool
}

// Document is a file of a post.
type Document struct {
	ID       int64
	Bytes    []byte `json:"-"`
	Thumb    []byte `json:"-"` // a preview, type "m", when not empty
	Name     string
	MIME     string // application/octet-stream when empty
	Kind     string // "", video, round, animation, audio, voice, sticker, custom_emoji
	Title    string // of audio
	By       string // performer of audio
	Cover    *Photo // of a video
	TTL      int    // seconds after which it is gone once looked at
	Width    int
	Height   int
	Duration float64 // seconds
	Spoiler  bool
	// Size is announced instead of len(Bytes) when not zero: a file that is too large to keep needs no bytes to say so.
	Size int64
}

// WebPage is a link preview.
type WebPage struct {
	ID          int64
	URL         string
	SiteName    string
	Title       string
	Description string
	Photo       *Photo
	Pending     bool // the platform has not made the preview yet
}

// Poll is a question; Answers get the options 0, 1 and so on.
type Poll struct {
	ID       int64
	Question string
	Answers  []string

	Closed, Quiz, Multiple bool
	Right                  int    // option that is right, of a quiz
	Solution               string // of a quiz
	Closes                 int    // Unix seconds, UTC
	Votes                  []int  // by option; nil while the platform does not tell
	Voters                 int
}

// Geo is a point in degrees. With a period it is live and moves by edits.
type Geo struct {
	Lat, Long float64
	Accuracy  int // metres
	Period    int // seconds
	Heading   int // degrees
}

// Forward is where a post says that it comes from: one of Channel, User and Name.
type Forward struct {
	Channel   int64
	Post      int // message number in Channel
	User      int64
	Name      string // of an account that hides itself
	Signature string
	Date      int // Unix seconds, UTC

	SavedChannel int64 // the channel through which it came
	SavedPost    int
	Imported     bool
}

// Action makes the post a service message.
type Action struct {
	Type   string // create, title, photo, photo_deleted, pin, ttl, migrated, boost, call, giveaway_ended, custom
	Detail string // the title, or the text of a custom action
	Period int    // seconds, of ttl and call; number, of boost and giveaway_ended
	From   int64  // group that became this channel, of migrated
}

// Restriction is the platform's mark that a channel or post is withheld somewhere.
type Restriction struct {
	Platform string // all, ios, android …
	Reason   string // terms, copyright …
	Text     string
}

// User is a person or a bot. ID and AccessHash are assigned when zero.
type User struct {
	ID         int64
	AccessHash int64
	Username   string
	FirstName  string
	LastName   string
	Bot        bool
}

// clone returns a post that shares no mutable part with p but the bytes of its files, which nobody changes.
func (p Post) clone() Post {
	p.Entities = append([]Entity(nil), p.Entities...)
	p.Restriction = append([]Restriction(nil), p.Restriction...)
	p.Photo, p.Document, p.WebPage = copied(p.Photo), copied(p.Document), copied(p.WebPage)
	p.Geo, p.Forward, p.Action = copied(p.Geo), copied(p.Forward), copied(p.Action)
	if p.Poll = copied(p.Poll); p.Poll != nil {
		p.Poll.Answers = append([]string(nil), p.Poll.Answers...)
		p.Poll.Votes = append([]int(nil), p.Poll.Votes...)
	}
	p.cloneKinds()
	if p.Reactions != nil {
		m := make(map[string]int, len(p.Reactions))
		for k, v := range p.Reactions {
			m[k] = v
		}
		p.Reactions = m
	}
	return p
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}
