package vault_test

import (
	"context"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

func TestContract(t *testing.T) {
	vaulttest.Suite(t, func(t *testing.T, views ...evidence.View) vaulttest.Log {
		v := vaulttest.New(t, views...)
		t.Cleanup(func() {
			if err := v.Close(); err != nil {
				t.Error(err)
			}
			clean(t, v.Path(), views...)
		})
		return v
	})
}

// clean insists that fsck finds nothing.
func clean(t testing.TB, path string, views ...evidence.View) vault.FsckReport {
	t.Helper()
	rep, err := vault.Fsck(context.Background(), path, vault.FsckOptions{Views: views})
	if err != nil {
		t.Error(err)
	}
	for _, p := range rep.Problems {
		t.Error(p)
	}
	return rep
}
