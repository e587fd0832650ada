package daemon

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/vault"
)

func TestAFailedCallNamesTheNextStep(t *testing.T) {
	full := &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	for err, want := range map[error]string{
		fmt.Errorf("keep blob: %w", full):                      "free some space",
		errors.New("file resize error: " + full.Error()):       "free some space", // as bbolt has it
		fmt.Errorf("%w (%w)", vault.ErrFailed, full):           "no space left on device)",
		errors.New("a person said \"no space left on device"):  "left on device",
		&os.PathError{Op: "open", Path: "x", Err: syscall.EIO}: "run muhafiz fsck",
	} {
		if got := Advised(err).Error(); !strings.HasSuffix(got, want) && !strings.Contains(got, want+" and try again") {
			t.Errorf("got %q, want %q at its end", got, want)
		}
		if !errors.Is(Advised(err), err) {
			t.Errorf("%q cannot be told from others any more", err)
		}
	}
	if Advised(nil) != nil {
		t.Error("nothing failed, and there is advice")
	}
}

func TestNothingIsSaidTwice(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	got := joinOnce(a, errors.Join(b, errors.Join(a, fmt.Errorf("c: %w", a))), nil, b)
	if got.Error() != "a\nb\nc: a" || !errors.Is(got, a) || !errors.Is(got, b) {
		t.Errorf("got %q", got)
	}
	if err := joinOnce(nil, nil); err != nil {
		t.Errorf("got %v of nothing", err)
	}
}
