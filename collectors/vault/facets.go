package vault

import (
	"encoding/binary"
	"errors"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

var errFacets = errors.New("damaged facets in the index of subjects: run muhafiz fsck")

// slot is the latest value of one facet of a subject.
type slot struct {
	name  string
	value evidence.Digest
	seq   int64  // of the record that set it
	by    *draft // of the batch in hand, before it has a seq; else nil
}

// facets are the slots of one subject.
type facets struct {
	key   subjectKey
	slots []slot
	last  *draft // the last of the batch in hand that sets one, nil if none does
}

func decodeSlots(v []byte) ([]slot, error) {
	var out []slot
	for len(v) > 0 {
		n, a := binary.Uvarint(v)
		if a <= 0 || n > uint64(len(v)) || len(v) < a+int(n)+len(evidence.Digest{}) {
			return nil, errFacets
		}
		s := slot{name: string(v[a : a+int(n)])}
		v = v[a+int(n):]
		copy(s.value[:], v)
		seq, b := binary.Uvarint(v[len(s.value):])
		if b <= 0 {
			return nil, errFacets
		}
		s.seq = int64(seq)
		v = v[len(s.value)+b:]
		out = append(out, s)
	}
	return out, nil
}

func (f *facets) encode() []byte {
	n := 0
	for _, s := range f.slots {
		n += len(s.name) + len(s.value) + 2*binary.MaxVarintLen32
	}
	v := make([]byte, 0, n)
	for _, s := range f.slots {
		seq := s.seq
		if s.by != nil {
			seq = s.by.seq
		}
		v = binary.AppendUvarint(v, uint64(len(s.name)))
		v = append(v, s.name...)
		v = append(v, s.value[:]...)
		v = binary.AppendUvarint(v, uint64(seq))
	}
	return v
}

func (f *facets) find(name string) *slot {
	for i := range f.slots {
		if f.slots[i].name == name {
			return &f.slots[i]
		}
	}
	return nil
}

// newer reports whether s was set after t. What the batch in hand sets is newer than anything stored.
func (s *slot) newer(t *slot) bool {
	if s.by == nil || t.by == nil {
		return t.by == nil && (s.by != nil || s.seq > t.seq)
	}
	return s.by.pos > t.by.pos
}

// differs reports whether an observation says anything new; where it does not, latest is the newest slot that already said it,
// or nil where only defaults stand for it.
func (f *facets) differs(obs []evidence.Facet) (latest *slot, differs bool) {
	for _, o := range obs {
		s := f.find(o.Slot)
		switch {
		case s == nil && !o.Default, s != nil && s.value != o.Value:
			return nil, true
		case s == nil:
		case latest == nil, s.newer(latest):
			latest = s
		}
	}
	return latest, len(obs) == 0
}

// set stores all facets of an observation that will be written.
func (f *facets) set(obs []evidence.Facet, by *draft) {
	if f.last == nil || by.pos > f.last.pos {
		f.last = by
	}
	for _, o := range obs {
		if s := f.find(o.Slot); s != nil {
			s.value, s.by = o.Value, by
		} else {
			f.slots = append(f.slots, slot{name: o.Slot, value: o.Value, by: by})
		}
	}
}
