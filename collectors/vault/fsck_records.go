package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// examined is what can be said of one log value by itself.
type examined struct {
	key, value []byte
	rec        evidence.Record
	body       evidence.Body
	facets     []evidence.Facet
	leaf       evidence.Digest
	wrong      []string
	broken     bool // not even an envelope
	absent     bool // the body is gone
	sealed     bool // the body is sealed
	shut       bool // and no key was given
}

const fsckWave = 4096

// records reads the log once: values by themselves on all cores, then one after another what follows from their order.
func (f *fsck) records(ctx context.Context) error {
	s := &sequence{f: f, names: map[whole]uint64{}, numbers: map[evidence.Ordinal]string{}, rotation: -1, bare: map[evidence.Ordinal]bool{}, cuts: map[int64]evidence.CutReply{}}
	if k, _ := f.t.log.Cursor().Last(); len(k) == 8 {
		f.head = keySeq(k) + 1
	}
	c := f.t.log.Cursor()
	k, v := c.First()
	take := func(wave []examined) []examined {
		for wave = wave[:0]; k != nil && len(wave) < fsckWave; k, v = c.Next() {
			wave = append(wave, examined{key: k, value: v})
		}
		return wave
	}
	var ahead sync.WaitGroup // examines a wave while the one before it is put in order
	defer ahead.Wait()
	var before, wave []examined
	for {
		wave = take(wave)
		if len(wave) == 0 && len(before) == 0 {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		var stumbled any
		ahead.Go(func() {
			stumbled = spread(f.o.Workers, wave, func(e *examined) { e.look(f.ring) })
		})
		for i := range before {
			s.next(&before[i])
		}
		f.o.Progress("records", s.at, f.head)
		if ahead.Wait(); stumbled != nil {
			panic(stumbled)
		}
		before, wave = wave, before
	}
	s.end()
	return nil
}

// spread runs fn over the items of a wave on several processors, and returns what one of them stumbled over, if any did.
func spread[T any](workers int, wave []T, fn func(*T)) (stumbled any) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	part := max(1, (len(wave)+workers-1)/workers)
	for at := 0; at < len(wave); at += part {
		slice := wave[at:min(at+part, len(wave))]
		wg.Go(func() {
			defer faults()()
			defer guard(func(what any) {
				mu.Lock()
				defer mu.Unlock()
				stumbled = what
			})
			for i := range slice {
				fn(&slice[i])
			}
		})
	}
	wg.Wait()
	return stumbled
}

func (e *examined) look(r *ring) {
	envelope, body, err := split(e.value)
	if err != nil {
		e.broken, e.wrong = true, append(e.wrong, "it is not an envelope and a body: "+err.Error())
		return
	}
	e.leaf = evidence.LeafHash(envelope)
	if e.rec.Envelope, err = evidence.ParseEnvelope(envelope); err != nil {
		e.broken, e.wrong = true, append(e.wrong, err.Error())
		return
	}
	e.rec.EnvelopeBytes = envelope
	if e.absent = body == nil; e.absent {
		return // end says whether a record accounts for it
	}
	if _, e.sealed = sealedBy(body); e.sealed {
		if e.shut = r == nil; e.shut {
			return
		}
		if body, err = r.body(envelope, body); err != nil {
			e.wrong = append(e.wrong, "its sealed body: "+err.Error())
			return
		}
		if e.absent = body == nil; e.absent {
			return
		}
	}
	e.rec.Body = body
	if sum := evidence.Sum(body); sum != e.rec.Envelope.Body {
		e.wrong = append(e.wrong, fmt.Sprintf("its body is not the one that was recorded: its SHA-256 is %s, the envelope says %s", sum, e.rec.Envelope.Body))
		return
	}
	if bytes.IndexByte(body, '\n') >= 0 {
		e.wrong = append(e.wrong, "its body holds a line feed")
	}
	if e.body, err = evidence.DecodeBody(e.rec); err != nil {
		e.wrong = append(e.wrong, err.Error())
		return
	}
	if o, ok := e.body.(evidence.Observer); ok {
		e.facets = o.Facets()
	}
}

