package chatexport

import (
	"errors"
	"fmt"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Why an entry of the file, or a part of one, did not become a record. They are the keys of Report.Reasons.
const (
	ReasonMalformed = "malformed"
	ReasonTooLarge  = "too large"
	ReasonNoNumber  = "no usable message number"
	ReasonDuplicate = "second entry with this number in the file"
	ReasonCutOff    = "cut off by the end of the file"
)

// entry is one element of `messages`, read.
type entry struct {
	number  int64
	part    string             // of the post's name, where it is no message number of Telegram
	body    *evidence.PostSeen // nil: skipped as a whole, for reason
	counts  *evidence.Post
	files   []file
	reason  string
	skipped []evidence.Skipped // the entry itself, or parts of it
}

// reader turns the elements of one chat's `messages` into posts.
type reader struct {
	channel int64
	own     string // the channel's user name, lower case, where it is known
	seen    map[int64]uint64
}

// entry reads the element v, which stands at index; failed is what the scanner said of it. Offsets in it count from base.
func (r *reader) entry(index int, v *value, failed error, base int64) entry {
	e := entry{}
	where := fmt.Sprintf("messages[%d]", index)
	if failed != nil {
		e.skip(where, reasonOf(failed), fmt.Sprintf("%s (byte %d, %d bytes)", reasonOf(failed), v.offset-base, v.length))
		return e
	}
	f, err := readFields(v.raw, r.own)
	if err != nil {
		e.skip(where, ReasonMalformed, fmt.Sprintf("malformed at byte %d, %d bytes: %v", v.offset-base, v.length, err))
		return e
	}
	n, err := number(f.id)
	if err != nil || n <= 0 {
		e.skip(where, ReasonNoNumber, ReasonNoNumber)
		return e
	}
	if r.repeated(n) {
		// Two claims about one post in one file: which one Telegram made is not for us to say. The first one stands, both stay in the
		// raw bytes, and reading the file again does not swing between them.
		e.skip(fmt.Sprintf("messages[%d], message %d", index, n), ReasonDuplicate, fmt.Sprintf("%s (byte %d, %d bytes)", ReasonDuplicate, v.offset-base, v.length))
		return e
	}
	e.number = n
	e.body = &evidence.PostSeen{
		Method: evidence.MethodExport, Vantage: vantage,
		Raw: &evidence.Slice{Offset: v.offset - base, Length: v.length}, RawExact: true,
	}
	e.fill(r, &f)
	e.oversize(v, base)
	if v.length > largeEntry {
		e.trim()
	}
	return e
}

func reasonOf(err error) string {
	if errors.Is(err, errTooLarge) {
		return ReasonTooLarge
	}
	return ReasonMalformed
}

func (e *entry) skip(where, reason, detail string) {
	e.reason = reason
	e.skipped = append(e.skipped, evidence.Skipped{Where: where, Reason: detail})
}

// maxLost bounds the list of what one message lost; its bytes are whole in the raw bytes.
const maxLost = 20

// lose notes a part of the message that could not be read; the rest of it is kept, with a mark.
func (e *entry) lose(field, why string) {
	e.mark(true, "incomplete")
	if len(e.skipped) >= maxLost {
		return
	}
	e.skipped = append(e.skipped, evidence.Skipped{Where: fmt.Sprintf("message %d .%s", e.number, field), Reason: why})
}

func (e *entry) mark(on bool, name string) {
	for _, m := range e.body.Marks {
		on = on && m != name
	}
	if on {
		e.body.Marks = append(e.body.Marks, name)
	}
}

// oversize notes the strings that were too large to be read; they are empty in the record and whole in the raw bytes.
func (e *entry) oversize(v *value, base int64) {
	for _, o := range v.oversize {
		e.mark(true, "incomplete")
		e.skipped = append(e.skipped, evidence.Skipped{
			Where:  fmt.Sprintf("message %d, string at byte %d", e.number, o.offset-base),
			Reason: fmt.Sprintf("%d bytes, over %d MiB: left empty, whole in the raw bytes", o.length, maxString>>20),
		})
	}
}

// repeated notes a number and reports whether it was there before. A bit a message keeps it small: posts lie close together.
func (r *reader) repeated(n int64) bool {
	if r.seen == nil {
		r.seen = map[int64]uint64{}
	}
	bit := uint64(1) << (n & 63)
	old := r.seen[n>>6]
	r.seen[n>>6] = old | bit
	return old&bit != 0
}

func (e *entry) fill(r *reader, f *fields) {
	b := e.body
	b.ClaimedAt, b.ClaimedLocal = e.when("date", f.dateUnix, f.date)
	b.EditedAt, b.EditedLocal = e.when("edited", f.editedUnix, f.edited)
	e.text(r, f)
	e.people(r, f)
	if n, err := number(f.replyTo); err == nil && n > 0 {
		if isNull(f.replyPeer) || r.ours(f.replyPeer) {
			b.ReplyTo = decimal(n)
		} else {
			e.mark(true, "reply_elsewhere")
		}
	}
	e.mark(string(f.spoiler) == "true", "spoiler")
	e.mark(!isNull(f.ttl), "ttl")
	e.mark(!isNull(f.viaBot), "via_bot")
	switch string(f.typ) {
	case `"service"`:
		e.service(f)
	case `"message"`:
	case `"unsupported"`: // Telegram Desktop gives the number and nothing else
		b.Media = append(b.Media, evidence.Media{ID: "unsupported", Type: "unsupported"})
		e.mark(true, "unsupported")
	default:
		e.lose("type", "neither message nor service")
	}
	e.media(f)
	e.reactions(f.reactions)
}

func (e *entry) text(r *reader, f *fields) {
	t, err := f.formatted, f.formattedErr
	if t == nil {
		t = &text{}
	}
	if err != nil || t.s.Len() == 0 {
		other, errOther := readText(f.text, r.own)
		if err == nil {
			err = errOther
		}
		if errOther == nil && (other.s.Len() > 0 || err != nil) {
			t, err = other, errOther
		}
	}
	if err != nil {
		e.lose("text", err.Error())
	}
	e.body.Text, e.body.Entities = t.s.String(), t.entities
	e.body.InvalidUTF8 = t.invalid
	e.body.NamesAPerson = t.names
}

// str reads an optional string field.
func (e *entry) str(field string, raw []byte) string {
	if isNull(raw) {
		return ""
	}
	s, bad, err := unquote(raw)
	if err != nil {
		e.lose(field, err.Error())
	}
	e.body.InvalidUTF8 = e.body.InvalidUTF8 || bad
	return s
}

const localFormat = "2006-01-02T15:04:05"

// when reads a date: seconds, or, in the 2021 form, a local time without its zone. That form gives posts which were never edited an
// edit date of 1970, which is no claim.
func (e *entry) when(field string, unix, local []byte) (evidence.Time, string) {
	if !isNull(unix) {
		n, err := number(unix)
		if at := time.Unix(n, 0).UTC(); err == nil && at.Year() >= 0 && at.Year() <= 9999 {
			if n == 0 && field == "edited" {
				return evidence.Time{}, ""
			}
			return evidence.At(at), ""
		}
		e.lose(field+"_unixtime", "not a date between the years 0 and 9999")
	}
	if isNull(local) {
		return evidence.Time{}, ""
	}
	s, _, err := unquote(local)
	at, errTime := time.Parse(localFormat, s)
	if err != nil || errTime != nil {
		e.lose(field, "not a date of the form "+localFormat)
		return evidence.Time{}, ""
	}
	if field == "edited" && at.Unix() > -2*86400 && at.Unix() < 2*86400 {
		return evidence.Time{}, ""
	}
	return evidence.Time{}, s
}

func (r *reader) ours(raw []byte) bool {
	typ, id, err := peer(raw)
	return err == nil && typ == "channel" && id == r.channel
}

// people fills in author and forward. A bare name is a pseudonym within this channel only, since equal names elsewhere need not
// be one person.
func (e *entry) people(r *reader, f *fields) {
	from := f.fromID
	if isNull(from) {
		from = f.actorID
	}
	if !isNull(from) && !r.ours(from) {
		if typ, id, err := peer(from); err == nil {
			e.body.Author = ref(typ, id)
		}
	}
	if name := e.str("author", f.author); name != "" && e.body.Author == nil {
		e.body.Author = hidden("signature", decimal(r.channel)+":"+name)
	}
	if f.forwardedFrom == nil && f.forwardedFromID == nil {
		return
	}
	fw := &evidence.Forward{}
	name := e.str("forwarded_from", f.forwardedFrom)
	if typ, id, err := peer(f.forwardedFromID); err == nil {
		fw.From = ref(typ, id)
	} else if name != "" {
		fw.From = hidden("hidden", name)
	}
	if n, err := number(f.forwardedDate); err == nil {
		if at := time.Unix(n, 0).UTC(); at.Year() >= 0 && at.Year() <= 9999 {
			fw.At = evidence.At(at)
		}
	} else if s, _, err := unquote(f.forwardedDate); err == nil {
		if _, err := time.Parse(localFormat, s); err == nil {
			fw.AtLocal = s
		}
	}
	e.body.Forward = fw
}
