package vault_test

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// TestEveryTreeContinuesTheEarlierOnes checks each pair of sizes with the verifier of another author.
func TestEveryTreeContinuesTheEarlierOnes(t *testing.T) {
	ctx := t.Context()
	v := vaulttest.New(t)
	for range 20 {
		if _, err := v.Put(ctx, evidence.Batch{Drafts: []evidence.Draft{{
			ID: evidence.NewID(time.Now()), Actor: evidence.Vault(), Subject: evidence.Vault(), Body: &evidence.RunStopped{Command: "run"},
		}}}); err != nil {
			t.Fatal(err)
		}
	}
	roots := make([]evidence.Digest, v.Size()+1)
	for n := range roots {
		var err error
		if roots[n], err = v.Root(ctx, int64(n)); err != nil {
			t.Fatal(err)
		}
	}
	cp, err := v.Checkpoint(ctx)
	if err != nil || cp.Root != roots[cp.Size] {
		t.Errorf("the checkpoint's root is %s (%v), that of its size %s", cp.Root, err, roots[cp.Size])
	}
	for n := int64(1); n < int64(len(roots)); n++ {
		for m := int64(1); m <= n; m++ {
			path, err := v.Consistency(ctx, m, n)
			if err != nil {
				t.Fatal(err)
			}
			proof := make(tlog.TreeProof, len(path))
			for i, h := range path {
				proof[i] = tlog.Hash(h)
			}
			if err := tlog.CheckTree(proof, n, tlog.Hash(roots[n]), m, tlog.Hash(roots[m])); err != nil {
				t.Errorf("%d to %d: %v", m, n, err)
			}
			if m > 1 && m < n && tlog.CheckTree(proof, n, tlog.Hash(roots[n]), m, tlog.Hash(roots[m-1])) == nil {
				t.Errorf("%d to %d: another root passed", m, n)
			}
		}
	}
	for _, c := range [][2]int64{{-1, 3}, {4, 3}, {1, v.Size() + 1}} {
		if _, err := v.Consistency(ctx, c[0], c[1]); !errors.Is(err, evidence.ErrNotFound) {
			t.Errorf("%v: %v, want ErrNotFound", c, err)
		}
	}
}