// sequence is what follows from the order of the records.
type sequence struct {
	f        *fsck
	at       int64 // the next record
	last     evidence.Time
	tree     tree
	stored   int64 // hashes compared so far
	lost     int64 // the first chunk of hashes not yet said to be missing
	names    map[whole]uint64
	numbers  map[evidence.Ordinal]string // whole ordinals that are bound, and to which key
	slots    int64                       // facet slots that stand in the index as the records say
	broken   bool                        // a record could not be read: what the indexes hold beyond the others may stem from it
	unknown  bool                        // a record could be read only by a newer build: its facets are not known here
	bare     map[evidence.Ordinal]bool   // whole ordinals whose binding record has no body that can be read
	absent   []int64                     // records without a body
	erased   []evidence.SeqRun           // records that others say were erased
	cuts     map[int64]evidence.CutReply
	log      note.Verifiers
	key      string // the log's key at this point, a vkey
	rotation int64  // the last key.rotated, -1 where there was none
}

func (s *sequence) next(e *examined) {
	seq := s.at
	s.at++
	if len(e.key) != 8 || keySeq(e.key) != seq {
		s.f.problem("bucket log", "where record %d should stand there is the key %x: records are missing, or were added", seq, e.key)
		if len(e.key) != 8 {
			return
		}
		seq = keySeq(e.key)
		s.at = seq + 1
	}
	for _, w := range e.wrong {
		s.f.record(seq, "%s", w)
	}
	s.grow(seq, e.leaf)
	if e.broken {
		s.broken = true
		return
	}
	if e.rec.Seq != seq {
		s.f.record(seq, "its envelope says that it is record %d", e.rec.Seq)
	}
	if e.rec.At.Before(s.last.Time) {
		s.f.record(seq, "it is dated %s, before the record that it follows", e.rec.At.Format(evidence.TimeFormat))
	}
	s.last = e.rec.At
	s.bindings(seq, e)
	s.indexed(seq, e)
	if e.sealed {
		s.f.rep.Sealed++
	}
	switch {
	case e.absent:
		s.absent = append(s.absent, seq)
		return
	case e.shut:
		return
	case e.body == nil:
		s.broken = true
		return
	}
	s.blobs(seq, e.body)
	switch b := e.body.(type) {
	case *evidence.Unknown:
		s.unknown = true
	case *evidence.VaultCreated:
		s.created(seq, b)
	case *evidence.Checkpoint:
		s.checkpoint(seq, b)
	case *evidence.KeyRotated:
		s.rotated(seq, b)
	case *evidence.Erased:
		s.erasure(seq, b)
	}
}

// grow compares the stored hashes that a leaf brings with their children. It goes on with what is stored, so that one damaged hash is
// named once, and not with all that stand above it.
func (s *sequence) grow(seq int64, leaf evidence.Digest) {
	if seq != s.tree.size {
		return // a hole: nothing above it can be right
	}
	s.tree.append(leaf)
	damaged := false
	for i := 0; i < len(s.tree.tail); i += tlog.HashSize {
		want := evidence.Digest(s.tree.tail[i : i+tlog.HashSize])
		got, err := hashes{s.f.t.tree}.ReadHashes([]int64{s.stored})
		level, n := tlog.SplitStoredHashIndex(s.stored)
		ok := err == nil && evidence.Digest(got[0]) == want
		damaged = damaged || !ok
		switch {
		case ok:
		case err != nil:
			if chunk := s.stored / chunkHashes; chunk >= s.lost {
				s.f.problem("bucket tree", "stored hash %d and others of its chunk %d are missing", s.stored, chunk)
				s.lost = chunk + 1
			}
		case level == 0:
			s.f.record(seq, "its envelope gives the leaf hash %s, but the tree holds %s: one of the two was changed", want, evidence.Digest(got[0]))
		default:
			s.f.problem("bucket tree", "stored hash %d (level %d, number %d, over the records %d to %d) is not the hash of its two children",
				s.stored, level, n, n<<level, (n+1)<<level-1)
		}
		s.stored++
	}
	s.tree.tail = s.tree.tail[:0]
	if !damaged {
		return
	}
	if t, err := loadTree(s.f.t.tree, s.tree.size); err == nil {
		s.tree.edge = t.edge
	}
}

