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

// rebuilt is a view that is being built anew from record 0, to be compared with what is stored.
type rebuilt struct {
	view   evidence.View
	stored *bolt.Bucket
	key    *dataKey // of what is stored
	upTo   int64    // the first record that what is stored has not seen
	at     int      // of its line in the report
	failed bool
}

// bucket is where the view is in the scratch file.
func (r *rebuilt) bucket() []byte { return []byte(viewPrefix + r.view.Name) }

// views rebuilds every view from record 0 in a file of its own, all in one pass, and compares it key by key.
func (f *fsck) views(ctx context.Context) error {
	given := map[string]bool{}
	var todo []*rebuilt
	for _, view := range f.o.Views {
		given[view.Name] = true
		f.rep.Views = append(f.rep.Views, FsckView{Name: view.Name, Result: "compared"})
		if r := f.comparable(view, &f.rep.Views[len(f.rep.Views)-1]); r != nil {
			r.at = len(f.rep.Views) - 1
			todo = append(todo, r)
		}
	}
	c := f.t.meta.Cursor()
	for k, _ := c.Seek([]byte(viewPrefix)); k != nil && strings.HasPrefix(string(k), viewPrefix); k, _ = c.Next() {
		if name := strings.TrimPrefix(string(k), viewPrefix); !given[name] {
			f.rep.Views = append(f.rep.Views, FsckView{Name: name, Result: "not looked at: this program does not know it"})
		}
	}
	if len(todo) == 0 {
		return nil
	}
	if err := f.compareAll(ctx, todo); err != nil {
		return fmt.Errorf("rebuild views: %w", err)
	}
	return nil
}

// comparable returns what there is to compare of a view, or nil, and out says why not.
func (f *fsck) comparable(view evidence.View, out *FsckView) *rebuilt {
	s, ok := readViewState(f.t, view.Name)
	r := &rebuilt{view: view, stored: f.t.Bucket([]byte(s.bucket(view.Name))), upTo: f.rep.Records}
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
	case r.stored == nil:
		f.problem("view "+view.Name, "its keys are gone")
		return nil
	}
	if s.Next != live {
		r.upTo = s.Next
	}
	var err error
	if r.key, err = f.viewKey(s); err != nil {
		f.problem("view "+view.Name, "%v", err)
		return nil
	}
	return r
}

// compareAll rebuilds views in a scratch file and compares each.
func (f *fsck) compareAll(ctx context.Context, todo []*rebuilt) error {
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
	if err := f.rebuild(ctx, db, todo); err != nil {
		return err
	}
	return db.View(func(tx *bolt.Tx) error {
		for _, r := range todo {
			if !r.failed {
				f.rep.Views[r.at].Keys = f.compare(r.view.Name, r.key, r.stored, tx.Bucket(r.bucket()))
			}
		}
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

// rebuild shows the views the log, one wave a transaction. A view that fails is left alone from there on.
func (f *fsck) rebuild(ctx context.Context, db *bolt.DB, todo []*rebuilt) error {
	upTo := int64(0)
	for _, r := range todo {
		upTo = max(upTo, r.upTo)
	}
	c := f.t.log.Cursor()
	k, v := c.First()
	wave := make([]viewed, 0, fsckWave)
	for first, seq := true, int64(0); first || k != nil && seq < upTo; first = false {
		for wave = wave[:0]; k != nil && seq+int64(len(wave)) < upTo && len(wave) < fsckWave; k, v = c.Next() {
			wave = append(wave, viewed{value: v})
		}
		if what := spread(f.o.Workers, wave, func(w *viewed) { w.rec, w.err = f.ring.record(w.value) }); what != nil {
			panic(what)
		}
		err := db.Update(func(tx *bolt.Tx) error {
			for _, r := range todo {
				b, err := tx.CreateBucketIfNotExists(r.bucket())
				if err != nil {
					return err
				}
				if !r.failed {
					f.show(r, b, seq, wave)
				}
			}
			return ctx.Err()
		})
		if err != nil {
			return err
		}
		seq += int64(len(wave))
		f.o.Progress("views", seq, upTo)
	}
	return nil
}

// viewed is a record on its way to the views.
type viewed struct {
	value []byte
	rec   evidence.Record
	err   error
}

// show applies a wave to one view.
func (f *fsck) show(r *rebuilt, b *bolt.Bucket, seq int64, wave []viewed) {
	t := newTable(r.view, b, nil)
	err := func() error {
		for i := range wave[:max(0, min(int64(len(wave)), r.upTo-seq))] {
			if wave[i].err != nil {
				return fmt.Errorf("record %d: %w", seq+int64(i), wave[i].err)
			}
			if err := t.apply(wave[i].rec); err != nil {
				return err
			}
		}
		return t.kv.flush()
	}()
	if err != nil {
		f.problem("view "+r.view.Name, "it cannot be rebuilt: %v", err)
		r.failed, f.rep.Views[r.at].Result = true, "not compared"
	}
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
			if err := sameValue(&kv{view: view, key: key}, string(ks), vs, vf); err != nil {
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

func sameValue(at *kv, key string, stored, fresh []byte) error {
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
