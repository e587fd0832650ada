package vault

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// open returns a transaction with what opens its values.
func (v *Vault) open(tx *bolt.Tx) (*txn, error) {
	t, err := open(tx)
	if err == nil {
		t.ring, t.box = v.ring, v.box
	}
	return t, err
}

// unlock opens the key ring of a sealed vault, and makes a vault sealed that was not where keys are given.
func (v *Vault) unlock() error {
	state, err := v.stateKey()
	if err != nil {
		return err
	}
	if state == 0 {
		if v.o.Keys == nil {
			return nil
		}
		return v.beginSealing()
	}
	if v.o.Keys == nil {
		return ErrSealed
	}
	r, err := openRing(v.o.Keys.ring(v.path), v.created.VaultID, v.o.Keys.Sealer)
	if err != nil {
		return err
	}
	if !v.o.Keys.Restored {
		if err := v.checkSeen(r); err != nil {
			return err
		}
	}
	v.ring = r
	if v.box, err = r.key(state); err != nil {
		return fmt.Errorf("names and cursors: %w", err)
	}
	return v.forbidDestroyed()
}

// stateKey is the id of the key of names and cursors, 0 in a vault that is not sealed.
func (v *Vault) stateKey() (id keyID, err error) {
	err = v.db.View(func(tx *bolt.Tx) error {
		t, err := open(tx)
		if err != nil {
			return err
		}
		id = t.stateKey()
		return nil
	})
	return id, err
}

func (t *txn) stateKey() keyID {
	if b := t.meta.Get([]byte(metaState)); len(b) == 8 {
		return keyID(keySeq(b))
	}
	return 0
}

// checkSeen insists that the log continues what the ring saw last.
func (v *Vault) checkSeen(r *ring) error {
	seen, ok, err := r.seen()
	if err != nil || !ok || seen.size == 0 {
		return err
	}
	const next = "put back the newest vault.db; if this is a restore from a backup, say so (muhafiz restore), and what came after it is gone"
	if v.Size() < seen.size {
		return fmt.Errorf("%w: it has %d records, the key ring saw %d: %s", ErrOlder, v.Size(), seen.size, next)
	}
	return v.db.View(func(tx *bolt.Tx) error {
		t, err := open(tx)
		if err != nil {
			return err
		}
		h, err := tlog.TreeHash(seen.size, hashes{t.tree})
		if err != nil {
			return err
		}
		if evidence.Digest(h) != seen.root {
			return fmt.Errorf("%w: its first %d records give the root %s, the key ring saw %s: %s", ErrOlder, seen.size, evidence.Digest(h), seen.root, next)
		}
		return nil
	})
}

// noteHead lets the ring remember what is acknowledged now.
func (v *Vault) noteHead() error {
	if v.ring == nil || v.failed() != nil {
		return nil
	}
	v.mu.Lock()
	head := v.root
	v.mu.Unlock()
	if err := v.ring.note(head); err != nil {
		return fmt.Errorf("note the log's head in the key ring: %w", err)
	}
	return nil
}

