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
	Version int   `json:"version"`
	Next    int64 `json:"next"` // the first record that the view has not seen, or live
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
				parked[name] = viewState{s.Version, size}
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
		t, err := open(tx)
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
			if ok && s.Version == view.Version && s.Next == live {
				done = true
				return errNothing
			}
			b, err := freshBucket(t, view, s, ok)
			if err != nil {
				return err
			}
			if !ok || s.Version != view.Version {
				s = viewState{Version: view.Version}
			}
			if s.Next, err = applyRange(t, table{view, b}, s.Next, min(size, s.Next+rebuildChunk)); err != nil {
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

// freshBucket returns the view's bucket, emptied where it was built by another version.
func freshBucket(t *txn, view evidence.View, s viewState, ok bool) (*bolt.Bucket, error) {
	name := []byte(viewPrefix + view.Name)
	b := t.Bucket(name)
	if b != nil && ok && s.Version == view.Version {
		return b, nil
	}
	if b != nil {
		if err := t.DeleteBucket(name); err != nil {
			return nil, err
		}
	}
	return t.CreateBucket(name)
}

// applyRange shows a view the records from..to-1 and returns the next.
func applyRange(t *txn, tab table, from, to int64) (int64, error) {
	c := t.log.Cursor()
	next := from
	for k, v := c.Seek(seqKey(from)); k != nil && next < to; k, v = c.Next() {
		rec, err := record(v)
		if err != nil {
			return next, fmt.Errorf("record %d: %w", keySeq(k), err)
		}
		if err := tab.apply(rec); err != nil {
			return next, err
		}
		next++
	}
	return next, nil
}
