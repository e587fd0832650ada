package review

import (
	"context"
	"errors"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Version is one recorded version of a post.
type Version struct {
	evidence.RecordRef
	RecordedAt evidence.Time      `json:"recorded_at"`
	Post       *evidence.PostSeen `json:"post,omitempty"` // nil where the body is erased
}

// Happening is an entry of a post's status history.
type Happening struct {
	Seq     int64         `json:"seq"`
	At      evidence.Time `json:"at"`   // when it was observed, or else recorded
	What    string        `json:"what"` // seen, edited, restricted, gone, media.kept, media.missed
	Detail  string        `json:"detail,omitempty"`
	Vantage string        `json:"vantage,omitempty"`
	Erased  bool          `json:"erased,omitempty"`
}

// File is a file of a post: kept, or not and why.
type File struct {
	MediaID string          `json:"media_id"`
	Blob    evidence.Object `json:"blob,omitzero"`
	MIME    string          `json:"mime,omitempty"`
	Name    string          `json:"name,omitempty"`
	Missed  string          `json:"missed,omitempty"` // the reason
	// Says is the reason in plain words, with the rule that it rests on and the next try.
	Says string `json:"says,omitempty"`
	// Preview is a smaller rendering that was kept instead, and PreviewSays what it stands for.
	Preview     evidence.Object `json:"preview,omitzero"`
	PreviewSays string          `json:"preview_says,omitempty"`
}

// Post is everything that the log says about one post.
type Post struct {
	Ordinal      evidence.Ordinal `json:"ordinal"`
	Account      evidence.Ordinal `json:"account"`
	Platform     string           `json:"platform"` // identity of the account: `telegram channel 1234`
	Target       string           `json:"target,omitempty"`
	Organisation string           `json:"organisation,omitempty"`
	Link         string           `json:"link,omitempty"`
	Versions     []Version        `json:"versions"` // ascending; the last is the latest
	Media        []File           `json:"media,omitempty"`
	History      []Happening      `json:"history"`
	Gone         string           `json:"gone,omitempty"` // how, where the newest observation missed it
	Case         evidence.Ordinal `json:"case,omitempty"`
	Hidden       string           `json:"hidden,omitempty"` // why the content is left out
	Album        []Post           `json:"album,omitempty"`  // the other posts of the same album, ascending

	opened map[evidence.Ordinal]int64 // by person: the record of their newest look at the content
}

// Latest returns the newest version.
func (p Post) Latest() Version { return p.Versions[len(p.Versions)-1] }

// post reads what the log says about a post, leaving out what its target and case would add.
func (d *Desk) post(ctx context.Context, o evidence.Ordinal) (Post, error) {
	p := Post{Ordinal: o, Account: o.Whole(), opened: map[evidence.Ordinal]int64{}}
	if o.Space() != evidence.SpaceAccount || o.Part() == "" {
		return p, refuse(NotFound, "%q is not a post; a post is written like a12/456", clip(string(o)))
	}
	if err := d.NeedInSight(ctx, o); err != nil {
		return p, err
	}
	err := d.Log.About(ctx, o, func(r evidence.Record) error { p.add(r); return nil })
	if err == nil && len(p.Versions) == 0 {
		err = refuse(NotFound, "there is no post %s in this vault", clip(string(o)))
	}
	if errors.Is(err, evidence.ErrNotFound) || errors.Is(err, evidence.ErrOrdinal) {
		err = refuse(NotFound, "there is no post %s in this vault", clip(string(o)))
	}
	return p, err
}

func (p *Post) add(r evidence.Record) {
	h := Happening{Seq: r.Seq, At: r.At, What: string(r.Kind)}
	b, err := evidence.DecodeBody(r)
	h.Erased = errors.Is(err, evidence.ErrErased)
	switch b := b.(type) {
	case *evidence.PostSeen:
		h.What, h.At, h.Vantage = "seen", b.Observed.To, b.Vantage
		if len(b.Restriction) > 0 {
			h.What, h.Detail = "restricted", b.Restriction[0].Reason
		}
		p.Versions = append(p.Versions, Version{RecordRef: refOf(r), RecordedAt: r.At, Post: b})
		p.Gone = ""
	case *evidence.PostGone:
		h.What, h.At, h.Vantage, h.Detail = "gone", b.Observed.To, b.Vantage, b.How
		p.Gone = b.How
	case *evidence.MediaKept:
		h.At, h.Detail = b.Observed.To, b.MediaID
		if !b.Thumbnail {
			p.file(File{MediaID: b.MediaID, Blob: b.Blob, MIME: b.MIME, Name: b.Name})
		} else if b.StandsFor != "" {
			h.Detail += ": " + b.Says()
			p.preview(b.MediaID, b.Blob, b.Says())
		}
	case *evidence.MediaMissed:
		h.Detail = b.MediaID + ": " + b.Says()
		if b.Thumbnail {
			p.preview(b.MediaID, evidence.Object{}, b.Says())
		} else {
			p.file(File{MediaID: b.MediaID, Missed: b.Reason, Says: b.Says()})
		}
	case *evidence.Access:
		if h.Detail = b.What; b.What == lookAtPost {
			p.opened[r.Actor] = r.Seq
		}
	default:
		if r.Kind == evidence.KindPostSeen {
			p.Versions = append(p.Versions, Version{RecordRef: refOf(r), RecordedAt: r.At})
		}
	}
	p.History = append(p.History, h)
}

// hide leaves out what the post says and shows.
func (p *Post) hide(why string) {
	p.Hidden, p.Media = why, nil
	for i := range p.Versions {
		p.Versions[i].Post = nil
	}
	for i := range p.History {
		p.History[i].Detail = ""
	}
	for i := range p.Album {
		p.Album[i].hide(why)
	}
}

// preview notes what is there instead of a file, or why that is not either.
func (p *Post) preview(id string, blob evidence.Object, says string) {
	for i := range p.Media {
		if p.Media[i].MediaID == id {
			p.Media[i].Preview, p.Media[i].PreviewSays = blob, says
			return
		}
	}
	p.Media = append(p.Media, File{MediaID: id, Missed: "not-collected", Preview: blob, PreviewSays: says})
}

func (p *Post) file(f File) {
	for i := range p.Media {
		if p.Media[i].MediaID == f.MediaID {
			if f.Missed != "" {
				f.Preview, f.PreviewSays = p.Media[i].Preview, p.Media[i].PreviewSays
			}
			p.Media[i] = f
			return
		}
	}
	p.Media = append(p.Media, f)
}

// link is the post's public address, where the platform has one for posts.
func link(t Target, post evidence.Ordinal) string {
	if l := evidence.PostLink(t.Platform, t.Address, post); l != "" {
		return l
	}
	return t.Address
}
