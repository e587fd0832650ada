package review

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Signings tells which listings hold which targets as they are set now. It reads each list once and belongs to one request.
type Signings struct {
	desk   *Desk
	people map[string]*lister
	lists  map[evidence.Digest]readList
}

// readList is a list as it was found.
type readList struct {
	List
	of    Listed
	wrong string // empty where it is whole
}

// lister is a person who lists, as the roster has them now.
type lister struct {
	Person
	fingerprint string
	signed      []Listed
}

// Signings begins to look listings up.
func (d *Desk) Signings() *Signings {
	return &Signings{d, map[string]*lister{}, map[evidence.Digest]readList{}}
}

// Unsigned says why a target's listing does not count as signed, as a refusal; nil where it does. Only approvals that were given
// before listings were signed, and emergency starts, rest on such a listing.
func (s *Signings) Unsigned(ctx context.Context, t Target) error {
	_, _, _, err := s.find(ctx, t)
	return err
}

// proof finds the newest listing that holds the target and shows that it does.
func (s *Signings) proof(ctx context.Context, t Target) (*evidence.ListingProof, error) {
	l, list, at, err := s.find(ctx, t)
	if err != nil {
		return nil, err
	}
	path, err := list.prove(at)
	if err != nil {
		return nil, wrap("prove the listing of "+t.ID, err)
	}
	return &evidence.ListingProof{Listed: l.RecordRef, Index: int64(at), Path: path}, nil
}

// find returns the newest listing by the one who listed a target that holds it as it is set, and the place of its line.
func (s *Signings) find(ctx context.Context, t Target) (Listed, List, int, error) {
	who, err := s.lister(ctx, t.ListedBy)
	if err != nil {
		return Listed{}, List{}, 0, err
	}
	if who.ID == "" || who.Removed {
		return Listed{}, List{}, 0, refuse(NotListed, "%s, who is named in listed_by of target %s, is not on the roster; somebody who is puts their own name there and signs: muhafiz watch sign %s", t.ListedBy, t.ID, t.ID)
	}
	past, strange := false, false
	var broken *readList
	for i := len(who.signed) - 1; i >= 0; i-- {
		l := who.signed[i]
		list, err := s.list(ctx, l)
		if err != nil {
			return l, list.List, 0, err
		}
		at, ok := list.find(t.ID, t.Effective)
		switch {
		case list.wrong != "" && broken == nil && l.Lists.Log >= t.Since && l.Fingerprint == who.fingerprint:
			broken = &list
		case !ok:
		case l.Lists.Log < t.Since:
			past = true
		case l.Fingerprint != who.fingerprint:
			strange = true
		default:
			return l, list.List, at, nil
		}
	}
	next := "muhafiz watch sign " + t.ID + " --as " + t.ListedBy
	switch {
	case broken != nil:
		err = refuse(ListDamaged, "%s; where it holds target %s, that does not count before it is back. Or %s signs the listing again: %s", broken, t.ID, t.ListedBy, next)
	case strange:
		err = refuse(NotListed, "the listing of target %s is signed with a key that the roster no longer holds for %s; they sign it again: %s", t.ID, t.ListedBy, next)
	case past:
		err = refuse(NotListed, "%s signed the listing of target %s before it was changed or removed (record %d); they look at it and sign it again: %s", t.ListedBy, t.ID, t.Since-1, next)
	default:
		err = refuse(NotListed, "%s, who is named in listed_by of target %s, has not signed the listing as record %d set it; they sign it first: %s", t.ListedBy, t.ID, t.Set.Seq, next)
	}
	return Listed{}, List{}, 0, err
}

func (s *Signings) lister(ctx context.Context, id string) (*lister, error) {
	if l, ok := s.people[id]; ok {
		return l, nil
	}
	l := &lister{}
	if _, err := s.desk.get(ctx, ViewRoster, id, &l.Person); err != nil {
		return l, err
	}
	if l.ID != "" {
		// An unreadable key on the roster is nobody's: no listing matches it.
		_, l.fingerprint, _ = l.key()
	}
	var err error
	l.signed, err = s.desk.listings(ctx, id)
	s.people[id] = l
	return l, err
}

// Damaged returns a sentence for each list that was looked into and is not there as it was signed, the oldest first.
func (s *Signings) Damaged() []string {
	var all []readList
	for _, l := range s.lists {
		if l.wrong != "" {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b readList) int { return cmp.Compare(a.of.Seq, b.of.Seq) })
	var says []string
	for _, l := range all {
		says = append(says, l.String()+"; no approval can rest on it until then")
	}
	return says
}

// String says what is wrong with a list and what to do.
func (l readList) String() string {
	return fmt.Sprintf("the list of %d targets that %s signed (record %d, blob %s) %s: bring it back from a backup with muhafiz scrub --from BACKUP", l.of.Lists.Targets, l.of.Person, l.of.Seq, l.of.List.SHA256, l.wrong)
}

func (s *Signings) list(ctx context.Context, l Listed) (readList, error) {
	if list, ok := s.lists[l.List.SHA256]; ok {
		return list, nil
	}
	list, wrong, err := s.desk.list(ctx, l.List)
	if err == nil {
		s.lists[l.List.SHA256] = readList{list, l, wrong}
	}
	return readList{list, l, wrong}, err
}
