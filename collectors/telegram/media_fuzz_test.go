package telegram

import (
	"bytes"
	"testing"
)

// FuzzJournal reads journals that a crash or anybody may have left.
func FuzzJournal(f *testing.F) {
	f.Add([]byte{})
	f.Add(append(written{index: 3, length: partSize, sum: 7}.line(), "torn"...))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, w := range parseJournal(b) {
			if w.index < 0 || w.length < 0 || w.length > partSize || !bytes.Contains(b, w.line()) {
				t.Errorf("%+v", w)
			}
		}
	})
}
