package vault

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// maxGroup bounds the records of one commit, so that a batch waits for no more than that.
const maxGroup = 4096

// state is what the writer carries from commit to commit.
type state struct {
	tree    tree
	at      time.Time // of the last record: the commit clock never goes back
	numbers [len(spaces)]uint64
}

// writer is the one goroutine that writes. Batches that wait while it commits share the next commit.
type writer struct {
	v     *Vault
	now   state // of the transaction in hand
	names cache
	month string              // that keys is of
	keys  map[string]*dataKey // by class, of the month in hand
}

// load reads the state that the last commit left and checks that it fits the log's end.
func (w *writer) load(tx *bolt.Tx) error {
	if _, err := formatOf(tx); err != nil {
		return err
	}
	t, err := open(tx)
	if err != nil {
		return err
	}
	head := t.meta.Get([]byte(metaHead))
	k, value := t.log.Cursor().Last()
	if len(head) != 8+len(evidence.Digest{}) || len(k) != 8 || keySeq(k)+1 != keySeq(head) {
		return mark(ErrDamaged, "the log's end is not where the last commit left it: run muhafiz fsck")
	}
	if w.now.tree, err = loadTree(t.tree, keySeq(head)); err != nil {
		return err
	}
	if root := w.now.tree.root(); string(root[:]) != string(head[8:]) {
		return mark(ErrDamaged, "the tree's root is not what the last commit left: run muhafiz fsck")
	}
	envelope, _, err := split(bytes.Clone(value))
	if err != nil {
		return fmt.Errorf("record %d: %w", keySeq(k), err)
	}
	e, err := evidence.ParseEnvelope(envelope)
	if err != nil {
		return fmt.Errorf("record %d: %w", keySeq(k), err)
	}
	leaf, err := leafAt(t, keySeq(k))
	if err != nil {
		return err
	}
	if leaf != evidence.LeafHash(envelope) {
		return mark(ErrDamaged, "record %d is not the one that its leaf hash was made of: run muhafiz fsck", keySeq(k))
	}
	w.now.at = e.At.Time
	w.now.numbers = t.lastNumbers()
	w.names = newCache()
	return nil
}

func (w *writer) run() {
	defer close(w.v.done)
	for {
		select {
		case r := <-w.v.queue:
			w.commit(w.gather(r))
		case e := <-w.v.erase:
			w.erased(e)
		case <-w.v.stop:
			return
		}
	}
}

// gather takes whatever else waits already.
func (w *writer) gather(r *request) []*request {
	group := []*request{r}
	for n := len(r.drafts); n < maxGroup; {
		select {
		case r := <-w.v.queue:
			group = append(group, r)
			n += len(r.drafts)
		default:
			return group
		}
	}
	return group
}

// commit writes a group and answers it. A batch that fails half-way is taken out, and the others start again from where the
// last commit left the vault; nothing had been committed by then. A commit that fails is the end.
func (w *writer) commit(group []*request) {
	for _, r := range group {
		defer close(r.done)
	}
	for len(group) > 0 {
		before := w.now
		before.tree = before.tree.clone()
		bad, err := w.attempt(group)
		if err == nil {
			w.names.commit()
			w.v.publish(w.now)
			return
		}
		w.now = before
		w.names.rollback()
		if bad < 0 {
			err = w.v.fail(err)
			for _, r := range group {
				r.err = err
			}
			return
		}
		group[bad].err = err
		group = append(group[:bad:bad], group[bad+1:]...)
	}
}

// attempt writes a group in one transaction. It returns which batch could not be written, or -1 where it is the disk.
func (w *writer) attempt(group []*request) (bad int, err error) {
	if err := w.v.failed(); err != nil {
		return -1, err
	}
	tx, err := w.v.db.Begin(true)
	if err != nil {
		return -1, err
	}
	defer tx.Rollback()
	t, err := w.v.open(tx)
	if err != nil {
		return -1, err
	}
	tables, err := w.v.tables(t)
	if err != nil {
		return -1, err
	}
	wrote := false
	for i, r := range group {
		p, err := w.plan(t, r)
		if r.err = err; err != nil {
			continue
		}
		if err := w.write(t, tables, p); err != nil {
			if disk := (*diskError)(nil); errors.As(err, &disk) {
				i = -1
			}
			return i, err
		}
		wrote = wrote || p.changes()
	}
	if !wrote {
		return -1, nil
	}
	if err := w.finish(t); err != nil {
		return -1, err
	}
	return -1, tx.Commit()
}

// put plans and writes one batch.
func (w *writer) put(t *txn, tables []*table, r *request) error {
	p, err := w.plan(t, r)
	if err != nil {
		return err
	}
	return w.write(t, tables, p)
}

// finish writes what goes with every commit.
func (w *writer) finish(t *txn) error {
	if err := w.now.tree.flush(t.tree); err != nil {
		return err
	}
	root := w.now.tree.root()
	return t.meta.Put([]byte(metaHead), append(seqKey(w.now.tree.size), root[:]...))
}

// write does what plan decided.
func (w *writer) write(t *txn, tables []*table, p *plan) error {
	if at := w.v.o.Now().UTC().Truncate(time.Microsecond); at.After(w.now.at) {
		w.now.at = at
	}
	w.now.numbers = p.numbers
	if err := w.prepareKeys(t.ring, p); err != nil {
		return err
	}
	for _, b := range p.bindings {
		if err := t.bind(b.name, b.number); err != nil {
			return err
		}
	}
	if err := w.append(t, tables, p.fresh()); err != nil {
		return err
	}
	if err := putIDs(t.ids, p.ids()); err != nil {
		return err
	}
	if c := p.r.batch.Cursor; c != nil {
		return t.cursors.Put([]byte(c.Name), t.seal(bucketCursors, []byte(c.Name), c.Data))
	}
	return nil
}

func leafAt(t *txn, seq int64) (evidence.Digest, error) {
	h, err := hashes{t.tree}.ReadHashes([]int64{leafIndex(seq)})
	if err != nil {
		return evidence.Digest{}, err
	}
	return evidence.Digest(h[0]), nil
}
