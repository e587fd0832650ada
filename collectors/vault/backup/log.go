package backup

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

// maxPasses bounds how often the log is read again because something in it was erased meanwhile.
const maxPasses = 4

// errErased: a record took something out of an earlier one while the log was read.
var errErased = errors.New("something is erased again and again: run the backup when that has ended")

// logAndIndexes copies the log and, of one moment, everything beside it.
func (r *run) logAndIndexes(ctx context.Context) error {
	from := int64(0)
	if r.last != nil && !r.o.Reread {
		n, err := r.reuse(ctx)
		if err != nil {
			return err
		}
		from = n
	}
	for range maxPasses {
		again, err := r.pass(ctx, from)
		if err != nil || !again {
			return err
		}
		// A body that is gone now may stand in a segment that was read before.
		from = 0
		r.man.Log, r.man.Indexes = nil, nil
	}
	return errErased
}

// reuse takes over the whole segments of the newest backup, unless a later record may have taken something out of them.
func (r *run) reuse(ctx context.Context) (next int64, err error) {
	clean := true
	r.checked = r.o.Vault.Size()
	err = r.o.Vault.SnapshotLog(ctx, r.last.Records, r.checked, func(_ int64, value []byte) error {
		clean = clean && !takesOut(value)
		return nil
	})
	if err != nil || !clean {
		return 0, err
	}
	for _, l := range r.last.Log {
		// The last one may go on.
		if l.First+l.Count == r.last.Records && r.last.Records%segmentRecords != 0 || !r.there(l.Ref) {
			break
		}
		r.man.Log = append(r.man.Log, l)
		next = l.First + l.Count
	}
	return next, nil
}

// takesOut reports whether a record may have changed earlier ones: a compaction seals bodies with other keys. What cannot be read may.
func takesOut(value []byte) bool {
	e, err := envelope(value)
	return err != nil || e.Kind == evidence.KindErased || e.Kind == evidence.KindQuarantined || e.Kind == evidence.KindVaultCompacted
}

func envelope(value []byte) (evidence.Envelope, error) {
	for i, c := range value {
		if c == '\n' {
			return evidence.ParseEnvelope(value[:i:i])
		}
	}
	return evidence.Envelope{}, errSegment
}

// pass reads the log from a record on in short transactions, then what has come since and all indexes in one.
func (r *run) pass(ctx context.Context, from int64) (again bool, err error) {
	if r.checked == 0 {
		r.checked = r.o.Vault.Size()
	}
	g, gctx := r.group(ctx)
	p := &logPass{r: r, next: from}
	var done atomic.Int64
	done.Store(from)
	l := logSegments{emit: func(first, count int64, b []byte) error {
		ref := &LogRef{First: first, Count: count}
		p.refs = append(p.refs, ref)
		g.Go(func() (err error) {
			ref.Ref, err = r.store(gctx, b)
			r.o.Progress("log", done.Add(count), r.o.Vault.Size())
			return err
		})
		return gctx.Err()
	}}
	p.add = l.add
	sp, err := p.read(gctx)
	if err == nil {
		err = l.end()
	}
	if e := g.Wait(); e != nil {
		err = e // the other is that it was called off
	}
	for _, ref := range p.refs {
		r.man.Log = append(r.man.Log, *ref)
	}
	if err == nil && !p.again {
		err = r.send(ctx, sp)
	}
	r.checked = 0
	return p.again, errors.Join(err, sp.close())
}

// logPass is one reading of the log.
type logPass struct {
	r     *run
	next  int64
	refs  []*LogRef
	add   func(seq int64, value []byte) error
	again bool // something was taken out meanwhile
}

// shortTail is how many records the one transaction may have to take.
const shortTail = 2048

func (p *logPass) read(ctx context.Context) (*spool, error) {
	for round := 0; round < 8; round++ {
		end := p.r.o.Vault.Size()
		if end-p.next <= shortTail {
			break
		}
		if err := p.r.o.Vault.SnapshotLog(ctx, p.next, end, p.record); err != nil {
			return nil, err
		}
	}
	return p.moment(ctx)
}

func (p *logPass) record(seq int64, value []byte) error {
	if seq != p.next {
		return fmt.Errorf("record %d stands where record %d belongs: run muhafiz fsck", seq, p.next)
	}
	p.next++
	p.again = p.again || seq >= p.r.checked && takesOut(value)
	return p.add(seq, value)
}

// moment is the one transaction. What it brings goes to a file, since a network would hold it open.
func (p *logPass) moment(ctx context.Context) (*spool, error) {
	r := p.r
	sp, err := newSpool(r.dir)
	if err != nil {
		return nil, err
	}
	var tail [][]byte
	c := chunks{emit: func(b []byte) error { return sp.add(r, b) }}
	began := time.Now()
	head, err := r.o.Vault.SnapshotRest(ctx, p.next, func(bucket string, key, value []byte) error {
		if bucket == vault.BucketLog {
			tail = append(tail, append([]byte(nil), value...))
			return nil
		}
		return c.add(bucket, key, value)
	})
	r.res.Held = time.Since(began)
	if err == nil {
		err = c.end()
	}
	for _, value := range tail {
		if err == nil {
			err = p.record(p.next, value)
		}
	}
	if err == nil && p.next != head.Size {
		err = fmt.Errorf("the log ends at record %d, its head says %d: run muhafiz fsck", p.next, head.Size)
	}
	r.man.Records, r.man.Root = head.Size, head.Root
	return sp, err
}

// send stores what the transaction brought.
func (r *run) send(ctx context.Context, sp *spool) error {
	g, ctx := r.group(ctx)
	r.man.Indexes = make([]Ref, len(sp.parts))
	var done atomic.Int64
	for i, p := range sp.parts {
		g.Go(func() error {
			ref, ok := r.known(p.content)
			if !ok {
				b := make([]byte, p.size)
				if _, err := sp.f.ReadAt(b, p.at); err != nil {
					return err
				}
				var err error
				if ref, err = r.store(ctx, b); err != nil {
					return err
				}
			}
			r.man.Indexes[i] = ref
			r.o.Progress("index", done.Add(p.size), sp.total)
			return nil
		})
	}
	return g.Wait()
}

// spool holds the indexes between the transaction and the place. It lies in the vault's folder, as private as vault.db.
type spool struct {
	f     *os.File
	at    int64
	total int64
	parts []spoolPart
}

type spoolPart struct {
	content  evidence.Digest
	at, size int64
}

func newSpool(dir string) (*spool, error) {
	path := filepath.Join(dir, "indexes")
	if err := removeAll(path); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	return &spool{f: f}, err
}

// add keeps b, unless it lies in the place already.
func (s *spool) add(r *run, b []byte) error {
	p := spoolPart{content: evidence.Sum(b), at: s.at, size: int64(len(b))}
	s.total += p.size
	s.parts = append(s.parts, p)
	if _, ok := r.known(p.content); ok {
		return nil
	}
	n, err := s.f.Write(b)
	s.at += int64(n)
	return err
}

func (s *spool) close() error {
	if s == nil || s.f == nil {
		return nil
	}
	return errors.Join(s.f.Close(), os.Remove(s.f.Name()))
}

func uvarint(b []byte) (int64, []byte, error) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > 1<<62 {
		return 0, nil, io.ErrUnexpectedEOF
	}
	return int64(n), b[w:], nil
}

func seqKey(seq int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(seq)) }

// envelopeLen is where a record's envelope ends.
func envelopeLen(value []byte) int { return bytes.IndexByte(value, '\n') }
