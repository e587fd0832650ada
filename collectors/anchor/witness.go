package anchor

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Head is a tree head that a signed note states.
type Head struct {
	Origin string
	Size   int64
	Root   evidence.Digest
}

// ErrNote is wrapped by every refusal of a checkpoint.
var ErrNote = errors.New("not a valid checkpoint")

// ParseHead reads the text of a checkpoint (c2sp.org/tlog-checkpoint). It checks no signature.
func ParseHead(text string) (Head, error) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) < 4 || lines[0] == "" {
		return Head{}, fmt.Errorf("%w: it needs an origin, a size and a root, each on a line", ErrNote)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Head{}, fmt.Errorf("%w: its size %.40q is not a number", ErrNote, lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != len(evidence.Digest{}) {
		return Head{}, fmt.Errorf("%w: its root is not 32 bytes of base64", ErrNote)
	}
	return Head{Origin: lines[0], Size: size, Root: evidence.Digest(root)}, nil
}

// Open checks a checkpoint's signature by the log's key, a vkey, and returns its head.
func Open(msg []byte, vkey string) (Head, error) {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return Head{}, fmt.Errorf("the log's key %.80q: %w", vkey, err)
	}
	n, err := note.Open(msg, note.VerifierList(v))
	if err != nil {
		return Head{}, fmt.Errorf("%w: the log's signature does not hold: %w", ErrNote, err)
	}
	h, err := ParseHead(n.Text)
	if err != nil {
		return Head{}, err
	}
	if h.Origin != v.Name() {
		return Head{}, fmt.Errorf("%w: its origin %q is not the log's name %q", ErrNote, h.Origin, v.Name())
	}
	return h, nil
}

// Cosignature is a witness's verified line in a checkpoint.
type Cosignature struct {
	By  string    // the witness's name
	Key string    // its vkey
	At  time.Time // whole seconds, by the witness's clock
}

// Cosignatures returns those of the witnesses that signed the checkpoint, in the order of the keys. Lines of witnesses that are not
// given are left aside; a line that claims to be of one that is given and does not hold is an error.
func Cosignatures(msg []byte, witnesses []string) ([]Cosignature, error) {
	var out []Cosignature
	for _, vkey := range witnesses {
		v, err := fnote.NewVerifierForCosignatureV1(vkey)
		if err != nil {
			return nil, fmt.Errorf("the witness's key %.80q: %w", vkey, err)
		}
		n, err := note.Open(msg, note.VerifierList(v))
		var unsigned *note.UnverifiedNoteError
		if errors.As(err, &unsigned) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%w: the cosignature of %s does not hold: %w", ErrNote, v.Name(), err)
		}
		at, err := fnote.CoSigV1Timestamp(n.Sigs[0])
		if err != nil {
			return nil, fmt.Errorf("%w: the cosignature of %s: %w", ErrNote, v.Name(), err)
		}
		out = append(out, Cosignature{By: v.Name(), Key: vkey, At: at.UTC()})
	}
	return out, nil
}

// Request is what a witness needs: the body of an add-checkpoint request (c2sp.org/tlog-witness): the size that the witness knows, the
// consistency proof from it, and the checkpoint.
func Request(old int64, proof []evidence.Digest, checkpoint []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", old)
	for _, h := range proof {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	b.WriteByte('\n')
	b.Write(checkpoint)
	return b.Bytes()
}

// maxProof is how many hashes a consistency proof may have (c2sp.org/tlog-witness).
const maxProof = 63

// ParseRequest reads what Request wrote. A bare checkpoint is taken too: its old size is then 0 and it has no proof.
func ParseRequest(b []byte) (old int64, proof []evidence.Digest, checkpoint []byte, err error) {
	if !bytes.HasPrefix(b, []byte("old ")) {
		return 0, nil, b, nil
	}
	head, checkpoint, ok := bytes.Cut(b, []byte("\n\n"))
	if !ok {
		return 0, nil, nil, fmt.Errorf("%w: no empty line before the checkpoint", ErrNote)
	}
	lines := strings.Split(string(head), "\n")
	old, err = strconv.ParseInt(strings.TrimPrefix(lines[0], "old "), 10, 64)
	if err != nil || old < 0 || len(lines)-1 > maxProof {
		return 0, nil, nil, fmt.Errorf("%w: its first line is not the size of an older tree", ErrNote)
	}
	for _, l := range lines[1:] {
		h, err := base64.StdEncoding.Strict().DecodeString(l)
		if err != nil || len(h) != len(evidence.Digest{}) {
			return 0, nil, nil, fmt.Errorf("%w: a line of its proof is not 32 bytes of base64", ErrNote)
		}
		proof = append(proof, evidence.Digest(h))
	}
	return old, proof, checkpoint, nil
}

// Continues checks that the tree of head begins with that of old (RFC 6962 section 2.1.2).
func Continues(old, head Head, proof []evidence.Digest) error {
	if old.Size == head.Size && old.Root != head.Root {
		return fmt.Errorf("%w: two different trees of %d records: the log was rewritten", ErrNote, head.Size)
	}
	if old.Size == 0 || old.Size == head.Size {
		return nil
	}
	path := make(tlog.TreeProof, len(proof))
	for i, h := range proof {
		path[i] = tlog.Hash(h)
	}
	if err := tlog.CheckTree(path, head.Size, tlog.Hash(head.Root), old.Size, tlog.Hash(old.Root)); err != nil {
		return fmt.Errorf("%w: the log of %d records does not continue the one of %d: %w", ErrNote, head.Size, old.Size, err)
	}
	return nil
}
