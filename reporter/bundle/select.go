package bundle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sort"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// selection is what goes into the bag: sequence numbers only, so that the bundle of a whole account stays small in memory.
type selection struct {
	o    Options
	size int64 // of the checkpoint: later records cannot be proved under it

	seqs     map[int64]struct{}
	posts    []*post // in the bag's order
	byPost   map[evidence.Ordinal]*post
	accounts set
	targets  set
	people   set
	sources  set
	refs     set // accounts and private persons that bodies name
	acqs     map[evidence.ID]struct{}
	replies  map[evidence.Digest]int64 // an acquisition's reply and the acquisition's record
	cited    map[int64]struct{}        // records that signed statements bind
	rotated  int                       // changes of the log's key
	from, to time.Time                 // first and last observation of the exhibits
}

// post is one post of the bag.
type post struct {
	Ordinal evidence.Ordinal
	Role    string
	Number  int
	Of      []*post // the exhibits that it stands beside
	Case    []caseExhibit
	Records []int64
	Media   []mediaFile
	Hidden  string // why its files are not packed
	Group   string // album id of its newest version
}

type set map[evidence.Ordinal]struct{}

func (s set) sorted() []evidence.Ordinal {
	keys := make([]string, 0, len(s))
	for o := range s {
		k, _ := o.AppendKey(nil)
		keys = append(keys, string(k))
	}
	sort.Strings(keys)
	out := make([]evidence.Ordinal, 0, len(keys))
	for _, k := range keys {
		if o, err := evidence.OrdinalFromKey([]byte(k)); err == nil {
			out = append(out, o)
		}
	}
	return out
}

func gather(ctx context.Context, o Options, size int64) (*selection, error) {
	s := &selection{
		o: o, size: size, seqs: map[int64]struct{}{}, byPost: map[evidence.Ordinal]*post{}, accounts: set{}, targets: set{}, people: set{},
		sources: set{}, refs: set{}, acqs: map[evidence.ID]struct{}{}, replies: map[evidence.Digest]int64{}, cited: map[int64]struct{}{},
	}
	for _, step := range []func(context.Context) error{
		s.exhibits, s.context, s.number, s.postRecords, s.accountRecords, s.targetRecords, s.caseRecords, s.citedRecords, s.sourceRecords,
		s.acquisitions, s.bindings, s.rotations, s.persons, s.origin,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// sorted returns the selected sequence numbers, ascending.
func (s *selection) sorted() []int64 {
	out := make([]int64, 0, len(s.seqs))
	for n := range s.seqs {
		out = append(out, n)
	}
	sort.Slice(out, func(i, j int) bool { return out[i] < out[j] })
	return out
}

// exhibits finds the posts that were asked for.
func (s *selection) exhibits(ctx context.Context) error {
	switch {
	case s.o.Case != "":
		return s.caseExhibits(ctx)
	case s.o.Account != "":
		err := s.o.Log.Posts(ctx, s.o.Account, func(p evidence.Ordinal) error {
			s.post(p, RoleExhibit, nil)
			return nil
		})
		if err == nil && len(s.posts) == 0 {
			err = fmt.Errorf("%w: no post of %s was ever observed", ErrOptions, s.o.Account)
		}
		return err
	}
	for _, p := range s.o.Posts {
		known := false
		if err := s.o.Log.About(ctx, p, func(evidence.Record) error { known = true; return fs.SkipAll }); err != nil {
			return err
		}
		if !known {
			return fmt.Errorf("%w: no record is about %s; look for its ordinal with `muhafiz search`", ErrOptions, p)
		}
		s.post(p, RoleExhibit, nil)
	}
	return nil
}

// caseExhibits takes the posts that the case's decisions cite, with the numbers under which they do.
func (s *selection) caseExhibits(ctx context.Context) error {
	err := s.o.Log.About(ctx, s.o.Case, func(r evidence.Record) error {
		if r.Kind != evidence.KindDecision || r.Seq >= s.size {
			return nil
		}
		st, ok := statementOf(r)
		if !ok {
			return nil
		}
		for _, x := range st.Exhibits {
			if x.Post.Part() == "" {
				continue
			}
			p := s.post(x.Post, RoleExhibit, nil)
			c := caseExhibit{Case: s.o.Case, Number: x.Number, Record: x.Seq}
			if !slices.Contains(p.Case, c) {
				p.Case = append(p.Case, c)
			}
		}
		return nil
	})
	if err == nil && len(s.posts) == 0 {
		err = fmt.Errorf("%w: %s has no decision that cites exhibits; decide it first, or name posts", ErrOptions, s.o.Case)
	}
	return err
}

// statementOf reads the statement of a signed record.
func statementOf(r evidence.Record) (evidence.Statement, bool) {
	var st evidence.Statement
	signed, err := signedOf(r)
	if err != nil || json.Unmarshal([]byte(signed.Payload), &st) != nil {
		return st, false
	}
	return st, true
}

// post adds a post. One that comes twice keeps the nearer role, exhibit before album before neighbour, and stands beside the
// exhibits to which it has that role.
func (s *selection) post(o evidence.Ordinal, role string, of *post) *post {
	p := s.byPost[o]
	if p == nil {
		p = &post{Ordinal: o, Role: role}
		s.byPost[o] = p
		s.posts = append(s.posts, p)
		s.accounts[o.Whole()] = struct{}{}
	}
	if roleRank(role) < roleRank(p.Role) {
		p.Role, p.Of = role, nil
	}
	if of != nil && p.Role == role && !slices.Contains(p.Of, of) {
		p.Of = append(p.Of, of)
	}
	return p
}

func roleRank(role string) int {
	return slices.Index([]string{RoleExhibit, RoleAlbum, RoleNeighbour}, role)
}

// number gives the folders their numbers: where a decision numbers exhibits, its numbers; then on from there.
func (s *selection) number(context.Context) error {
	taken, top := map[int]bool{}, 0
	for _, p := range s.posts {
		for _, c := range p.Case {
			if c.Number > 0 && c.Number < 1_000_000 && !taken[c.Number] && (p.Number == 0 || c.Number < p.Number) {
				p.Number = c.Number
			}
		}
		taken[p.Number] = true
		top = max(top, p.Number)
		for _, c := range p.Case {
			if c.Number < 1_000_000 {
				top = max(top, c.Number)
			}
		}
	}
	order := map[evidence.Ordinal]int{}
	for i, o := range s.ordinals().sorted() {
		order[o] = i
	}
	sort.SliceStable(s.posts, func(i, j int) bool {
		x, y := s.posts[i], s.posts[j]
		if x.Role != y.Role || x.Role == RoleExhibit {
			return roleRank(x.Role) < roleRank(y.Role)
		}
		return order[x.Ordinal] < order[y.Ordinal]
	})
	for _, p := range s.posts {
		if p.Number == 0 {
			top++
			p.Number = top
		}
	}
	sort.Slice(s.posts, func(i, j int) bool { return s.posts[i].Number < s.posts[j].Number })
	return nil
}

func (s *selection) ordinals() set {
	out := set{}
	for _, p := range s.posts {
		out[p.Ordinal] = struct{}{}
	}
	return out
}

// ignore turns "there is no such thing" into nothing: what is absent cannot be packed, and coverage counts it.
func ignore(err error) error {
	if errors.Is(err, evidence.ErrNotFound) || errors.Is(err, evidence.ErrUnbound) {
		return nil
	}
	return err
}
