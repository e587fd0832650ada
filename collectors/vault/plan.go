package vault

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// plan decides about one batch within a transaction and writes nothing, so that a batch that is refused leaves no trace in
// the commit that it shares with others.
type plan struct {
	w *writer
	t *txn
	r *request

	numbers  [len(spaces)]uint64 // the highest given so far
	bindings []binding           // new names, in the order in which they get their numbers
	bound    map[whole]int       // index into bindings
	subjects map[subjectKey]*subject
	announce []draft // account.bound for bindings that need it
	isNew    bool    // a draft other than an accompanying one is written
}

// binding is a name that this batch binds.
type binding struct {
	name   whole
	number uint64
	by     int // the draft that binds it, -1 where the vault does
}

func (w *writer) plan(t *txn, r *request) (*plan, error) {
	p := &plan{w: w, t: t, r: r, numbers: w.now.numbers, bound: map[whole]int{}, subjects: make(map[subjectKey]*subject, len(r.drafts))}
	if err := p.repeats(); err != nil {
		return nil, err
	}
	if err := p.expect(); err != nil {
		return nil, err
	}
	for _, accompany := range []bool{false, true} {
		for i := range r.drafts {
			d := &r.drafts[i]
			if d.fate != undecided || d.in.Accompany != accompany {
				continue
			}
			if accompany && !p.isNew {
				d.fate = leftOut
				continue
			}
			if err := p.decide(i, d); err != nil {
				return nil, fmt.Errorf("draft %d of %d (%s): %w", i+1, len(r.drafts), d.in.Body.Kind(), err)
			}
			p.isNew = p.isNew || d.fate == write
		}
	}
	return p, p.announceAccounts()
}

// repeats marks the drafts whose ids are known.
func (p *plan) repeats() error {
	ds := p.r.drafts
	for i := range ds {
		ds[i].fate, ds[i].seq, ds[i].like, ds[i].about = undecided, -1, nil, nil
	}
	for i := 0; i < len(ds); {
		j := i + 1
		for j < len(ds) && ds[j].in.ID.Acq == ds[i].in.ID.Acq {
			j++
		}
		part := ds[i:j]
		at := 0
		err := findIDs(p.t.ids, part[0].in.ID.Acq, part[0].in.ID.N, part[len(part)-1].in.ID.N, func(n uint32, seq int64) {
			for at < len(part) && part[at].in.ID.N < n {
				at++
			}
			if at < len(part) && part[at].in.ID.N == n {
				part[at].fate, part[at].seq = repeated, seq
			}
		})
		if err != nil {
			return err
		}
		i = j
	}
	return nil
}

// expect compares the versions that the caller saw, unless everything was written before.
func (p *plan) expect() error {
	fresh := len(p.r.drafts) == 0
	for i := range p.r.drafts {
		fresh = fresh || p.r.drafts[i].fate != repeated
	}
	if !fresh {
		return nil
	}
	for _, e := range p.r.batch.If {
		if !p.w.v.views[e.View] {
			return fmt.Errorf("condition on view %q: %w", e.View, errNoView)
		}
		place, err := p.w.v.place(p.t, e.View)
		if err != nil {
			return err
		}
		if _, version, _ := get(p.t.Bucket([]byte(place.bucket)), e.Key); version != e.Version {
			return fmt.Errorf("view %s, key %s: version %d, not %d: %w", e.View, clip(e.Key), version, e.Version, evidence.ErrConflict)
		}
	}
	return nil
}

// decide gives a draft its ordinals and says whether it is written.
func (p *plan) decide(i int, d *draft) error {
	undo := p.mark()
	if err := p.ordinals(i, d); err != nil {
		return err
	}
	if len(d.refs) > 0 {
		if err := d.encode(); err != nil {
			return err
		}
	}
	about, err := p.about(d.subject)
	if err != nil {
		return err
	}
	if latest, differs := about.differs(d.facets); differs {
		if err := p.w.v.recheck(d); err != nil {
			return err
		}
		d.fate, d.about = write, about
		about.write(d)
	} else {
		d.fate = unchanged
		if latest != nil {
			d.seq, d.like = latest.seq, latest.by
		}
		p.undo(undo)
	}
	return nil
}

func (p *plan) ordinals(i int, d *draft) (err error) {
	_, binds := d.in.Body.(evidence.Binding)
	if d.subject, err = p.resolve(d.in.Subject, i, binds); err != nil {
		return fmt.Errorf("subject: %w", err)
	}
	if d.actor, err = p.resolve(d.in.Actor, i, false); err != nil {
		return fmt.Errorf("actor: %w", err)
	}
	for _, ref := range d.refs {
		if ref.Name == (evidence.Name{}) {
			if err := p.known(ref.Ordinal); err != nil {
				return fmt.Errorf("reference: %w", err)
			}
			continue
		}
		if err := checkName(ref.Name); err != nil {
			return fmt.Errorf("reference: %w", err)
		}
		if ref.Ordinal, err = p.resolve(ref.Name, i, false); err != nil {
			return fmt.Errorf("reference: %w", err)
		}
	}
	return nil
}

