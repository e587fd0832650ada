package evidence

import "encoding/json"

// The methods by which a post can be observed. Versions are compared within one method.
const (
	MethodMTProto  = "mtproto"
	MethodWhatsApp = "whatsapp"
	MethodPreview  = "preview"
	MethodExport   = "export"
	MethodCapture  = "capture" // a person with a browser; the vantage is that person
)

// Acquisition is one request that brought something, or one imported file. Subject: aN where the account is known, else tN.
type Acquisition struct {
	Method        string          `json:"method"`                    // the call: `messages.getHistory`, `import telegram-export`
	Request       json.RawMessage `json:"request,omitempty"`         // its parameters, as one JSON object without access hashes or keys
	Reply         Object          `json:"reply,omitzero"`            // the reply's bytes, an object of their own
	Reencoded     bool            `json:"reply_reencoded,omitempty"` // the client library handed over decoded data: these bytes are our encoding
	Alias         string          `json:"alias,omitempty"`           // our own account's alias
	Vantage       string          `json:"vantage,omitempty"`         // where it looks from
	Observed      Span            `json:"observed"`                  // request sent, reply complete
	ServerDate    Time            `json:"server_date,omitzero"`      // the platform's clock, where the reply has one
	ClockOffsetMS *int64          `json:"clock_offset_ms,omitempty"` // the platform's clock less ours
	Build         string          `json:"build,omitempty"`           //
	Layer         int             `json:"layer,omitempty"`           // MTProto schema layer
	File          string          `json:"file,omitempty"`            // base name, of an import
	Operator      string          `json:"operator,omitempty"`        // who ran an import: a person's id or a login name
	TimesAreLocal bool            `json:"times_are_local,omitempty"` // an export without a time zone
	Skipped       []Skipped       `json:"skipped,omitempty"`         // parts that were not read into records, each with its reason
	// Undecoded says that the reply could not be read, and so brought nothing. Reply names its bytes where they were kept.
	Undecoded *Undecoded `json:"undecoded,omitempty"`
}

// Undecoded is a reply that this build could not read.
type Undecoded struct {
	Why    string `json:"why"`    // in our words; nothing of the reply is quoted
	SHA256 Digest `json:"sha256"` // of all that came, kept or not
	Size   int64  `json:"size"`
}

// Skipped is a part of an import that did not become a record.
type Skipped struct {
	Where  string `json:"where"` // `messages[17]`, `message 42 .text`
	Reason string `json:"reason"`
}

// PostSeen is a version of a post. Subject: aN/POST.
type PostSeen struct {
	Method      string `json:"method"`
	Vantage     string `json:"vantage,omitempty"`
	Acquisition ID     `json:"acquisition"`
	Observed    Span   `json:"observed"`

	ClaimedAt    Time   `json:"claimed_at,omitzero"`     // the platform's date of the post
	EditedAt     Time   `json:"edited_at,omitzero"`      // the platform's date of the last edit
	ClaimedLocal string `json:"claimed_local,omitempty"` // a date without a zone, as it stands in an export
	EditedLocal  string `json:"edited_local,omitempty"`

	Text        string   `json:"text"`
	InvalidUTF8 bool     `json:"invalid_utf8,omitempty"` // the original is in the raw bytes
	Entities    []Entity `json:"entities,omitempty"`
	Media       []Media  `json:"media,omitempty"`
	Service     *Service `json:"service,omitempty"`

	Author      *Ref          `json:"author,omitempty"` // a signature, as a pseudonym
	Forward     *Forward      `json:"forward,omitempty"`
	ReplyTo     string        `json:"reply_to,omitempty"` // message number in the same account
	Group       string        `json:"group,omitempty"`    // album id
	Restriction []Restriction `json:"restriction,omitempty"`
	Marks       []string      `json:"marks,omitempty"` // pinned, silent, paid, spoiler, noforwards …

	Reply     *Reply     `json:"reply,omitempty"`      // what ReplyTo alone does not say: a quote, a post elsewhere, a story
	Via       *Ref       `json:"via,omitempty"`        // the bot through which the post was made
	Effect    string     `json:"effect,omitempty"`     // id of the effect that is played with the post
	TTL       int64      `json:"ttl,omitempty"`        // seconds after which the platform removes the post by itself
	ExpiresAt Time       `json:"expires_at,omitzero"`  // of a story
	Stars     int64      `json:"stars,omitempty"`      // price at which its media is sold
	FactCheck *FactCheck `json:"fact_check,omitempty"` // what the platform had a fact checker say of it
	Unknown   []string   `json:"unknown,omitempty"`    // type names of parts that this build does not describe; they are in the raw bytes

	NamesAPerson bool   `json:"names_person,omitempty"` // the text or an entity names a private person
	Raw          *Slice `json:"raw,omitempty"`          // where the post stands in its acquisition's reply
	RawExact     bool   `json:"raw_exact"`              // the bytes at Raw are the post as the platform sent it
}

