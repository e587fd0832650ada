package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// lastAt is the commit time of the last record.
func (v *Vault) lastAt() time.Time {
	rec, err := v.records([]int64{v.Size() - 1})
	if err != nil {
		return time.Time{}
	}
	return rec[0].At.Time
}

// erased carries an erasure out, in the goroutine that writes: so no batch is between its check of a blob and its commit.
func (w *writer) erased(e *erasure) {
	defer close(e.done)
	before := w.now
	before.tree = before.tree.clone()
	doomed, refused, err := w.attemptErasure(e)
	if err != nil {
		w.now = before
		w.names.rollback()
		if !refused {
			err = w.v.fail(err)
		}
		e.r.err = err
		return
	}
	w.names = newCache() // names may be gone
	w.v.publish(w.now)
	if err := errors.Join(w.v.blobs.remove(doomed), w.v.destroy(e.keys)); err != nil {
		e.r.err = w.v.fail(fmt.Errorf("after the erasure of record %d was written: %w", e.r.out[0].Seq, err))
	}
}

func (v *Vault) destroy(ids []keyID) error {
	if v.ring == nil || len(ids) == 0 {
		return nil
	}
	return v.ring.destroy(ids...)
}

// attemptErasure makes one commit of it. refused says that the plan was at fault, and not the disk.
func (w *writer) attemptErasure(e *erasure) (doomed []evidence.Digest, refused bool, err error) {
	if err := w.v.failed(); err != nil {
		return nil, true, err
	}
	tx, err := w.v.db.Begin(true)
	if err != nil {
		return nil, false, err
	}
	defer tx.Rollback()
	t, err := w.v.open(tx)
	if err != nil {
		return nil, false, err
	}
	for done := false; !done; {
		if _, done, err = t.follow(followChunk); err != nil {
			return nil, errors.Is(err, ErrUnknownKind), err
		}
	}
	if doomed, err = w.release(t, e); err != nil {
		return nil, false, err
	}
	if err := w.v.prepare(e.r); err != nil {
		return nil, true, err
	}
	p, err := w.plan(t, e.r)
	if err != nil {
		return nil, true, err
	}
	tables, err := w.v.tables(t)
	if err != nil {
		return nil, false, err
	}
	if err := w.write(t, tables, p); err != nil {
		return nil, false, err
	}
	if err := w.strip(t, e, e.r.out[0].Seq); err != nil {
		return nil, false, err
	}
	if err := w.finish(t); err != nil {
		return nil, false, err
	}
	return doomed, false, tx.Commit()
}

// release takes the erased records' claims to blobs away, lists the blobs that nobody claims, and completes the record's body.
func (w *writer) release(t *txn, e *erasure) ([]evidence.Digest, error) {
	released, err := e.released(t)
	if err != nil {
		return nil, err
	}
	refs := t.Bucket([]byte(bucketRefs))
	doomed := e.orphans(refs, released)
	for _, k := range released {
		if err := refs.Delete(k); err != nil {
			return nil, err
		}
	}
	list, err := t.CreateBucketIfNotExists([]byte(bucketDoomed))
	if err != nil {
		return nil, err
	}
	dirty, err := t.CreateBucketIfNotExists([]byte(bucketDirty))
	if err != nil {
		return nil, err
	}
	e.body.Files, e.body.Bytes = len(doomed), 0
	for _, d := range doomed {
		e.body.Bytes += w.v.blobs.fileSize(d)
		if err := list.Put(d[:], nil); err != nil {
			return nil, err
		}
		if id, ok := w.v.blobs.keyOf(d); ok {
			if err := dirty.Put(seqKey(int64(id)), nil); err != nil {
				return nil, err
			}
		}
	}
	return doomed, nil
}

// strip takes the bodies out of the log and out of all that was made of them.
func (w *writer) strip(t *txn, e *erasure, by int64) error {
	erased, err := t.CreateBucketIfNotExists([]byte(bucketErased))
	if err != nil {
		return err
	}
	goes := map[int64]bool{}
	for _, r := range e.records {
		goes[r.Seq] = true
		if err := t.log.Put(seqKey(r.Seq), append(append([]byte{}, r.EnvelopeBytes...), '\n')); err != nil {
			return err
		}
		if err := erased.Put(seqKey(r.Seq), seqKey(by)); err != nil {
			return err
		}
	}
	for _, r := range e.records {
		if err := t.forget(r, goes); err != nil {
			return fmt.Errorf("record %d: %w", r.Seq, err)
		}
	}
	if err := t.markCuts(e, by); err != nil {
		return err
	}
	if err := t.markDestroyed(e.keys, by); err != nil {
		return err
	}
	for name, s := range t.storedViews() {
		if w.v.views[name] {
			continue
		}
		if b := []byte(s.bucket(name)); t.Bucket(b) != nil {
			if err := t.DeleteBucket(b); err != nil {
				return err
			}
		}
		if err := t.meta.Delete([]byte(viewPrefix + name)); err != nil {
			return err
		}
	}
	if err := t.meta.Put([]byte(metaStale), seqKey(by)); err != nil {
		return err
	}
	return t.meta.Put([]byte(metaFormat), []byte(strconv.Itoa(FormatSealed)))
}

