package vault

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// maxBody is the largest body in bytes. What is larger belongs into a blob.
const maxBody = 32 << 20

// envelopeRoom is the place left before a body for the leaf's prefix, the envelope and the LF, so that the writer need not copy the
// body to put them before it.
const envelopeRoom = 384

// noEnvelope is that place; it is full, so that what is appended to it goes elsewhere.
var noEnvelope [envelopeRoom]byte

// maxName is the longest key of a name in bytes.
const maxName = 512

// ErrDraft is returned for a batch that could never be written: it is a mistake of whoever drafted it.
var ErrDraft = errors.New("not a valid draft")

// request is a batch on its way to the writer.
type request struct {
	batch    evidence.Batch
	internal bool // the vault's own: it may write the kinds that are reserved to it
	drafts   []draft
	out      []evidence.Record // one a draft
	err      error
	done     chan struct{}
}

// fate is what becomes of a draft.
type fate uint8

const (
	undecided fate = iota
	write          // a new record
	repeated       // its id is known
	unchanged      // nothing new
	leftOut        // it accompanies nothing
)

// draft is a draft with what could be worked out without a transaction, then what the writer decided.
type draft struct {
	in     *evidence.Draft
	pos    int // in the batch
	salt   [evidence.SaltLen]byte
	refs   []*evidence.Ref
	facets []evidence.Facet // none where every draft of the kind is written
	buf    []byte           // envelopeRoom bytes, then the body
	body   []byte           // exact bytes, the end of buf; encoded by the writer where refs need their ordinals first
	digest evidence.Digest

	fate    fate
	seq     int64  // of the record that answers the draft, -1 if there is none
	like    *draft // an earlier draft of the batch that this one repeats the observation of
	actor   evidence.Ordinal
	subject evidence.Ordinal
	about   *subject         // that it becomes a record about
	record  *evidence.Record // where to put the record that it becomes
	key     *dataKey         // that seals the body, nil where it stays plain
	frame   []byte           // leafPrefix, envelope and LF, the part of buf before the body
	leaf    evidence.Digest
	stored  []byte // the log's value
	first   bool   // it is the first record about its subject
	entry   []byte // the subject's, where this is the last draft that changes it
}

// Put makes a batch durable: see collectors.Sink. A batch that is refused (evidence.ErrConflict, evidence.ErrUnbound,
// evidence.ErrMissingBlob, ErrDraft) wrote nothing. When ctx ends before the writer has taken the batch, nothing is written and
// ctx's error is returned; after that Put waits for the outcome. Records come back in the order of the drafts; that of a draft
// left out is the zero Record.
func (v *Vault) Put(ctx context.Context, b evidence.Batch) ([]evidence.Record, error) {
	r := &request{batch: b, done: make(chan struct{})}
	if err := v.prepare(r); err != nil {
		return nil, err
	}
	return v.submit(ctx, r)
}

