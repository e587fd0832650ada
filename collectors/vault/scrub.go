package vault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// A scrub reads a vault that is open and at work: every record against its leaf hash, its body's digest and the tree's stored hashes,
// every blob against the SHA-256 that names it, and whether a blob that a record names is there. What follows from the records (views,
// indexes, signatures of checkpoints) and what nobody but the holder of the lock can read in peace is Fsck's.

// The stages of a scrub, in their order.
const (
	ScrubRecords = "records"
	ScrubBlobs   = "blobs"
)

// ScrubCursor is how far a pass has come. The zero value is its beginning.
type ScrubCursor struct {
	Stage  string          `json:"stage,omitempty"`
	Seq    int64           `json:"seq,omitempty"`    // the next record
	Sealed bool            `json:"sealed,omitempty"` // the blobs that are not sealed come first
	Blob   evidence.Digest `json:"blob,omitzero"`    // the last one that was read
}

// Damage is something that is not as it was recorded.
type Damage struct {
	Part    string // evidence.DamagedBlob, DamagedRecord, DamagedTree
	Blob    evidence.Digest
	Records evidence.SeqRun // parts record and tree; part blob, where it is missing: a record that names it
	Missing bool
	What    string // a sentence
}

// ScrubOptions say how Scrub goes about it.
type ScrubOptions struct {
	From ScrubCursor
	// Pace is called after n bytes were read, outside of any transaction. It returns when the next may be, or an error that ends the pass.
	Pace func(ctx context.Context, n int64) error
	// Moved is called when everything before the cursor was read: after each run of records, and each blob. share is how much of the
	// stage is behind it, from 0 to 1.
	Moved func(ctx context.Context, at ScrubCursor, share float64) error
	// Found is called for each damage, in the order of the pass.
	Found func(ctx context.Context, d Damage) error
}

type scrub struct {
	v *Vault
	o ScrubOptions
}

// Scrub reads the vault from a cursor to its end. Records that are written meanwhile may or may not be among those that it reads.
func (v *Vault) Scrub(ctx context.Context, o ScrubOptions) error {
	s := &scrub{v, o}
	if o.From.Stage != ScrubBlobs {
		if err := s.records(ctx, o.From.Seq); err != nil {
			return fmt.Errorf("scrub records: %w", err)
		}
		s.o.From = ScrubCursor{Stage: ScrubBlobs}
	}
	if err := s.blobs(ctx); err != nil {
		return fmt.Errorf("scrub blobs: %w", err)
	}
	return nil
}

// errPage: a page of vault.db cannot be read.
var errPage = errors.New("a page of vault.db cannot be read")

// stored is a record as one short transaction found it.
type stored struct {
	examined
	seq    int64
	gone   bool   // there is no such record
	erased bool   // a record says that its body was erased
	tree   string // what is wrong with the hashes that the record brought
	over   evidence.SeqRun
}

