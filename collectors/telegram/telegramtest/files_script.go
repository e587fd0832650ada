package telegramtest

import "github.com/gotd/td/tg"

// PartCall is one part of a file that was asked for and served, by whichever data centre.
type PartCall struct {
	File   int64  // id of the photo or document
	Thumb  string // size, empty for a document itself
	Offset int64
	Limit  int
	CDN    bool // by the delivery network
}

// Parts returns every part that was served so far, in the order in which serving began.
func (s *Server) Parts() []PartCall {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]PartCall(nil), s.log.parts...)
}

// BendParts has f change what each part carries: shorter, longer, other bytes. What f gets must not be written to. It may block, which
// holds up that answer and every other of the same connection. nil ends it, and so does Calm.
func (s *Server) BendParts(f func(c PartCall, honest []byte) []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script.bend = f
}

func (s *Server) servePart(c PartCall, data []byte) []byte {
	from := min(c.Offset, int64(len(data)))
	b := data[from:min(from+int64(c.Limit), int64(len(data)))]
	s.mu.Lock()
	s.log.parts = append(s.log.parts, c)
	bend := s.script.bend
	s.mu.Unlock()
	if bend != nil {
		b = bend(c, b)
	}
	return b
}

func partCall(q *tg.UploadGetFileRequest) PartCall {
	c := PartCall{Offset: q.Offset, Limit: q.Limit}
	switch l := q.Location.(type) {
	case *tg.InputPhotoFileLocation:
		c.File, c.Thumb = l.ID, l.ThumbSize
	case *tg.InputDocumentFileLocation:
		c.File, c.Thumb = l.ID, l.ThumbSize
	case *tg.InputPeerPhotoFileLocation:
		c.File = l.PhotoID
	}
	return c
}
