package vault

import (
	"errors"
	"fmt"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// renewChunk is how many records a view that is built anew sees in one transaction, while others wait to write.
const renewChunk = 2000

// renewal is a view that is built anew.
type renewal struct {
	view      evidence.View
	old, next viewState
	key       *dataKey // nil where the vault is not sealed
}

// renewViews builds every view anew beside the one in use, from the log as it is now, and then puts all in their places with one commit.
// Readers and the writer go on with the old ones meanwhile. In a sealed vault the new ones have keys of their own, and those of the old ones
// are destroyed. The log is read once for all views.
func (v *Vault) renewViews() error {
	rs := make([]renewal, len(v.o.Views))
	for i, view := range v.o.Views {
		rs[i].view = view
	}
	if err := v.renew(rs); err != nil {
		return v.fail(fmt.Errorf("build the views anew: %w", err))
	}
	return nil
}

func (v *Vault) renew(rs []renewal) error {
	for i := range rs {
		var err error
		if rs[i].key, err = v.newViewKey(rs[i].view.Name); err != nil {
			return err
		}
	}
	if err := v.update(func(t *txn) error { return t.beginRenewal(rs) }); err != nil {
		return err
	}
	at := int64(0)
	for done := false; !done; {
		err := v.update(func(t *txn) (err error) {
			head := keySeq(t.meta.Get([]byte(metaHead)))
			tabs := make([]*table, len(rs))
			for i, r := range rs {
				tabs[i] = newTable(r.view, t.Bucket([]byte(r.next.bucket(r.view.Name))), r.key)
			}
			if at, err = applyRange(t, at, min(head, at+renewChunk), tabs...); err != nil || at < head {
				return err
			}
			done = true
			for _, r := range rs {
				if err := t.replaceView(r.view.Name, r.old, r.next); err != nil {
					return err
				}
			}
			return t.meta.Delete([]byte(metaStale))
		})
		if err != nil {
			return err
		}
	}
	for _, r := range rs {
		if err := v.destroyNamed(r.old.Key); err != nil {
			return err
		}
	}
	return nil
}

// beginRenewal makes the second bucket of each view.
func (t *txn) beginRenewal(rs []renewal) error {
	for i := range rs {
		r := &rs[i]
		r.old, _ = readViewState(t, r.view.Name)
		r.next = viewState{Version: r.view.Version, Gen: 1 - r.old.Gen}
		if r.key != nil {
			r.next.Key = r.key.id.String()
		}
		b := []byte(r.next.bucket(r.view.Name))
		if t.Bucket(b) != nil {
			if err := t.DeleteBucket(b); err != nil {
				return err
			}
		}
		if _, err := t.CreateBucket(b); err != nil {
			return err
		}
	}
	return nil
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
