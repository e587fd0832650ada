package vault

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// cut is what becomes of one acquisition's reply.
type cut struct {
	left   evidence.CutReply
	before evidence.Digest // the blob that held it until now; zero where nothing was left of it
	by     int64           // the record that names before: the acquisition, or the erasure that cut it last
}

// Reply returns what is left of the reply of an acquisition that an erasure cut, and evidence.ErrNotFound where none did: then the
// acquisition's own body names the whole of it.
func (v *Vault) Reply(ctx context.Context, acquisition int64) (evidence.CutReply, error) {
	c, _, err := v.lastCut(ctx, acquisition)
	return c, err
}

func (v *Vault) lastCut(ctx context.Context, acquisition int64) (c evidence.CutReply, by int64, err error) {
	by = -1
	err = v.read(ctx, func(t *txn) error {
		by = t.cutBy(acquisition)
		return nil
	})
	if err == nil && by < 0 {
		err = fmt.Errorf("a cut of the reply of record %d: %w", acquisition, evidence.ErrNotFound)
	}
	if err != nil {
		return c, by, err
	}
	rec, err := v.Record(ctx, by)
	if err != nil {
		return c, by, err
	}
	b, err := evidence.Decode[*evidence.Erased](rec)
	if err != nil {
		return c, by, err
	}
	for _, c := range b.Replies {
		if c.Acquisition == acquisition {
			return c, by, nil
		}
	}
	return c, by, fmt.Errorf("record %d should say what is left of the reply of record %d: run muhafiz fsck", by, acquisition)
}

func (t *txn) cutBy(acquisition int64) int64 {
	if b := t.Bucket([]byte(bucketCuts)); b != nil {
		if x := b.Get(seqKey(acquisition)); len(x) == 8 {
			return keySeq(x)
		}
	}
	return -1
}

// cutReplies works out what is left of the replies that brought the posts, and of those given; what is left is kept as a blob.
func (v *Vault) cutReplies(ctx context.Context, recs []evidence.Record, given []int64, goes map[int64]bool, dry bool) ([]cut, error) {
	due := map[int64]bool{}
	for _, seq := range given {
		due[seq] = true
	}
	seen := map[evidence.ID]bool{}
	for _, r := range recs {
		if r.Kind != evidence.KindPostSeen {
			continue
		}
		b, err := evidence.Decode[*evidence.PostSeen](r)
		if err != nil || seen[b.Acquisition] {
			continue
		}
		seen[b.Acquisition] = true
		if acq, err := v.ByID(ctx, b.Acquisition); err == nil {
			due[acq.Seq] = true
		}
	}
	var out []cut
	for _, seq := range slices.Sorted(maps.Keys(due)) {
		if goes[seq] {
			continue // its body goes, and its claim to the reply with it
		}
		c, changed, err := v.cutReply(ctx, seq, goes, dry)
		if err != nil {
			return nil, fmt.Errorf("cut the reply of record %d: %w", seq, err)
		}
		if changed {
			out = append(out, c)
		}
	}
	return out, nil
}

func (v *Vault) cutReply(ctx context.Context, seq int64, goes map[int64]bool, dry bool) (c cut, changed bool, err error) {
	rec, err := v.Record(ctx, seq)
	if err != nil {
		return c, false, err
	}
	if rec.Kind != evidence.KindAcquisition || rec.Body == nil {
		return c, false, nil
	}
	acq, err := evidence.Decode[*evidence.Acquisition](rec)
	if err != nil || acq.Reply.IsZero() {
		return c, false, err
	}
	c = cut{left: evidence.CutReply{Acquisition: seq}, before: acq.Reply.SHA256, by: seq}
	have := []evidence.Slice{{Offset: 0, Length: acq.Reply.Size}}
	if last, by, err := v.lastCut(ctx, seq); err == nil {
		have, c.before, c.by = last.Slices, last.Reply.SHA256, by
	} else if !isGone(err) {
		return c, false, err
	}
	want, err := v.liveSlices(ctx, rec.ID, acq.Reply.Size, goes)
	if err != nil {
		return c, false, err
	}
	want = within(want, have)
	if slices.Equal(want, have) {
		return c, false, nil
	}
	c.left.Slices = want
	if len(want) == 0 || dry {
		return c, true, nil
	}
	c.left.Reply, err = v.keepSlices(ctx, c.before, have, want)
	if isGone(err) {
		c.left.Slices, c.left.Reply, err = nil, evidence.Object{}, nil
	}
	return c, true, err
}

