package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

// VerifyOptions are what Verify needs.
type VerifyOptions struct {
	From       Store
	Run        string     // name of the backup; empty: the newest
	Identities Identities // who can open it; none: an encrypted one is checked as far as its bytes go
	LogKey     string     // vkey that the reader trusts; empty: signatures are not checked
	Sample     float64    // share of the blobs whose bytes are read, from 0 (all are only looked for) to 1
	Workers    int        // 0: 4
	// Progress, where set, is told how far a stage has come: log, indexes, blobs (objects). It may be called from any goroutine.
	Progress func(stage string, done, total int64)
}

// VerifyReport is what Verify found.
type VerifyReport struct {
	Run        string          `json:"run"`
	At         evidence.Time   `json:"at"`
	Vault      string          `json:"vault"`
	Records    int64           `json:"records"`
	Root       evidence.Digest `json:"root"`
	Recipients []string        `json:"recipients,omitempty"`
	Objects    int64           `json:"objects"` // that belong to it
	Bytes      int64           `json:"bytes"`
	Read       int64           `json:"read"`   // objects whose bytes were held against their names
	Signed     int64           `json:"signed"` // records that a checkpoint in it covers
	Problems   []string        `json:"problems"`
	Unchecked  []string        `json:"unchecked"` // sentences
}

// Verify reads a backup where it lies and recomputes what follows from something else in it. What is wrong is in the report; an error
// means that Verify could not look.
func Verify(ctx context.Context, o VerifyOptions) (VerifyReport, error) {
	if o.Workers <= 0 {
		o.Workers = 4
	}
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	v := &verify{o: o, rep: VerifyReport{Problems: []string{}, Unchecked: []string{}}}
	if _, err := readMarker(ctx, o.From); err != nil {
		return v.rep, err
	}
	if err := v.run(ctx); err != nil {
		return v.rep, fmt.Errorf("verify backup: %w", err)
	}
	slices.Sort(v.rep.Problems)
	return v.rep, nil
}

type verify struct {
	o   VerifyOptions
	m   *Manifest
	mu  sync.Mutex
	rep VerifyReport
}

func (v *verify) problem(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.rep.Problems) < 1000 {
		v.rep.Problems = append(v.rep.Problems, fmt.Sprintf(format, args...))
	}
}

func (v *verify) unchecked(sentence string) { v.rep.Unchecked = append(v.rep.Unchecked, sentence) }

func (v *verify) run(ctx context.Context) error {
	m, name, err := readRun(ctx, v.o.From, v.o.Run, v.o.LogKey)
	if errors.Is(err, ErrSignature) {
		v.problem("manifest %s: %v", name, err)
		m, name, err = readRun(ctx, v.o.From, name, "")
	}
	if err != nil {
		return err
	}
	v.m = m
	v.rep.Run, v.rep.At, v.rep.Vault, v.rep.Records, v.rep.Root, v.rep.Recipients = name, m.At, m.Vault, m.Records, m.Root, m.Recipients
	if v.o.LogKey == "" {
		v.unchecked("who wrote it: no log key was given (--log)")
	}
	blobs, err := v.present(ctx)
	if err != nil {
		return err
	}
	if m.encrypted() && len(v.o.Identities) == 0 {
		v.unchecked("that the records make the signed tree: it is encrypted and no identity was given (--identity)")
		m.refs(func(r Ref) { blobs = append(blobs, r) })
		return v.bytes(ctx, blobs)
	}
	if err := v.log(ctx); err != nil {
		return err
	}
	if err := v.indexes(ctx); err != nil {
		return err
	}
	for _, d := range m.Damaged {
		v.problem("blob %s was damaged in the vault already when it was read", d)
	}
	return v.bytes(ctx, blobs)
}

