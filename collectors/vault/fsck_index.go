package vault

import (
	"context"
	"encoding/binary"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// bindings follows which names have which ordinals, and finds records that use one which stands for nothing yet.
func (s *sequence) bindings(seq int64, e *examined) {
	if b, ok := e.body.(evidence.Binding); ok && e.rec.Subject.Part() == "" {
		o := e.rec.Subject
		name := whole{o.Space(), b.BindingKey()}
		key, known := s.numbers[o]
		number := ordinalNumber(o)
		switch {
		case known && key != name.key:
			s.f.record(seq, "it binds %s to another name than an earlier record did", o)
		case !known && s.names[name] != 0:
			s.f.record(seq, "it binds a name to %s that is %s already", o, evidence.NewOrdinal(name.space, s.names[name]))
		default:
			s.numbers[o], s.names[name] = name.key, number
		}
	}
	if o := e.rec.Subject; (e.absent || e.shut) && o.Part() == "" && e.rec.Kind == binder(o.Space()) {
		s.bare[o] = true
	}
	used := []evidence.Ordinal{e.rec.Actor, e.rec.Subject}
	if r, ok := e.body.(evidence.Referrer); ok {
		for _, ref := range r.Refs() {
			used = append(used, ref.Ordinal)
		}
	}
	for _, o := range used {
		if _, err := ordinalKey(o); err != nil {
			s.f.record(seq, "%v", err)
		} else if _, ok := s.numbers[o.Whole()]; !ok && o != "v0" && !s.broken && !s.bare[o.Whole()] {
			s.f.record(seq, "it uses %s, which no earlier record gives a name", o.Whole())
		}
	}
}

func ordinalNumber(o evidence.Ordinal) uint64 {
	k, err := ordinalKey(o)
	if err != nil {
		return 0
	}
	return binary.BigEndian.Uint64(k[1:])
}

// indexed compares the entries that one record has in the indexes.
func (s *sequence) indexed(seq int64, e *examined) {
	found := int64(-1)
	err := findIDs(s.f.t.ids, e.rec.ID.Acq, e.rec.ID.N, e.rec.ID.N, func(_ uint32, at int64) { found = at })
	switch {
	case err != nil:
		s.f.record(seq, "its id %s: %v", e.rec.ID, err)
	case found < 0:
		s.f.problem("bucket ids", "the id %s of record %d is missing: the record could be written twice", e.rec.ID, seq)
	case found != seq:
		s.f.problem("bucket ids", "the id %s of record %d leads to record %d", e.rec.ID, seq, found)
	}
	key, err := ordinalKey(e.rec.Subject)
	if err != nil {
		return // said by bindings
	}
	about, err := s.f.t.subject(key)
	if err != nil {
		s.f.problem("bucket subjects", "%s: %v", e.rec.Subject, err)
		return
	}
	if about.first != seq && s.f.t.subjects.Get(key.withSeq(seq)) == nil {
		s.f.problem("bucket subjects", "record %d is not listed under its subject %s", seq, e.rec.Subject)
	}
	s.latest(seq, e, about)
}

// latest compares what a subject's entry says of the facets that a record set.
func (s *sequence) latest(seq int64, e *examined, about *subject) {
	for _, o := range e.facets {
		switch got := about.find(o.Slot); {
		case got == nil && s.erasedAfter(about, seq):
		case got == nil:
			s.f.problem("bucket subjects", "the latest state of %s lacks %q, which record %d set", e.rec.Subject, o.Slot, seq)
		case got.seq < seq:
			s.f.problem("bucket subjects", "the latest state of %s takes %q from record %d, but record %d set it later", e.rec.Subject, o.Slot, got.seq, seq)
		case got.seq == seq && !got.holds(o):
			s.f.problem("bucket subjects", "the latest state of %s holds another value of %q than record %d, which set it", e.rec.Subject, o.Slot, seq)
			s.slots++
		case got.seq == seq:
			s.slots++
		}
	}
}

// endNames compares the buckets of names with the records.
func (s *sequence) endNames() {
	f := s.f
	if f.shut {
		return
	}
	for name, number := range s.names {
		o := evidence.NewOrdinal(name.space, number)
		if got := f.t.number(name); got != number {
			f.problem("bucket names", "the name of %s leads to %s", o, evidence.NewOrdinal(name.space, got))
		}
		if got, err := f.t.key(name.space, number); err != nil {
			f.problem("bucket ordinals", "%s: %v", o, err)
		} else if got != name.key {
			f.problem("bucket ordinals", "%s leads to another name than the records say", o)
		}
	}
	if s.broken {
		return
	}
	for _, b := range []struct {
		name string
		n    int
	}{{bucketNames, f.count(bucketNames)}, {bucketOrdinals, f.count(bucketOrdinals) - f.forgotten()}} {
		if b.n != len(s.names) {
			f.problem("bucket "+b.name, "it holds %d names, but the records bind %d", b.n, len(s.names))
		}
	}
}

func (f *fsck) count(bucket string) (n int) {
	c := f.t.Bucket([]byte(bucket)).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		n++
	}
	return n
}

// endSubjects looks for entries of the index that no record accounts for. Every record has its own, so that it is enough to count.
func (s *sequence) endSubjects() {
	f := s.f
	if s.broken {
		return
	}
	var listed, slots int64
	c := f.t.subjects.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		switch len(k) {
		case evidence.OrdinalKeyLen:
			got, err := f.t.decodeSubject(subjectKey(k), v)
			if err != nil {
				f.problem("bucket subjects", "key %x: %v", k, err)
			}
			listed, slots = listed+1, slots+int64(len(got.slots))
		case evidence.OrdinalKeyLen + 8:
			listed++
		default:
			f.problem("bucket subjects", "the key %x is neither a subject nor a record of one", k)
		}
	}
	if listed != f.rep.Records {
		f.problem("bucket subjects", "it lists %d records, but the log has %d", listed, f.rep.Records)
	}
	if slots != s.slots && !s.unknown && !f.shut {
		f.problem("bucket subjects", "it holds %d latest values, of which the records account for %d", slots, s.slots)
	}
}

// index looks at what no record repeats: the ids of drafts that were found unchanged, and cursors.
func (f *fsck) index(ctx context.Context) error {
	c := f.t.ids.Cursor()
	n := int64(0)
	for k, v := c.First(); k != nil; k, v = c.Next() {
		err := eachRun(k, v, func(first, n uint64, seq int64) {
			if seq < 0 || seq+int64(n) > f.head {
				f.problem("bucket ids", "the ids from %s/%d on lead to the records %d to %d, which are not all there", k[:acqLen], first, seq, seq+int64(n)-1)
			}
		})
		if err != nil {
			f.problem("bucket ids", "key %q: %v", k, err)
			continue
		}
		if n++; n%fsckWave == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			f.o.Progress("index", n, 0)
		}
	}
	c = f.t.cursors.Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		if len(k) > maxName {
			f.problem("bucket cursors", "the name of a cursor has %d bytes", len(k))
		}
	}
	return nil
}
