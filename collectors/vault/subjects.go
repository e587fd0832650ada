package vault

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

var errSubject = errors.New("damaged entry in the index of subjects: run muhafiz fsck")

// slot is the latest value of one facet of a subject.
type slot struct {
	name  string
	dflt  bool            // it is the value that an empty slot stands for, which is not stored
	value evidence.Digest // unless dflt
	seq   int64           // of the record that set it
	by    *draft          // of the batch in hand, before it has a seq; else nil
}

// newer reports whether s was set after t. What the batch in hand sets is newer than anything stored.
func (s *slot) newer(t *slot) bool {
	if s.by == nil || t.by == nil {
		return t.by == nil && (s.by != nil || s.seq > t.seq)
	}
	return s.by.pos > t.by.pos
}

// holds reports whether the slot has the facet's value.
func (s *slot) holds(f evidence.Facet) bool {
	return s.dflt == f.Default && (f.Default || s.value == f.Value)
}

// subject is what one key of the bucket of subjects holds: the first record about it and its facets. Further records have keys of
// their own, so that a post of one version takes one key.
type subject struct {
	key   subjectKey
	first int64 // the first record, -1 if there is none yet
	slots []slot
	last  *draft // the last of the batch in hand that changes this, nil if none does
}

// subject reads a subject's entry. What a facet says can be guessed from its digest, and so the slots are sealed where the vault is:
// without a key none are returned.
func (t *txn) subject(key subjectKey) (*subject, error) {
	return t.decodeSubject(key, t.subjects.Get(key[:]))
}

func (t *txn) decodeSubject(key subjectKey, v []byte) (*subject, error) {
	_, n := binary.Uvarint(v)
	if n <= 0 || len(v) == n || v[n] != sealMark { // no slot begins with sealMark: names are not empty
		return decodeSubject(key, v)
	}
	s, err := decodeSubject(key, v[:n])
	if err != nil || t.box == nil {
		return s, err
	}
	slots, err := openWith(t.box.aead, v[n+1:], stateContext(bucketSubjects, key[:]))
	if err != nil {
		return s, errSubject
	}
	return decodeSubject(key, append(append(make([]byte, 0, n+len(slots)), v[:n]...), slots...))
}

// putSubject writes a subject's entry.
func (t *txn) putSubject(s *subject) error { return t.subjects.Put(s.key[:], t.subjectValue(s)) }

func (t *txn) subjectValue(s *subject) []byte {
	v := s.encode()
	if _, n := binary.Uvarint(v); t.box != nil && len(v) > n {
		sealed := append(append(make([]byte, 0, len(v)+1+nonceLen+tagLen), v[:n]...), sealMark)
		v = sealWith(t.box.aead, sealed, v[n:], stateContext(bucketSubjects, s.key[:]))
	}
	return v
}

// decodeSubject reads a value in the clear: first, then for each slot its name's length doubled, plus one for a default, its name, its
// value unless it is a default, and by how much its seq is above first.
func decodeSubject(key subjectKey, v []byte) (*subject, error) {
	s := &subject{key: key, first: -1}
	if v == nil {
		return s, nil
	}
	first, n := binary.Uvarint(v)
	if n <= 0 || first > 1<<62 {
		return s, errSubject
	}
	s.first, v = int64(first), v[n:]
	for len(v) > 0 {
		head, n := binary.Uvarint(v)
		if n <= 0 || head>>1 > uint64(len(v)-n) {
			return s, errSubject
		}
		sl := slot{dflt: head&1 == 1, name: string(v[n : n+int(head>>1)])}
		v = v[n+int(head>>1):]
		if !sl.dflt {
			if len(v) < len(sl.value) {
				return s, errSubject
			}
			v = v[copy(sl.value[:], v):]
		}
		above, n := binary.Uvarint(v)
		if n <= 0 || above > 1<<62 {
			return s, errSubject
		}
		sl.seq, v = s.first+int64(above), v[n:]
		s.slots = append(s.slots, sl)
	}
	return s, nil
}

func (s *subject) encode() []byte {
	n := binary.MaxVarintLen64
	for _, sl := range s.slots {
		n += len(sl.name) + len(sl.value) + 2*binary.MaxVarintLen32
	}
	v := binary.AppendUvarint(make([]byte, 0, n), uint64(s.first))
	for _, sl := range s.slots {
		seq, head := sl.seq, uint64(len(sl.name))<<1
		if sl.by != nil {
			seq = sl.by.seq
		}
		if sl.dflt {
			head++
		}
		v = append(binary.AppendUvarint(v, head), sl.name...)
		if !sl.dflt {
			v = append(v, sl.value[:]...)
		}
		v = binary.AppendUvarint(v, uint64(seq-s.first))
	}
	return v
}

func (s *subject) find(name string) *slot {
	for i := range s.slots {
		if s.slots[i].name == name {
			return &s.slots[i]
		}
	}
	return nil
}

// differs reports whether an observation says anything new; where it does not, latest is the newest slot that already said it,
// or nil where only defaults stand for it.
func (s *subject) differs(obs []evidence.Facet) (latest *slot, differs bool) {
	for _, o := range obs {
		sl := s.find(o.Slot)
		switch {
		case sl == nil && !o.Default, sl != nil && !sl.holds(o):
			return nil, true
		case sl == nil:
		case latest == nil, sl.newer(latest):
			latest = sl
		}
	}
	return latest, len(obs) == 0
}

// write notes that a draft will be a record about the subject, and sets all facets that it observes.
func (s *subject) write(by *draft) {
	if s.first < 0 || len(by.facets) > 0 {
		if s.last == nil || by.pos > s.last.pos {
			s.last = by
		}
	}
	s.slots = slices.Grow(s.slots, len(by.facets))
	for _, o := range by.facets {
		sl := s.find(o.Slot)
		if sl == nil {
			s.slots = append(s.slots, slot{name: o.Slot})
			sl = &s.slots[len(s.slots)-1]
		}
		sl.dflt, sl.value, sl.by = o.Default, o.Value, by
	}
}
