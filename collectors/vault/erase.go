package vault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// ErasePlan says what is to be erased, and who answers for it. That two people agreed is the caller's to see to.
type ErasePlan struct {
	By      evidence.Name
	Subject evidence.Name // what it is about; zero: the vault itself
	Rule    string        // such as retention
	Reason  string        // in words without content: it is never sealed
	Records []int64       // whose bodies go; those that are erased already are passed over
	// Replies are acquisitions whose replies are cut to what live posts name in them, besides the acquisitions that brought the erased
	// posts. A post that was found unchanged later stands in that later reply too, and only the caller knows which replies are due.
	Replies []int64
	If      []evidence.Expect // as in a Batch; looked at once, before anything is erased
	DryRun  bool              // work out what would go, and write nothing
}

// Erasure is what was erased, or would be.
type Erasure struct {
	Records []evidence.Record // the `erased` records, one for each thousand bodies or so
	Bodies  int
	Replies int   // cut
	Blobs   int   // files removed; in a dry run those that only the erased records name
	Bytes   int64 // of them
	Keys    int   // data keys destroyed: with them the bodies are gone from every copy of the vault
	// Lingering bodies are gone for every reader, but their bytes stay in free pages of vault.db, or in backups under a key that others
	// still need, until Compact has run. LingeringBlobs stay in backups alone, and in those of a plain vault for good.
	Lingering      int
	LingeringBlobs int
}

// ErrNotErasable: the record is one of those that say what the log itself is.
var ErrNotErasable = errors.New("it says what the log is or what was done to it, and cannot be erased")

// maxErase bounds the bodies of one commit.
const maxErase = 4096

// erasure is an erasure on its way to the writer.
type erasure struct {
	r       *request
	body    *evidence.Erased
	records []evidence.Record // with their bodies as they still are
	cuts    []cut
	keys    []keyID
	done    chan struct{}
}

// Erase takes bodies, and what hangs on them, out of the vault: the `erased` record, the bodies, the index and the list of blobs change in
// one commit; then blobs nobody names any more are removed, data keys under which nothing is left are destroyed, and the views are built
// anew from what remains, while writing goes on. Envelopes, tree and proofs stay. When it returns without an error no reader sees what was
// erased; Erasure says what lingers on the disk. After an error some of the plan may be done: the same plan again does the rest.
func (v *Vault) Erase(ctx context.Context, p ErasePlan) (Erasure, error) {
	v.erasing.Lock()
	defer v.erasing.Unlock()
	var out Erasure
	if p.Rule == "" {
		return out, fmt.Errorf("%w: an erasure names the rule that demands it", ErrDraft)
	}
	if p.Subject == (evidence.Name{}) {
		p.Subject = evidence.Vault()
	}
	if err := v.followBlobs(ctx); err != nil {
		return out, err
	}
	seqs := slices.Clone(p.Records)
	slices.Sort(seqs)
	seqs = slices.Compact(seqs)
	wrote := false
	for first := true; first || len(seqs) > 0; first = false {
		n := min(len(seqs), maxErase)
		replies := p.Replies
		if len(seqs) > n {
			replies = nil // with the last part, when all that goes is gone
		}
		did, err := v.erasePart(ctx, p, seqs[:n], replies, &out)
		wrote = wrote || did
		if err != nil {
			return out, err
		}
		seqs, p.If = seqs[n:], nil
	}
	if !wrote {
		return out, nil
	}
	return out, errors.Join(v.renewViews(), v.clearDoomed(), v.noteHead())
}

// erasePart erases up to maxErase bodies with one record.
func (v *Vault) erasePart(ctx context.Context, p ErasePlan, seqs, replies []int64, out *Erasure) (wrote bool, err error) {
	e := &erasure{body: &evidence.Erased{Rule: p.Rule, Reason: p.Reason}, done: make(chan struct{})}
	if e.records, err = v.toErase(seqs); err != nil {
		return false, err
	}
	goes := map[int64]bool{}
	for _, r := range e.records {
		goes[r.Seq] = true
		if n := len(e.body.Records); n > 0 && e.body.Records[n-1].Last == r.Seq-1 {
			e.body.Records[n-1].Last = r.Seq
		} else {
			e.body.Records = append(e.body.Records, evidence.SeqRun{First: r.Seq, Last: r.Seq})
		}
	}
	if e.cuts, err = v.cutReplies(ctx, e.records, replies, goes, p.DryRun); err != nil {
		return false, err
	}
	for _, c := range e.cuts {
		e.body.Replies = append(e.body.Replies, c.left)
	}
	var freed int // bodies whose key goes
	if e.keys, freed, err = v.emptied(ctx, e.records, goes); err != nil {
		return false, err
	}
	for _, k := range e.keys {
		e.body.Keys = append(e.body.Keys, k.String())
	}
	count := func(blobs int, bytes int64) {
		out.Bodies, out.Replies = out.Bodies+len(e.records), out.Replies+len(e.cuts)
		out.Keys, out.Lingering = out.Keys+len(e.keys), out.Lingering+len(e.records)-freed
		out.Blobs, out.Bytes, out.LingeringBlobs = out.Blobs+blobs, out.Bytes+bytes, out.LingeringBlobs+blobs
	}
	if p.DryRun {
		n, bytes, err := v.wouldRemove(ctx, e)
		count(n, bytes)
		return false, err
	}
	if len(e.records) == 0 && len(e.cuts) == 0 {
		return false, nil
	}
	e.r = &request{internal: true, batch: evidence.Batch{If: p.If, Drafts: []evidence.Draft{{
		ID: evidence.NewID(v.o.Now()), Actor: p.By, Subject: p.Subject, Body: e.body,
	}}}}
	rec, err := v.submitErasure(ctx, e)
	if err != nil {
		return false, err
	}
	out.Records = append(out.Records, rec)
	count(e.body.Files, e.body.Bytes)
	return true, nil
}

