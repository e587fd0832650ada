package review

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// albumReach is how far from a post the others of its album are looked for: platforms number them one after another and allow ten.
const albumReach = 20

// album lists the posts that share p's group id in their latest version, ascending and with p itself; nil where p is no part of an
// album. To readers of the channel they are one post, so they are looked at, decided and shown together.
func (d *Desk) album(ctx context.Context, p Post) ([]Post, error) {
	sort, number, ok := place(p.Ordinal)
	if p.group() == "" || !ok {
		return nil, nil
	}
	members, err := d.sharing(ctx, p, p.Account.With(sort+strconv.FormatInt(number+albumReach+1, 10)), false)
	if err != nil || len(members) < 2 {
		return nil, err
	}
	slices.Reverse(members)
	return members, nil
}

// leads reports whether no earlier post shares p's album, so that the album stands in the queue once, under its first post.
func (d *Desk) leads(ctx context.Context, p Post) (bool, error) {
	if p.group() == "" {
		return true, nil
	}
	earlier, err := d.sharing(ctx, p, p.Ordinal, true)
	return len(earlier) == 0, err
}

// sharing lists the posts before the given one, descending, that share p's group; with one, it stops at the first.
func (d *Desk) sharing(ctx context.Context, p Post, before evidence.Ordinal, one bool) ([]Post, error) {
	sort, number, ok := place(p.Ordinal)
	if !ok {
		return nil, nil
	}
	var near []evidence.Ordinal
	err := d.Log.PostsBefore(ctx, before, func(o evidence.Ordinal) error {
		s, n, ok := place(o)
		if !ok || s != sort || o.Whole() != p.Account || n < number-albumReach {
			return fs.SkipAll
		}
		near = append(near, o)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for the album of %s: %w", p.Ordinal, err)
	}
	var out []Post
	for _, o := range near {
		m, err := d.post(ctx, o)
		if CodeOf(err) == NotFound {
			continue // a file or an absence of a post that was never seen
		}
		if err != nil {
			return nil, err
		}
		if m.group() != p.group() {
			continue
		}
		if out = append(out, m); one {
			break
		}
	}
	return out, nil
}

// group is the album id of the latest version; empty where that is erased.
func (p Post) group() string {
	if v := p.Latest().Post; v != nil {
		return v.Group
	}
	return ""
}

// place splits a post's part into its sort and its number: `~7` into `~` and 7, `456` into nothing and 456.
func place(o evidence.Ordinal) (sort string, number int64, ok bool) {
	part := o.Part()
	digits := strings.TrimLeft(part, "s~")
	n, err := strconv.ParseInt(digits, 10, 64)
	return strings.TrimSuffix(part, digits), n, err == nil && n < 1<<62
}

// whole adds the rest of every album to the exhibits, after those that were named, so that a decision on one post of an album binds
// all of it and the numbers of the named ones stay.
func (d *Desk) whole(ctx context.Context, exhibits []evidence.Exhibit) ([]evidence.Exhibit, error) {
	for _, e := range slices.Clone(exhibits) {
		p, err := d.post(ctx, e.Post)
		if err != nil {
			return nil, err
		}
		members, err := d.album(ctx, p)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			if !names(exhibits, m.Ordinal) {
				exhibits = append(exhibits, evidence.Exhibit{Number: len(exhibits) + 1, Post: m.Ordinal, RecordRef: m.Latest().RecordRef})
			}
		}
	}
	return exhibits, nil
}

func names(exhibits []evidence.Exhibit, o evidence.Ordinal) bool {
	return slices.ContainsFunc(exhibits, func(e evidence.Exhibit) bool { return e.Post == o })
}

// checkAlbums refuses a decision on a part of an album.
func (d *Desk) checkAlbums(ctx context.Context, exhibits []evidence.Exhibit) error {
	all, err := d.whole(ctx, exhibits)
	if err == nil && len(all) > len(exhibits) {
		err = refuse(ChangedSince, "post %s belongs to the album of an exhibit and is not among the exhibits; look at it and decide again", all[len(exhibits)].Post)
	}
	return err
}
