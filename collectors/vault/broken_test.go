package vault_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// An export may lie on a disk that is broken; that says nothing of the vault's.
func TestABrokenSourceDoesNotStopTheVault(t *testing.T) {
	v := vaulttest.New(t)
	for _, errno := range []error{syscall.EIO, syscall.EROFS} {
		if _, _, err := v.Keep(t.Context(), iotest.ErrReader(errno), 1<<10); !errors.Is(err, errno) || errors.Is(err, vault.ErrFailed) {
			t.Errorf("got %v", err)
		}
	}
	if _, _, err := v.Keep(t.Context(), strings.NewReader("simulated"), 1<<10); err != nil {
		t.Errorf("a keep afterwards: %v", err)
	}
}
