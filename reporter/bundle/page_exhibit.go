package bundle

import (
	"context"
	"errors"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// exhibitPage is one post of the bag as the page shows it.
type exhibitPage struct {
	Number  int
	Folder  string // relative to data/
	Post    evidence.Ordinal
	Role    string
	Of      []int
	Case    []caseExhibit
	Hidden  string
	Events  []postEvent
	Media   []mediaFile
	Version int            // number of versions
	Rest    []*exhibitPage // the other posts of its album, which are shown under the one with the lowest number
}

// postEvent is one record about the post.
type postEvent struct {
	proof
	Kind    evidence.Kind
	Version int // from 1, for post.seen
	Cited   []int
	Seen    *evidence.PostSeen
	Gone    *evidence.PostGone
	Kept    *evidence.MediaKept
	Missed  *evidence.MediaMissed
	Forward string
	Author  string
	Told    []line
	Carried []carried
	Request *request
	Anchor  *anchor // the first over this record
}

// request is the acquisition that brought an observation.
type request struct {
	Seq       int64
	Method    string
	Alias     string
	Vantage   string
	Server    evidence.Time
	Offset    *int64
	Reencoded bool // the kept reply is our encoding
}

func (b *builder) exhibitPage(ctx context.Context, p *post) (*exhibitPage, error) {
	x := &exhibitPage{Number: p.Number, Folder: strings.TrimPrefix(p.folder(), dirData+"/"), Post: p.Ordinal, Role: p.Role, Case: p.Case, Hidden: p.Hidden, Media: p.Media}
	for _, of := range p.Of {
		x.Of = append(x.Of, of.Number)
	}
	for _, seq := range p.Records {
		r, err := b.o.Log.Record(ctx, seq)
		if err != nil {
			return nil, err
		}
		e, err := b.postEvent(ctx, r)
		if err != nil {
			return nil, err
		}
		if r.Kind == evidence.KindPostSeen {
			x.Version++
			e.Version = x.Version
		}
		for _, c := range p.Case {
			if c.Record == seq {
				e.Cited = append(e.Cited, c.Number)
			}
		}
		x.Events = append(x.Events, e)
	}
	return x, nil
}

func (b *builder) postEvent(ctx context.Context, r evidence.Record) (postEvent, error) {
	e := postEvent{Kind: r.Kind, proof: proofOf(r, b.withhold(r))}
	if r.Kind == evidence.KindPostSeen {
		e.Anchor = b.firstFor(r.Seq)
	}
	if e.Withheld != "" {
		return e, nil
	}
	body, err := evidence.DecodeBody(r)
	if err != nil {
		return e, err
	}
	switch x := body.(type) {
	case *evidence.PostSeen:
		e.Seen = x
		if x.Forward != nil {
			e.Forward = "an origin that is not told"
			if x.Forward.From != nil {
				e.Forward = b.who(ctx, *x.Forward.From)
			}
		}
		if x.Author != nil {
			e.Author = b.who(ctx, *x.Author)
		}
		e.Told, e.Carried = b.told(ctx, x), b.carries(ctx, x)
	case *evidence.PostGone:
		e.Gone = x
	case *evidence.MediaKept:
		e.Kept = x
	case *evidence.MediaMissed:
		e.Missed = x
	}
	e.Request, err = b.request(ctx, acquisitionOf(body))
	return e, err
}

// who names an account by its platform identity, and a private person by the pseudonym alone.
func (b *builder) who(ctx context.Context, r evidence.Ref) string {
	if r.Ordinal.Space() == evidence.SpacePrivate {
		return "the private person " + string(r.Ordinal)
	}
	if n, err := b.o.Log.Name(ctx, r.Ordinal); err == nil {
		return string(r.Ordinal) + ", " + n.Key
	}
	return string(r.Ordinal)
}

func (b *builder) request(ctx context.Context, id evidence.ID) (*request, error) {
	if id.IsZero() {
		return nil, nil
	}
	r, err := b.o.Log.ByID(ctx, id)
	if err != nil {
		return nil, ignore(err)
	}
	a, err := evidence.Decode[*evidence.Acquisition](r)
	if errors.Is(err, evidence.ErrErased) {
		return &request{Seq: r.Seq, Method: "erased"}, nil
	}
	if err != nil {
		return nil, err
	}
	return &request{r.Seq, a.Method, a.Alias, a.Vantage, a.ServerDate, a.ClockOffsetMS, a.Reencoded}, nil
}

// albums lists the posts of the bag by the album that they share, in the bag's order. What readers of a channel see as one post is
// shown as one exhibit.
func (s *selection) albums() map[string][]*post {
	out := map[string][]*post{}
	for _, p := range s.posts {
		if p.Group != "" && len(p.Records) > 0 {
			out[p.album()] = append(out[p.album()], p)
		}
	}
	return out
}

// album names the album of p; group ids are an account's own.
func (p *post) album() string { return string(p.Ordinal.Whole()) + " " + p.Group }

// albumPage is the page of p and of the rest of its album.
func (b *builder) albumPage(ctx context.Context, p *post, album []*post) (*exhibitPage, error) {
	x, err := b.exhibitPage(ctx, p)
	if err != nil {
		return nil, err
	}
	for _, o := range album {
		if o == p {
			continue
		}
		rest, err := b.exhibitPage(ctx, o)
		if err != nil {
			return nil, err
		}
		x.Rest = append(x.Rest, rest)
	}
	return x, nil
}