// Entity is a formatted stretch of text. Offset and length count UTF-16 code units, as Telegram does.
type Entity struct {
	Type   string `json:"type"` // bold, text_link, mention_name, custom_emoji …
	Offset int    `json:"offset"`
	Length int    `json:"length"`
	URL    string `json:"url,omitempty"`
	Lang   string `json:"lang,omitempty"`
	ID     string `json:"id,omitempty"` // of a custom emoji
	Person *Ref   `json:"person,omitempty"`

	Collapsed bool `json:"collapsed,omitempty"` // of a quote that shows only its beginning
	Date      Time `json:"date,omitzero"`       // of a formatted date
	Outside   bool `json:"outside,omitempty"`   // the stretch does not lie within the text, or cuts a character in two
}

// Media is what the post carries; ID is the platform's identity of it, stable across file references.
type Media struct {
	ID       string `json:"id"`   // `photo 123`, `document 456`
	Type     string `json:"type"` // photo, document, video, audio, voice, sticker, poll, geo, webpage …
	Size     int64  `json:"size,omitempty"`
	MIME     string `json:"mime,omitempty"`
	Name     string `json:"name,omitempty"`
	Width    int    `json:"width,omitempty"`
	Height   int    `json:"height,omitempty"`
	Duration string `json:"duration,omitempty"` // seconds, decimal
	Detail   string `json:"detail,omitempty"`   // what has no file: a poll's question, a place, a link

	Marks  []string `json:"marks,omitempty"`  // spoiler, paid, ttl, live …: of this medium
	Locked bool     `json:"locked,omitempty"` // it is sold, and only its outline was shown
	Facts  []Fact   `json:"facts,omitempty"`  // what the platform tells of it, in the platform's order
	Person *Ref     `json:"person,omitempty"` // of a contact: whose it is, as a pseudonym
	Origin *Ref     `json:"origin,omitempty"` // of a shared story or a giveaway: the account that it belongs to
}

// Fact is something that the platform tells of a medium, such as {option, A} of a poll or {title, …} of a link's preview.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Service is an event in the channel that is not a text: a title change, a pinned post.
type Service struct {
	Action string `json:"action"`
	Detail string `json:"detail,omitempty"`
	Facts  []Fact `json:"facts,omitempty"` // what else the platform tells of it, apart from who took part
}

// Forward is where a forwarded post says that it comes from.
type Forward struct {
	From *Ref   `json:"from,omitempty"` // an account, or a private person's pseudonym
	Post string `json:"post,omitempty"`
	At   Time   `json:"at,omitzero"`
	// AtLocal is a date without a zone, from an export.
	AtLocal string `json:"at_local,omitempty"`

	Signature *Ref   `json:"signature,omitempty"`  // who signed it there, as a pseudonym
	SavedFrom *Ref   `json:"saved_from,omitempty"` // the chat out of which it was forwarded, where that is another
	SavedPost string `json:"saved_post,omitempty"` // its message number there
	SavedAt   Time   `json:"saved_at,omitzero"`
	Imported  bool   `json:"imported,omitempty"` // the platform imported it from another application
}

