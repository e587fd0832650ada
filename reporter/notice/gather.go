package notice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Log is what gathering needs of the vault.
type Log interface {
	ID() string
	Record(ctx context.Context, seq int64) (evidence.Record, error)
	// About calls fn for the records whose subject is exactly o, ascending.
	About(ctx context.Context, o evidence.Ordinal, fn func(evidence.Record) error) error
	Name(ctx context.Context, o evidence.Ordinal) (evidence.Name, error)
}

// ErrNotApproved is returned for a case whose records do not carry what a notice takes: a decision to report and the second
// person's agreement with that very decision.
var ErrNotApproved = errors.New("no decision to report that a second person approved")

// Gather reads one approved case from the log for a kind of notice, checking once more that the records carry it. Only listings
// that the kind admits are cited; Grounds holds what the case offers before that.
func Gather(ctx context.Context, log Log, c evidence.NoticeCase, kind string) (Item, error) {
	it := Item{Case: c.Case, Decision: c.Decision, Approval: c.Approval}
	st, err := decided(ctx, log, c)
	if err != nil {
		return it, err
	}
	set, err := read[*evidence.TargetSet](ctx, log, st.Grounds.Designation)
	if err != nil {
		return it, err
	}
	it.Organisation, it.Affiliation = set.Organisation.Name, st.Grounds.Affiliation
	law, ok := LawOf(kind)
	if !ok {
		return it, fmt.Errorf("%q is no kind of notice", kind)
	}
	it.Designations = law.Cited(set.Organisation.Designations)
	if it.Account, err = account(ctx, log, c.Account, set); err != nil {
		return it, err
	}
	for _, p := range st.Grounds.Passages {
		if p.Exhibit < 1 || p.Exhibit > len(st.Exhibits) {
			return it, fmt.Errorf("passage names exhibit %d of %d", p.Exhibit, len(st.Exhibits))
		}
		passage, err := gatherPassage(ctx, log, st.Exhibits[p.Exhibit-1], p, it.Account)
		if err != nil {
			return it, err
		}
		it.Severity = higher(it.Severity, p.Severity)
		it.Passages = append(it.Passages, passage)
		if it.FirstSeen.IsZero() || passage.FirstSeen.Before(it.FirstSeen.Time) {
			it.FirstSeen = passage.FirstSeen
		}
		if passage.LastSeen.After(it.LastSeen.Time) {
			it.LastSeen = passage.LastSeen
		}
	}
	it.Hashes, it.Grounds = hashes(it.Passages), GroundsOf(set.Organisation.Designations, it.Passages)
	slices.SortStableFunc(it.Passages, func(a, b Passage) int { return severities[b.Severity] - severities[a.Severity] })
	return it, nil
}

// decided reads the case's decision and makes sure, once more and from the log itself, that another person and another key
// agreed with exactly this one.
func decided(ctx context.Context, log Log, c evidence.NoticeCase) (evidence.Statement, error) {
	d, err := read[*evidence.Decision](ctx, log, c.Decision)
	if err != nil {
		return evidence.Statement{}, err
	}
	a, err := read[*evidence.Approval](ctx, log, c.Approval)
	if err != nil {
		return evidence.Statement{}, err
	}
	st, err := statement(d.Signed)
	if err != nil {
		return st, err
	}
	second, err := statement(a.Signed)
	if err != nil {
		return st, err
	}
	if st.Outcome != "report" || st.Grounds == nil || len(st.Grounds.Passages) == 0 || st.Case != c.Case ||
		!second.Agrees(st) || second.Confirms == nil || *second.Confirms != c.Decision ||
		second.Person == st.Person || second.Fingerprint == st.Fingerprint {
		return st, ErrNotApproved
	}
	return st, nil
}

// Signers returns who decided and who approved a case, and with which keys, as the records that a notice rests on say.
func Signers(ctx context.Context, log Log, c evidence.NoticeCase) (persons, fingerprints []string, err error) {
	d, err := read[*evidence.Decision](ctx, log, c.Decision)
	if err != nil {
		return nil, nil, err
	}
	a, err := read[*evidence.Approval](ctx, log, c.Approval)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range []evidence.Signed{d.Signed, a.Signed} {
		st, err := statement(s)
		if err != nil {
			return nil, nil, err
		}
		persons, fingerprints = append(persons, st.Person), append(fingerprints, st.Fingerprint)
	}
	return persons, fingerprints, nil
}

