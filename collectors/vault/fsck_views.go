package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	bolt "go.etcd.io/bbolt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// views rebuilds every view from record 0 in a file of its own and compares it key by key.
func (f *fsck) views(ctx context.Context) error {
	given := map[string]bool{}
	for _, view := range f.o.Views {
		given[view.Name] = true
		if err := f.view(ctx, view); err != nil {
			return fmt.Errorf("rebuild view %s: %w", view.Name, err)
		}
	}
	c := f.t.meta.Cursor()
	for k, _ := c.Seek([]byte(viewPrefix)); k != nil && strings.HasPrefix(string(k), viewPrefix); k, _ = c.Next() {
		if name := strings.TrimPrefix(string(k), viewPrefix); !given[name] {
			f.rep.Views = append(f.rep.Views, FsckView{Name: name, Result: "not looked at: this program does not know it"})
		}
	}
	return nil
}

func (f *fsck) view(ctx context.Context, view evidence.View) error {
	out := FsckView{Name: view.Name, Result: "compared"}
	defer func() { f.rep.Views = append(f.rep.Views, out) }()
	s, ok := readViewState(f.t, view.Name)
	stored := f.t.Bucket([]byte(s.bucket(view.Name)))
	switch {
	case f.t.meta.Get([]byte(metaStale)) != nil:
		out.Result = "not compared: records were erased, and it will be built anew when the vault is opened"
		return nil
	case f.shut && s.Key != "":
		out.Result = "not compared: it is sealed"
		f.unchecked("the view %s", view.Name)
		return nil
	case !ok || s.Version != view.Version:
		out.Result = "not there in this version: it will be built when the vault is opened"
		return nil
	case stored == nil:
		f.problem("view "+view.Name, "its keys are gone")
		return nil
	}
	upTo := f.rep.Records
	if s.Next != live {
		upTo = s.Next
	}
	key, err := f.viewKey(s)
	if err != nil {
		f.problem("view "+view.Name, "%v", err)
		return nil
	}
	dir, err := f.scratch()
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	db, err := bolt.Open(filepath.Join(dir, "view.db"), 0o600, &bolt.Options{NoSync: true, NoFreelistSync: true, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := f.rebuild(ctx, db, view, upTo); err != nil {
		if ctx.Err() != nil {
			return err
		}
		f.problem("view "+view.Name, "it cannot be rebuilt: %v", err)
		out.Result = "not compared"
		return nil
	}
	return db.View(func(tx *bolt.Tx) error {
		out.Keys = f.compare(view.Name, key, stored, tx.Bucket([]byte(viewPrefix)))
		return nil
	})
}

// scratch makes a folder beside the vault's file, and clears what a run that was killed left there.
func (f *fsck) scratch() (string, error) {
	const prefix = "fsck-"
	old, err := filepath.Glob(filepath.Join(f.path, prefix+"*"))
	if err != nil {
		return "", err
	}
	for _, d := range old {
		if err := os.RemoveAll(d); err != nil {
			return "", err
		}
	}
	return os.MkdirTemp(f.path, prefix+"*")
}

func (f *fsck) rebuild(ctx context.Context, db *bolt.DB, view evidence.View, upTo int64) error {
	c := f.t.log.Cursor()
	k, v := c.First()
	for first, seq := true, int64(0); first || k != nil && seq < upTo; first = false {
		err := db.Update(func(tx *bolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte(viewPrefix))
			if err != nil {
				return err
			}
			for n := 0; k != nil && seq < upTo && n < rebuildChunk; k, v = c.Next() {
				if rec, err := f.ring.record(v); err != nil {
					return fmt.Errorf("record %d: %w", seq, err)
				} else if err := (table{view, b, nil}).apply(rec); err != nil {
					return err
				}
				n, seq = n+1, seq+1
			}
			return ctx.Err()
		})
		if err != nil {
			return err
		}
		f.o.Progress("views", seq, upTo)
	}
	return nil
}

// compare walks both sides in step.
func (f *fsck) compare(view string, key *dataKey, stored, fresh *bolt.Bucket) (keys int64) {
	where := "view " + view
	cs, cf := stored.Cursor(), fresh.Cursor()
	ks, vs := cs.First()
	kf, vf := cf.First()
	for ks != nil || kf != nil {
		switch d := order(ks, kf); {
		case d < 0:
			f.problem(where, "the key %q is there, but the records do not give it", clip(string(ks)))
			ks, vs = cs.Next()
		case d > 0:
			f.problem(where, "the key %q is missing, which the records give", clip(string(kf)))
			kf, vf = cf.Next()
		default:
			if err := sameValue(kv{view: view, key: key}, string(ks), vs, vf); err != nil {
				f.problem(where, "the key %q %v", clip(string(ks)), err)
			}
			ks, vs = cs.Next()
			kf, vf = cf.Next()
			keys++
		}
	}
	return keys
}

// order compares keys of which one may have come to its end.
func order(a, b []byte) int {
	switch {
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return bytes.Compare(a, b)
}

func sameValue(at kv, key string, stored, fresh []byte) error {
	a, av, alive := decodeValue(stored)
	if at.key != nil && alive {
		var damaged error
		at.damaged = &damaged
		if a = at.open(key, a, av); damaged != nil {
			return damaged
		}
		stored = append(append([]byte{}, stored[:valueHead]...), a...)
	}
	if bytes.Equal(stored, fresh) {
		return nil
	}
	b, bv, blive := decodeValue(fresh)
	switch {
	case av != bv:
		return fmt.Errorf("has the version %d, the records give %d", av, bv)
	case alive != blive:
		return fmt.Errorf("is there: %v, the records say %v", alive, blive)
	case !bytes.Equal(a, b):
		return errors.New("holds another value than the records give")
	}
	return errors.New("is damaged")
}
