package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Report says what Verify found.
type Report struct {
	Origin   string `json:"origin"` // of the checkpoint
	TreeSize int64  `json:"tree_size"`
	Records  int64  `json:"records"`
	Bodies   int64  `json:"bodies"`
	// Signatures counts the statements whose signature holds, Unchecked those of people whose roster entry is not in the export.
	Signatures int64 `json:"signatures"`
	Unchecked  int64 `json:"unchecked"`
	Complete   bool  `json:"complete"`   // the envelopes are all of the log's below the checkpoint
	KeyHolds   bool  `json:"key_holds"`  // the checkpoint is signed by the given key
	KeyAbsent  bool  `json:"key_absent"` // no key was given, so nobody knows whose checkpoint it is
}

// ErrWrong is wrapped by what does not hold.
var ErrWrong = errors.New("the export does not hold")

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrWrong, fmt.Errorf(format, args...))
}

const (
	maxCheckpoint = 64 << 10
	maxLine       = 64 << 20
)

// Verify recomputes an export: each envelope under the checkpoint's root, each body under its envelope, each signed statement that is in it, and the
// checkpoint's signature where a log key (vkey) is given. What does not hold is ErrWrong; the report then says how far it came.
func Verify(ctx context.Context, dir, logKey string) (Report, error) {
	v := verifier{last: -1, roster: map[string]enlisted{}}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return v.rep, err
	}
	defer root.Close()
	if err := v.checkpoint(root, logKey); err != nil {
		return v.rep, err
	}
	var in [3]*bufio.Reader
	for i, name := range []string{fileEnvelopes, fileBodies, fileProofs} {
		f, err := root.Open(name)
		if err != nil {
			return v.rep, wrong("%s cannot be read: %w", name, err)
		}
		defer f.Close()
		in[i] = bufio.NewReaderSize(f, 64<<10)
	}
	for {
		if err := ctx.Err(); err != nil {
			return v.rep, err
		}
		lines, err := next(in)
		if err == io.EOF {
			break
		}
		if err != nil {
			return v.rep, err
		}
		if err := v.record(lines[0], lines[1], lines[2]); err != nil {
			return v.rep, err
		}
	}
	v.rep.Complete = v.rep.Records == v.rep.TreeSize // ascending, none twice, all below the size
	if v.rep.Records == 0 {
		return v.rep, wrong("it holds no record")
	}
	return v.rep, nil
}

type verifier struct {
	rep  Report
	root tlog.Hash
	last int64
	// roster is the team as of the last record, by configured id.
	roster map[string]enlisted
}

func (v *verifier) checkpoint(root *os.Root, logKey string) error {
	f, err := root.Open(fileCheckpoint)
	if err != nil {
		return wrong("the checkpoint cannot be read: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxCheckpoint+1))
	if err != nil || len(raw) > maxCheckpoint {
		return wrong("the checkpoint cannot be read, or is larger than %d bytes", maxCheckpoint)
	}
	if err := v.parse(raw); err != nil {
		return err
	}
	if logKey = strings.TrimSpace(logKey); logKey == "" {
		v.rep.KeyAbsent = true
		return nil
	}
	key, err := note.NewVerifier(logKey)
	if err != nil {
		return fmt.Errorf("the log key is not a vkey NAME+HASH+KEY: %w", err)
	}
	if key.Name() != v.rep.Origin {
		return wrong("the checkpoint is of %q, the key is of %q", v.rep.Origin, key.Name())
	}
	if _, err := note.Open(raw, note.VerifierList(key)); err != nil {
		return wrong("the checkpoint is not signed by the given log key: %w", err)
	}
	v.rep.KeyHolds = true
	return nil
}

func (v *verifier) parse(raw []byte) error {
	text, sigs, ok := strings.Cut(string(raw), "\n\n")
	lines := strings.Split(text, "\n")
	if !ok || len(lines) < 3 || lines[0] == "" || !strings.HasPrefix(sigs, "— ") {
		return wrong("the checkpoint is not a signed note of origin, size and root")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 1 || strconv.FormatInt(size, 10) != lines[1] {
		return wrong("%q is not a tree size", lines[1])
	}
	hash, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(hash) != tlog.HashSize {
		return wrong("the checkpoint's root hash is not 32 bytes in base64")
	}
	v.rep.Origin, v.rep.TreeSize, v.root = lines[0], size, tlog.Hash(hash)
	return nil
}

func (v *verifier) record(env, body, proof []byte) error {
	e, err := evidence.ParseEnvelope(env)
	if err != nil {
		return wrong("the record after %d: %w", v.last, err)
	}
	if e.Seq <= v.last || e.Seq >= v.rep.TreeSize {
		return wrong("record %d stands after record %d in a log of %d", e.Seq, v.last, v.rep.TreeSize)
	}
	v.last = e.Seq
	p, err := parseProof(proof)
	if err != nil {
		return wrong("record %d: %w", e.Seq, err)
	}
	if p.Seq != e.Seq {
		return wrong("record %d has the proof of record %d", e.Seq, p.Seq)
	}
	path := make(tlog.RecordProof, len(p.Path))
	for i, h := range p.Path {
		if len(h) != tlog.HashSize {
			return wrong("the proof of record %d holds a hash that is not 32 bytes", e.Seq)
		}
		path[i] = tlog.Hash(h)
	}
	if err := tlog.CheckRecord(path, v.rep.TreeSize, v.root, e.Seq, tlog.RecordHash(env)); err != nil {
		return wrong("record %d is not in the log that the checkpoint states: %w", e.Seq, err)
	}
	v.rep.Records++
	if len(body) == 0 {
		return nil
	}
	v.rep.Bodies++
	if evidence.Sum(body) != e.Body {
		return wrong("the body of record %d is not the one that was recorded", e.Seq)
	}
	if treat(e.Kind) == observed {
		return wrong("record %d is %s, and its body has no place in an export of acts", e.Seq, e.Kind)
	}
	return v.signed(evidence.Record{Envelope: e, EnvelopeBytes: env, Body: body})
}

func parseProof(line []byte) (proofLine, error) {
	var p proofLine
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil || p.Path == nil {
		return p, errors.New(`its proof is not of the form {"seq":n,"path":[…]}`)
	}
	again, err := json.Marshal(p)
	if err != nil || !bytes.Equal(again, line) {
		return p, errors.New("its proof has a second reading")
	}
	return p, nil
}

// next reads one line of each file; all three must end together.
func next(in [3]*bufio.Reader) ([3][]byte, error) {
	var out [3][]byte
	ended := 0
	for i, r := range in {
		line, err := readLine(r)
		if err == io.EOF {
			ended++
			continue
		}
		if err != nil {
			return out, err
		}
		out[i] = line
	}
	switch ended {
	case 0:
		return out, nil
	case len(in):
		return out, io.EOF
	}
	return out, wrong("envelopes, bodies and proofs are not as many as one another")
}

func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line[:len(line)-1], nil
		case len(line) > maxLine:
			return nil, wrong("a line has more than %d bytes", maxLine)
		case errors.Is(err, bufio.ErrBufferFull):
		case err == io.EOF && len(line) > 0:
			return nil, wrong("a file does not end in a line feed")
		default:
			return nil, err
		}
	}
}
