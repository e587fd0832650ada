package bundle

import (
	"encoding/base64"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

func FuzzConsistency(f *testing.F) {
	hash := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for _, s := range []string{"old 7\n", "old 7\n" + hash + "\n", "old 7", "old 07\n", "old 7\n" + hash, "old 7\n" + hash[:40] + "\n", "\n"} {
		f.Add([]byte(s), int64(7))
	}
	f.Fuzz(func(t *testing.T, b []byte, size int64) {
		proof, err := parseConsistency(b, size)
		if err != nil {
			return
		}
		if want := 1 + len(proof); strings.Count(string(b), "\n") != want {
			t.Errorf("%q: %d hashes", b, len(proof))
		}
	})
}

// FuzzRotation changes what two keys signed: nothing but the text itself may pass.
func FuzzRotation(f *testing.F) {
	key := func(seed string) (note.Signer, string) {
		skey, vkey, err := note.GenerateKey(strings.NewReader(strings.Repeat(seed, 64)), "log.example/test")
		if err != nil {
			f.Fatal(err)
		}
		s, err := note.NewSigner(skey)
		if err != nil {
			f.Fatal(err)
		}
		return s, vkey
	}
	before, oldKey := key("a")
	next, newKey := key("b")
	good := "muhafiz log key rotation v1\nvault v\nsize 1\nroot x\nold " + oldKey + "\nnew " + newKey + "\n"
	for _, s := range []string{good, good + "more\n", strings.Replace(good, "vault v", "vault w", 1), strings.Replace(good, oldKey, newKey, 1), "\n", strings.Replace(good, "v1", "v2", 1)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		signed, err := note.Sign(&note.Note{Text: text}, before, next)
		if err != nil {
			return
		}
		b := &evidence.KeyRotated{Old: oldKey, New: newKey, Note: string(signed)}
		if err := checkRotation(b, "v"); err == nil && !(strings.HasPrefix(text, "muhafiz log key rotation v1\nvault v\nsize ") && strings.HasSuffix(text, "\nold "+oldKey+"\nnew "+newKey+"\n")) {
			t.Errorf("%q passes", text)
		}
	})
}