// present looks for every object of the backup, and returns those of its blobs.
func (v *verify) present(ctx context.Context) (blobs []Ref, err error) {
	there := map[evidence.Digest]int64{}
	err = v.o.From.List(ctx, prefixObjects, func(o Object) error {
		if d, err := evidence.ParseDigest(o.Name[strings.LastIndexByte(o.Name, '/')+1:]); err == nil {
			there[d] = o.Size
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	own := map[evidence.Digest]bool{}
	v.m.refs(func(r Ref) { own[r.Object] = true })
	seen := map[evidence.Digest]bool{}
	err = v.m.objects(ctx, v.o.From, func(r Ref) error {
		if seen[r.Object] {
			return nil
		}
		seen[r.Object] = true
		v.rep.Objects++
		v.rep.Bytes += r.Size
		size, ok := there[r.Object]
		switch {
		case !ok:
			v.problem("%s is missing", v.describe(r))
		case size != r.Size:
			v.problem("%s has %d bytes, not %d", v.describe(r), size, r.Size)
		case !own[r.Object]:
			blobs = append(blobs, r)
		}
		return nil
	})
	if errors.Is(err, ErrMissing) || errors.Is(err, ErrDamaged) || errors.Is(err, errSegment) {
		v.problem("a list of its objects cannot be read: %v", err)
		err = nil
	}
	return blobs, err
}

// describe says what an object is.
func (v *verify) describe(r Ref) string {
	for _, l := range v.m.Log {
		if l.Object == r.Object {
			return fmt.Sprintf("%s, the records %d to %d,", objectName(r.Object), l.First, l.First+l.Count-1)
		}
	}
	what := "a blob"
	for _, x := range [][]Ref{v.m.Indexes, v.m.Blobs, v.m.Inventory} {
		for _, i := range x {
			if i.Object == r.Object {
				what = "a part of the indexes or lists"
			}
		}
	}
	return fmt.Sprintf("%s, %s,", objectName(r.Object), what)
}

// log recomputes the tree.
func (v *verify) log(ctx context.Context) error {
	size, root, err := int64(-1), evidence.Digest{}, error(nil)
	if v.m.Checkpoint != "" {
		if size, root, err = checkpoint(v.m.Checkpoint, v.o.LogKey); err != nil {
			v.problem("%v", err)
			size = -1
		}
	}
	var t treeHead
	broken := false
	err = inOrder(ctx, len(v.m.Log), v.o.Workers, func(ctx context.Context, i int) (fetched, error) {
		b, err := fetchOpen(ctx, v.o.From, v.m, v.o.Identities, v.m.Log[i].Ref)
		return settle(b, err)
	}, func(i int, f fetched) error {
		l := v.m.Log[i]
		if f.err != nil {
			v.problem("the records %d to %d: %v", l.First, l.First+l.Count-1, f.err)
			broken = true
			return nil
		}
		v.rep.Read++
		n := int64(0)
		err := eachEntry(f.b, func(bucket string, key, value []byte) error {
			n++
			return logEntry(&t, bucket, key, value, l.First+n-1, func() {
				if t.size == size && t.root() != root {
					v.problem("the first %d records do not make the tree that the checkpoint signs", size)
				}
			})
		})
		if err == nil && n != l.Count {
			err = fmt.Errorf("it holds %d records, not %d", n, l.Count)
		}
		if err != nil {
			v.problem("the records %d to %d: %v", l.First, l.First+l.Count-1, err)
			broken = true
		}
		v.o.Progress("log", l.First+l.Count, v.m.Records)
		return nil
	})
	switch {
	case err != nil:
		return err
	case broken:
		v.unchecked("that the records make the signed tree: some cannot be read")
	case t.root() != v.m.Root || t.size != v.m.Records:
		v.problem("the records do not make the tree that the manifest names")
	case size > t.size:
		v.problem("its checkpoint signs %d records, it holds %d", size, t.size)
	default:
		v.rep.Signed = max(size, 0)
	}
	return nil
}

// fetched is an object, or why it could not be had; errors that are about more than the one object are not among them.
type fetched struct {
	b   []byte
	err error
}

func settle(b []byte, err error) (fetched, error) {
	if errors.Is(err, ErrMissing) || errors.Is(err, ErrDamaged) || errors.Is(err, errSegment) {
		return fetched{nil, err}, nil
	}
	return fetched{b, err}, err
}

// logEntry adds a record to the tree; added is called after it.
func logEntry(t *treeHead, bucket string, key, value []byte, seq int64, added func()) error {
	if bucket != vault.BucketLog {
		return errSegment
	}
	e, err := envelope(value)
	if err != nil {
		return fmt.Errorf("record %d: %w", seq, err)
	}
	if e.Seq != seq || string(key) != string(seqKey(seq)) {
		return fmt.Errorf("record %d stands where record %d belongs", e.Seq, seq)
	}
	t.add(evidence.LeafHash(value[:envelopeLen(value)]))
	added()
	return nil
}

// indexes reads the other segments. What they say is checked by fsck of a restored vault.
func (v *verify) indexes(ctx context.Context) error {
	all := append(slices.Clone(v.m.Indexes), v.m.Blobs...)
	all = append(all, v.m.Inventory...)
	return inOrder(ctx, len(all), v.o.Workers, func(ctx context.Context, i int) (fetched, error) {
		if i >= len(v.m.Indexes)+len(v.m.Blobs) {
			return settle(fetch(ctx, v.o.From, all[i]))
		}
		return settle(fetchOpen(ctx, v.o.From, v.m, v.o.Identities, all[i]))
	}, func(i int, f fetched) error {
		if f.err == nil {
			f.err = eachEntry(f.b, func(string, []byte, []byte) error { return nil })
		}
		if f.err != nil {
			v.problem("a part of the indexes or lists: %v", f.err)
			return nil
		}
		v.rep.Read++
		v.o.Progress("indexes", int64(i+1), int64(len(all)))
		return nil
	})
}

// bytes holds objects against their names.
func (v *verify) bytes(ctx context.Context, refs []Ref) error {
	if v.o.Sample < 1 {
		n := int(float64(len(refs))*max(v.o.Sample, 0) + 0.5)
		rand.Shuffle(len(refs), func(i, j int) { refs[i], refs[j] = refs[j], refs[i] })
		if n < len(refs) {
			v.unchecked(fmt.Sprintf("the bytes of %d of %d blobs: a sample was asked for", len(refs)-n, len(refs)))
		}
		refs = refs[:min(n, len(refs))]
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(v.o.Workers)
	var done atomic.Int64
	for _, r := range refs {
		g.Go(func() error {
			in, err := openObject(ctx, v.o.From, r)
			if err == nil {
				_, err = io.Copy(io.Discard, newHashing(&reader{ctx, in}, r.Object))
				in.Close()
			}
			switch {
			case errors.Is(err, ErrDamaged):
				v.problem("%s is damaged", v.describe(r))
			case errors.Is(err, ErrMissing):
			case err != nil:
				return err
			}
			v.o.Progress("blobs", done.Add(1), int64(len(refs)))
			return nil
		})
	}
	err := g.Wait()
	v.rep.Read += done.Load()
	return err
}
