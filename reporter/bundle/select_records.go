package bundle

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// leftOut are the kinds that are never packed, each with the reason that coverage.json gives.
var leftOut = map[evidence.Kind]string{
	evidence.KindAccess:        "who looked is the team's own record",
	evidence.KindFinding:       "what a rule or model scored only ordered the queue",
	evidence.KindLink:          "what a rule or model scored only ordered the queue",
	evidence.KindBundleBuilt:   "about other bundles",
	evidence.KindBundleFetched: "about other bundles",
	evidence.KindPostCounts:    "counters of a page of posts, not of the exhibits alone",
}

// add selects a record and notes what it leads to.
func (s *selection) add(r evidence.Record) {
	if r.Seq >= s.size {
		return
	}
	s.seqs[r.Seq] = struct{}{}
	switch r.Actor.Space() {
	case evidence.SpacePerson:
		s.people[r.Actor] = struct{}{}
	case evidence.SpaceSource:
		s.sources[r.Actor] = struct{}{}
	}
	b, err := evidence.DecodeBody(r)
	if err != nil {
		return // erased: its envelope is packed all the same
	}
	if ref, ok := b.(evidence.Referrer); ok {
		for _, x := range ref.Refs() {
			s.refs[x.Ordinal.Whole()] = struct{}{}
		}
	}
	if a, ok := b.(*evidence.Acquisition); ok && !a.Reply.IsZero() {
		if _, twice := s.replies[a.Reply.SHA256]; !twice {
			s.replies[a.Reply.SHA256] = r.Seq
		}
	}
	if id := acquisitionOf(b); !id.IsZero() {
		s.acqs[id] = struct{}{}
	}
	if a, ok := b.(*evidence.TargetApproved); ok && a.Listing != nil {
		s.cited[a.Listing.Listed.Seq] = struct{}{}
	}
	if st, ok := statementOf(r); ok {
		s.cite(st)
	}
}

// cite notes the records that a signed statement binds, so that its leaf hashes can be compared.
func (s *selection) cite(st evidence.Statement) {
	for _, ref := range boundBy(st) {
		s.cited[ref.Seq] = struct{}{}
	}
}

func acquisitionOf(b evidence.Body) evidence.ID {
	switch b := b.(type) {
	case *evidence.PostSeen:
		return b.Acquisition
	case *evidence.PostGone:
		return b.Acquisition
	case *evidence.MediaKept:
		return b.Acquisition
	case *evidence.MediaMissed:
		return b.Acquisition
	case *evidence.AccountSeen:
		return b.Acquisition
	case *evidence.TargetBound:
		return b.Acquisition
	}
	return evidence.ID{}
}

