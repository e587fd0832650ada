package telegram

import (
	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors"
)

// preview is a smaller rendering of a file, which the platform serves by the same location with a size of its own.
type preview struct {
	typ   string
	bytes int64
	area  int64
}

// previews lists those that are files; stripped, cached and path sizes stand in the message itself.
func previews(sizes []tg.PhotoSizeClass) []preview {
	var out []preview
	for _, s := range sizes {
		switch s := s.(type) {
		case *tg.PhotoSize:
			out = append(out, preview{s.Type, int64(s.Size), int64(s.W) * int64(s.H)})
		case *tg.PhotoSizeProgressive:
			if n := len(s.Sizes); n > 0 {
				out = append(out, preview{s.Type, int64(s.Sizes[n-1]), int64(s.W) * int64(s.H)})
			}
		}
	}
	return out
}

// size is what the platform announces, 0 where it does not.
func (f file) size() int64 {
	if f.thumb != "" {
		return f.thumbSize
	}
	return max(0, f.media.Size)
}

// standIn returns the largest rendering that is under the limit.
func (f file) standIn(limit int64) (file, bool) {
	var best preview
	for _, p := range f.previews {
		if p.bytes > 0 && p.bytes <= limit && p.area > best.area && p.typ != thumbOf(f.location) {
			best = p
		}
	}
	if best.typ == "" {
		return file{}, false
	}
	f.thumb, f.thumbSize = best.typ, best.bytes
	switch l := f.location.(type) {
	case *tg.InputPhotoFileLocation:
		c := *l
		c.ThumbSize = best.typ
		f.location = &c
	case *tg.InputDocumentFileLocation:
		c := *l
		c.ThumbSize = best.typ
		f.location = &c
	default:
		return file{}, false
	}
	return f, true
}

func thumbOf(l tg.InputFileLocationClass) string {
	if p, ok := l.(*tg.InputPhotoFileLocation); ok {
		return p.ThumbSize
	}
	return ""
}

// unwanted says why a file is not to be fetched and by which rule, or nothing where it is.
func unwanted(t collectors.Target, f file) (reason, rule string) {
	claimed := f.media.MIME
	if f.kind == "photo" && claimed == "" {
		claimed = "image/jpeg" // the platform converts every photo
	}
	if !t.Keeps(f.kind) {
		return "not-collected", "collect.media"
	}
	if rule := t.Policy.Refuses(claimed); rule != "" {
		return "not-collected", rule
	}
	if limit, rule := t.Limit(f.kind); limit > 0 && f.media.Size > limit {
		return "too-large", rule
	}
	return "", ""
}

// instead returns what stands for a file that is over its limit.
func instead(t collectors.Target, f file) (file, bool) {
	if t.Policy.NoThumbnails {
		return file{}, false
	}
	limit, _ := t.Limit(f.kind)
	return f.standIn(limit)
}
