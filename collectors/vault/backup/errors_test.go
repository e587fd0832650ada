package backup

import (
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// TestFull turns what a full disk or a quota answers into the sentence, and nothing else.
func TestFull(t *testing.T) {
	for _, err := range []error{unix.ENOSPC, unix.EDQUOT} {
		if got := full(&os.PathError{Op: "write", Path: "x", Err: err}); !errors.Is(got, ErrFull) || !errors.Is(got, err) {
			t.Errorf("%v: %v", err, got)
		}
	}
	if got := full(unix.EIO); errors.Is(got, ErrFull) {
		t.Errorf("%v", got)
	}
}

// TestTakesOut says after which records earlier ones are read again.
func TestTakesOut(t *testing.T) {
	for kind, want := range map[evidence.Kind]bool{evidence.KindErased: true, evidence.KindQuarantined: true, evidence.KindPostSeen: false} {
		e := evidence.Envelope{
			V: evidence.EnvelopeVersion, Seq: 3, ID: evidence.NewID(time.Now()), Kind: kind, At: evidence.Time{Time: time.Now().UTC().Truncate(time.Microsecond)},
			Actor: "v0", Subject: "v0", Body: evidence.Sum(nil),
		}
		if got := takesOut(append(e.Append(nil), '\n')); got != want {
			t.Errorf("%s: %v", kind, got)
		}
	}
	if !takesOut([]byte("something else")) {
		t.Error("what cannot be read passes")
	}
}