func (s *selection) postRecords(ctx context.Context) error {
	for i, p := range s.posts {
		s.o.Progress(int64(i), int64(len(s.posts)))
		err := s.o.Log.About(ctx, p.Ordinal, func(r evidence.Record) error {
			if r.Seq >= s.size || leftOut[r.Kind] != "" {
				return nil
			}
			s.add(r)
			p.Records = append(p.Records, r.Seq)
			if r.Kind == evidence.KindQuarantined {
				p.Hidden = "quarantined"
			}
			if b, err := evidence.Decode[*evidence.PostSeen](r); err == nil {
				p.Group = b.Group
				if p.Role == RoleExhibit {
					s.span(b.Observed)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *selection) span(o evidence.Span) {
	if !o.From.IsZero() && (s.from.IsZero() || o.From.Before(s.from)) {
		s.from = o.From.Time
	}
	if o.To.After(s.to) {
		s.to = o.To.Time
	}
}

// accountRecords takes what is about the account itself; its other acquisitions stay out, as they brought other posts.
func (s *selection) accountRecords(ctx context.Context) error {
	for _, a := range s.accounts.sorted() {
		err := s.o.Log.About(ctx, a, func(r evidence.Record) error {
			if r.Kind != evidence.KindAcquisition && leftOut[r.Kind] == "" {
				s.add(r)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// targetRecords finds the targets that ever resolved to one of the accounts. Targets are numbered without holes, so walking the
// numbers visits them all.
func (s *selection) targetRecords(ctx context.Context) error {
	for n := uint64(0); ; n++ {
		t := evidence.NewOrdinal(evidence.SpaceTarget, n)
		_, err := s.o.Log.Name(ctx, t)
		if errors.Is(err, evidence.ErrUnbound) || errors.Is(err, evidence.ErrNotFound) {
			if n == 0 {
				continue // whether counting begins at 0 or 1 is the vault's affair
			}
			return nil
		}
		if err != nil {
			return err
		}
		ours, err := s.boundHere(ctx, t)
		if err != nil {
			return err
		}
		if ours {
			if err := s.target(ctx, t); err != nil {
				return err
			}
		}
	}
}

func (s *selection) boundHere(ctx context.Context, t evidence.Ordinal) (bool, error) {
	ours := false
	err := s.o.Log.About(ctx, t, func(r evidence.Record) error {
		if r.Kind != evidence.KindTargetBound {
			return nil
		}
		if b, err := evidence.Decode[*evidence.TargetBound](r); err == nil {
			if _, ok := s.accounts[b.Account.Ordinal]; ok {
				ours = true
				return fs.SkipAll
			}
		}
		return nil
	})
	return ours, err
}

// target takes everything about a target but the acquisitions that are not needed for anything else.
func (s *selection) target(ctx context.Context, t evidence.Ordinal) error {
	s.targets[t] = struct{}{}
	return s.o.Log.About(ctx, t, func(r evidence.Record) error {
		if r.Kind != evidence.KindAcquisition && leftOut[r.Kind] == "" {
			s.add(r)
		}
		return nil
	})
}

// caseRecords takes the case with its decisions and approvals, and the target that it was collected under.
func (s *selection) caseRecords(ctx context.Context) error {
	if s.o.Case == "" {
		return nil
	}
	var targets []string
	err := s.o.Log.About(ctx, s.o.Case, func(r evidence.Record) error {
		if leftOut[r.Kind] == "" {
			s.add(r)
		}
		if b, err := evidence.Decode[*evidence.CaseOpened](r); err == nil && b.Target != "" {
			targets = append(targets, b.Target)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range targets {
		t, err := s.o.Log.Ordinal(ctx, evidence.Target(id))
		if err == nil {
			if _, done := s.targets[t]; !done {
				err = s.target(ctx, t)
			}
		}
		if ignore(err) != nil {
			return err
		}
	}
	return nil
}

func (s *selection) citedRecords(ctx context.Context) error {
	for seq := range s.cited {
		if seq < 0 || seq >= s.size {
			continue
		}
		r, err := s.o.Log.Record(ctx, seq)
		if ignore(err) != nil {
			return err
		}
		if err == nil {
			s.add(r)
		}
	}
	return nil
}

// sourceRecords takes the states of the sources that observed: all but the folded counts of empty polls, and of those the ones
// that fall between the first and the last observation of the exhibits.
func (s *selection) sourceRecords(ctx context.Context) error {
	for _, o := range s.sources.sorted() {
		err := s.o.Log.About(ctx, o, func(r evidence.Record) error {
			b, err := evidence.Decode[*evidence.Collector](r)
			if err != nil || b.State != "polls" || (b.Span != nil && overlaps(*b.Span, s.from, s.to)) {
				s.add(r)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func overlaps(s evidence.Span, from, to time.Time) bool {
	return !from.IsZero() && !s.To.Before(from) && !s.From.After(to)
}

// acquisitions takes the requests that brought what is packed. An import's acquisition may be run by a person.
func (s *selection) acquisitions(ctx context.Context) error {
	for id := range s.acqs {
		r, err := s.o.Log.ByID(ctx, id)
		if ignore(err) != nil {
			return err
		}
		if err == nil {
			s.add(r)
		}
	}
	return nil
}

// bindings takes the first record of every account and private person that is named: what its ordinal stands for.
func (s *selection) bindings(ctx context.Context) error {
	for _, o := range s.refs.sorted() {
		err := s.o.Log.About(ctx, o, func(r evidence.Record) error {
			if r.Kind != evidence.KindAccountBound {
				return nil
			}
			s.add(r)
			return fs.SkipAll
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// persons takes the roster entries of the people who acted: the keys to their signatures.
func (s *selection) persons(ctx context.Context) error {
	for _, o := range s.people.sorted() {
		err := s.o.Log.About(ctx, o, func(r evidence.Record) error {
			if r.Kind == evidence.KindPersonSet {
				s.add(r)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rotations takes the changes of the log's key, so that whoever trusts an older key can follow.
func (s *selection) rotations(ctx context.Context) error {
	return s.o.Log.About(ctx, evidence.NewOrdinal(evidence.SpaceVault, 0), func(r evidence.Record) error {
		if r.Kind == evidence.KindKeyRotated && r.Seq < s.size {
			s.add(r)
			s.rotated++
		}
		return nil
	})
}

// origin takes record 0, which says which vault this is.
func (s *selection) origin(ctx context.Context) error {
	r, err := s.o.Log.Record(ctx, 0)
	if err == nil {
		s.add(r)
	}
	return ignore(err)
}
