package vault

import (
	"bytes"
	"fmt"
	"sort"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// unlock opens the key ring of a sealed vault. Without keys the log is checked as far as it goes.
func (f *fsck) unlock() error {
	id := f.t.stateKey()
	if id == 0 {
		return nil
	}
	if f.o.Keys == nil {
		f.shut = true
		f.unchecked("the sealed bodies, and the names, facets and cursors that follow from them")
		return nil
	}
	first, err := (*ring)(nil).record(f.t.log.Get(seqKey(0)))
	if err != nil {
		f.problem("record 0", "%v", err)
		f.shut = true
		return nil
	}
	created, err := evidence.Decode[*evidence.VaultCreated](first)
	if err != nil {
		f.problem("record 0", "%v", err)
		f.shut = true
		return nil
	}
	if f.ring, err = openRing(f.o.Keys.ring(f.path), created.VaultID, f.o.Keys.Sealer); err != nil {
		return err
	}
	f.t.ring = f.ring
	if f.t.box, err = f.ring.key(id); err != nil {
		return fmt.Errorf("names and cursors: %w", err)
	}
	f.destroyed()
	return nil
}

// destroyed looks for keys that should be gone.
func (f *fsck) destroyed() {
	b := f.t.Bucket([]byte(bucketDestroyed))
	for _, id := range f.ring.ids(func(id keyID, _ keyName) bool { return b != nil && b.Get(seqKey(int64(id))) != nil }) {
		f.problem("key ring", "it holds the key %s, which was destroyed: open the vault once, and it is destroyed again", id)
	}
}

func (f *fsck) unchecked(what string, args ...any) {
	f.rep.Unchecked = append(f.rep.Unchecked, fmt.Sprintf(what, args...))
}

func (f *fsck) viewKey(s viewState) (*dataKey, error) {
	if s.Key == "" {
		return nil, nil
	}
	id, err := parseKeyID(s.Key)
	if err != nil {
		return nil, err
	}
	return f.ring.key(id)
}

// cut forgets the claims of replies that an erasure cut.
func (f *fsck) cut() {
	for d, c := range f.blobs {
		if !c.firm && len(c.replies) == 0 {
			delete(f.blobs, d)
		}
	}
}

// erasure notes what a record says was erased.
func (s *sequence) erasure(seq int64, b *evidence.Erased) {
	for _, r := range b.Records {
		if r.First < 0 || r.Last < r.First || r.Last >= seq {
			s.f.record(seq, "it says that the records %d to %d were erased, which did not all come before it", r.First, r.Last)
			continue
		}
		s.erased = append(s.erased, r)
	}
	for _, c := range b.Replies {
		if c.Acquisition < 0 || c.Acquisition >= seq {
			s.f.record(seq, "it says that the reply of record %d was cut, which did not come before it", c.Acquisition)
			continue
		}
		s.cuts[c.Acquisition] = c
	}
	index := s.f.t.Bucket([]byte(bucketDestroyed))
	for _, k := range b.Keys {
		id, err := parseKeyID(k)
		if err != nil {
			s.f.record(seq, "%v", err)
		} else if index == nil || index.Get(seqKey(int64(id))) == nil {
			s.f.problem("bucket "+bucketDestroyed, "the key %s is missing, which record %d says was destroyed", id, seq)
		}
	}
}

// endErased insists that exactly those bodies are gone that records say were erased.
func (s *sequence) endErased() {
	f := s.f
	sort.Slice(s.erased, func(i, j int) bool { return s.erased[i].First < s.erased[j].First })
	index := f.t.Bucket([]byte(bucketErased))
	at, named := 0, int64(0)
	for i, r := range s.erased {
		if i > 0 && r.First <= s.erased[i-1].Last {
			f.problem("records", "the records %d to %d were erased twice", r.First, min(r.Last, s.erased[i-1].Last))
		}
		named += r.Last - r.First + 1
	}
	for _, seq := range s.absent {
		for at < len(s.erased) && s.erased[at].Last < seq {
			at++
		}
		switch {
		case at == len(s.erased) || s.erased[at].First > seq:
			f.record(seq, "its body is gone, and no record says that it was erased")
			s.broken = true
			continue
		case index == nil || index.Get(seqKey(seq)) == nil:
			f.problem("bucket "+bucketErased, "record %d is missing, whose body was erased", seq)
		}
		f.rep.Erased++
	}
	if int64(f.rep.Erased) != named && !s.broken {
		f.problem("records", "%d bodies are gone, but records say that %d were erased", f.rep.Erased, named)
	}
	if index != nil {
		if n := f.count(bucketErased); n != f.rep.Erased && !s.broken {
			f.problem("bucket "+bucketErased, "it lists %d records, but %d were erased", n, f.rep.Erased)
		}
	}
	for d, c := range f.blobs {
		left := c.replies[:0]
		for _, seq := range c.replies {
			if _, cut := s.cuts[seq]; !cut {
				left = append(left, seq)
			}
		}
		c.replies = left
		f.blobs[d] = c
	}
	for acq, c := range s.cuts {
		if c.Reply.IsZero() || index != nil && index.Get(seqKey(acq)) != nil {
			continue
		}
		old := f.blobs[c.Reply.SHA256]
		f.blobs[c.Reply.SHA256] = claim{seq: max(acq, old.seq), size: c.Reply.Size, firm: true}
	}
}

// erasedAfter reports whether a later record of the subject was erased: what it set is forgotten then, so that it is written again.
func (s *sequence) erasedAfter(about *subject, seq int64) bool {
	index := s.f.t.Bucket([]byte(bucketErased))
	if index == nil {
		return false
	}
	c := s.f.t.subjects.Cursor()
	for k, _ := c.Seek(about.key.withSeq(seq + 1)); len(k) == len(about.key)+8 && bytes.HasPrefix(k, about.key[:]); k, _ = c.Next() {
		if index.Get(k[len(about.key):]) != nil {
			return true
		}
	}
	return false
}

// forgotten counts the numbers whose name nothing binds any more.
func (f *fsck) forgotten() (n int) {
	c := f.t.ordinals.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if b, err := f.t.unseal(bucketOrdinals, k, v); err == nil && len(b) == 0 {
			n++
		}
	}
	return n
}

// followed looks for a blob's entry in the list that erasures go by: without it a blob could be removed that a record still names.
func (f *fsck) followed(seq int64, d evidence.Digest) {
	next, refs := f.t.meta.Get([]byte(metaRefs)), f.t.Bucket([]byte(bucketRefs))
	if len(next) != 8 || seq >= keySeq(next) || f.t.cutBy(seq) >= 0 {
		return
	}
	if refs == nil || refs.Get(refKey(d, seq)) == nil {
		f.problem("bucket "+bucketRefs, "it does not say that record %d names the blob %s", seq, d)
	}
}
