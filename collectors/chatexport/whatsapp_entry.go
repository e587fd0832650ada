package chatexport

import (
	"encoding/binary"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// textReader turns the messages of a text export into posts.
type textReader struct {
	names names
	order order
	seen  map[uint64]uint32 // how often a number would have been given
}

// The number of a post that an export gives no number: the top bit, which no number of the platform's has, the minute of its date
// since textEpoch, and a digest of its kind and text. So posts of exports stand in the order of time, behind those that the
// platform numbered, and the same message of two exports has one number, whichever phone wrote them and whether or not its file
// is included.
const (
	textBit    = 1 << 63
	digestBits = 35
)

var textEpoch = time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC)

// textPart gives the part of a post's name. Messages of one minute with the same text are told apart by their count alone.
func (r *textReader) textPart(at time.Time, kind, text string) string {
	minutes := uint64(at.Sub(textEpoch) / time.Minute)
	number := func(again uint32) uint64 {
		d := evidence.Sum([]byte(kind + "\x00" + strconv.FormatUint(uint64(again), 10) + "\x00" + text))
		return textBit | minutes<<digestBits | binary.BigEndian.Uint64(d[:8])>>(64-digestBits)
	}
	n := number(0)
	again := r.seen[n]
	if r.seen == nil {
		r.seen = map[uint64]uint32{}
	}
	r.seen[n]++
	if again > 0 {
		n = number(again)
	}
	return strconv.FormatUint(n, 10)
}

// entry reads one message.
func (r *textReader) entry(m *message) (entry, error) {
	e := entry{body: &evidence.PostSeen{
		Method: evidence.MethodExport, Vantage: vantage, Raw: &evidence.Slice{Offset: m.offset, Length: m.length}, RawExact: true,
	}}
	at := m.header.local(r.order)
	e.body.ClaimedLocal = at.Format(localFormat[:len("2006-01-02T15:04")])
	if m.header.shape.seconds {
		e.body.ClaimedLocal = at.Format(localFormat)
	}
	w, _, from := r.names.sender(m.body)
	if w == whoOther {
		return e, fmt.Errorf("line %d has another sender than when it was checked; import it again once nothing writes to it", m.line)
	}
	if m.cut {
		where := fmt.Sprintf("line %d", m.line)
		e = entry{}
		e.skip(where, ReasonTooLarge, fmt.Sprintf("over %d KiB (byte %d, %d bytes)", maxTextMessage>>10, m.offset, m.length))
		return e, nil
	}
	text, invalid := evidence.ValidText(string(m.body[from:]))
	e.body.InvalidUTF8 = invalid
	text = strings.Trim(strings.TrimPrefix(text, " "), "\r\n")
	if w == whoPlatform {
		text = strings.TrimSpace(strings.TrimLeftFunc(text, directional))
		e.body.Service, e.body.NamesAPerson = &evidence.Service{Action: "notice", Detail: text}, true // whom it names is not known
		e.part = r.textPart(at, "service", tidy(text))
		return e, nil
	}
	kind := r.content(&e, text)
	e.part = r.textPart(at, kind, tidy(e.body.Text))
	for i := range e.body.Media {
		if e.body.Media[i].ID == "" {
			e.body.Media[i].ID = "export/" + e.part
		}
	}
	for i := range e.files {
		e.files[i].media = "export/" + e.part
	}
	return e, nil
}

// content takes the platform's own words out of a text, and says of what kind the message is for its number.
func (r *textReader) content(e *entry, text string) (kind string) {
	text = r.edited(e, text)
	if words.deleted[spoken(text)] {
		e.body.Service = &evidence.Service{Action: "message_deleted"}
		return "deleted"
	}
	if question, ok := poll(text); ok {
		e.body.Media = append(e.body.Media, evidence.Media{ID: "poll", Type: "poll", Detail: question})
		e.body.NamesAPerson = hasPhone(question)
		return "poll " + question
	}
	rest, a, ok := r.attachment(text)
	kind = "post"
	if ok {
		kind = "media"
		e.attach(a)
	}
	e.body.Text = strings.TrimRight(strings.TrimLeft(rest, ownMark), "\n "+ownMark)
	e.body.NamesAPerson = e.body.NamesAPerson || hasPhone(e.body.Text)
	return kind
}

// edited takes the mark of an edit off the end of a text.
func (r *textReader) edited(e *entry, text string) string {
	trimmed := strings.TrimRightFunc(strings.TrimRight(text, "\n "), directional)
	i := strings.LastIndexByte(trimmed, '<')
	if i >= 0 && strings.HasSuffix(trimmed, ">") && words.edited[spoken(trimmed[i:])] {
		e.mark(true, "edited")
		return strings.TrimRight(trimmed[:i], "\n "+ownMark)
	}
	return text
}

