package backup

import (
	"encoding/base64"
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// treeHead recomputes an RFC 6962 tree from its leaves.
type treeHead struct {
	size int64
	edge []tlog.Hash
}

func (t *treeHead) add(leaf evidence.Digest) {
	h := tlog.Hash(leaf)
	for range bits.TrailingZeros64(^uint64(t.size)) {
		h = tlog.NodeHash(t.edge[len(t.edge)-1], h)
		t.edge = t.edge[:len(t.edge)-1]
	}
	t.edge = append(t.edge, h)
	t.size++
}

func (t *treeHead) root() evidence.Digest {
	if len(t.edge) == 0 {
		return evidence.Sum(nil)
	}
	h := t.edge[len(t.edge)-1]
	for i := len(t.edge) - 2; i >= 0; i-- {
		h = tlog.NodeHash(t.edge[i], h)
	}
	return evidence.Digest(h)
}

// checkpoint reads a C2SP checkpoint. vkey, where given, must have signed it.
func checkpoint(msg, vkey string) (size int64, root evidence.Digest, err error) {
	if vkey != "" {
		v, err := note.NewVerifier(vkey)
		if err != nil {
			return 0, root, fmt.Errorf("log key %q: %w", vkey, err)
		}
		if _, err := note.Open([]byte(msg), note.VerifierList(v)); err != nil {
			return 0, root, fmt.Errorf("the checkpoint: %w (%w)", ErrSignature, err)
		}
	}
	lines := strings.SplitN(msg, "\n", 4)
	if len(lines) < 4 {
		return 0, root, fmt.Errorf("the checkpoint: %w", ErrManifest)
	}
	size, err = strconv.ParseInt(lines[1], 10, 64)
	b, err2 := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || err2 != nil || size < 0 || len(b) != len(root) {
		return 0, root, fmt.Errorf("the checkpoint: %w", ErrManifest)
	}
	copy(root[:], b)
	return size, root, nil
}
