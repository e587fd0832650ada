package telegramtest

import (
	"bytes"
	"encoding/binary"
	"image/jpeg"
	"image/png"
	"net/http"

	"github.com/gotd/td/tg"
)

// file is what upload.getFile can serve: the bytes of each size, "" being a document itself.
type file struct {
	photo bool
	mime  string
	sizes map[string][]byte
}

// The size types of a photo, as the platform names them.
const (
	largeSize = "y"
	thumbSize = "m"
)

func (w *World) adoptAll(p *Post) {
	for _, x := range p.photos() {
		w.adopt(x)
	}
	for _, x := range p.documents() {
		w.adoptDocument(x)
	}
	if p.Game != nil && p.Game.ID == 0 {
		p.Game.ID = w.newID()
	}
	if p.WebPage != nil && p.WebPage.ID == 0 {
		p.WebPage.ID = w.newID()
	}
	if p.Poll != nil && p.Poll.ID == 0 {
		p.Poll.ID = w.newID()
	}
}

// adopt gives a photo its id and makes its bytes available.
func (w *World) adopt(p *Photo) {
	if p == nil {
		return
	}
	if p.ID == 0 {
		p.ID = w.newID()
	}
	if p.Width == 0 {
		p.Width, p.Height = dimensions(p.Bytes)
	}
	f := &file{photo: true, mime: http.DetectContentType(p.Bytes), sizes: map[string][]byte{largeSize: p.Bytes}}
	if len(p.Thumb) > 0 {
		f.sizes[thumbSize] = p.Thumb
	}
	w.files[p.ID] = f
}

func (w *World) adoptDocument(d *Document) {
	if d == nil {
		return
	}
	if d.ID == 0 {
		d.ID = w.newID()
	}
	if d.MIME == "" {
		d.MIME = "application/octet-stream"
	}
	f := &file{mime: d.MIME, sizes: map[string][]byte{"": d.Bytes}}
	if len(d.Thumb) > 0 {
		f.sizes[thumbSize] = d.Thumb
	}
	w.files[d.ID] = f
}

func dimensions(b []byte) (width, height int) {
	if c, err := png.DecodeConfig(bytes.NewReader(b)); err == nil {
		return c.Width, c.Height
	}
	if c, err := jpeg.DecodeConfig(bytes.NewReader(b)); err == nil {
		return c.Width, c.Height
	}
	return 800, 600
}

// reference is a file reference: the generation in which it was given out, and the file.
func (w *World) reference(id int64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(nil, uint32(w.refs)), uint64(id))
}

func (w *World) media(p *Post) tg.MessageMediaClass {
	switch {
	case p.Photo != nil:
		return &tg.MessageMediaPhoto{Photo: w.photo(p.Photo), Spoiler: p.Photo.Spoiler}
	case p.Document != nil:
		d := p.Document
		return &tg.MessageMediaDocument{
			Document: w.document(d, p.Date), Spoiler: d.Spoiler,
			Video: d.Kind == "video", Round: d.Kind == "round", Voice: d.Kind == "voice", VideoCover: w.cover(d), TTLSeconds: d.TTL,
		}
	case p.WebPage != nil:
		return &tg.MessageMediaWebPage{Webpage: w.preview(p.WebPage)}
	case p.Poll != nil:
		return poll(p.Poll, p.Recent)
	default:
		return w.described(p)
	}
}

func (w *World) preview(g *WebPage) tg.WebPageClass {
	if g.Pending {
		return &tg.WebPagePending{ID: g.ID, URL: g.URL}
	}
	v := &tg.WebPage{ID: g.ID, URL: g.URL, DisplayURL: g.URL, SiteName: g.SiteName, Title: g.Title, Description: g.Description}
	if g.Photo != nil {
		v.Photo = w.photo(g.Photo)
	}
	return v
}

func (w *World) cover(d *Document) tg.PhotoClass {
	if d.Cover == nil {
		return nil
	}
	return w.photo(d.Cover)
}

func (w *World) photo(p *Photo) tg.PhotoClass {
	if p == nil {
		return &tg.PhotoEmpty{}
	}
	t := &tg.Photo{ID: p.ID, AccessHash: hashOf("file", p.ID), FileReference: w.reference(p.ID), DCID: w.dc}
	if n := len(p.Thumb); n > 0 {
		width, height := dimensions(p.Thumb)
		t.Sizes = append(t.Sizes, &tg.PhotoSize{Type: thumbSize, W: width, H: height, Size: n})
	}
	n := len(p.Bytes)
	if p.Progressive {
		t.Sizes = append(t.Sizes, &tg.PhotoSizeProgressive{Type: largeSize, W: p.Width, H: p.Height, Sizes: []int{n / 4, n / 2, n}})
	} else {
		t.Sizes = append(t.Sizes, &tg.PhotoSize{Type: largeSize, W: p.Width, H: p.Height, Size: n})
	}
	return t
}

func (w *World) document(d *Document, date int) tg.DocumentClass {
	t := &tg.Document{
		ID: d.ID, AccessHash: hashOf("file", d.ID), FileReference: w.reference(d.ID), Date: date,
		MimeType: d.MIME, Size: int64(len(d.Bytes)), DCID: w.dc,
	}
	if d.Size != 0 {
		t.Size = d.Size
	}
	if n := len(d.Thumb); n > 0 {
		width, height := dimensions(d.Thumb)
		t.Thumbs = []tg.PhotoSizeClass{&tg.PhotoSize{Type: thumbSize, W: width, H: height, Size: n}}
	}
	if d.Name != "" {
		t.Attributes = append(t.Attributes, &tg.DocumentAttributeFilename{FileName: d.Name})
	}
	switch d.Kind {
	case "video", "round":
		t.Attributes = append(t.Attributes, &tg.DocumentAttributeVideo{
			W: d.Width, H: d.Height, Duration: d.Duration, RoundMessage: d.Kind == "round",
		})
	case "animation":
		t.Attributes = append(t.Attributes, &tg.DocumentAttributeAnimated{}, &tg.DocumentAttributeVideo{
			W: d.Width, H: d.Height, Duration: d.Duration, Nosound: true,
		})
	case "audio", "voice":
		t.Attributes = append(t.Attributes, &tg.DocumentAttributeAudio{
			Duration: int(d.Duration), Voice: d.Kind == "voice", Title: d.Title, Performer: d.By,
		})
	case "sticker":
		t.Attributes = append(t.Attributes, &tg.DocumentAttributeSticker{Alt: "🙂", Stickerset: &tg.InputStickerSetEmpty{}})
	case "custom_emoji":
		t.Attributes = append(t.Attributes, &tg.DocumentAttributeCustomEmoji{Alt: "🙂", Stickerset: &tg.InputStickerSetID{ID: 5, AccessHash: 6}})
	}
	return t
}
