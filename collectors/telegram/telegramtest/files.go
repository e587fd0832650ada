package telegramtest

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

const (
	kib        = 1 << 10
	partWindow = 1 << 20 // a part lies within one window, https://core.telegram.org/api/files#downloading-files
)

func (s *Server) getFile(by caller, q *tg.UploadGetFileRequest) (bin.Encoder, error) {
	if err := checkPart(q); err != nil {
		return nil, err
	}
	if by.dc != s.opts.FileDC {
		return nil, tgerr.New(303, "FILE_MIGRATE_"+strconv.Itoa(s.opts.FileDC))
	}
	data, mime, err := s.world.located(q.Location)
	if err != nil {
		return nil, err
	}
	c := partCall(q)
	if r := s.redirect(c.File, data); r != nil {
		return r, nil
	}
	return &tg.UploadFile{Type: storageType(mime), Mtime: 1, Bytes: s.servePart(c, data)}, nil
}

func (w *World) located(in tg.InputFileLocationClass) (data []byte, mime string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.locate(in)
}

func checkPart(q *tg.UploadGetFileRequest) error {
	step := int64(4 * kib)
	if q.Precise {
		step = kib
	}
	n := int64(q.Limit)
	switch {
	case q.Offset < 0 || q.Offset%step != 0:
		return tgerr.New(400, "OFFSET_INVALID")
	case n <= 0 || n > partWindow || n%step != 0 || !q.Precise && partWindow%n != 0:
		return tgerr.New(400, "LIMIT_INVALID")
	case q.Offset/partWindow != (q.Offset+n-1)/partWindow:
		return tgerr.New(400, "LIMIT_INVALID")
	}
	return nil
}

// locate finds the bytes of a location.
func (w *World) locate(in tg.InputFileLocationClass) (data []byte, mime string, err error) {
	var id, hash int64
	var ref []byte
	var size string
	photo := false
	switch in := in.(type) {
	case *tg.InputPhotoFileLocation:
		id, hash, ref, size, photo = in.ID, in.AccessHash, in.FileReference, in.ThumbSize, true
	case *tg.InputDocumentFileLocation:
		id, hash, ref, size = in.ID, in.AccessHash, in.FileReference, in.ThumbSize
	case *tg.InputPeerPhotoFileLocation:
		return w.peerPhoto(in)
	default:
		return nil, "", tgerr.New(400, "LOCATION_INVALID")
	}
	f := w.files[id]
	if f == nil || f.photo != photo || hash != hashOf("file", id) {
		return nil, "", tgerr.New(400, "LOCATION_INVALID")
	}
	if err := w.checkReference(ref, id); err != nil {
		return nil, "", err
	}
	b, ok := f.sizes[size]
	if !ok {
		return nil, "", tgerr.New(400, "LOCATION_INVALID")
	}
	return b, f.mime, nil
}

func (w *World) checkReference(ref []byte, id int64) error {
	switch {
	case len(ref) == 0:
		return tgerr.New(400, "FILE_REFERENCE_EMPTY")
	case len(ref) != 12 || binary.BigEndian.Uint64(ref[4:]) != uint64(id):
		return tgerr.New(400, "FILE_REFERENCE_INVALID")
	case !bytes.Equal(ref, w.reference(id)):
		return tgerr.New(400, "FILE_REFERENCE_EXPIRED")
	}
	return nil
}

// peerPhoto serves a channel's own picture, which needs no reference.
func (w *World) peerPhoto(in *tg.InputPeerPhotoFileLocation) ([]byte, string, error) {
	ch, err := w.visible(in.Peer)
	if err != nil {
		return nil, "", err
	}
	f := w.files[in.PhotoID]
	if ch.profile.Photo == nil || ch.profile.Photo.ID != in.PhotoID || f == nil {
		return nil, "", tgerr.New(400, "LOCATION_INVALID")
	}
	if b, ok := f.sizes[thumbSize]; ok && !in.Big {
		return b, f.mime, nil
	}
	return f.sizes[largeSize], f.mime, nil
}

func storageType(mime string) tg.StorageFileTypeClass {
	switch mime {
	case "image/jpeg":
		return &tg.StorageFileJpeg{}
	case "image/png":
		return &tg.StorageFilePng{}
	case "image/gif":
		return &tg.StorageFileGif{}
	case "video/mp4":
		return &tg.StorageFileMp4{}
	default:
		return &tg.StorageFilePartial{}
	}
}