// forbidDestroyed destroys again what the log says was destroyed: a crash, or a copy of the ring, may have left it.
func (v *Vault) forbidDestroyed() error {
	gone := map[keyID]bool{}
	err := v.db.View(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(bucketDestroyed))
		if b == nil {
			return nil
		}
		return b.ForEach(func(k, _ []byte) error {
			if len(k) == 8 {
				gone[keyID(keySeq(k))] = true
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	back := v.ring.ids(func(id keyID, _ keyName) bool { return gone[id] || v.ring.gone[id] })
	if len(back) == 0 {
		return nil
	}
	v.o.Log.Warn().Int("keys", len(back)).Msg("the key ring held keys that the log says were destroyed: destroyed again")
	return v.ring.destroy(back...)
}

// beginSealing makes a key ring, and seals names and cursors; the views are built anew. Bodies that are there stay as they are until
// Compact.
func (v *Vault) beginSealing() error {
	r, err := createRing(v.o.Keys.ring(v.path), v.created.VaultID, v.o.Keys.Sealer)
	if err != nil {
		return err
	}
	// The ring may know a later vault.db of this vault, which was sealed already.
	if !v.o.Keys.Restored {
		if err := v.checkSeen(r); err != nil {
			return err
		}
	}
	keys, err := r.ensure(keyName{class: classState})
	if err != nil {
		return err
	}
	box := keys[0]
	err = v.update(func(t *txn) error {
		if err := t.resealState(box); err != nil {
			return err
		}
		if err := t.dropViews(); err != nil {
			return err
		}
		if err := t.meta.Put([]byte(metaState), seqKey(int64(box.id))); err != nil {
			return err
		}
		return t.meta.Put([]byte(metaFormat), []byte(strconv.Itoa(FormatSealed)))
	})
	if err != nil {
		return err
	}
	v.ring, v.box = r, box
	return nil
}

// resealState seals names and cursors with another key, or with none where box is nil.
func (t *txn) resealState(box *dataKey) error {
	type pair struct{ k, v []byte }
	var ordinals, cursors []pair
	for bucket, out := range map[string]*[]pair{bucketOrdinals: &ordinals, bucketCursors: &cursors} {
		err := t.Bucket([]byte(bucket)).ForEach(func(k, v []byte) error {
			plain, err := t.unseal(bucket, k, v)
			*out = append(*out, pair{append([]byte{}, k...), plain})
			return err
		})
		if err != nil {
			return err
		}
	}
	for _, name := range []string{bucketNames, bucketOrdinals, bucketCursors} {
		if err := t.DeleteBucket([]byte(name)); err != nil {
			return err
		}
		if _, err := t.CreateBucket([]byte(name)); err != nil {
			return err
		}
	}
	fresh, err := open(t.Tx)
	if err != nil {
		return err
	}
	fresh.ring, fresh.box = t.ring, box
	for _, p := range ordinals {
		if err := fresh.bind(whole{evidence.Space(p.k[0]), string(p.v)}, uint64(keySeq(p.k[1:]))); err != nil {
			return err
		}
	}
	for _, p := range cursors {
		if err := fresh.cursors.Put(p.k, fresh.seal(bucketCursors, p.k, p.v)); err != nil {
			return err
		}
	}
	*t = *fresh
	return nil
}

// dropViews forgets all views, so that they are built anew when the vault is opened.
func (t *txn) dropViews() error {
	names := t.storedViews()
	for _, name := range slices.Sorted(maps.Keys(names)) {
		for gen := range 2 {
			b := []byte(viewState{Gen: gen}.bucket(name))
			if t.Bucket(b) == nil {
				continue
			}
			if err := t.DeleteBucket(b); err != nil {
				return err
			}
		}
		if err := t.meta.Delete([]byte(viewPrefix + name)); err != nil {
			return err
		}
	}
	return nil
}

// storedViews returns the views that the vault knows, whoever supplies them.
func (t *txn) storedViews() map[string]viewState {
	out := map[string]viewState{}
	c := t.meta.Cursor()
	for k, _ := c.Seek([]byte(viewPrefix)); len(k) > len(viewPrefix) && string(k[:len(viewPrefix)]) == viewPrefix; k, _ = c.Next() {
		name := string(k[len(viewPrefix):])
		out[name], _ = readViewState(t, name)
	}
	return out
}

// key returns the key that a record of this month is sealed with.
func (w *writer) key(r *ring, e evidence.Envelope) (*dataKey, error) {
	c := class(e)
	if k := w.keys[c]; k != nil {
		return k, nil
	}
	ks, err := r.ensure(keyName{c, w.month})
	if err != nil {
		return nil, err
	}
	w.keys[c] = ks[0]
	return ks[0], nil
}

// prepareKeys makes the keys that a batch needs at once, so that their folder is synced once.
func (w *writer) prepareKeys(r *ring, p *plan) error {
	if r == nil {
		return nil
	}
	if m := monthOf(w.now.at); m != w.month || len(w.keys) > maxOpened {
		w.month, w.keys = m, map[string]*dataKey{}
	}
	missing := map[string]bool{}
	for _, ds := range [][]draft{p.announce, p.r.drafts} {
		for i := range ds {
			if d := &ds[i]; d.fate == write && !inTheClear(d.in.Body.Kind()) {
				if c := class(evidence.Envelope{Kind: d.in.Body.Kind(), Subject: d.subject}); w.keys[c] == nil {
					missing[c] = true
				}
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	classes := slices.Sorted(maps.Keys(missing))
	names := make([]keyName, len(classes))
	for i, c := range classes {
		names[i] = keyName{c, w.month}
	}
	keys, err := r.ensure(names...)
	if err != nil {
		return err
	}
	for i, c := range classes {
		w.keys[c] = keys[i]
	}
	return nil
}
