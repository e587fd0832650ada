package vault

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Root returns the root of the tree of the first size records. That of no records is the hash of nothing (RFC 6962 section 2.1).
func (v *Vault) Root(ctx context.Context, size int64) (root evidence.Digest, err error) {
	if err := v.holds(size); err != nil {
		return root, err
	}
	if size == 0 {
		return evidence.Sum(nil), nil
	}
	err = v.read(ctx, func(t *txn) error {
		h, err := tlog.TreeHash(size, hashes{t.tree})
		root = evidence.Digest(h)
		return err
	})
	if err != nil {
		return root, fmt.Errorf("root of the tree of %d records: %w", size, err)
	}
	return root, nil
}

// Consistency returns the RFC 6962 section 2.1.2 proof that the tree of the first old records is the beginning of the tree of the first
// size ones. It is empty where they are the same tree or old is 0.
func (v *Vault) Consistency(ctx context.Context, old, size int64) (path []evidence.Digest, err error) {
	if err := v.holds(size); err != nil {
		return nil, err
	}
	if old < 0 || old > size {
		return nil, fmt.Errorf("a tree of %d records is not the beginning of one of %d: %w", old, size, evidence.ErrNotFound)
	}
	if old == 0 || old == size {
		return nil, nil
	}
	err = v.read(ctx, func(t *txn) error {
		proof, err := tlog.ProveTree(size, old, hashes{t.tree})
		path = digests(tlog.RecordProof(proof))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("prove that the tree of %d records continues that of %d: %w", size, old, err)
	}
	return path, nil
}

func (v *Vault) holds(size int64) error {
	if size < 0 || size > v.Size() {
		return fmt.Errorf("a tree of %d records: the vault holds %d: %w", size, v.Size(), evidence.ErrNotFound)
	}
	return nil
}