// liveSlices returns where the posts stand in a reply that the acquisition brought and that keep their bodies, ascending, none twice.
func (v *Vault) liveSlices(ctx context.Context, acq evidence.ID, size int64, goes map[int64]bool) ([]evidence.Slice, error) {
	var seqs []int64
	err := v.read(ctx, func(t *txn) error {
		return findIDs(t.ids, acq.Acq, 0, 1<<32-1, func(_ uint32, seq int64) { seqs = append(seqs, seq) })
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(seqs)
	recs, err := v.records(slices.Compact(seqs))
	if err != nil {
		return nil, err
	}
	var out []evidence.Slice
	for _, r := range recs {
		if r.Kind != evidence.KindPostSeen || r.Body == nil || goes[r.Seq] {
			continue
		}
		b, err := evidence.Decode[*evidence.PostSeen](r)
		if err != nil || b.Acquisition != acq || b.Raw == nil {
			continue
		}
		if s := *b.Raw; s.Offset >= 0 && s.Length > 0 && s.Offset <= size-s.Length {
			out = append(out, s)
		}
	}
	return union(out), nil
}

// union sorts slices and joins those that touch.
func union(in []evidence.Slice) []evidence.Slice {
	slices.SortFunc(in, func(a, b evidence.Slice) int { return cmp.Compare(a.Offset, b.Offset) })
	var out []evidence.Slice
	for _, s := range in {
		if n := len(out); n > 0 && s.Offset <= out[n-1].Offset+out[n-1].Length {
			out[n-1].Length = max(out[n-1].Length, s.Offset+s.Length-out[n-1].Offset)
			continue
		}
		out = append(out, s)
	}
	return out
}

// within keeps the slices that lie wholly in one of have.
func within(want, have []evidence.Slice) []evidence.Slice {
	var out []evidence.Slice
	for _, w := range want {
		for _, h := range have {
			if w.Offset >= h.Offset && w.Offset+w.Length <= h.Offset+h.Length {
				out = append(out, w)
				break
			}
		}
	}
	return out
}

// keepSlices keeps the wanted slices, one after another, of a blob that holds the slices have in the same way.
func (v *Vault) keepSlices(ctx context.Context, from evidence.Digest, have, want []evidence.Slice) (evidence.Object, error) {
	f, size, err := v.Blob(ctx, from)
	if err != nil {
		return evidence.Object{}, err
	}
	defer f.Close()
	src, ok := f.(io.ReaderAt)
	if !ok {
		return evidence.Object{}, fmt.Errorf("blob %s cannot be read from anywhere", from)
	}
	var parts []io.Reader
	total := int64(0)
	for _, w := range want {
		at := int64(0)
		for _, h := range have {
			if w.Offset >= h.Offset && w.Offset+w.Length <= h.Offset+h.Length {
				at += w.Offset - h.Offset
				break
			}
			at += h.Length
		}
		if at+w.Length > size {
			return evidence.Object{}, fmt.Errorf("blob %s has %d bytes, not the %d that its record says: run muhafiz fsck", from, size, at+w.Length)
		}
		parts = append(parts, io.NewSectionReader(src, at, w.Length))
		total += w.Length
	}
	d, n, err := v.Keep(ctx, io.MultiReader(parts...), total)
	return evidence.Object{SHA256: d, Size: n}, err
}