// Reply is what a post answers, so far as ReplyTo does not say it.
type Reply struct {
	To      *Ref   `json:"to,omitempty"`    // the chat, where it is another one
	Post    string `json:"post,omitempty"`  // message number in that chat
	Story   string `json:"story,omitempty"` // number of a story there
	From    *Ref   `json:"from,omitempty"`  // who wrote what is answered, where the platform copies it
	At      Time   `json:"at,omitzero"`     // when
	Quote   string `json:"quote,omitempty"` // the passage that is answered
	Quoted  bool   `json:"quoted,omitempty"`
	Offset  int    `json:"offset,omitempty"`  // of the quote in what is answered, in UTF-16 code units
	Carried string `json:"carried,omitempty"` // type of the media in what is answered
}

// FactCheck is a fact checker's note under a post, as the platform shows it in one country.
type FactCheck struct {
	Country string `json:"country,omitempty"`
	Text    string `json:"text,omitempty"`
}

// Slice is a stretch of an acquisition's reply, in bytes.
type Slice struct {
	Offset int64 `json:"offset"`
	Length int64 `json:"length"`
}

// PostCounts is what a page of posts counted at one time. Subject: aN.
type PostCounts struct {
	Acquisition ID     `json:"acquisition"`
	At          Time   `json:"at"`
	Posts       []Post `json:"posts"`
}

// Post is one post's counters; -1 stands for "not told".
type Post struct {
	Post      string           `json:"post"`
	Views     int64            `json:"views"`
	Forwards  int64            `json:"forwards"`
	Replies   int64            `json:"replies"`
	Reactions map[string]int64 `json:"reactions,omitempty"`

	Voters *int64  `json:"voters,omitempty"` // of a poll; never who
	Votes  []int64 `json:"votes,omitempty"`  // by option, in the poll's order; -1 stands for "not told"
	Closed bool    `json:"closed,omitempty"` // the poll takes no more votes
}

// The ways in which a post can be gone; they are different things.
const (
	GoneDeletionNotice = "deletion_notice"    // the platform announced the deletion
	GoneMissing        = "missing_at_recheck" // it was asked for and was not there
	GoneErased         = "erased_by_platform" // the platform says that it took it away
)

// PostGone says that a post is no longer there for one vantage. Subject: aN/POST.
type PostGone struct {
	How         string `json:"how"`
	Method      string `json:"method"`
	Vantage     string `json:"vantage,omitempty"`
	Acquisition ID     `json:"acquisition"`
	Observed    Span   `json:"observed"`
}

// MediaKept says that a file of a post is in the vault. Subject: aN/POST.
type MediaKept struct {
	MediaID     string `json:"media_id"`
	Blob        Object `json:"blob"`
	MIME        string `json:"mime,omitempty"` // found in the bytes, not the platform's claim
	Name        string `json:"name,omitempty"`
	Acquisition ID     `json:"acquisition"`
	Observed    Span   `json:"observed"`
	Thumbnail   bool   `json:"thumbnail,omitempty"`
	// StandsFor is the rule by which the file itself is not here, where a smaller rendering of it is: collect.max_bytes …; or `disk`
	StandsFor string `json:"stands_for,omitempty"`
	Announced int64  `json:"announced,omitempty"` // the platform's claim of the size, where the bytes show another one
}

