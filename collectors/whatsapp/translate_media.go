package whatsapp

import (
	"encoding/hex"
	"strconv"
	"strings"

	"go.mau.fi/whatsmeow/proto/waE2E"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// file is a medium with bytes that can be fetched.
type file struct {
	media evidence.Media
	kind  string // photo, document, video or audio: the word of a target's media list
	mms   string // the platform's word for it, in the request
	path  string // with its query, which signs it
	sha   []byte // of the bytes, as the post says
}

// fileMessage is what all messages with a file have in common. Their URL is left alone: it may lead anywhere. So is their
// MediaKey, since files of channels are not encrypted.
type fileMessage interface {
	GetDirectPath() string
	GetFileSHA256() []byte
	GetFileLength() uint64
	GetMimetype() string
}

// attached adds a message with a file, if it is one.
func (x *post) attached(m any, name string) bool {
	switch m := m.(type) {
	case *waE2E.ImageMessage:
		x.text(m.GetCaption())
		x.file(m, evidence.Media{Type: "photo", Width: int(m.GetWidth()), Height: int(m.GetHeight())}, "photo", "image")
	case *waE2E.VideoMessage:
		x.text(m.GetCaption())
		v := evidence.Media{Type: "video", Width: int(m.GetWidth()), Height: int(m.GetHeight()), Duration: duration(m.GetSeconds())}
		switch {
		case name == "ptv_message":
			v.Type = "round"
		case m.GetGifPlayback():
			v.Type = "animation"
		}
		x.file(m, v, "video", "video")
	case *waE2E.AudioMessage:
		v := evidence.Media{Type: "audio", Duration: duration(m.GetSeconds())}
		if m.GetPTT() {
			v.Type = "voice"
		}
		x.file(m, v, "audio", "audio")
	case *waE2E.DocumentMessage:
		x.text(m.GetCaption())
		v := evidence.Media{Type: "document", Name: valid(m.GetFileName())}
		if v.Name == "" {
			v.Name = valid(m.GetTitle())
		}
		x.file(m, v, "document", "document")
	case *waE2E.StickerMessage:
		x.file(m, evidence.Media{Type: "sticker", Width: int(m.GetWidth()), Height: int(m.GetHeight())}, "document", "image")
	default:
		return false
	}
	return true
}

func duration(s uint32) string {
	if s == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(s), 10)
}

// file adds a file. Its identity is the digest that the post gives, or its path where there is none.
func (x *post) file(m fileMessage, v evidence.Media, kind, mms string) {
	v.MIME, v.Name = clip(m.GetMimetype()), clip(v.Name)
	v.Size = int64(min(m.GetFileLength(), 1<<62))
	path, _, _ := strings.Cut(m.GetDirectPath(), "?")
	switch sha := m.GetFileSHA256(); {
	case len(sha) == 32:
		v.ID = v.Type + " " + hex.EncodeToString(sha)
	case path != "":
		d := evidence.Sum([]byte(path))
		v.ID = v.Type + " path " + d.String()
	default:
		v.ID = v.Type
	}
	x.media(v)
	x.files = append(x.files, file{media: v, kind: kind, mms: mms, path: m.GetDirectPath(), sha: m.GetFileSHA256()})
}