func statement(s evidence.Signed) (evidence.Statement, error) {
	var st evidence.Statement
	if err := json.Unmarshal([]byte(s.Payload), &st); err != nil {
		return st, fmt.Errorf("read statement: %w", err)
	}
	return st, nil
}

// read fetches a record by its place and insists on its leaf hash.
func read[B evidence.Body](ctx context.Context, log Log, ref evidence.RecordRef) (B, error) {
	var zero B
	r, err := log.Record(ctx, ref.Seq)
	if err != nil {
		return zero, fmt.Errorf("read record %d: %w", ref.Seq, err)
	}
	if r.Leaf() != ref.Leaf {
		return zero, fmt.Errorf("record %d has another leaf hash than the one that was signed; run muhafiz fsck", ref.Seq)
	}
	return evidence.Decode[B](r)
}

func account(ctx context.Context, log Log, o evidence.Ordinal, set *evidence.TargetSet) (Account, error) {
	a := Account{Address: set.Address}
	name, err := log.Name(ctx, o)
	if err != nil {
		return a, fmt.Errorf("name account %s: %w", o, err)
	}
	parts := strings.SplitN(name.Key, " ", 3)
	if len(parts) != 3 {
		return a, fmt.Errorf("account %s has no platform identity", o)
	}
	a.Platform, a.Type, a.ID = parts[0], parts[1], parts[2]
	err = log.About(ctx, o, func(r evidence.Record) error {
		if seen, err := evidence.Decode[*evidence.AccountSeen](r); err == nil {
			a.take(seen)
		}
		return nil
	})
	return a, err
}

// take takes a snapshot of the account; snapshots come in the order of the log.
func (a *Account) take(s *evidence.AccountSeen) {
	a.Title, a.Usernames, a.LastSeen = s.Title, s.Usernames, s.Observed.To
	if a.FirstSeen.IsZero() {
		a.FirstSeen = s.Observed.From
	}
	if s.Subscribers > 0 {
		a.Audience = &Audience{s.Subscribers, s.Observed.To}
	}
	for _, name := range s.Usernames {
		i := slices.IndexFunc(a.Names, func(n UsedName) bool { return n.Name == name })
		if i < 0 {
			i = len(a.Names)
			a.Names = append(a.Names, UsedName{Name: name, First: s.Observed.From})
		}
		a.Names[i].Last = s.Observed.To
	}
}

func gatherPassage(ctx context.Context, log Log, e evidence.Exhibit, p evidence.Passage, a Account) (Passage, error) {
	out := Passage{
		Exhibit: e.Number, PostID: e.Post.Part(), Link: evidence.PostLink(a.Platform, a.Address, e.Post), Quote: p.Quote, Gloss: p.Gloss, GlossBy: p.GlossBy,
		Rule: p.Rule, Offence: p.Offence, Severity: p.Severity, Record: e.RecordRef,
	}
	seen, err := read[*evidence.PostSeen](ctx, log, e.RecordRef)
	if err != nil {
		return out, err
	}
	r, err := log.Record(ctx, e.Seq)
	if err != nil {
		return out, err
	}
	out.BodyHash, out.Claimed = r.Envelope.Body, seen.ClaimedLocal
	if !seen.ClaimedAt.IsZero() {
		out.Claimed = seen.ClaimedAt.Format(time.RFC3339)
	}
	types := map[string]string{}
	for _, m := range seen.Media {
		types[m.ID] = m.Type
	}
	err = log.About(ctx, e.Post, func(r evidence.Record) error { out.add(r, e.Seq, types); return nil })
	return out, err
}

// add takes what a further record of the post says.
func (p *Passage) add(r evidence.Record, exhibit int64, types map[string]string) {
	b, err := evidence.DecodeBody(r)
	if err != nil {
		return
	}
	switch b := b.(type) {
	case *evidence.PostSeen:
		if p.FirstSeen.IsZero() {
			p.FirstSeen = b.Observed.From
		}
		p.LastSeen, p.Gone = b.Observed.To, ""
		p.Edited = r.Seq > exhibit
	case *evidence.PostGone:
		p.Gone = b.How
	case *evidence.MediaKept:
		if t := types[b.MediaID]; t != "" && !b.Thumbnail {
			p.Media = append(p.Media, Media{Type: t, SHA256: b.Blob.SHA256, Size: b.Blob.Size})
		}
	}
}

func hashes(ps []Passage) []evidence.Digest {
	var out []evidence.Digest
	for _, p := range ps {
		for _, m := range p.Media {
			out = append(out, m.SHA256)
		}
	}
	slices.SortFunc(out, func(a, b evidence.Digest) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(out)
}