// MediaMissed says why a file of a post is not in the vault. Subject: aN/POST.
type MediaMissed struct {
	MediaID     string `json:"media_id"`
	Reason      string `json:"reason"` // not-included, too-large, not-collected, unreachable, unsafe-path, no-room …
	Detail      string `json:"detail,omitempty"`
	Size        int64  `json:"size,omitempty"` // the platform's claim
	Acquisition ID     `json:"acquisition"`
	Rule        string `json:"rule,omitempty"`      // of the target's configuration: collect.max_bytes …
	Next        Time   `json:"next,omitzero"`       // when it will be tried again, where the reason may pass
	Attempts    int    `json:"attempts,omitempty"`  // in vain, after which it was given up
	Thumbnail   bool   `json:"thumbnail,omitempty"` // it is the smaller rendering that is missed, too
}

// Blobs implements Blobber.
func (a *Acquisition) Blobs() []Digest { return a.Reply.list() }

// Blobs implements Blobber.
func (m *MediaKept) Blobs() []Digest { return m.Blob.list() }

// Refs implements Referrer.
func (p *PostSeen) Refs() []*Ref {
	var refs []*Ref
	if p.Author != nil {
		refs = append(refs, p.Author)
	}
	add := func(list ...*Ref) {
		for _, r := range list {
			if r != nil {
				refs = append(refs, r)
			}
		}
	}
	if f := p.Forward; f != nil {
		add(f.From, f.Signature, f.SavedFrom)
	}
	if p.Reply != nil {
		add(p.Reply.To, p.Reply.From)
	}
	add(p.Via)
	for i := range p.Entities {
		add(p.Entities[i].Person)
	}
	for i := range p.Media {
		add(p.Media[i].Person, p.Media[i].Origin)
	}
	return refs
}

// NamesPerson implements PrivateBody.
func (p *PostSeen) NamesPerson() bool { return p.NamesAPerson }

// Facets implements Observer.
func (p *PostGone) Facets() []Facet { return []Facet{presence(p.Vantage, p.Method, p.How, nil)} }

// Facets implements Observer.
func (m *MediaKept) Facets() []Facet {
	slot := "media " + m.MediaID
	if m.Thumbnail {
		slot = "thumb " + m.MediaID
	}
	return []Facet{{Slot: slot, Value: m.Blob.SHA256}}
}

// Facets implements Observer.
func (m *MediaMissed) Facets() []Facet {
	slot, what := "media "+m.MediaID, m.Reason
	if m.Thumbnail {
		slot = "thumb " + m.MediaID
	}
	if m.Attempts > 0 { // a second record of the same reason: nothing will follow
		what += " for good"
	}
	return []Facet{{Slot: slot, Value: canonical(what)}}
}

// presence is the facet of being there, gone or restricted as one vantage sees it. Being there without restriction is what
// an empty slot stands for.
func presence(vantage, method, gone string, r []Restriction) Facet {
	f := Facet{Slot: "at " + vantage + " " + method, Default: gone == "" && len(r) == 0}
	if f.Default {
		f.Value = hereValue
	} else {
		f.Value = canonical(struct {
			Gone        string
			Restriction []Restriction
		}{gone, r})
	}
	return f
}

var hereValue = Sum([]byte("here"))

// Kind implements Body.
func (*Acquisition) Kind() Kind { return KindAcquisition }

// Kind implements Body.
func (*PostSeen) Kind() Kind { return KindPostSeen }

// Kind implements Body.
func (*PostCounts) Kind() Kind { return KindPostCounts }

// Kind implements Body.
func (*PostGone) Kind() Kind { return KindPostGone }

// Kind implements Body.
func (*MediaKept) Kind() Kind { return KindMediaKept }

// Kind implements Body.
func (*MediaMissed) Kind() Kind { return KindMediaMissed }

// Schema implements Body.
func (*Acquisition) Schema() int { return 1 }

// Schema implements Body.
func (*PostSeen) Schema() int { return 1 }

// Schema implements Body.
func (*PostCounts) Schema() int { return 1 }

// Schema implements Body.
func (*PostGone) Schema() int { return 1 }

// Schema implements Body.
func (*MediaKept) Schema() int { return 1 }

// Schema implements Body.
func (*MediaMissed) Schema() int { return 1 }
