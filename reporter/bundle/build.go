package bundle

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// builder is one run of Build.
type builder struct {
	o          Options
	at         time.Time
	checkpoint evidence.Checkpoint
	note       checkpointNote
	anchors    anchors
	used       map[int64][]anchor // by size, those that are packed
	sel        *selection
	seqs       []int64
	bag        *bag
	res        Result
	withheld   []withheldBody
	rawAbsent  []rawAbsent
	coverage   coverage
	done       int64
	total      int64
}

// proveBatch is how many proofs are asked for at a time.
const proveBatch = 1000

// Build signs the head of the log, packs the records and files concerned, signs the bag, makes it durable under its name, and
// then writes `bundle.built`. If that record cannot be written the bag is taken away again, so that none is handed out
// without a trace. Nothing that exists is overwritten; on error nothing is left but, after a crash, a hidden folder.
func Build(ctx context.Context, o Options) (Result, error) {
	if err := o.complete(); err != nil {
		return Result{}, err
	}
	b := &builder{o: o, at: o.Now().UTC(), used: map[int64][]anchor{}}
	if err := b.build(ctx); err != nil {
		if b.bag != nil {
			err = errors.Join(err, b.bag.abandon())
		}
		return Result{}, fmt.Errorf("build bundle: %w", err)
	}
	return b.res, nil
}

func (b *builder) build(ctx context.Context) error {
	var err error
	if b.checkpoint, err = b.o.Log.Checkpoint(ctx); err != nil {
		return err
	}
	if b.note, err = parseCheckpoint([]byte(b.checkpoint.Note)); err != nil {
		return err
	}
	if b.sel, err = gather(ctx, b.o, b.note.Size); err != nil {
		return err
	}
	if err := b.findAnchors(ctx); err != nil {
		return err
	}
	b.seqs = b.sel.sorted()
	b.total = int64(2*len(b.seqs) + len(b.sel.posts))
	if b.bag, err = newBag(b.o.path()); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{b.exhibits, b.records, b.proofs, b.raw, b.writeCoverage, b.report, b.anchorFiles, b.finish} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return b.record(ctx)
}

func (b *builder) step() {
	b.done++
	b.o.Progress(b.done, max(b.total, b.done))
}

// records writes the exact envelopes and bodies.
func (b *builder) records(ctx context.Context) error {
	env, err := b.bag.create(fileEnvelopes)
	if err != nil {
		return err
	}
	body, err := b.bag.create(fileBodies)
	if err != nil {
		return errors.Join(err, env.Close())
	}
	we, wb := bufio.NewWriter(env), bufio.NewWriter(body)
	err = b.eachRecord(ctx, func(r evidence.Record) error {
		_, _ = we.Write(r.EnvelopeBytes) // bufio keeps the first error for Flush
		_ = we.WriteByte('\n')
		if why := b.withhold(r); why == "" {
			_, _ = wb.Write(r.Body)
		} else {
			b.withheld = append(b.withheld, withheldBody{r.Seq, r.Kind, r.Subject, why})
		}
		return wb.WriteByte('\n')
	})
	err = errors.Join(err, we.Flush(), wb.Flush(), env.Close(), body.Close())
	b.res.Records, b.res.Withheld = len(b.seqs), len(b.withheld)
	if err == nil && len(b.withheld) == len(b.seqs) {
		err = fmt.Errorf("%w: every body would be withheld; make the full edition", ErrOptions)
	}
	return err
}

func (b *builder) eachRecord(ctx context.Context, fn func(evidence.Record) error) error {
	for _, seq := range b.seqs {
		r, err := b.o.Log.Record(ctx, seq)
		if err != nil {
			return err
		}
		if err := fn(r); err != nil {
			return err
		}
		b.step()
	}
	return nil
}

// The reasons for an empty line in bodies.jsonl.
const (
	whyErased  = "erased"
	whyPrivate = "names a private person"
	whyUnknown = "of a kind that this build cannot read, so it may name a private person"
)

// withhold says why a body is not supplied, or nothing.
func (b *builder) withhold(r evidence.Record) string {
	if len(r.Body) == 0 {
		return whyErased
	}
	if b.o.Edition == Full {
		return ""
	}
	body, err := evidence.DecodeBody(r)
	if err != nil {
		return whyUnknown
	}
	if _, unknown := body.(*evidence.Unknown); unknown {
		return whyUnknown
	}
	if p, ok := body.(evidence.PrivateBody); ok && p.NamesPerson() {
		return whyPrivate
	}
	return ""
}

func (b *builder) proofs(ctx context.Context) error {
	if err := b.bag.writeBytes(fileCheckpoint, []byte(b.checkpoint.Note)); err != nil {
		return err
	}
	return b.bag.write(fileProofs, func(w io.Writer) error {
		bw := bufio.NewWriter(w)
		enc := json.NewEncoder(bw)
		for from := 0; from < len(b.seqs); from += proveBatch {
			batch := b.seqs[from:min(from+proveBatch, len(b.seqs))]
			paths, err := b.o.Log.Prove(ctx, batch, b.note.Size)
			if err != nil {
				return err
			}
			for i, seq := range batch {
				p := proofLine{Seq: seq, Path: make([][]byte, len(paths[i]))}
				for j := range paths[i] {
					p.Path[j] = paths[i][j][:]
				}
				if err := enc.Encode(p); err != nil {
					return err
				}
				b.step()
			}
		}
		return bw.Flush()
	})
}

// finish writes the tag files, signs and publishes the bag, and seals a copy for the recipient.
func (b *builder) finish(ctx context.Context) error {
	page, err := b.verifyPage()
	if err != nil {
		return err
	}
	tags, err := b.bag.tag(b.o, b.o.labels(b.o.Log.ID(), b.at), page)
	if err != nil {
		return err
	}
	b.res.TagManifest = evidence.Sum(tags)
	if err := b.stamp(ctx, tags); err != nil {
		return err
	}
	sealed := ""
	if b.o.Recipient != nil {
		sealed = b.o.path() + sealedSuffix
		if err := b.seal(ctx, sealed); err != nil {
			return err
		}
	}
	if err := b.bag.publish(); err != nil {
		if sealed != "" {
			err = errors.Join(err, os.Remove(sealed))
		}
		return err
	}
	b.bag.dir = b.bag.final // what abandon takes away from now on
	b.res.Path, b.res.Sealed, b.res.TreeSize, b.res.Posts = b.o.path(), sealed, b.note.Size, len(b.sel.posts)
	return nil
}

// record writes `bundle.built`.
func (b *builder) record(ctx context.Context) error {
	err := b.put(ctx)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("the bag was taken away again, because its record could not be written: %w", err)
	if b.res.Sealed != "" {
		err = errors.Join(err, os.Remove(b.res.Sealed))
	}
	return err
}

func (b *builder) put(ctx context.Context) error {
	subject := evidence.Vault()
	if o := b.o.subject(); o.Space() != evidence.SpaceVault {
		n, err := b.o.Log.Name(ctx, o)
		if err != nil {
			return err
		}
		subject = n
	}
	body := &evidence.BundleBuilt{
		Name: b.o.Name, Edition: string(b.o.Edition), TagManifest: b.res.TagManifest, TreeSize: b.res.TreeSize, Records: b.res.Records,
		Signer: b.o.Identity, Recipient: recipientText(b.o), Purpose: b.o.Purpose, Posts: b.o.Posts,
	}
	_, err := b.o.Log.Put(ctx, evidence.Batch{Drafts: []evidence.Draft{{ID: evidence.NewID(b.o.Now()), Actor: b.o.Actor, Subject: subject, Body: body}}})
	return err
}
