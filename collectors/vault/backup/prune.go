package backup

import (
	"context"
	"strings"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// prune removes all but the newest keep backups, then every object that none of them needs. Manifests go first, so that none that is
// there ever lacks an object. Where a manifest that is kept is encrypted its inventory is read, which is not.
func prune(ctx context.Context, s Store, keep int) (removed int, err error) {
	names, err := Runs(ctx, s)
	if err != nil {
		return 0, err
	}
	needed := map[evidence.Digest]bool{}
	for _, name := range names[:min(keep, len(names))] {
		m, _, err := readRun(ctx, s, name, "")
		if err != nil {
			return 0, err // what it needs is not known: nothing is removed
		}
		if err := m.objects(ctx, s, func(r Ref) error { needed[r.Object] = true; return nil }); err != nil {
			return 0, err
		}
	}
	for _, name := range names[min(keep, len(names)):] {
		if err := s.Delete(ctx, []string{prefixRuns + name + ".json"}); err != nil {
			return 0, err
		}
	}
	var dead []string
	err = s.List(ctx, prefixObjects, func(o Object) error {
		d, err := evidence.ParseDigest(o.Name[strings.LastIndexByte(o.Name, '/')+1:])
		if err == nil && !needed[d] {
			dead = append(dead, o.Name)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(dead), s.Delete(ctx, dead)
}

// objects calls fn with every object of a backup, without opening an encrypted one.
func (m *Manifest) objects(ctx context.Context, s Store, fn func(Ref) error) error {
	var all []Ref
	m.refs(func(r Ref) { all = append(all, r) })
	lists, bucket := m.Blobs, bucketBlobs
	if m.encrypted() {
		lists, bucket = m.Inventory, bucketInventory
	}
	for _, list := range lists {
		b, err := fetch(ctx, s, list)
		if err != nil {
			return err
		}
		err = eachEntry(b, func(name string, key, value []byte) error {
			ref, err := listed(name, bucket, key, value)
			if err == nil {
				all = append(all, ref)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	for _, r := range all {
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

// listed reads an entry of a list of objects.
func listed(name, want string, key, value []byte) (ref Ref, err error) {
	if name != want {
		return ref, errSegment
	}
	if want == bucketBlobs {
		l, err := blobEntry(key, value)
		return l.ref, err
	}
	if len(key) != copy(ref.Object[:], key) || len(key) != len(ref.Object) {
		return ref, errSegment
	}
	ref.Size, _, err = uvarint(value)
	return ref, err
}
