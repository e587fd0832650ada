package bundle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// exhibits writes each post's folder: its files and exhibit.json.
func (b *builder) exhibits(ctx context.Context) error {
	for _, p := range b.sel.posts {
		if p.Role == RoleExhibit {
			b.res.Exhibits++
		}
		if len(p.Records) == 0 {
			continue // all of its records are later than the checkpoint
		}
		if err := b.media(ctx, p); err != nil {
			return err
		}
		x := exhibitFile{Exhibit: p.Number, Post: p.Ordinal, Role: p.Role, Case: p.Case, Records: p.Records, Media: p.Media}
		for _, of := range p.Of {
			x.Of = append(x.Of, of.Number)
		}
		var err error
		if x.Times, err = b.times(ctx, p); err != nil {
			return err
		}
		if err := b.writeJSON(p.folder()+"/"+exhibitJSON, x); err != nil {
			return err
		}
		b.step()
	}
	return nil
}

func (b *builder) times(ctx context.Context, p *post) (out []recordTimes, err error) {
	for _, seq := range p.Records {
		r, err := b.o.Log.Record(ctx, seq)
		if err != nil {
			return nil, err
		}
		if r.Kind != evidence.KindPostSeen {
			continue
		}
		t := recordTimes{Record: seq, Anchored: b.firstFor(seq)}
		if seen, err := evidence.Decode[*evidence.PostSeen](r); err == nil && b.withhold(r) == "" {
			t.Captured = seen.Observed
		}
		out = append(out, t)
	}
	return out, nil
}

func (p *post) folder() string { return fmt.Sprintf("%s/%04d", dirExhibits, p.Number) }

func (b *builder) writeJSON(path string, v any) error {
	return b.bag.write(path, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	})
}

// media copies the files that a post's media.kept records name.
func (b *builder) media(ctx context.Context, p *post) error {
	packed := map[evidence.Digest]string{}
	for _, seq := range p.Records {
		r, err := b.o.Log.Record(ctx, seq)
		if err != nil {
			return err
		}
		switch body, err := evidence.DecodeBody(r); body := body.(type) {
		case *evidence.MediaKept:
			m := mediaFile{MediaID: body.MediaID, Record: seq, SHA256: body.Blob.SHA256, Size: body.Blob.Size, MIME: body.MIME}
			if err := b.oneFile(ctx, p, &m, packed); err != nil {
				return err
			}
			p.Media = append(p.Media, m)
		case *evidence.MediaMissed:
			p.Media = append(p.Media, mediaFile{MediaID: body.MediaID, Record: seq, Size: body.Size, Absent: body.Reason})
			b.res.MediaAbsent++
		default:
			if err != nil && !errors.Is(err, evidence.ErrErased) {
				return err
			}
		}
	}
	return nil
}

func (b *builder) oneFile(ctx context.Context, p *post, m *mediaFile, packed map[evidence.Digest]string) error {
	if p.Hidden != "" {
		m.Absent = p.Hidden
		b.res.MediaAbsent++
		return nil
	}
	if name, done := packed[m.SHA256]; done {
		m.File = name
		return nil
	}
	blob, _, err := b.o.Log.Blob(ctx, m.SHA256)
	if errors.Is(err, evidence.ErrNotFound) {
		m.Absent = whyErased
		b.res.MediaAbsent++
		return nil
	}
	if err != nil {
		return err
	}
	defer blob.Close()
	if m.MIME == "" {
		found, err := mimetype.DetectReader(blob)
		if err != nil {
			return err
		}
		m.MIME = found.String()
		if _, err := blob.Seek(0, io.SeekStart); err != nil {
			return err
		}
	}
	m.File = m.SHA256.String() + "." + extension(m.MIME)
	packed[m.SHA256] = m.File
	b.res.Media++
	return b.bag.copyBlob(ctx, p.folder()+"/"+m.File, m.SHA256, blob)
}

// extension returns an extension for a media type, without dot. A type that a viewer might run instead of show is `bin`: the
// files come from strangers, and a judge may click on one.
func extension(mime string) string {
	mime, _, _ = strings.Cut(mime, ";")
	kind, sub, _ := strings.Cut(mime, "/")
	shown := (kind == "image" && sub != "svg+xml") || kind == "video" || kind == "audio" || mime == "application/pdf" || mime == "text/plain"
	m := mimetype.Lookup(mime)
	if !shown || m == nil {
		return "bin"
	}
	ext := strings.TrimPrefix(m.Extension(), ".")
	if ext == "" || len(ext) > 16 || strings.Trim(ext, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return "bin"
	}
	return ext
}

// rawAbsent is a reply that the full edition should hold and cannot.
type rawAbsent struct {
	Record int64           `json:"record"`
	SHA256 evidence.Digest `json:"sha256"`
	Reason string          `json:"reason"`
}

// raw copies the replies of the acquisitions, in the full edition only: they name everyone whom the platform named.
func (b *builder) raw(ctx context.Context) error {
	if b.o.Edition != Full {
		return nil
	}
	for d, seq := range b.sel.replies {
		blob, _, err := b.o.Log.Blob(ctx, d)
		if errors.Is(err, evidence.ErrNotFound) {
			b.rawAbsent = append(b.rawAbsent, rawAbsent{seq, d, whyErased})
			continue
		}
		if err != nil {
			return err
		}
		err = b.bag.copyBlob(ctx, dirRaw+"/"+d.String(), d, blob)
		if err := errors.Join(err, blob.Close()); err != nil {
			return err
		}
		b.res.Raw++
		b.step()
	}
	return nil
}

// unlink removes a file that was never finished.
func unlink(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
