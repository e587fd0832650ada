package vault

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Checkpoint signs the tree head of the records acknowledged so far as a C2SP checkpoint, whose origin is the log key's
// name, and records it. Size is the size that was signed; the record of the checkpoint comes after it.
func (v *Vault) Checkpoint(ctx context.Context) (evidence.Checkpoint, error) {
	v.turning.Lock()
	defer v.turning.Unlock()
	v.mu.Lock()
	head, signer, key := v.root, v.signer, v.logKey
	v.mu.Unlock()
	if signer == nil {
		return evidence.Checkpoint{}, errNoSigner
	}
	if err := checkSigner(signer, key); err != nil {
		return evidence.Checkpoint{}, err
	}
	signed, err := note.Sign(&note.Note{Text: checkpointText(signer.Name(), head)}, signer)
	if err != nil {
		return evidence.Checkpoint{}, fmt.Errorf("sign checkpoint: %w", err)
	}
	c := evidence.Checkpoint{Size: head.size, Root: head.root, Note: string(signed)}
	_, err = v.Put(ctx, evidence.Batch{Drafts: []evidence.Draft{{
		ID: evidence.NewID(v.o.Now()), Actor: evidence.Vault(), Subject: evidence.Vault(), Body: &c,
	}}})
	if err != nil {
		return c, err
	}
	return c, v.noteHead()
}

var errNoSigner = errors.New("no log key was given: open the vault with its signing key to make a checkpoint")

func checkpointText(origin string, h treeHead) string {
	return fmt.Sprintf("%s\n%d\n%s\n", origin, h.size, base64.StdEncoding.EncodeToString(h.root[:]))
}

// proveChunk is how many proofs are read in one transaction.
const proveChunk = 256

// Prove returns the RFC 6962 inclusion path of each record in the tree of the given size, leaf's sibling first. The path in
// a tree of one record is empty.
func (v *Vault) Prove(ctx context.Context, seqs []int64, size int64) ([][]evidence.Digest, error) {
	if err := v.holds(size); err != nil {
		return nil, err
	}
	out := make([][]evidence.Digest, 0, len(seqs))
	for len(seqs) > 0 {
		n := min(len(seqs), proveChunk)
		err := v.read(ctx, func(t *txn) error {
			for _, seq := range seqs[:n] {
				if seq < 0 || seq >= size {
					return fmt.Errorf("record %d is not in the tree of %d records: %w", seq, size, evidence.ErrNotFound)
				}
				path, err := tlog.ProveRecord(size, seq, hashes{t.tree})
				if err != nil {
					return fmt.Errorf("prove record %d: %w", seq, err)
				}
				out = append(out, digests(path))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		seqs = seqs[n:]
	}
	return out, nil
}

func digests(path tlog.RecordProof) []evidence.Digest {
	out := make([]evidence.Digest, len(path))
	for i, h := range path {
		out[i] = evidence.Digest(h)
	}
	return out
}
