package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// compaction is one run of Compact.
type compaction struct {
	v        *Vault
	from, to *bolt.DB
	dirty    map[keyID]bool     // keys that sealed what was erased since the last compaction
	fresh    map[keyID]*dataKey // what seals the rest of each of them now
	body     evidence.VaultCompacted
	progress func(stage string, done, total int64)
}

// compactChunk is how many bytes are copied in one transaction.
const compactChunk = 16 << 20

// Compact writes vault.db anew without its free pages, so that what was erased is no longer in the file and its space is free for others,
// and records that. In a sealed vault, data keys that sealed something erased are replaced: what remains gets other keys, plain bodies and
// blobs get their first, and the old keys are destroyed, so that backups lose what was erased too. It needs the vault's lock, as much free
// space as vault.db takes, and options as for Open. Stages: blobs, log, index. A crash at any point leaves the old file or the new one.
func Compact(ctx context.Context, path string, o Options, progress func(stage string, done, total int64)) (evidence.VaultCompacted, error) {
	if progress == nil {
		progress = func(string, int64, int64) {}
	}
	c := &compaction{dirty: map[keyID]bool{}, fresh: map[keyID]*dataKey{}, progress: progress}
	if err := c.run(ctx, path, o.withDefaults()); err != nil {
		return c.body, fmt.Errorf("compact vault %s: %w", path, err)
	}
	// Opening writes the record.
	v, err := Open(path, o)
	if err != nil {
		return c.body, fmt.Errorf("the vault was compacted, but does not open: %w", err)
	}
	return c.body, v.Close()
}

func (c *compaction) run(ctx context.Context, path string, o Options) error {
	v, err := Open(path, o) // finishes what an erasure began
	if err != nil {
		return err
	}
	v.halt()
	defer v.db.Close()
	c.v, c.from = v, v.db
	st, err := os.Stat(filepath.Join(path, "vault.db"))
	if err != nil {
		return err
	}
	c.body.Before = st.Size()
	if err := v.db.View(func(tx *bolt.Tx) error { return c.findDirty(tx) }); err != nil {
		return err
	}
	if err := c.blobs(ctx); err != nil {
		return err
	}
	if err := c.rewrite(ctx, filepath.Join(path, compactName)); err != nil {
		return errors.Join(err, os.Remove(filepath.Join(path, compactName)))
	}
	if err := os.Rename(filepath.Join(path, compactName), filepath.Join(path, "vault.db")); err != nil {
		return err
	}
	if err := syncDir(path); err != nil {
		return err
	}
	if v.ring == nil {
		return nil
	}
	var ids []keyID
	for id := range c.dirty {
		ids = append(ids, id)
	}
	return v.ring.destroy(ids...)
}

// compactName is the file that becomes vault.db.
const compactName = "vault.db.compact"

// clearCompact removes what a compaction that was killed left.
func (v *Vault) clearCompact() error {
	if err := os.Remove(filepath.Join(v.path, compactName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// findDirty lists the keys that sealed something which was erased since the last compaction.
func (c *compaction) findDirty(tx *bolt.Tx) error {
	t, err := c.v.open(tx)
	if err != nil || t.ring == nil {
		return err
	}
	since := int64(0)
	if b := t.meta.Get([]byte(metaSwept)); len(b) == 8 {
		since = keySeq(b)
	}
	names := map[keyName]bool{}
	if b := t.Bucket([]byte(bucketErased)); b != nil {
		err := b.ForEach(func(k, by []byte) error {
			if keySeq(by) < since {
				return nil
			}
			envelope, _, err := split(t.log.Get(k))
			if err != nil {
				return err
			}
			e, err := evidence.ParseEnvelope(envelope)
			names[keyName{class(e), monthOf(e.At.Time)}] = true
			return err
		})
		if err != nil {
			return err
		}
	}
	dirtyBlobs := t.Bucket([]byte(bucketDirty))
	for _, id := range t.ring.ids(func(id keyID, n keyName) bool {
		return names[n] || dirtyBlobs != nil && dirtyBlobs.Get(seqKey(int64(id))) != nil
	}) {
		c.dirty[id] = true
	}
	return nil
}

// replacement returns the key that seals what a dirty key sealed.
func (c *compaction) replacement(id keyID) (*dataKey, error) {
	if k := c.fresh[id]; k != nil {
		return k, nil
	}
	name, ok := c.v.ring.of(id)
	if !ok {
		return nil, fmt.Errorf("key %s: %w", id, ErrNoKey)
	}
	k, err := c.v.ring.fresh(name)
	if err == nil {
		c.fresh[id] = k
	}
	return k, err
}

// rewrite copies the database.
func (c *compaction) rewrite(ctx context.Context, file string) (err error) {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	o := boltOptions(c.body.Before)
	o.NoSync = true // synced once, at the end
	c.to, err = bolt.Open(file, 0o600, o)
	if err != nil {
		return err
	}
	c.to.AllocSize = 1 << 20 // the file ends where its pages end, and not up to 16 MiB beyond
	defer func() { err = errors.Join(err, c.to.Close()) }()
	err = c.from.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error { return c.bucket(ctx, string(name), b) })
	})
	if err != nil {
		return err
	}
	if err := c.seal(file); err != nil {
		return err
	}
	return c.to.Sync()
}

