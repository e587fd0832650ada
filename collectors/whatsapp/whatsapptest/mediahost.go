package whatsapptest

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// serveMedia answers for every media host.
func (s *Server) serveMedia(w http.ResponseWriter, r *http.Request) {
	s.note(Call{Kind: "media", Host: r.Host, Path: r.URL.RequestURI()})
	id, ok := strings.CutPrefix(r.URL.Path, "/o1/v/t24/f2/m")
	n, err := strconv.ParseInt(id, 10, 64)
	if r.Method != http.MethodGet || !ok || err != nil {
		http.Error(w, "Not Found", http.StatusNotFound)
		return
	}
	m, ok := s.world.file(n)
	if !ok {
		http.Error(w, "Not Found", http.StatusNotFound)
		return
	}
	if r.URL.Query().Get("oh") != m.token() {
		http.Error(w, "Bad URL hash", http.StatusForbidden)
		return
	}
	if m.MIME != "" {
		w.Header().Set("Content-Type", m.MIME)
	}
	s.serveFile(w, r, m)
}

// file returns a copy, since tampering may change while it is served.
func (w *World) file(id int64) (Media, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.files[id]
	if m == nil {
		return Media{}, false
	}
	return *m, true
}

func (s *Server) serveFile(w http.ResponseWriter, r *http.Request, m Media) {
	if url, ok := strings.CutPrefix(string(m.Tamper), string(RedirectedAway)); ok {
		http.Redirect(w, r, url, http.StatusFound)
		return
	}
	if code, err := strconv.Atoi(string(m.Tamper)); err == nil {
		if code == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "1")
		}
		http.Error(w, http.StatusText(code), code)
		return
	}
	half := m.Bytes[:len(m.Bytes)/2]
	switch m.Tamper {
	case WrongBytes:
		send(w, inverted(m.Bytes))
	case Truncated:
		send(w, half)
	case Padded:
		send(w, append(bytes.Clone(m.Bytes), "beyond the end"...))
	case CutShort, Stalled:
		w.Header().Set("Content-Length", strconv.Itoa(len(m.Bytes)))
		send(w, half)
		if m.Tamper == CutShort {
			panic(http.ErrAbortHandler)
		}
		s.idle(r)
	case GzipBomb:
		w.Header().Set("Content-Encoding", "gzip")
		s.repeat(w, r, gzipped(make([]byte, bombPart)), bombSize/bombPart)
	case Endless:
		s.repeat(w, r, make([]byte, 1<<16), 1<<40)
	default:
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(m.Bytes))
	}
}

const (
	bombPart = 16 << 20
	bombSize = 1 << 30
)

// gzipped is one member of a gzip stream; members can follow one another.
func gzipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}

func inverted(b []byte) []byte {
	out := make([]byte, len(b))
	for i, c := range b {
		out[i] = ^c
	}
	return out
}

// send writes a body; a client that went away is no fault of ours.
func send(w http.ResponseWriter, b []byte) {
	_, _ = w.Write(b)
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
}

func (s *Server) repeat(w http.ResponseWriter, r *http.Request, b []byte, times int) {
	for range times {
		if r.Context().Err() != nil || s.ctx.Err() != nil {
			return
		}
		if _, err := w.Write(b); err != nil {
			return
		}
	}
}

func (s *Server) idle(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.ctx.Done():
	}
}
