package whatsapptest

import (
	"strconv"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"
)

// path is the direct path; without its query the media host refuses, as the platform's does.
func (m *Media) path() string {
	id := strconv.FormatInt(m.ID, 10)
	return "/o1/v/t24/f2/m" + id + "?ccb=9-4&oh=" + m.token() + "&oe=7FFFFFFF&_nc_sid=" + id
}

// token stands for the signature in a media URL.
func (m *Media) token() string {
	return "01_" + strconv.FormatUint(uint64(m.ID)*0x9E3779B97F4A7C15, 16)
}

// wireKind is the mediatype attribute.
func (m *Media) wireKind() string {
	switch m.Kind {
	case "round":
		return "ptv"
	case "voice":
		return "ptt"
	case "":
		return "document"
	}
	return m.Kind
}

// announced is what a message tells of its file, the same in every kind of message.
type announced struct {
	url, path, mime *string
	sha, key        []byte
	length          *uint64
	width, height   *uint32
	seconds         *uint32
}

func (m *Media) announced() announced {
	a := announced{
		sha: m.SHA256, key: m.MediaKey, length: proto.Uint64(uint64(len(m.Bytes))), url: optional(m.URL), mime: optional(m.MIME),
		width: proto.Uint32(uint32(m.Width)), height: proto.Uint32(uint32(m.Height)), seconds: proto.Uint32(uint32(m.Seconds)),
	}
	if a.sha == nil {
		a.sha = m.digest()
	}
	if m.Length != 0 {
		a.length = &m.Length
	}
	if !m.NoPath {
		a.path = proto.String(m.path())
	}
	return a
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// message is the message that carries the file.
func (m *Media) message(caption string, info *waE2E.ContextInfo) *waE2E.Message {
	a, text := m.announced(), optional(caption)
	switch m.Kind {
	case "image":
		return &waE2E.Message{ImageMessage: &waE2E.ImageMessage{
			URL: a.url, Mimetype: a.mime, Caption: text, FileSHA256: a.sha, FileLength: a.length, Height: a.height, Width: a.width,
			MediaKey: a.key, DirectPath: a.path, JPEGThumbnail: m.Thumb, ContextInfo: info,
		}}
	case "video", "gif", "round":
		return m.video(a, text, info)
	case "audio", "voice":
		return &waE2E.Message{AudioMessage: &waE2E.AudioMessage{
			URL: a.url, Mimetype: a.mime, FileSHA256: a.sha, FileLength: a.length, Seconds: a.seconds, PTT: proto.Bool(m.Kind == "voice"),
			MediaKey: a.key, DirectPath: a.path, ContextInfo: info,
		}}
	case "sticker":
		return &waE2E.Message{StickerMessage: &waE2E.StickerMessage{
			URL: a.url, FileSHA256: a.sha, MediaKey: a.key, Mimetype: a.mime, Height: a.height, Width: a.width, DirectPath: a.path,
			FileLength: a.length, ContextInfo: info,
		}}
	}
	return &waE2E.Message{DocumentMessage: &waE2E.DocumentMessage{
		URL: a.url, Mimetype: a.mime, Title: optional(m.Name), FileName: optional(m.Name), FileSHA256: a.sha, FileLength: a.length,
		MediaKey: a.key, DirectPath: a.path, JPEGThumbnail: m.Thumb, ContextInfo: info, Caption: text,
	}}
}

func (m *Media) video(a announced, text *string, info *waE2E.ContextInfo) *waE2E.Message {
	v := &waE2E.VideoMessage{
		URL: a.url, Mimetype: a.mime, FileSHA256: a.sha, FileLength: a.length, Seconds: a.seconds, MediaKey: a.key, Caption: text,
		Height: a.height, Width: a.width, DirectPath: a.path, JPEGThumbnail: m.Thumb, ContextInfo: info,
	}
	if m.Kind == "round" {
		return &waE2E.Message{PtvMessage: v}
	}
	if m.Kind == "gif" {
		v.GifPlayback = proto.Bool(true)
	}
	return &waE2E.Message{VideoMessage: v}
}
