package vault

import (
	"encoding/binary"
	"fmt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// binder is the kind whose record gives a name of the space its ordinal. Accounts and private persons are bound by the vault.
func binder(s evidence.Space) evidence.Kind {
	switch s {
	case evidence.SpacePerson:
		return evidence.KindPersonSet
	case evidence.SpaceTarget:
		return evidence.KindTargetSet
	case evidence.SpaceSource:
		return evidence.KindCollector
	case evidence.SpaceCase:
		return evidence.KindCaseOpened
	case evidence.SpaceNotice:
		return evidence.KindNoticeDrafted
	case evidence.SpaceAccount, evidence.SpacePrivate:
		return evidence.KindAccountBound
	}
	return ""
}

// whole is a name without its part.
type whole struct {
	space evidence.Space
	key   string
}

func (n whole) bytes() []byte { return append([]byte{byte(n.space)}, n.key...) }

func numberKey(s evidence.Space, n uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{byte(s)}, n)
}

// number looks a name up in a transaction; 0 stands for unbound.
func (t *txn) number(n whole) uint64 {
	if v := t.names.Get(t.nameKey(n)); len(v) == 8 {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

func (t *txn) bind(n whole, number uint64) error {
	if err := t.names.Put(t.nameKey(n), binary.BigEndian.AppendUint64(nil, number)); err != nil {
		return err
	}
	k := numberKey(n.space, number)
	return t.ordinals.Put(k, t.seal(bucketOrdinals, k, []byte(n.key)))
}

// key returns the name's key that a number stands for, empty where it stands for none.
func (t *txn) key(s evidence.Space, number uint64) (string, error) {
	k := numberKey(s, number)
	b, err := t.unseal(bucketOrdinals, k, t.ordinals.Get(k))
	return string(b), err
}

// lastNumbers returns the highest number given in each of spaces.
func (t *txn) lastNumbers() (last [len(spaces)]uint64) {
	for i := range len(spaces) {
		c := t.ordinals.Cursor()
		k, _ := c.Seek([]byte{spaces[i] + 1})
		if k == nil {
			k, _ = c.Last()
		} else {
			k, _ = c.Prev()
		}
		if len(k) == 9 && k[0] == spaces[i] {
			last[i] = binary.BigEndian.Uint64(k[1:])
		}
	}
	return last
}

// maxCachedNames bounds the writer's memory of names; a name takes some 100 bytes.
const maxCachedNames = 1 << 17

// cache remembers names that are bound for good. A bound name never changes its number.
type cache struct {
	known   map[whole]uint64
	learned map[whole]uint64 // in the transaction in hand, which may yet be rolled back
}

func newCache() cache { return cache{map[whole]uint64{}, map[whole]uint64{}} }

func (c *cache) number(t *txn, n whole) uint64 {
	if x, ok := c.known[n]; ok {
		return x
	}
	if x, ok := c.learned[n]; ok {
		return x
	}
	x := t.number(n)
	if x != 0 {
		c.learned[n] = x
	}
	return x
}

func (c *cache) commit() {
	if len(c.known)+len(c.learned) > maxCachedNames {
		clear(c.known)
	}
	for n, x := range c.learned {
		c.known[n] = x
	}
	clear(c.learned)
}

func (c *cache) rollback() { clear(c.learned) }

func unbound(n evidence.Name) error {
	if n.Space == evidence.SpaceVault {
		return fmt.Errorf("%s: %w", n, evidence.ErrUnbound)
	}
	return fmt.Errorf("%s: %w: a %s record has to come first", n, evidence.ErrUnbound, binder(n.Space))
}