// attached is a file that a text names, or of which it says that it was left out.
type attached struct {
	name, typ string
	omitted   bool
}

var (
	// How phones name files: Android by kind, date and a count; iPhones by a count in the export, kind and time.
	androidFile = regexp.MustCompile(`^(IMG|VID|AUD|PTT|STK|DOC|GIF)-[0-9]{8}-WA[0-9]{4,6}\.[A-Za-z0-9]{1,8}$`)
	appleFile   = regexp.MustCompile(`^[0-9]{8}-[^/\\\x00]{1,240}\.[A-Za-z0-9]{1,8}$`)
	angle       = regexp.MustCompile(`^<([\p{L}\p{M} ]{2,40}?) ?: ?([^<>\n]{1,255})>$`) // <attached: FILE>
	round       = regexp.MustCompile(`^([^\n]{1,255}?) \(([\p{L}\p{M} ]{2,60})\)$`)     // FILE (file attached)
)

// attachment finds the file in a text and returns the rest of it, the caption.
func (r *textReader) attachment(text string) (rest string, a attached, ok bool) {
	first, more, _ := strings.Cut(text, "\n")
	said := spoken(text)
	if kind := words.kinds[said]; kind != "" && ownWords(text) {
		return "", attached{typ: kind, omitted: true}, true
	}
	if line := tidy(first); strings.HasPrefix(line, "<") && words.omitted[spoken(line)] {
		return more, attached{typ: "media", omitted: true}, true
	}
	line := tidy(first)
	if f := round.FindStringSubmatch(line); f != nil && (words.attached[strings.ToLower(f[2])] || androidFile.MatchString(f[1])) {
		return more, attached{name: f[1], typ: typeOf(f[1])}, true
	}
	trimmed := strings.TrimRight(text, "\n ")
	if i := strings.LastIndex(trimmed, ownMark+"<"); i >= 0 {
		if f := angle.FindStringSubmatch(trimmed[i+len(ownMark):]); f != nil && appleFile.MatchString(tidy(f[2])) {
			name := tidy(f[2])
			return strings.TrimRight(trimmed[:i], "\n "), attached{name: name, typ: typeOf(name)}, true
		}
	}
	if kind, caption, ok := omittedAtEnd(trimmed); ok {
		return caption, attached{typ: kind, omitted: true}, true
	}
	return text, attached{}, false
}

// omittedAtEnd reads an iPhone's `caption` and, in a line of its own or behind it, `image omitted`.
func omittedAtEnd(text string) (kind, caption string, ok bool) {
	i := strings.LastIndex(text, ownMark)
	if i < 0 {
		return "", "", false
	}
	kind = words.kinds[spoken(text[i:])]
	return kind, strings.TrimRight(text[:i], "\n "), kind != ""
}

// attach adds the file. Its identity does not tell whether it is included: an export that includes it is the same post.
func (e *entry) attach(a attached) {
	m := evidence.Media{Type: a.typ, Name: a.name}
	f := file{kind: kindOf(a.name), path: a.name, name: a.name}
	switch {
	case a.typ == "contact" || strings.EqualFold(path.Ext(a.name), ".vcf"):
		m.Type, m.Name, f.name, f.withheld = "contact", "", "", MissedPrivate
		e.body.NamesAPerson = true
	case a.omitted:
		f.note = MissedNotIncluded
	}
	e.body.Media = append(e.body.Media, m)
	e.files = append(e.files, f)
}

// typeOf tells what a file is by the kind that the phone wrote into its name, else by its ending.
func typeOf(name string) string {
	switch strings.ToUpper(name[:min(4, len(name))]) {
	case "PTT-":
		return "voice"
	case "STK-":
		return "sticker"
	}
	switch {
	case !appleFile.MatchString(name):
	case strings.Contains(name, "-STICKER-"):
		return "sticker"
	case strings.Contains(name, "-GIF-"):
		return "animation"
	}
	return kindOf(name)
}

// poll reads the question and the options of a poll. Votes are left out: they change all the time and would make a post each.
func poll(text string) (string, bool) {
	body, ok := strings.CutPrefix(strings.TrimLeftFunc(text, directional), "POLL:\n")
	if !ok {
		return "", false
	}
	var parts []string
	options := 0
	for _, line := range strings.Split(body, "\n") {
		line = tidy(line)
		if o, ok := strings.CutPrefix(line, "OPTION: "); ok {
			options++
			line = votes.ReplaceAllString(o, "")
		}
		if line != "" {
			parts = append(parts, line)
		}
	}
	return strings.Join(parts, " | "), options > 0
}

var votes = regexp.MustCompile(` \([0-9]+ votes?\)$`)
