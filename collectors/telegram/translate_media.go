package telegram

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// file is a medium with bytes that can be fetched. The location holds access hash and file reference, and goes into no record.
type file struct {
	media    evidence.Media
	kind     string // photo, document, video or audio: the word of a target's media list
	location tg.InputFileLocationClass
}

// attach adds to p what the message carries.
func (t *translator) attach(p *post, m tg.MessageMediaClass) {
	switch m := m.(type) {
	case nil, *tg.MessageMediaEmpty:
	case *tg.MessageMediaPhoto:
		mark(p, m.Spoiler, "spoiler")
		mark(p, m.TTLSeconds != 0, "ttl")
		t.photo(p, m.Photo)
	case *tg.MessageMediaDocument:
		mark(p, m.Spoiler, "spoiler")
		mark(p, m.TTLSeconds != 0, "ttl")
		t.document(p, m.Document)
	case *tg.MessageMediaPaidMedia:
		mark(p, true, "paid_media")
		for _, x := range m.ExtendedMedia {
			if x, ok := x.(*tg.MessageExtendedMedia); ok {
				t.attach(p, x.Media)
			}
		}
	case *tg.MessageMediaPoll:
		p.body.Media = append(p.body.Media, pollMedia(&m.Poll))
		t.attach(p, m.AttachedMedia)
	default:
		t.bodiless(p, m)
	}
}

// bodiless translates media without a file of their own.
func (t *translator) bodiless(p *post, m tg.MessageMediaClass) {
	v := evidence.Media{Type: snake(strings.TrimPrefix(m.TypeName(), "messageMedia"))}
	v.ID = v.Type
	switch m := m.(type) {
	case *tg.MessageMediaWebPage:
		v = webPage(m.Webpage)
	case *tg.MessageMediaGeo:
		v.Detail = place(m.Geo)
	case *tg.MessageMediaGeoLive:
		v.Detail = place(m.Geo)
	case *tg.MessageMediaVenue:
		v.Detail = valid(strings.Join([]string{place(m.Geo), m.Title, m.Address}, " "))
	case *tg.MessageMediaContact:
		p.body.NamesAPerson = true // whose stands in the raw bytes alone
	case *tg.MessageMediaDice:
		v.Detail = valid(m.Emoticon) + " " + strconv.Itoa(m.Value)
	case *tg.MessageMediaGame:
		v.ID, v.Detail = "game "+strconv.FormatInt(m.Game.ID, 10), valid(m.Game.Title)
	case *tg.MessageMediaInvoice:
		v.Detail = valid(m.Title)
	case *tg.MessageMediaToDo:
		v.Detail = valid(m.Todo.Title.Text)
	case *tg.MessageMediaStory:
		v.ID = "story " + strconv.Itoa(m.ID)
	}
	p.body.Media = append(p.body.Media, v)
}

func mark(p *post, on bool, name string) {
	if on {
		p.body.Marks = append(p.body.Marks, name)
	}
}

func place(g tg.GeoPointClass) string {
	if g, ok := g.(*tg.GeoPoint); ok {
		return fmt.Sprintf("%.6f,%.6f", g.Lat, g.Long)
	}
	return ""
}

func pollMedia(p *tg.Poll) evidence.Media {
	parts := []string{p.Question.Text}
	for _, a := range p.Answers {
		if a, ok := a.(*tg.PollAnswer); ok {
			parts = append(parts, a.Text.Text)
		}
	}
	return evidence.Media{ID: "poll " + strconv.FormatInt(p.ID, 10), Type: "poll", Detail: valid(strings.Join(parts, " | "))}
}

// webPage is identified by its link: the platform gives a preview another id once it has finished making it.
func webPage(w tg.WebPageClass) evidence.Media {
	v := evidence.Media{ID: "webpage", Type: "webpage"}
	switch w := w.(type) {
	case *tg.WebPage:
		v.Detail = valid(w.URL)
	case *tg.WebPagePending:
		v.Detail = valid(w.URL)
	case *tg.WebPageEmpty:
		v.Detail = valid(w.URL)
	}
	return v
}

func (t *translator) photo(p *post, c tg.PhotoClass) {
	ph, ok := c.(*tg.Photo)
	if !ok {
		p.body.Media = append(p.body.Media, evidence.Media{ID: "photo", Type: "photo", Detail: "no longer served"})
		return
	}
	typ, size, w, h := largest(ph.Sizes)
	v := evidence.Media{ID: "photo " + strconv.FormatInt(ph.ID, 10), Type: "photo", Size: size, Width: w, Height: h}
	p.body.Media = append(p.body.Media, v)
	if typ == "" {
		return // previews within the message alone: they are in the raw bytes
	}
	p.files = append(p.files, file{media: v, kind: "photo", location: &tg.InputPhotoFileLocation{
		ID: ph.ID, AccessHash: ph.AccessHash, FileReference: ph.FileReference, ThumbSize: typ,
	}})
}

// largest picks the size with most pixels among those that are files; stripped and cached sizes are previews.
func largest(sizes []tg.PhotoSizeClass) (typ string, size int64, w, h int) {
	for _, s := range sizes {
		switch s := s.(type) {
		case *tg.PhotoSize:
			if typ == "" || int64(s.W)*int64(s.H) > int64(w)*int64(h) {
				typ, size, w, h = s.Type, int64(s.Size), s.W, s.H
			}
		case *tg.PhotoSizeProgressive:
			if len(s.Sizes) > 0 && (typ == "" || int64(s.W)*int64(s.H) > int64(w)*int64(h)) {
				typ, size, w, h = s.Type, int64(s.Sizes[len(s.Sizes)-1]), s.W, s.H
			}
		}
	}
	return typ, size, w, h
}

func (t *translator) document(p *post, c tg.DocumentClass) {
	d, ok := c.(*tg.Document)
	if !ok {
		p.body.Media = append(p.body.Media, evidence.Media{ID: "document", Type: "document", Detail: "no longer served"})
		return
	}
	v := evidence.Media{ID: "document " + strconv.FormatInt(d.ID, 10), Type: "document", Size: d.Size, MIME: valid(d.MimeType)}
	for _, a := range d.Attributes {
		attribute(&v, a)
	}
	p.body.Media = append(p.body.Media, v)
	p.files = append(p.files, file{media: v, kind: kindOf(v.Type), location: &tg.InputDocumentFileLocation{
		ID: d.ID, AccessHash: d.AccessHash, FileReference: d.FileReference,
	}})
}

func attribute(v *evidence.Media, a tg.DocumentAttributeClass) {
	switch a := a.(type) {
	case *tg.DocumentAttributeFilename:
		v.Name = valid(a.FileName)
	case *tg.DocumentAttributeImageSize:
		v.Width, v.Height = a.W, a.H
	case *tg.DocumentAttributeVideo:
		if v.Type == "document" {
			v.Type = "video"
		}
		v.Width, v.Height, v.Duration = a.W, a.H, strconv.FormatFloat(a.Duration, 'f', -1, 64)
	case *tg.DocumentAttributeAnimated:
		v.Type = "animation"
	case *tg.DocumentAttributeSticker, *tg.DocumentAttributeCustomEmoji:
		v.Type = "sticker"
	case *tg.DocumentAttributeAudio:
		v.Type = "audio"
		if a.Voice {
			v.Type = "voice"
		}
		v.Duration = strconv.Itoa(a.Duration)
	}
}

// kindOf maps a medium's type to the four words that a target's media list knows.
func kindOf(typ string) string {
	switch typ {
	case "video", "animation":
		return "video"
	case "audio", "voice":
		return "audio"
	}
	return "document"
}