// forget takes out of the subject's entry what the erased records set, so that it is written again when it is seen again, and the name
// that nothing binds any more.
func (t *txn) forget(r evidence.Record, goes map[int64]bool) error {
	key, err := ordinalKey(r.Subject)
	if err != nil {
		return err
	}
	s, err := t.subject(key)
	if err != nil {
		return err
	}
	left := s.slots[:0]
	for _, sl := range s.slots {
		if !goes[sl.seq] {
			left = append(left, sl)
		}
	}
	if len(left) != len(s.slots) {
		s.slots = left
		if err := t.putSubject(s); err != nil {
			return err
		}
	}
	if r.Subject.Part() != "" || r.Kind != binder(r.Subject.Space()) {
		return nil
	}
	return t.forgetName(r, key)
}

// forgetName unbinds a name of which no binding record has a body left.
func (t *txn) forgetName(r evidence.Record, key subjectKey) error {
	bound := false
	_, err := t.eachAbout(key[:], key[:], 1<<30, func(seq int64) {
		envelope, stored, err := split(t.log.Get(seqKey(seq)))
		if err != nil || stored == nil {
			return
		}
		if e, err := evidence.ParseEnvelope(envelope); err == nil && e.Kind == r.Kind && e.Subject == r.Subject {
			bound = true
		}
	})
	if err != nil || bound {
		return err
	}
	number := ordinalNumber(r.Subject)
	k, err := t.key(r.Subject.Space(), number)
	if err != nil || k == "" {
		return err
	}
	if err := t.names.Delete(t.nameKey(whole{r.Subject.Space(), k})); err != nil {
		return err
	}
	// The number stays, so that it is not given again.
	at := numberKey(r.Subject.Space(), number)
	return t.ordinals.Put(at, t.seal(bucketOrdinals, at, nil))
}

func (t *txn) markCuts(e *erasure, by int64) error {
	b, err := t.CreateBucketIfNotExists([]byte(bucketCuts))
	if err != nil {
		return err
	}
	for _, c := range e.cuts {
		if err := b.Put(seqKey(c.left.Acquisition), seqKey(by)); err != nil {
			return err
		}
	}
	return nil
}

func (t *txn) markDestroyed(ids []keyID, by int64) error {
	if len(ids) == 0 {
		return nil
	}
	b, err := t.CreateBucketIfNotExists([]byte(bucketDestroyed))
	if err != nil {
		return err
	}
	for _, id := range ids {
		var value []byte
		if by >= 0 {
			value = seqKey(by)
		}
		if err := b.Put(seqKey(int64(id)), value); err != nil {
			return err
		}
	}
	return nil
}

// finishErasure removes, when the vault is opened, the blobs that an erasure doomed and a crash left.
func (v *Vault) finishErasure() error {
	if v.listedDoomed() {
		if err := v.followBlobs(context.Background()); err != nil {
			return err
		}
	}
	var doomed []evidence.Digest
	err := v.db.View(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(bucketDoomed))
		if b == nil {
			return nil
		}
		refs := tx.Bucket([]byte(bucketRefs))
		return b.ForEach(func(k, _ []byte) error {
			if len(k) != len(evidence.Digest{}) {
				return nil
			}
			// Kept again since, and named: no longer doomed.
			if next, _ := refs.Cursor().Seek(k); !bytes.HasPrefix(next, k) {
				doomed = append(doomed, evidence.Digest(k))
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	if err := v.blobs.remove(doomed); err != nil {
		return err
	}
	return v.clearDoomed()
}

func (v *Vault) listedDoomed() (listed bool) {
	err := v.db.View(func(tx *bolt.Tx) error {
		if b := tx.Bucket([]byte(bucketDoomed)); b != nil {
			k, _ := b.Cursor().First()
			listed = k != nil
		}
		return nil
	})
	return listed && err == nil
}

// clearDoomed forgets the list: its blobs are removed.
func (v *Vault) clearDoomed() error {
	if !v.listedDoomed() {
		return nil
	}
	return v.update(func(t *txn) error {
		if err := t.DeleteBucket([]byte(bucketDoomed)); err != nil {
			return err
		}
		_, err := t.CreateBucket([]byte(bucketDoomed))
		return err
	})
}
