package vault

import (
	"bytes"
	"context"
	"fmt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// accountPrefix is the length of what all parts of an account have in common: the space and the number.
const accountPrefix = 1 + 8

// Posts calls fn for the parts of an account, ascending: posts by number, then stories. from is the account, `a12`, for all
// of them, or a part, `a12/456`, to begin with it. It runs outside of any transaction; fn ends it early, without an error,
// with fs.SkipAll.
func (v *Vault) Posts(ctx context.Context, from evidence.Ordinal, fn func(post evidence.Ordinal) error) error {
	key, err := accountKey(from)
	if err != nil {
		return err
	}
	if from.Part() == "" {
		key[accountPrefix] = 1 // below every kind of part, above the account itself
	}
	return v.posts(ctx, key, fn, func(t *txn, at subjectKey) ([]subjectKey, subjectKey) {
		var found []subjectKey
		c := t.subjects.Cursor()
		for k, _ := c.Seek(at[:]); bytes.HasPrefix(k, key[:accountPrefix]) && len(found) < readRecords; k, _ = c.Seek(at[:]) {
			copy(at[:], k)
			found = append(found, at)
			at = at.next()
		}
		return found, at
	})
}

// PostsBefore calls fn for the parts of an account before post, descending, as Posts does. An account, `a12`, stands for its end:
// the newest comes first.
func (v *Vault) PostsBefore(ctx context.Context, post evidence.Ordinal, fn func(post evidence.Ordinal) error) error {
	key, err := accountKey(post)
	if err != nil {
		return err
	}
	if post.Part() == "" {
		key[accountPrefix] = 0xff // above every kind of part
	}
	return v.posts(ctx, key, fn, func(t *txn, at subjectKey) ([]subjectKey, subjectKey) {
		var found []subjectKey
		c := t.subjects.Cursor()
		for len(found) < readRecords {
			k, _ := c.Seek(at[:])
			if k == nil {
				k, _ = c.Last()
			} else {
				k, _ = c.Prev()
			}
			if !bytes.HasPrefix(k, key[:accountPrefix]) || k[accountPrefix] == 0 {
				break
			}
			copy(at[:], k)
			found = append(found, at)
		}
		return found, at
	})
}

// posts reads chunk after chunk until one is empty.
func (v *Vault) posts(ctx context.Context, at subjectKey, fn func(evidence.Ordinal) error, chunk func(*txn, subjectKey) ([]subjectKey, subjectKey)) error {
	for {
		var found []subjectKey
		err := v.read(ctx, func(t *txn) error {
			found, at = chunk(t, at)
			return nil
		})
		if err != nil || len(found) == 0 {
			return err
		}
		for _, k := range found {
			o, err := evidence.OrdinalFromKey(k[:])
			if err == nil {
				err = fn(o)
			}
			if err != nil {
				return ended(err)
			}
		}
	}
}

func accountKey(o evidence.Ordinal) (subjectKey, error) {
	key, err := ordinalKey(o)
	if err == nil && o.Space() != evidence.SpaceAccount {
		err = fmt.Errorf("%s has no posts: name an account such as a12", o)
	}
	return key, err
}

// next returns the smallest key above k and everything that begins with k.
func (k subjectKey) next() subjectKey {
	for i := len(k) - 1; i >= 0; i-- {
		if k[i]++; k[i] != 0 {
			break
		}
	}
	return k
}
