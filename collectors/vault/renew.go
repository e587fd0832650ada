package vault

import (
	"errors"
	"fmt"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// renewChunk is how many records a view that is built anew sees in one transaction, while others wait to write.
const renewChunk = 2000

// renewViews builds every view anew beside the one in use, from the log as it is now, and then puts it in its place. Readers and the writer
// go on with the old one meanwhile. In a sealed vault the new one has a key of its own, and that of the old one is destroyed.
func (v *Vault) renewViews() error {
	for _, view := range v.o.Views {
		if err := v.renew(view); err != nil {
			return v.fail(fmt.Errorf("build view %s anew: %w", view.Name, err))
		}
	}
	return v.update(func(t *txn) error { return t.meta.Delete([]byte(metaStale)) })
}

func (v *Vault) renew(view evidence.View) error {
	var old, next viewState
	key, err := v.newViewKey(view.Name)
	if err != nil {
		return err
	}
	err = v.update(func(t *txn) error {
		old, _ = readViewState(t, view.Name)
		next = viewState{Version: view.Version, Gen: 1 - old.Gen}
		if key != nil {
			next.Key = key.id.String()
		}
		if b := []byte(next.bucket(view.Name)); t.Bucket(b) != nil {
			if err := t.DeleteBucket(b); err != nil {
				return err
			}
		}
		_, err := t.CreateBucket([]byte(next.bucket(view.Name)))
		return err
	})
	if err != nil {
		return err
	}
	for done := false; !done; {
		err := v.update(func(t *txn) (err error) {
			head := keySeq(t.meta.Get([]byte(metaHead)))
			tab := table{view, t.Bucket([]byte(next.bucket(view.Name))), key}
			if next.Next, err = applyRange(t, tab, next.Next, min(head, next.Next+renewChunk)); err != nil || next.Next < head {
				return err
			}
			done = true
			return t.replaceView(view.Name, old, next)
		})
		if err != nil {
			return err
		}
	}
	return v.destroyNamed(old.Key)
}

// replaceView puts a view that has seen the whole log in the place of the old one.
func (t *txn) replaceView(name string, old, next viewState) error {
	next.Next = live
	if b := []byte(old.bucket(name)); t.Bucket(b) != nil {
		if err := t.DeleteBucket(b); err != nil {
			return err
		}
	}
	return next.store(t, name)
}

func (v *Vault) newViewKey(name string) (*dataKey, error) {
	if v.ring == nil {
		return nil, nil
	}
	return v.ring.fresh(keyName{class: classView + name})
}

func (v *Vault) destroyNamed(id string) error {
	if id == "" {
		return nil
	}
	k, err := parseKeyID(id)
	if err != nil {
		return err
	}
	return v.ring.destroy(k)
}

// dropStale forgets the views where an erasure came to its end before they were built anew; they are built when the vault is opened.
func (v *Vault) dropStale() error {
	return v.update(func(t *txn) error {
		if t.meta.Get([]byte(metaStale)) == nil {
			return errNothing
		}
		if err := t.dropViews(); err != nil {
			return err
		}
		return t.meta.Delete([]byte(metaStale))
	})
}

// sweepViews removes what building views anew left where it did not come to its end: the bucket that is not in use, and keys.
func (v *Vault) sweepViews() error {
	used := map[string]bool{}
	err := v.update(func(t *txn) error {
		left := false
		for name, s := range t.storedViews() {
			used[s.Key] = true
			s.Gen = 1 - s.Gen
			if b := []byte(s.bucket(name)); t.Bucket(b) != nil {
				left = true
				if err := t.DeleteBucket(b); err != nil {
					return err
				}
			}
		}
		if !left {
			return errNothing
		}
		return nil
	})
	if err != nil || v.ring == nil {
		return err
	}
	loose := v.ring.ids(func(id keyID, n keyName) bool { return strings.HasPrefix(n.class, classView) && !used[id.String()] })
	if len(loose) == 0 {
		return nil
	}
	return v.ring.destroy(loose...)
}

// missingKey reports whether a view's key is gone, as in a vault that was restored from a backup: then the view is built from record 0.
func (v *Vault) missingKey(s viewState) bool {
	if s.Key == "" {
		return v.ring != nil
	}
	_, err := v.viewKey(s)
	return errors.Is(err, ErrNoKey)
}