func (v *Vault) submitErasure(ctx context.Context, e *erasure) (evidence.Record, error) {
	if err := v.failed(); err != nil {
		return evidence.Record{}, err
	}
	select {
	case v.erase <- e:
	case <-v.stop:
		return evidence.Record{}, ErrClosed
	case <-ctx.Done():
		return evidence.Record{}, ctx.Err()
	}
	<-e.done
	if e.r.err != nil {
		return evidence.Record{}, e.r.err
	}
	return e.r.out[0], nil
}

// toErase reads the records of which there is something to erase.
func (v *Vault) toErase(seqs []int64) ([]evidence.Record, error) {
	recs, err := v.records(seqs)
	if err != nil {
		return nil, err
	}
	out := recs[:0]
	for _, r := range recs {
		if inTheClear(r.Kind) || !erasable(r.Kind) {
			return nil, fmt.Errorf("record %d (%s): %w", r.Seq, r.Kind, ErrNotErasable)
		}
		// A body whose key was destroyed cannot be read either, but nothing says yet that it was erased.
		if _, err := v.Erased(context.Background(), r.Seq); errors.Is(err, evidence.ErrNotFound) {
			out = append(out, r)
		} else if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func erasable(k evidence.Kind) bool {
	switch k {
	case evidence.KindRunStarted, evidence.KindRunStopped, evidence.KindQuarantined, evidence.KindHoldPlaced, evidence.KindHoldReleased:
		return false
	}
	return true
}

// emptied returns the data keys of past months under which nothing is left once the records are erased, and how many of these they seal.
// Only keys of one channel are looked at: the others hold what many things hang on, and Compact sees to them.
func (v *Vault) emptied(ctx context.Context, recs []evidence.Record, goes map[int64]bool) (keys []keyID, freed int, err error) {
	if v.ring == nil || len(recs) == 0 {
		return nil, 0, nil
	}
	candidates := map[evidence.Ordinal]map[keyID]int{}
	current := monthOf(v.lastAt())
	err = v.read(ctx, func(t *txn) error {
		for _, r := range recs {
			id, ok := t.sealedBy(r.Seq)
			name, known := v.ring.of(id)
			if !ok || !known || name.month >= current || name.class != string(r.Subject.Whole()) {
				continue
			}
			o := r.Subject.Whole()
			if candidates[o] == nil {
				candidates[o] = map[keyID]int{}
			}
			candidates[o][id]++
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	for o, ids := range candidates {
		if err := v.needed(ctx, o, ids, goes); err != nil {
			return nil, 0, err
		}
		for id, n := range ids {
			keys, freed = append(keys, id), freed+n
		}
	}
	slices.Sort(keys)
	return keys, freed, nil
}

// needed takes out of ids the keys that seal something of the account which does not go.
func (v *Vault) needed(ctx context.Context, o evidence.Ordinal, ids map[keyID]int, goes map[int64]bool) error {
	key, err := ordinalKey(o)
	if err != nil {
		return err
	}
	prefix := append([]byte{}, key[:accountPrefix]...)
	for from := prefix; from != nil && len(ids) > 0; {
		err := v.read(ctx, func(t *txn) error {
			next, err := t.eachAbout(prefix, from, 8*readRecords, func(seq int64) {
				if id, ok := t.sealedBy(seq); ok && !goes[seq] {
					delete(ids, id)
				}
			})
			from = next
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachAbout calls fn for the records of the subjects under a prefix, n entries from from on, and returns where to go on.
func (t *txn) eachAbout(prefix, from []byte, n int, fn func(seq int64)) (next []byte, err error) {
	c := t.subjects.Cursor()
	for k, v := c.Seek(from); k != nil && len(k) >= len(prefix) && string(k[:len(prefix)]) == string(prefix); k, v = c.Next() {
		if n--; n < 0 {
			return append([]byte{}, k...), nil
		}
		if len(k) == evidence.OrdinalKeyLen+8 {
			fn(keySeq(k[evidence.OrdinalKeyLen:]))
			continue
		}
		s, err := t.decodeSubject(subjectKey(k), v)
		if err != nil {
			return nil, err
		}
		if s.first >= 0 {
			fn(s.first)
		}
	}
	return nil, nil
}

// sealedBy returns the key of a record's body.
func (t *txn) sealedBy(seq int64) (keyID, bool) {
	_, stored, err := split(t.log.Get(seqKey(seq)))
	if err != nil {
		return 0, false
	}
	return sealedBy(stored)
}

// Erased reports which record says that a record's body was erased; evidence.ErrNotFound where it was not.
func (v *Vault) Erased(ctx context.Context, seq int64) (by int64, err error) {
	by = -1
	err = v.read(ctx, func(t *txn) error {
		if b := t.Bucket([]byte(bucketErased)); b != nil {
			if x := b.Get(seqKey(seq)); len(x) == 8 {
				by = keySeq(x)
			}
		}
		return nil
	})
	if err == nil && by < 0 {
		err = fmt.Errorf("an erasure of record %d: %w", seq, evidence.ErrNotFound)
	}
	return by, err
}

// isGone makes a missing blob the nothing that it is.
func isGone(err error) bool {
	return errors.Is(err, evidence.ErrNotFound) || errors.Is(err, fs.ErrNotExist)
}