func (v *Vault) submit(ctx context.Context, r *request) ([]evidence.Record, error) {
	if err := v.failed(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case v.queue <- r:
	case <-v.stop:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	<-r.done
	if r.err != nil {
		return nil, r.err
	}
	return v.results(r)
}

// results collects the records that answer the drafts. Records that were there before are read here and not by the writer.
func (v *Vault) results(r *request) ([]evidence.Record, error) {
	out := r.out
	var old []int
	for i := range r.drafts {
		d := &r.drafts[i]
		if d.fate == write {
			continue
		}
		out[i] = evidence.Record{}
		if d.like != nil {
			out[i] = *d.like.record
		} else if d.seq >= 0 {
			old = append(old, i)
		}
		switch d.fate {
		case repeated:
			out[i].Outcome = evidence.Repeated
		case unchanged, leftOut:
			out[i].Outcome = evidence.Unchanged
		}
	}
	if len(old) == 0 {
		return out, nil
	}
	seqs := make([]int64, len(old))
	for j, i := range old {
		seqs[j] = r.drafts[i].seq
	}
	recs, err := v.records(seqs)
	if err != nil {
		return nil, err
	}
	for j, i := range old {
		recs[j].Outcome = out[i].Outcome
		out[i] = recs[j]
	}
	return out, nil
}

// prepare does in the caller's goroutine whatever needs no transaction.
func (v *Vault) prepare(r *request) error {
	r.drafts = make([]draft, len(r.batch.Drafts))
	r.out = make([]evidence.Record, len(r.drafts))
	salts := make([]byte, len(r.drafts)*evidence.SaltLen)
	rand.Read(salts)
	last := map[string]uint32{}
	acq := ""
	for i := range r.drafts {
		d := &r.drafts[i]
		d.in, d.pos, d.record = &r.batch.Drafts[i], i, &r.out[i]
		copy(d.salt[:], salts[i*evidence.SaltLen:])
		err := d.check(r.internal)
		if n, seen := last[d.in.ID.Acq]; err == nil && seen && d.in.ID.N <= n {
			err = fmt.Errorf("%w: id %s does not ascend", ErrDraft, d.in.ID)
		}
		if err == nil && d.in.ID.Acq != acq {
			acq = d.in.ID.Acq
			_, err = evidence.ParseID(d.in.ID.String())
		}
		if err == nil && !v.take(d) {
			err = v.work(d)
		}
		if err != nil {
			return fmt.Errorf("draft %d of %d: %w", i+1, len(r.drafts), err)
		}
		last[acq] = d.in.ID.N
	}
	if c := r.batch.Cursor; c != nil && (c.Name == "" || len(c.Name) > maxName) {
		return fmt.Errorf("%w: a cursor's name has 1 to %d bytes", ErrDraft, maxName)
	}
	return nil
}

// work finds references, facets and bytes, as far as that needs no ordinals.
func (v *Vault) work(d *draft) error {
	if r, ok := d.in.Body.(evidence.Referrer); ok {
		d.refs = r.Refs()
	}
	if b, ok := d.in.Body.(evidence.Blobber); ok {
		for _, blob := range b.Blobs() {
			if err := v.blobs.check(blob); err != nil {
				return err
			}
		}
	}
	if len(d.refs) > 0 {
		return nil
	}
	return d.encode()
}

// encode makes the body's bytes and facets; references must have their ordinals.
func (d *draft) encode() error {
	var err error
	if d.buf, err = evidence.AppendBody(noEnvelope[:], d.in.Body, d.salt); err != nil {
		return err
	}
	d.body = d.buf[envelopeRoom:]
	if len(d.body) > maxBody {
		return fmt.Errorf("%s of %d bytes is over the limit of %d: keep the large part as a blob: %w", d.in.Body.Kind(), len(d.body), maxBody, evidence.ErrTooLarge)
	}
	d.digest = evidence.Sum(d.body)
	if o, ok := d.in.Body.(evidence.Observer); ok {
		d.facets = o.Facets()
	}
	return nil
}

// check refuses what no vault could write.
func (d *draft) check(internal bool) error {
	b := d.in.Body
	if b == nil {
		return fmt.Errorf("%w: it has no body", ErrDraft)
	}
	if _, unknown := b.(*evidence.Unknown); unknown || !validKind(b.Kind()) {
		return fmt.Errorf("%w: its kind %q is not one that can be written", ErrDraft, b.Kind())
	}
	if k := b.Kind(); !internal && (k == evidence.KindVaultCreated || k == evidence.KindAccountBound || k == evidence.KindKeyRotated) {
		return fmt.Errorf("%w: %s is written by the vault alone", ErrDraft, k)
	}
	if err := checkName(d.in.Actor); err != nil {
		return fmt.Errorf("actor: %w", err)
	}
	if err := checkName(d.in.Subject); err != nil {
		return fmt.Errorf("subject: %w", err)
	}
	bind, ok := b.(evidence.Binding)
	if !ok || internal {
		return nil
	}
	if s := d.in.Subject; b.Kind() != binder(s.Space) || s.Part != "" || bind.BindingKey() != s.Key {
		return fmt.Errorf("%w: a %s with the key %q cannot be about %s", ErrDraft, b.Kind(), bind.BindingKey(), s)
	}
	return nil
}

func validKind(k evidence.Kind) bool {
	return k != "" && len(k) <= 64 && strings.Trim(string(k), "abcdefghijklmnopqrstuvwxyz._") == ""
}

// checkName refuses names that could not be rebuilt from the log or would not make an ordinal.
func checkName(n evidence.Name) error {
	switch {
	case n.Space == evidence.SpaceVault:
		if n.Key != "" || n.Part != "" {
			return fmt.Errorf("%w: the vault's own name has neither key nor part", ErrDraft)
		}
		return nil
	case n.Space == 0 || spaceIndex(n.Space) < 0:
		return fmt.Errorf("%w: a name needs a space, one of v%s", ErrDraft, spaces)
	case n.Key == "" || len(n.Key) > maxName || !utf8.ValidString(n.Key):
		return fmt.Errorf("%w: the key of a name has 1 to %d bytes of UTF-8, not %q", ErrDraft, maxName, clip(n.Key))
	case n.Space == evidence.SpaceAccount || n.Space == evidence.SpacePrivate:
		if _, _, _, ok := splitAccount(n.Key); !ok {
			return fmt.Errorf("%w: %q is not of the form PLATFORM TYPE ID", ErrDraft, clip(n.Key))
		}
	}
	if n.Part == "" {
		return nil
	}
	if n.Part[0] == '~' {
		return fmt.Errorf("%w: the part %q is for the vault to give", ErrDraft, clip(n.Part))
	}
	if _, err := ordinalKey(evidence.NewOrdinal(n.Space, 1).With(n.Part)); err != nil {
		return fmt.Errorf("%w: part of %s: %w", ErrDraft, n, err)
	}
	return nil
}

func splitAccount(key string) (platform, typ, id string, ok bool) {
	platform, rest, _ := strings.Cut(key, " ")
	typ, id, _ = strings.Cut(rest, " ")
	return platform, typ, id, platform != "" && typ != "" && id != ""
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
