package bundle

import (
	"context"
	"io/fs"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// albumReach is how far from an exhibit the posts of its album are looked for: platforms number them one after another, and
// allow about ten.
const albumReach = 20

// context adds the album and the neighbours of every exhibit. A whole account needs neither.
func (s *selection) context(ctx context.Context) error {
	if s.o.Account != "" {
		return nil
	}
	for _, p := range append([]*post(nil), s.posts...) {
		before, err := s.near(ctx, p, s.o.Log.PostsBefore)
		if err != nil {
			return err
		}
		after, err := s.near(ctx, p, func(ctx context.Context, from evidence.Ordinal, fn func(evidence.Ordinal) error) error {
			return s.o.Log.Posts(ctx, from, func(o evidence.Ordinal) error {
				if o == from {
					return nil
				}
				return fn(o)
			})
		})
		if err != nil {
			return err
		}
		if err := s.beside(ctx, p, before, after); err != nil {
			return err
		}
	}
	return nil
}

// near lists the posts on one side of p, nearest first, of p's own sort (posts beside posts, stories beside stories).
func (s *selection) near(ctx context.Context, p *post, walk func(context.Context, evidence.Ordinal, func(evidence.Ordinal) error) error) ([]evidence.Ordinal, error) {
	var out []evidence.Ordinal
	err := walk(ctx, p.Ordinal, func(o evidence.Ordinal) error {
		if o.Whole() != p.Ordinal.Whole() || sortOf(o) != sortOf(p.Ordinal) {
			return fs.SkipAll
		}
		out = append(out, o)
		if len(out) >= albumReach+max(s.o.Neighbours, 0) {
			return fs.SkipAll
		}
		return nil
	})
	return out, err
}

func sortOf(o evidence.Ordinal) byte {
	if part := o.Part(); part[0] == 's' || part[0] == '~' {
		return part[0]
	}
	return '#'
}

func (s *selection) beside(ctx context.Context, p *post, before, after []evidence.Ordinal) error {
	groups, err := s.groups(ctx, p.Ordinal)
	if err != nil {
		return err
	}
	for _, side := range [][]evidence.Ordinal{before, after} {
		rest := side
		if len(groups) > 0 {
			if rest, err = s.album(ctx, p, side, groups); err != nil {
				return err
			}
		}
		for i := 0; i < len(rest) && i < s.o.Neighbours; i++ {
			s.post(rest[i], RoleNeighbour, p)
		}
	}
	return nil
}

// album adds the posts of a side that share p's group, and returns the others.
func (s *selection) album(ctx context.Context, p *post, side []evidence.Ordinal, groups map[string]bool) ([]evidence.Ordinal, error) {
	var rest []evidence.Ordinal
	for i, o := range side {
		shared := false
		if i < albumReach {
			have, err := s.groups(ctx, o)
			if err != nil {
				return nil, err
			}
			for g := range have {
				shared = shared || groups[g]
			}
		}
		if !shared {
			rest = append(rest, o)
			continue
		}
		s.post(o, RoleAlbum, p)
	}
	return rest, nil
}

// groups returns the album ids that any version of a post carried.
func (s *selection) groups(ctx context.Context, o evidence.Ordinal) (map[string]bool, error) {
	out := map[string]bool{}
	err := s.o.Log.About(ctx, o, func(r evidence.Record) error {
		if r.Kind != evidence.KindPostSeen {
			return nil
		}
		if b, err := evidence.Decode[*evidence.PostSeen](r); err == nil && b.Group != "" {
			out[b.Group] = true
		}
		return nil
	})
	return out, err
}