func (s *scrub) records(ctx context.Context, from int64) error {
	for size := s.v.Size(); from < size; {
		list, n, err := s.read(ctx, from, min(size, from+readRecords))
		if errors.Is(err, errPage) {
			list, n, err = s.single(ctx, from, min(size, from+readRecords))
		}
		if err != nil {
			return err
		}
		for i := range list {
			if err := s.record(ctx, &list[i]); err != nil {
				return err
			}
		}
		from += int64(len(list))
		if err := s.o.Moved(ctx, ScrubCursor{Stage: ScrubRecords, Seq: from}, float64(from)/float64(size)); err != nil {
			return err
		}
		if err := s.o.Pace(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// single reads records one by one, since one of them stands on a page that cannot be read.
func (s *scrub) single(ctx context.Context, from, to int64) (list []stored, n int64, err error) {
	for seq := from; seq < to; seq++ {
		one, size, err := s.read(ctx, seq, seq+1)
		if errors.Is(err, errPage) {
			one, err = []stored{{seq: seq, examined: examined{broken: true, wrong: []string{err.Error()}}}}, nil
		}
		if err != nil {
			return nil, 0, err
		}
		list = append(list, one...)
		n += size
	}
	return list, n, nil
}

// read copies the records from..to-1, or the first of them, and compares the hashes that each brought with the tree's, all in one short
// transaction.
func (s *scrub) read(ctx context.Context, from, to int64) (list []stored, n int64, err error) {
	err = s.v.read(ctx, func(t *txn) (err error) {
		defer faults()()
		defer guard(func(what any) { err = fmt.Errorf("%w (%v)", errPage, what) })
		erased := t.Bucket([]byte(bucketErased))
		for seq := from; seq < to && n < readBytes; seq++ {
			value := t.log.Get(seqKey(seq))
			x := stored{seq: seq, gone: value == nil, erased: erased != nil && erased.Get(seqKey(seq)) != nil}
			x.value = append([]byte(nil), value...)
			if envelope, _, err := split(value); err == nil {
				x.compare(t, evidence.LeafHash(envelope))
			}
			n += int64(len(value)) + 2*tlog.HashSize
			list = append(list, x)
		}
		return nil
	})
	return list, n, err
}

// compare holds the hashes that the record brought against what is stored of them.
func (x *stored) compare(t *txn, leaf evidence.Digest) {
	want, err := tlog.StoredHashesForRecordHash(x.seq, tlog.Hash(leaf), hashes{t.tree})
	if err != nil {
		x.tree, x.over = "hashes that belong under it are missing", evidence.SeqRun{First: x.seq, Last: x.seq}
		return
	}
	at := leafIndex(x.seq)
	for level, w := range want {
		got, err := hashes{t.tree}.ReadHashes([]int64{at + int64(level)})
		if err == nil && got[0] == w {
			continue
		}
		x.over = evidence.SeqRun{First: x.seq + 1 - 1<<level, Last: x.seq}
		switch {
		case level == 0 && err == nil:
			x.wrong = append(x.wrong, fmt.Sprintf("its envelope gives the leaf hash %s, but the tree holds %s: one of the two was changed", leaf, evidence.Digest(got[0])))
		case err != nil:
			x.tree = "it is missing"
		default:
			x.tree = "it is not the hash of its two children: it or one of them was changed"
		}
		return
	}
}

// record says what is wrong with a record. What an erasure may have changed meanwhile is looked at again.
func (s *scrub) record(ctx context.Context, x *stored) error {
	s.judge(x)
	if len(x.wrong) > 0 {
		again, _, err := s.read(ctx, x.seq, x.seq+1)
		if err == nil {
			s.judge(&again[0])
			x = &again[0]
		} else if !errors.Is(err, errPage) {
			return err
		}
	}
	run := evidence.SeqRun{First: x.seq, Last: x.seq}
	if len(x.wrong) > 0 {
		if err := s.o.Found(ctx, Damage{Part: evidence.DamagedRecord, Records: run, What: x.wrong[0]}); err != nil {
			return err
		}
	}
	if x.tree != "" {
		if err := s.o.Found(ctx, Damage{Part: evidence.DamagedTree, Records: x.over, What: x.tree}); err != nil {
			return err
		}
	}
	if x.body == nil {
		return nil
	}
	return s.named(ctx, x)
}

func (s *scrub) judge(x *stored) {
	if x.broken {
		return
	}
	if x.gone {
		x.wrong = append(x.wrong, "it is not there")
		return
	}
	x.look(s.v.ring)
	switch {
	case x.broken:
	case x.rec.Seq != x.seq:
		x.wrong = append(x.wrong, fmt.Sprintf("its envelope says that it is record %d", x.rec.Seq))
	case x.absent && !x.erased:
		x.wrong = append(x.wrong, "its body is gone, and no record says that it was erased")
	}
}

// named looks for the blobs that a record names.
func (s *scrub) named(ctx context.Context, x *stored) error {
	b, ok := x.body.(evidence.Blobber)
	if !ok {
		return nil
	}
	for _, d := range b.Blobs() {
		_, _, err := s.v.blobs.find(d)
		if err == nil {
			continue
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		named, err := s.v.Naming(ctx, d)
		if err != nil {
			return err
		}
		if len(named) == 0 {
			continue // an erasure took what named it, or cut the reply
		}
		err = s.o.Found(ctx, Damage{
			Part: evidence.DamagedBlob, Blob: d, Missing: true, Records: evidence.SeqRun{First: x.seq, Last: x.seq}, What: "it is missing",
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// CheckRecords reads records, or the stored hashes that they brought, once more and says what is wrong, nothing where all is as it was
// recorded.
func (v *Vault) CheckRecords(ctx context.Context, run evidence.SeqRun) (wrong string, err error) {
	s := &scrub{v: v}
	for seq := run.First; seq <= run.Last && wrong == ""; seq++ {
		list, _, err := s.read(ctx, seq, seq+1)
		if errors.Is(err, errPage) {
			return err.Error(), nil
		} else if err != nil {
			return "", err
		}
		s.judge(&list[0])
		if wrong = list[0].tree; len(list[0].wrong) > 0 {
			wrong = list[0].wrong[0]
		}
	}
	return wrong, nil
}
