package telegram

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// file is a medium with bytes that can be fetched. The location holds access hash and file reference, and goes into no record.
type file struct {
	media    evidence.Media
	kind     string // photo, document, video or audio: the word of a target's media list
	location tg.InputFileLocationClass
	dc       int // that holds it
	previews []preview

	thumb     string // the size that stands for the file, where this is not the file itself
	thumbSize int64
}

// attach adds to p what the message carries.
func (t *translator) attach(p *post, m tg.MessageMediaClass) {
	switch m := m.(type) {
	case nil, *tg.MessageMediaEmpty:
	case *tg.MessageMediaPhoto:
		v := t.photo(p, m.Photo)
		mark(p, v, m.Spoiler, "spoiler")
		mark(p, v, m.TTLSeconds != 0, "ttl")
		t.withinDocument(p, v, "moving", m.Video)
	case *tg.MessageMediaDocument:
		v := t.document(p, m.Document)
		mark(p, v, m.Spoiler, "spoiler")
		mark(p, v, m.TTLSeconds != 0, "ttl")
		t.withinPhoto(p, v, "cover", m.VideoCover)
		for _, d := range m.AltDocuments {
			fact(v, "also as", documentShape(d))
		}
	case *tg.MessageMediaPaidMedia:
		t.sold(p, m)
	case *tg.MessageMediaPoll:
		t.described(p, m)
		t.attach(p, m.AttachedMedia)
	default:
		t.described(p, m)
	}
}

// sold adds media that costs: what was bought is there like any other, and of the rest the outline is.
func (t *translator) sold(p *post, m *tg.MessageMediaPaidMedia) {
	p.body.Stars = m.StarsAmount
	mark(p, nil, true, "paid_media")
	for _, x := range m.ExtendedMedia {
		before := len(p.body.Media)
		switch x := x.(type) {
		case *tg.MessageExtendedMedia:
			t.attach(p, x.Media)
		case *tg.MessageExtendedMediaPreview:
			mark(p, nil, true, "locked")
			p.body.Media = append(p.body.Media, outline(x))
		}
		for i := before; i < len(p.body.Media); i++ {
			mark(p, &p.body.Media[i], true, "paid_media")
		}
	}
}

// rich keeps the files of a post that is laid out in blocks. Its blocks are not read: they are in the raw bytes, and Unknown says so.
func (t *translator) rich(p *post, m *tg.Message) {
	r, ok := m.GetRichMessage()
	if !ok {
		return
	}
	var v evidence.Media
	for _, c := range r.Photos {
		t.withinPhoto(p, &v, "", c)
	}
	for _, c := range r.Documents {
		t.withinDocument(p, &v, "", c)
	}
	p.body.Unknown = append(p.body.Unknown, r.TypeName())
}

// mark marks the post, and the medium where there is one.
func mark(p *post, v *evidence.Media, on bool, name string) {
	if !on {
		return
	}
	if !slices.Contains(p.body.Marks, name) {
		p.body.Marks = append(p.body.Marks, name)
	}
	if v != nil && !slices.Contains(v.Marks, name) {
		v.Marks = append(v.Marks, name)
	}
}

// add appends a medium and returns where it stands now.
func (p *post) add(v evidence.Media) *evidence.Media {
	p.body.Media = append(p.body.Media, v)
	return &p.body.Media[len(p.body.Media)-1]
}

func (t *translator) photo(p *post, c tg.PhotoClass) *evidence.Media {
	ph, ok := c.(*tg.Photo)
	if !ok {
		return p.add(evidence.Media{ID: "photo", Type: "photo", Detail: "no longer served"})
	}
	typ, size, w, h := largest(ph.Sizes)
	v := evidence.Media{ID: "photo " + strconv.FormatInt(ph.ID, 10), Type: "photo", Size: size, Width: w, Height: h}
	if typ != "" { // otherwise only previews within the message, which are in the raw bytes
		p.files = append(p.files, file{media: v, kind: "photo", dc: ph.DCID, previews: previews(ph.Sizes), location: &tg.InputPhotoFileLocation{
			ID: ph.ID, AccessHash: ph.AccessHash, FileReference: ph.FileReference, ThumbSize: typ,
		}})
	}
	return p.add(v)
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

func (t *translator) document(p *post, c tg.DocumentClass) *evidence.Media {
	d, ok := c.(*tg.Document)
	if !ok {
		return p.add(evidence.Media{ID: "document", Type: "document", Detail: "no longer served"})
	}
	v := evidence.Media{ID: "document " + strconv.FormatInt(d.ID, 10), Type: "document", Size: d.Size, MIME: valid(d.MimeType)}
	for _, a := range d.Attributes {
		attribute(&v, a)
	}
	p.files = append(p.files, file{media: v, kind: kindOf(v.Type), dc: d.DCID, previews: previews(d.Thumbs), location: &tg.InputDocumentFileLocation{
		ID: d.ID, AccessHash: d.AccessHash, FileReference: d.FileReference,
	}})
	return p.add(v)
}

// attribute reads one attribute. Their order is the sender's, so what makes a sticker or an animation outranks what makes a video.
func attribute(v *evidence.Media, a tg.DocumentAttributeClass) {
	switch a := a.(type) {
	case *tg.DocumentAttributeFilename:
		v.Name = valid(a.FileName)
	case *tg.DocumentAttributeImageSize:
		v.Width, v.Height = a.W, a.H
	case *tg.DocumentAttributeVideo:
		if v.Type == "document" {
			v.Type = "video"
			if a.RoundMessage {
				v.Type = "round_video"
			}
		}
		v.Width, v.Height, v.Duration = a.W, a.H, strconv.FormatFloat(a.Duration, 'f', -1, 64)
		fact(v, "sound", ifTrue(a.Nosound, "none"))
	case *tg.DocumentAttributeAnimated:
		if v.Type != "sticker" && v.Type != "custom_emoji" {
			v.Type = "animation"
		}
	case *tg.DocumentAttributeSticker:
		v.Type = "sticker"
		fact(v, "stands for", a.Alt)
		fact(v, "set", stickerSet(a.Stickerset))
	case *tg.DocumentAttributeCustomEmoji:
		v.Type = "custom_emoji"
		fact(v, "stands for", a.Alt)
		fact(v, "set", stickerSet(a.Stickerset))
	case *tg.DocumentAttributeAudio:
		v.Type = "audio"
		if a.Voice {
			v.Type = "voice"
		}
		v.Duration = strconv.Itoa(a.Duration)
		fact(v, "title", a.Title)
		fact(v, "performer", a.Performer)
	}
}

func stickerSet(c tg.InputStickerSetClass) string {
	switch s := c.(type) {
	case *tg.InputStickerSetID:
		return strconv.FormatInt(s.ID, 10)
	case *tg.InputStickerSetShortName:
		return s.ShortName
	}
	return ""
}

// documentShape names another rendering of the same video, which is not fetched.
func documentShape(c tg.DocumentClass) string {
	d, ok := c.(*tg.Document)
	if !ok {
		return ""
	}
	v := evidence.Media{Type: "document"}
	for _, a := range d.Attributes {
		attribute(&v, a)
	}
	return fmt.Sprintf("document %d, %d×%d, %d bytes", d.ID, v.Width, v.Height, d.Size)
}

// kindOf maps a medium's type to the four words that a target's media list knows.
func kindOf(typ string) string {
	switch typ {
	case "video", "round_video", "animation":
		return "video"
	case "audio", "voice":
		return "audio"
	}
	return "document"
}
