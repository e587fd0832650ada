package vault

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// live is the progress of a view that follows the log.
const live = -1

// viewState is what is stored of a view under `view/NAME` in the bucket of metadata.
type viewState struct {
	Version int    `json:"version"`
	Next    int64  `json:"next"`          // the first record that the view has not seen, or live
	Gen     int    `json:"gen,omitempty"` // which of its two buckets holds it
	Key     string `json:"key,omitempty"` // id of the data key of its values, where the vault is sealed
}

// bucket is the view's bucket: it has two, so that it can be built anew beside the one in use.
func (s viewState) bucket(name string) string {
	if s.Gen == 0 {
		return viewPrefix + name
	}
	return viewPrefix + name + "/1"
}

func readViewState(t *txn, name string) (s viewState, ok bool) {
	b := t.meta.Get([]byte(viewPrefix + name))
	return s, b != nil && json.Unmarshal(b, &s) == nil
}

func (s viewState) store(t *txn, name string) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return t.meta.Put([]byte(viewPrefix+name), b)
}

var viewName = regexp.MustCompile(`^[a-z.]+$`)

// catchUp brings every view up to date before the first write, and notes where views that nobody supplied this time stopped.
func (v *Vault) catchUp(size int64) error {
	for _, view := range v.o.Views {
		if !viewName.MatchString(view.Name) || v.views[view.Name] || view.Apply == nil {
			return fmt.Errorf("view %q: a view needs a function and a name of its own, of a-z and dots", view.Name)
		}
		v.views[view.Name] = true
	}
	if err := v.park(size); err != nil {
		return err
	}
	for _, view := range v.o.Views {
		if err := v.rebuild(view, size); err != nil {
			return fmt.Errorf("build view %s: %w", view.Name, err)
		}
	}
	return nil
}

// park notes how far the views came that are not supplied this time.
func (v *Vault) park(size int64) error {
	parked := map[string]viewState{}
	err := v.update(func(t *txn) error {
		clear(parked)
		c := t.meta.Cursor()
		for k, _ := c.Seek([]byte(viewPrefix)); k != nil && strings.HasPrefix(string(k), viewPrefix); k, _ = c.Next() {
			name := strings.TrimPrefix(string(k), viewPrefix)
			if s, ok := readViewState(t, name); ok && s.Next == live && !v.views[name] {
				s.Next = size
				parked[name] = s
			}
		}
		if len(parked) == 0 {
			return errNothing
		}
		for name, s := range parked {
			if err := s.store(t, name); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

var errNothing = errors.New("nothing to write")

// update runs fn in a writing transaction, which it rolls back where fn says that there is nothing to write.
func (v *Vault) update(fn func(t *txn) error) error {
	err := v.db.Update(func(tx *bolt.Tx) error {
		t, err := v.open(tx)
		if err != nil {
			return err
		}
		return fn(t)
	})
	if errors.Is(err, errNothing) {
		return nil
	}
	return err
}

// rebuildChunk is how many records a view sees in one transaction: what a crash can make it see again.
const rebuildChunk = 10_000

// rebuild brings one view up to size, from record 0 where its version changed.
func (v *Vault) rebuild(view evidence.View, size int64) error {
	started, told := v.o.Now(), v.o.Now()
	for done := false; !done; {
		var at viewState
		err := v.update(func(t *txn) error {
			s, ok := readViewState(t, view.Name)
			if ok && v.missingKey(s) {
				s.Version, s.Key = -1, ""
			}
			if ok && s.Version == view.Version && s.Next == live {
				done = true
				return errNothing
			}
			s, b, err := v.freshBucket(t, view, s, ok)
			if err != nil {
				return err
			}
			key, err := v.viewKey(s)
			if err != nil {
				return err
			}
			if s.Next, err = applyRange(t, s.Next, min(size, s.Next+rebuildChunk), newTable(view, b, key)); err != nil {
				return err
			}
			if at = s; s.Next >= size {
				s.Next, done = live, true
			}
			return s.store(t, view.Name)
		})
		if err != nil {
			return err
		}
		if now := v.o.Now(); now.Sub(told) > 2*time.Second {
			told = now
			v.o.Log.Info().Str("view", view.Name).Int64("done", at.Next).Int64("records", size).Msg("building a view")
		}
	}
	if took := v.o.Now().Sub(started); took > 2*time.Second {
		v.o.Log.Info().Str("view", view.Name).Dur("took", took).Msg("view built")
	}
	return nil
}

// freshBucket returns the view's bucket, emptied where it was built by another version, and what is known of it.
func (v *Vault) freshBucket(t *txn, view evidence.View, s viewState, ok bool) (viewState, *bolt.Bucket, error) {
	name := []byte(s.bucket(view.Name))
	b := t.Bucket(name)
	if b != nil && ok && s.Version == view.Version {
		return s, b, nil
	}
	if b != nil {
		if err := t.DeleteBucket(name); err != nil {
			return s, nil, err
		}
	}
	s = viewState{Version: view.Version, Gen: s.Gen, Key: s.Key}
	if v.ring != nil && s.Key == "" {
		k, err := v.ring.fresh(keyName{class: classView + view.Name})
		if err != nil {
			return s, nil, err
		}
		s.Key = k.id.String()
	}
	b, err := t.CreateBucket(name)
	return s, b, err
}

// applyRange shows views the records from..to-1 and returns the next.
func applyRange(t *txn, from, to int64, tabs ...*table) (int64, error) {
	c := t.log.Cursor()
	next := from
	for k, v := c.Seek(seqKey(from)); k != nil && next < to; k, v = c.Next() {
		rec, err := t.ring.record(v)
		if err != nil {
			return next, fmt.Errorf("record %d: %w", keySeq(k), err)
		}
		for _, tab := range tabs {
			if err := tab.apply(rec); err != nil {
				return next, err
			}
		}
		next++
	}
	return next, flush(tabs)
}