func (s *sequence) blobs(seq int64, b evidence.Body) {
	blobber, ok := b.(evidence.Blobber)
	if !ok || b.Kind() == evidence.KindErased { // what is left of a reply may be cut again: endErased claims it
		return
	}
	for _, d := range blobber.Blobs() {
		s.f.followed(seq, d)
		c, known := s.f.blobs[d]
		if !known {
			c = claim{seq: seq, size: -1}
		}
		if b.Kind() == evidence.KindAcquisition {
			c.replies = append(c.replies, seq)
		} else {
			c.firm = true
		}
		s.f.blobs[d] = c
	}
	for _, o := range objects(b) {
		c, ok := s.f.blobs[o.SHA256]
		switch {
		case !ok:
		case c.size < 0:
			c.size = o.Size
			s.f.blobs[o.SHA256] = c
		case c.size != o.Size:
			s.f.record(seq, "it says that the blob %s has %d bytes, record %d says %d", o.SHA256, o.Size, c.seq, c.size)
		}
	}
}

// objects returns the blobs that a body gives a size of.
func objects(b evidence.Body) []evidence.Object {
	switch b := b.(type) {
	case *evidence.Acquisition:
		return []evidence.Object{b.Reply}
	case *evidence.MediaKept:
		return []evidence.Object{b.Blob}
	case *evidence.NoticeDrafted:
		return []evidence.Object{b.Message, b.Machine}
	}
	return nil
}

func (s *sequence) created(seq int64, b *evidence.VaultCreated) {
	if seq != 0 {
		s.f.record(seq, "a vault is created once, by record 0")
		return
	}
	s.f.rep.Vault = b.VaultID
	v, err := note.NewVerifier(b.LogKey)
	if err != nil {
		s.f.record(seq, "its log key cannot be read: %v", err)
		return
	}
	s.log, s.key = note.VerifierList(v), b.LogKey
}

// checkpoint compares a signed tree head with the records.
func (s *sequence) checkpoint(seq int64, c *evidence.Checkpoint) {
	s.f.rep.Checkpoints++
	if c.Size < 1 || c.Size > seq {
		s.f.record(seq, "the checkpoint is over %d records, of which only %d came before it", c.Size, seq)
		return
	}
	root, err := tlog.TreeHash(c.Size, hashes{s.f.t.tree})
	if err != nil {
		s.f.record(seq, "the root of its checkpoint cannot be recomputed: %v", err)
	} else if evidence.Digest(root) != c.Root {
		s.f.record(seq, "the checkpoint signed the root %s over %d records, but these records give %s: the log was rewritten", c.Root, c.Size, evidence.Digest(root))
	}
	if s.log == nil {
		s.f.record(seq, "its signature cannot be checked, because record 0 names no key")
		return
	}
	n, err := note.Open([]byte(c.Note), s.log)
	var unverified *note.UnverifiedNoteError
	switch {
	case errors.As(err, &unverified):
		s.f.record(seq, "the checkpoint is not signed with the log's key")
	case err != nil:
		s.f.record(seq, "the signature of its checkpoint does not hold: %v", err)
	case n.Text != checkpointText(n.Sigs[0].Name, treeHead{c.Size, c.Root}):
		s.f.record(seq, "the signed note is not over the size and root that the record names")
	}
}

// end compares what the whole log gives with what is stored of it.
func (s *sequence) end() {
	f := s.f
	f.rep.Records, f.rep.Root = s.at, s.tree.root()
	if s.at == 0 {
		f.problem("bucket log", "there is no record at all, not even vault.created")
	}
	head := f.t.meta.Get([]byte(metaHead))
	switch {
	case len(head) != 8+len(f.rep.Root):
		f.problem("bucket meta", "the tree head of the last commit is missing or damaged")
	case keySeq(head) != s.at:
		f.problem("bucket meta", "the last commit left %d records, but the log has %d: records are missing, or were added", keySeq(head), s.at)
	case !bytes.Equal(head[8:], f.rep.Root[:]):
		f.problem("bucket meta", "the last commit left a tree with the root %x, but the records give %s", head[8:], f.rep.Root)
	}
	c := f.t.tree.Cursor()
	if k, v := c.Last(); len(k) == 8 {
		if n := keySeq(k)*chunkHashes + int64(len(v)/tlog.HashSize); n != s.stored {
			f.problem("bucket tree", "it holds %d hashes, but %d records need %d", n, s.at, s.stored)
		}
	}
	s.endKey()
	s.endErased()
	s.endNames()
	s.endSubjects()
}