// bucket copies one bucket, some keys a transaction.
func (c *compaction) bucket(ctx context.Context, name string, b *bolt.Bucket) error {
	stage, total := "index", int64(0)
	if name == bucketLog {
		stage, total = "log", c.v.Size()
	}
	cur := b.Cursor()
	k, v := cur.First()
	for first, done := true, int64(0); first || k != nil; first = false {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := c.to.Update(func(tx *bolt.Tx) error {
			to, err := tx.CreateBucketIfNotExists([]byte(name))
			if err != nil {
				return err
			}
			to.FillPercent = 1
			if name != bucketLog && name != bucketTree {
				to.FillPercent = 0.9
			}
			for n := 0; k != nil && n < compactChunk; k, v = cur.Next() {
				value, err := c.value(name, k, v)
				if err != nil {
					return fmt.Errorf("bucket %s, key %x: %w", name, k, err)
				}
				if err := to.Put(k, value); err != nil {
					return err
				}
				n, done = n+len(k)+len(v), done+1
			}
			return nil
		})
		if err != nil {
			return err
		}
		c.progress(stage, done, total)
	}
	return nil
}

// value is what becomes of a value: bodies under dirty keys, and plain ones where the vault is sealed, get another key.
func (c *compaction) value(bucket string, k, v []byte) ([]byte, error) {
	if bucket == bucketSubjects && c.v.box != nil && len(k) == evidence.OrdinalKeyLen {
		return c.subject(subjectKey(k), v)
	}
	if bucket != bucketLog || c.v.ring == nil {
		return v, nil
	}
	envelope, stored, err := split(v)
	if err != nil || stored == nil {
		return v, err
	}
	id, sealed := sealedBy(stored)
	if sealed && !c.dirty[id] {
		return v, nil
	}
	e, err := evidence.ParseEnvelope(envelope)
	if err != nil || !sealed && inTheClear(e.Kind) {
		return v, err
	}
	body, err := c.v.ring.body(envelope, stored)
	if err != nil {
		return nil, err
	}
	var key *dataKey
	if sealed {
		key, err = c.replacement(id)
	} else {
		key, err = c.first(keyName{class(e), monthOf(e.At.Time)})
	}
	if err != nil {
		return nil, err
	}
	c.body.Resealed++
	return key.sealBody(v[:len(envelope)+1:len(envelope)+1], body), nil
}

// subject seals an entry that was made before the vault was sealed.
func (c *compaction) subject(key subjectKey, v []byte) ([]byte, error) {
	t := &txn{box: c.v.box}
	s, err := t.decodeSubject(key, v)
	if err != nil {
		return nil, err
	}
	return t.subjectValue(s), nil
}

// first returns the key for what was plain until now: not one that goes.
func (c *compaction) first(name keyName) (*dataKey, error) {
	ks, err := c.v.ring.ensure(name)
	if err != nil {
		return nil, err
	}
	if c.dirty[ks[0].id] {
		return c.replacement(ks[0].id)
	}
	return ks[0], nil
}

// pendingCompaction is stored with the new file until its record is written.
type pendingCompaction struct {
	ID   evidence.ID             `json:"id"`
	Body evidence.VaultCompacted `json:"body"`
}

// seal completes the new file with what it says of itself.
func (c *compaction) seal(file string) error {
	st, err := os.Stat(file)
	if err != nil {
		return err
	}
	c.body.After = st.Size()
	ids := make([]keyID, 0, len(c.dirty))
	for id := range c.dirty {
		ids = append(ids, id)
		c.body.Keys = append(c.body.Keys, id.String())
	}
	return c.to.Update(func(tx *bolt.Tx) error {
		t, err := open(tx)
		if err != nil {
			return err
		}
		if err := t.markDestroyed(ids, -1); err != nil {
			return err
		}
		if t.Bucket([]byte(bucketDirty)) != nil {
			if err := t.DeleteBucket([]byte(bucketDirty)); err != nil {
				return err
			}
		}
		if err := t.meta.Put([]byte(metaSwept), seqKey(c.v.Size())); err != nil {
			return err
		}
		b, err := json.Marshal(pendingCompaction{evidence.NewID(c.v.o.Now()), c.body})
		if err != nil {
			return err
		}
		return t.meta.Put([]byte(metaCompacted), b)
	})
}

// recordCompaction writes the record of a compaction, once.
func (v *Vault) recordCompaction() error {
	var p pendingCompaction
	err := v.read(context.Background(), func(t *txn) error {
		b := t.meta.Get([]byte(metaCompacted))
		if b == nil {
			return errNothing
		}
		return json.Unmarshal(b, &p)
	})
	if errors.Is(err, errNothing) {
		return nil
	} else if err != nil {
		return err
	}
	r := &request{internal: true, done: make(chan struct{}), batch: evidence.Batch{Drafts: []evidence.Draft{{
		ID: p.ID, Actor: evidence.Vault(), Subject: evidence.Vault(), Body: &p.Body,
	}}}}
	if err := v.prepare(r); err != nil {
		return err
	}
	if _, err := v.submit(context.Background(), r); err != nil {
		return err
	}
	return v.update(func(t *txn) error { return t.meta.Delete([]byte(metaCompacted)) })
}
