package bundle

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

var (
	errNoLogKey = errors.New("log key not given")
	errNoRoots  = errors.New("no time-stamp could be attributed")
	bodyHead    = regexp.MustCompile(`^\{"salt":"[0-9a-f]{32}","schema":[1-9][0-9]{0,8}[,}]`)
	quotedHash  = regexp.MustCompile(`"([0-9a-f]{64})"`)
)

// maxLine bounds a line of the log's files: more than any record has, less than would fill the memory.
const maxLine = 64 << 20

// lines reads a file of lines that each end in LF.
type lines struct {
	name string
	f    *os.File
	r    *bufio.Reader
	buf  []byte
}

func (v *verifier) lines(path string) (*lines, error) {
	f, err := v.root.Open(path)
	if err != nil {
		return nil, err
	}
	return &lines{name: path, f: f, r: bufio.NewReaderSize(ctxReader{v.ctx, f}, 64<<10)}, nil
}

// next returns the next line without its LF, valid until the next call; io.EOF after the last.
func (l *lines) next() ([]byte, error) {
	l.buf = l.buf[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		l.buf = append(l.buf, part...)
		switch {
		case err == nil:
			return l.buf[:len(l.buf)-1], nil
		case len(l.buf) > maxLine:
			return nil, wrong("%s has a line of more than %d bytes", l.name, maxLine)
		case errors.Is(err, bufio.ErrBufferFull):
		case err == io.EOF && len(l.buf) > 0:
			return nil, wrong("%s does not end in a line feed", l.name)
		default:
			return nil, err
		}
	}
}

// records proves every record: envelope under the checkpoint's root, body under its envelope.
func (v *verifier) records() (string, error) {
	raw, err := v.read(fileCheckpoint, maxCheckpoint)
	if err != nil {
		return "", err
	}
	if v.log.checkpoint, err = parseCheckpoint(raw); err != nil {
		return "", err
	}
	v.report.TreeSize = v.log.checkpoint.Size
	v.log.leaves, v.log.known, v.log.sets = map[int64]leaf{}, map[evidence.Digest]bool{}, map[int64]*evidence.TargetSet{}
	var in [3]*lines
	for i, path := range []string{fileEnvelopes, fileBodies, fileProofs} {
		if in[i], err = v.lines(path); err != nil {
			return "", err
		}
		defer in[i].f.Close()
	}
	last := int64(-1)
	for {
		env, body, proof, err := nextRecord(in)
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", err
		}
		seq, err := v.record(env, body, proof, last)
		if err != nil {
			return "", err
		}
		last = seq
	}
	if v.report.Records == 0 || v.report.Withheld == v.report.Records {
		return "", wrong("of %d records %d have no body: there is nothing to read", v.report.Records, v.report.Withheld)
	}
	return fmt.Sprintf("%d records proved under a log of %d; %d bodies withheld or erased", v.report.Records, v.report.TreeSize, v.report.Withheld), nil
}

// nextRecord reads one line of each file; all three must end together.
func nextRecord(in [3]*lines) (env, body, proof []byte, err error) {
	var got [3][]byte
	ended := 0
	for i, l := range in {
		b, err := l.next()
		if err == io.EOF {
			ended++
			continue
		}
		if err != nil {
			return nil, nil, nil, err
		}
		got[i] = b
	}
	switch ended {
	case 0:
		return got[0], got[1], got[2], nil
	case len(in):
		return nil, nil, nil, io.EOF
	}
	return nil, nil, nil, wrong("envelopes, bodies and proofs are not as many as one another")
}

func (v *verifier) record(env, body, proof []byte, last int64) (int64, error) {
	e, err := evidence.ParseEnvelope(env)
	if err != nil {
		return 0, wrong("the record after %d: %w", last, err)
	}
	if e.Seq <= last {
		return 0, wrong("record %d comes after record %d: out of order or twice", e.Seq, last)
	}
	p, err := parseProof(proof)
	if err != nil {
		return 0, wrong("record %d: %w", e.Seq, err)
	}
	if p.Seq != e.Seq {
		return 0, wrong("record %d has the proof of record %d", e.Seq, p.Seq)
	}
	if err := p.holds(v.log.checkpoint, env); err != nil {
		return 0, wrong("record %d is not in the log that the checkpoint states: %w", e.Seq, err)
	}
	v.report.Records++
	r := evidence.Record{Envelope: e, EnvelopeBytes: env, Body: body}
	v.log.leaves[e.Seq] = leaf{r.Leaf(), e.Subject, e.Kind}
	if len(body) == 0 {
		v.report.Withheld++
		return e.Seq, nil
	}
	if evidence.Sum(body) != e.Body {
		return 0, wrong("the body of record %d is not the one that was recorded", e.Seq)
	}
	return e.Seq, v.body(r)
}

