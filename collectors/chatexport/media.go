package chatexport

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// file is a file that a message names.
type file struct {
	media string // MediaID of the post's medium
	kind  string // photo, document, video or audio: the word of a target's media list
	path  string // as the export has it: a relative path with slashes, or a note in brackets
	name  string
	size  int64 // claimed
	thumb bool
	// withheld is a reason not to keep the file whatever it is.
	withheld string
	// note is why the export itself says that it has no file.
	note string
}

// media adds what the message carries. The identity of a file is made of the post's number and of attributes that every form of
// the export has whether or not it includes the file: a later export that includes it is then the same post with one file more.
func (e *entry) media(f *fields) {
	if !isNull(f.photo) {
		e.photo(f)
	}
	if !isNull(f.file) {
		e.document(f)
	}
	e.bodiless(f)
}

func (e *entry) photo(f *fields) {
	w, h := integer(f.width), integer(f.height)
	m := evidence.Media{
		ID: fmt.Sprintf("photo export/%d %dx%d", e.number, w, h), Type: "photo",
		Size: size(f.photoSize), Width: w, Height: h,
	}
	e.body.Media = append(e.body.Media, m)
	e.file("photo", file{media: m.ID, kind: "photo", path: e.str("photo", f.photo), size: m.Size})
}

func (e *entry) document(f *fields) {
	typ, kind := documentType(f.mediaType)
	m := evidence.Media{
		Type: typ, MIME: e.str("mime_type", f.mime), Name: e.str("file_name", f.fileName), Size: size(f.fileSize),
		Width: integer(f.width), Height: integer(f.height),
	}
	if d := integer(f.duration); d > 0 {
		m.Duration = decimal(int64(d))
	}
	id := []string{typ, fmt.Sprintf("export/%d", e.number)}
	if m.MIME != "" {
		id = append(id, m.MIME)
	}
	if m.Width > 0 {
		id = append(id, fmt.Sprintf("%dx%d", m.Width, m.Height))
	}
	if m.Duration != "" {
		id = append(id, m.Duration+"s")
	}
	m.ID = strings.Join(id, " ")
	switch {
	case typ == "sticker":
		m.Detail = e.str("sticker_emoji", f.sticker)
	case typ == "audio":
		m.Detail = joined(" – ", e.str("performer", f.performer), e.str("title", f.title))
	}
	e.body.Media = append(e.body.Media, m)
	e.file("file", file{media: m.ID, kind: kind, path: e.str("file", f.file), size: m.Size, name: m.Name})
	if !isNull(f.thumbnail) {
		e.file("thumbnail", file{media: m.ID, kind: kind, path: e.str("thumbnail", f.thumbnail), size: size(f.thumbnailSize), thumb: true})
	}
}

func (e *entry) file(_ string, f file) {
	if f.name == "" && !missing(f.path) {
		f.name = path.Base(strings.ReplaceAll(f.path, `\`, "/"))
	}
	e.files = append(e.files, f)
}

func documentType(raw []byte) (typ, kind string) {
	switch string(raw) {
	case `"video_file"`, `"video_message"`:
		return "video", "video"
	case `"animation"`:
		return "animation", "video"
	case `"audio_file"`:
		return "audio", "audio"
	case `"voice_message"`:
		return "voice", "audio"
	case `"sticker"`:
		return "sticker", "document"
	}
	return "document", "document"
}

func size(raw []byte) int64 {
	n, err := number(raw)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func joined(sep string, parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, sep)
}

// bodiless adds media without a file of their own.
func (e *entry) bodiless(f *fields) {
	add := func(typ, detail string) {
		e.body.Media = append(e.body.Media, evidence.Media{ID: typ, Type: typ, Detail: detail})
	}
	if !isNull(f.poll) {
		add("poll", e.poll(f.poll))
	}
	if !isNull(f.contact) {
		e.contact(f)
	}
	if !isNull(f.location) || !isNull(f.place) {
		typ := "geo"
		if !isNull(f.place) {
			typ = "venue"
		}
		if !isNull(f.liveLocation) {
			typ = "geo_live"
		}
		at := e.members("location_information", f.location, "latitude", "longitude")
		add(typ, joined(" ", joined(",", at...), e.str("place_name", f.place), e.str("address", f.address)))
	}
	if !isNull(f.game) {
		add("game", joined(" ", e.str("game_title", f.game), e.str("game_link", f.gameLink)))
	}
	if !isNull(f.invoice) {
		add("invoice", joined(" ", e.members("invoice_information", f.invoice, "title", "amount", "currency")...))
	}
	if !isNull(f.giveaway) {
		add("giveaway", "")
	}
	if !isNull(f.stars) {
		e.mark(true, "paid_media")
	}
	if !isNull(f.todoList) {
		add("to_do", joined(" ", e.members("todo_list", f.todoList, "title")...))
	}
}

// contact keeps of a shared contact only a pseudonym: the person's name and number stand in the raw bytes alone.
func (e *entry) contact(f *fields) {
	e.body.NamesAPerson = true
	e.body.Media = append(e.body.Media, evidence.Media{ID: "contact", Type: "contact"})
	m := e.members("contact_information", f.contact, "phone_number")
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, joined("", m...))
	if digits != "" {
		e.body.Entities = append(e.body.Entities, evidence.Entity{Type: "contact", Person: hidden("phone", digits)})
	}
	if !isNull(f.vcard) {
		e.files = append(e.files, file{media: "contact", kind: "document", path: e.str("contact_vcard", f.vcard), withheld: MissedPrivate})
	}
}

// members reads named strings and numbers out of an object; nil where one cannot be read.
func (e *entry) members(field string, raw []byte, keys ...string) []string {
	if isNull(raw) {
		return nil
	}
	out := make([]string, len(keys))
	s := over(raw)
	err := s.object(func(key []byte) error {
		v, err := s.next()
		for i, k := range keys {
			if k == string(key) && err == nil && !isNull(v) {
				if v[0] == '"' {
					out[i] = e.str(field, v)
				} else if len(v) < 64 && v[0] != '{' && v[0] != '[' {
					out[i], _ = evidence.ValidText(string(v))
				}
			}
		}
		return err
	})
	if err != nil {
		e.lose(field, err.Error())
	}
	return out
}

// poll gives question and answers. Votes are left out: they change all the time and would make a version each.
func (e *entry) poll(raw []byte) string {
	var parts []string
	s := over(raw)
	err := s.object(func(key []byte) error {
		if string(key) != "answers" {
			v, err := s.next()
			if string(key) == "question" && err == nil {
				t, errText := readText(v, "")
				parts = append([]string{t.s.String()}, parts...)
				err = errText
			}
			return err
		}
		return s.array(func() error {
			v, err := s.next()
			if err != nil {
				return err
			}
			if len(v) == 0 || v[0] != '{' {
				return errText
			}
			return e.answer(v, &parts)
		}, nil)
	})
	if err != nil {
		e.lose("poll", err.Error())
	}
	return strings.Join(parts, " | ")
}

func (e *entry) answer(raw []byte, parts *[]string) error {
	s := over(raw)
	return s.object(func(key []byte) error {
		v, err := s.next()
		if string(key) == "text" && err == nil {
			t, errText := readText(v, "")
			*parts = append(*parts, t.s.String())
			e.body.InvalidUTF8 = e.body.InvalidUTF8 || t.invalid
			err = errors.Join(err, errText)
		}
		return err
	})
}