// resolve returns a name's ordinal, giving one where draft i may.
func (p *plan) resolve(n evidence.Name, i int, binds bool) (evidence.Ordinal, error) {
	if n.Space == evidence.SpaceVault {
		return evidence.NewOrdinal(evidence.SpaceVault, 0), nil
	}
	name := whole{n.Space, n.Key}
	if x := p.w.names.number(p.t, name); x != 0 {
		return evidence.NewOrdinal(n.Space, x).With(n.Part), nil
	}
	at, ok := p.bound[name]
	account := n.Space == evidence.SpaceAccount || n.Space == evidence.SpacePrivate
	switch {
	case ok && p.bindings[at].by > i:
		return "", unbound(n)
	case !ok && !account && !binds:
		return "", unbound(n)
	case !ok:
		s := spaceIndex(n.Space)
		p.numbers[s]++
		at = len(p.bindings)
		p.bound[name] = at
		p.bindings = append(p.bindings, binding{name: name, number: p.numbers[s], by: i})
		if account {
			p.bindings[at].by = -1
		}
	}
	return evidence.NewOrdinal(n.Space, p.bindings[at].number).With(n.Part), nil
}

// known refuses an ordinal that nothing stands behind.
func (p *plan) known(o evidence.Ordinal) error {
	k, err := ordinalKey(o)
	if err != nil {
		return err
	}
	if s := spaceIndex(o.Space()); s >= 0 {
		if x := binary.BigEndian.Uint64(k[1:]); x == 0 || x > p.numbers[s] {
			return fmt.Errorf("%s: %w", o, evidence.ErrUnbound)
		}
	}
	return nil
}

// mark and undo take back the names that only a draft which is not written needed.
func (p *plan) mark() int { return len(p.bindings) }

func (p *plan) undo(mark int) {
	for _, b := range p.bindings[mark:] {
		delete(p.bound, b.name)
		p.numbers[spaceIndex(b.name.space)]--
	}
	p.bindings = p.bindings[:mark]
}

// about returns what is known of a subject after the drafts decided so far.
func (p *plan) about(o evidence.Ordinal) (*subject, error) {
	k, err := ordinalKey(o)
	if err != nil {
		return nil, err
	}
	if s := p.subjects[k]; s != nil {
		return s, nil
	}
	s, err := p.t.subject(k)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o, err)
	}
	p.subjects[k] = s
	return s, nil
}

// announceAccounts drafts the account.bound records, all of one fresh id.
func (p *plan) announceAccounts() error {
	var acq string
	for _, b := range p.bindings {
		if b.by >= 0 {
			continue
		}
		if acq == "" {
			acq = evidence.NewAcq(p.w.v.o.Now())
		}
		platform, typ, id, ok := splitAccount(b.name.key)
		if !ok {
			return errors.New("an account without platform, type and id")
		}
		d := draft{
			in: &evidence.Draft{
				ID: evidence.ID{Acq: acq, N: uint32(len(p.announce))},
				Body: &evidence.AccountBound{
					Key: b.name.key, Platform: platform, Type: typ, ID: id, Private: b.name.space == evidence.SpacePrivate,
				},
			},
			pos: -1, fate: write, record: new(evidence.Record), actor: evidence.NewOrdinal(evidence.SpaceVault, 0), subject: evidence.NewOrdinal(b.name.space, b.number),
		}
		rand.Read(d.salt[:])
		if err := d.encode(); err != nil {
			return err
		}
		p.announce = append(p.announce, d)
	}
	for i := range p.announce {
		d := &p.announce[i]
		var err error
		if d.about, err = p.about(d.subject); err != nil {
			return err
		}
		d.about.write(d)
	}
	return nil
}

// changes reports whether the batch writes anything.
func (p *plan) changes() bool {
	if p.r.batch.Cursor != nil {
		return true
	}
	for i := range p.r.drafts {
		if p.r.drafts[i].learned() {
			return true
		}
	}
	return false
}

// fresh returns the drafts that become records, in the order of the log.
func (p *plan) fresh() []*draft {
	out := make([]*draft, 0, len(p.announce)+len(p.r.drafts))
	for _, ds := range [][]draft{p.announce, p.r.drafts} {
		for i := range ds {
			if ds[i].fate == write {
				out = append(out, &ds[i])
			}
		}
	}
	return out
}

// ids returns the ids that the vault now knows, with the records that answer them. It settles the drafts that say what an earlier one
// of the batch said.
func (p *plan) ids() []idEntry {
	ids := make([]idEntry, 0, len(p.announce)+len(p.r.drafts))
	for _, ds := range [][]draft{p.announce, p.r.drafts} {
		for i := range ds {
			d := &ds[i]
			if d.like != nil {
				d.seq = d.like.seq
			}
			if d.learned() {
				ids = append(ids, idEntry{d.in.ID, d.seq})
			}
		}
	}
	return ids
}

// learned reports whether the draft's id is to be remembered: also that of an unchanged one, so that a retry after A, B, A finds
// what it was answered with.
func (d *draft) learned() bool {
	return d.fate == write || d.fate == unchanged && (d.seq >= 0 || d.like != nil)
}
