package vault

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// leafPrefix is what RFC 6962 puts before a leaf.
const leafPrefix = 0

// finishChunk is how many records a processor hashes and seals at a time. Below two of them it is not worth waking another one.
const finishChunk = 32

// append writes records: their leaves, their values, their lines in the indexes, and what the views make of them. What needs only the
// record itself, hashing and sealing, is done on the other processors meanwhile.
func (w *writer) append(t *txn, tables []*table, ds []*draft) error {
	for i, d := range ds {
		if err := w.frame(t, d, w.now.tree.size+int64(i)); err != nil {
			return err
		}
	}
	f := startFinishing(t, ds)
	err := w.follow(t, tables, ds)
	f.wait() // also after an error: the batch may be tried again
	if err != nil {
		return err
	}
	for _, d := range ds {
		w.now.tree.append(d.leaf)
		if err := t.log.Put(seqKey(d.seq), d.stored); err != nil {
			return err
		}
		if err := t.index(d); err != nil {
			return err
		}
	}
	return nil
}

// frame gives a draft its number, and its envelope its place before the body.
func (w *writer) frame(t *txn, d *draft, seq int64) error {
	d.seq = seq
	if d.first = d.about.first < 0; d.first {
		d.about.first = seq
	}
	r := d.record
	*r = evidence.Record{Envelope: evidence.Envelope{
		V: evidence.EnvelopeVersion, Seq: seq, ID: d.in.ID, Kind: d.in.Body.Kind(), At: evidence.Time{Time: w.now.at},
		Actor: d.actor, Subject: d.subject, Body: d.digest,
	}, Body: d.body}
	var room [envelopeRoom]byte
	envelope := append(r.Append(append(room[:0], leafPrefix)), '\n')
	value := d.buf[envelopeRoom-len(envelope):]
	copy(value, envelope)
	d.frame = value[:len(envelope)]
	r.EnvelopeBytes = value[1 : len(envelope)-1 : len(envelope)-1]
	if d.key = nil; t.ring == nil || inTheClear(r.Kind) {
		return nil
	}
	var err error
	d.key, err = w.key(t.ring, r.Envelope)
	return err
}

// follow shows records to the views.
func (w *writer) follow(t *txn, tables []*table, ds []*draft) error {
	for _, d := range ds {
		if d.record.Kind == evidence.KindKeyRotated {
			if err := t.meta.Put([]byte(metaKey), seqKey(d.seq)); err != nil {
				return err
			}
		}
		for _, tab := range tables {
			if err := tab.apply(*d.record); err != nil {
				return err
			}
		}
	}
	return flush(tables)
}

// index lists a record under its subject. The subject's own entry is written with the last draft that changes it, beside that draft's
// line, because a page takes neighbours at less cost.
func (t *txn) index(d *draft) error {
	s := d.about
	if s.last == d {
		if err := t.subjects.Put(s.key[:], d.entry); err != nil {
			return err
		}
	}
	if d.first {
		return nil
	}
	return t.subjects.Put(s.key.withSeq(d.seq), nil)
}

// finishing is the work on records that needs nothing but the record.
type finishing struct {
	t       *txn // whose keys are used, and nothing that is stored
	ds      []*draft
	next    atomic.Int64
	helpers sync.WaitGroup
}

func startFinishing(t *txn, ds []*draft) *finishing {
	f := &finishing{t: t, ds: ds}
	for range min(runtime.GOMAXPROCS(0)-1, len(ds)/finishChunk-1) {
		f.helpers.Go(f.work)
	}
	return f
}

// wait does what is left, and waits for what others do.
func (f *finishing) wait() {
	f.work()
	f.helpers.Wait()
}

func (f *finishing) work() {
	for {
		end := int(f.next.Add(finishChunk))
		first := end - finishChunk
		if first >= len(f.ds) {
			return
		}
		f.t.finish(f.ds[first:min(end, len(f.ds))])
	}
}

// finish makes the leaf hashes, the log's values and the entries of subjects: all numbers that these hold are given by now. Sealed
// bodies share one piece of memory, which is free after the commit.
func (t *txn) finish(ds []*draft) {
	n := 0
	for _, d := range ds {
		if d.key != nil {
			n += len(d.frame) - 1 + len(d.body) + sealExtra
		}
	}
	room := make([]byte, 0, n)
	for _, d := range ds {
		head := d.frame[1:]
		d.leaf = evidence.Sum(d.frame[:len(d.frame)-1])
		if d.about.last == d {
			d.entry = t.subjectValue(d.about)
		}
		if d.key == nil {
			d.stored = d.buf[len(d.buf)-len(d.body)-len(head):]
			continue
		}
		at := len(room)
		room = d.key.appendSealed(room, head, d.body)
		d.stored = room[at:len(room):len(room)]
	}
}