// body checks a body's form and keeps what later checks need of it.
func (v *verifier) body(r evidence.Record) error {
	if !bodyHead.Match(r.Body) || !json.Valid(r.Body) {
		return wrong("the body of record %d does not begin with salt and schema, or is not JSON", r.Seq)
	}
	b, err := evidence.DecodeBody(r)
	if err != nil {
		return wrong("%w", err)
	}
	keep := func() evidence.Record {
		c := r
		c.EnvelopeBytes, c.Body = bytes.Clone(r.EnvelopeBytes), bytes.Clone(r.Body)
		return c
	}
	switch b := b.(type) {
	case *evidence.Unknown:
		// A newer build may name files in kinds of its own; a digest that stands alone as a JSON string is taken for such a name.
		for _, m := range quotedHash.FindAllSubmatch(r.Body, -1) {
			if d, err := evidence.ParseDigest(string(m[1])); err == nil {
				v.log.known[d] = true
			}
		}
	case *evidence.TargetListed: // its list stays in the vault
		v.log.statements = append(v.log.statements, keep())
	case evidence.Blobber:
		for _, d := range b.Blobs() {
			v.log.known[d] = true
		}
	case *evidence.VaultCreated:
		v.log.vault, v.log.vkey = b.VaultID, b.LogKey
	case *evidence.KeyRotated:
		v.log.rotations = append(v.log.rotations, rotation{r.Seq, b})
	case *evidence.TargetSet:
		v.log.sets[r.Seq] = b
	case *evidence.PersonSet:
		v.log.people = append(v.log.people, keep())
	case *evidence.Decision, *evidence.Approval, *evidence.TargetApproved, *evidence.TargetRelisted:
		v.log.statements = append(v.log.statements, keep())
	}
	return nil
}

// parseProof reads a line of proofs.jsonl. Spaces between tokens are free; everything else has one form, so that two JSON
// readers cannot see two proofs.
func parseProof(line []byte) (proofLine, error) {
	var raw struct {
		Seq  int64    `json:"seq"`
		Path []string `json:"path"`
	}
	var compact bytes.Buffer
	if err := json.Unmarshal(line, &raw); err != nil {
		return proofLine{}, fmt.Errorf("proof: %w", err)
	}
	if err := json.Compact(&compact, line); err != nil {
		return proofLine{}, fmt.Errorf("proof: %w", err)
	}
	again, err := json.Marshal(raw)
	if err != nil || !bytes.Equal(again, compact.Bytes()) || raw.Path == nil {
		return proofLine{}, errors.New(`proof: not of the form {"seq":n,"path":[…]}`)
	}
	p := proofLine{Seq: raw.Seq, Path: make([][]byte, len(raw.Path))}
	for i, s := range raw.Path {
		h, err := base64.StdEncoding.Strict().DecodeString(s)
		if err != nil || len(h) != tlog.HashSize || len(s) != base64.StdEncoding.EncodedLen(tlog.HashSize) {
			return proofLine{}, errors.New("proof: a hash is not 32 bytes in base64")
		}
		p.Path[i] = h
	}
	return p, nil
}

func (p proofLine) holds(c checkpointNote, env []byte) error {
	if p.Seq < 0 || p.Seq >= c.Size {
		return fmt.Errorf("a log of %d has no such record", c.Size)
	}
	path := make(tlog.RecordProof, len(p.Path))
	for i, h := range p.Path {
		path[i] = tlog.Hash(h)
	}
	return tlog.CheckRecord(path, c.Size, tlog.Hash(c.Root), p.Seq, tlog.RecordHash(env))
}

// checkpoint checks the checkpoint's signature with the log key given by the reader. Without one, it still refuses a note that
// claims the key recorded at the vault's creation and is not signed by it.
func (v *verifier) checkpoint() (string, error) {
	c := v.log.checkpoint
	if c.Size == 0 {
		return "", wrong("there is no checkpoint to check")
	}
	if v.o.LogKey == "" {
		if own, err := note.NewVerifier(v.log.vkey); err == nil {
			var bad *note.InvalidSignatureError
			if err := c.signedBy(own); errors.As(err, &bad) {
				return "", wrong("the checkpoint's signature does not hold for the key that the vault recorded: %w", err)
			}
		}
		return "", fmt.Errorf("%w: give --log KEY, which must have reached you by another way than the bag", errNoLogKey)
	}
	keys, err := v.trust()
	if err != nil {
		return "", err
	}
	by, err := c.signedByAny(keys)
	if err != nil {
		return "", wrong("the checkpoint is not signed by the given log key: %w", err)
	}
	if given, err := c.verifier(v.o.LogKey); err == nil && c.signedBy(given) != nil {
		return fmt.Sprintf("signed by %s+%08x, which the given log key leads to by a change of keys signed by both", by.Name(), by.KeyHash()), nil
	}
	return fmt.Sprintf("signed by the given log key, %s", c.Origin), nil
}
