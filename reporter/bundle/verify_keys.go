package bundle

import (
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// rotation is a key.rotated record of the bag.
type rotation struct {
	seq  int64
	body *evidence.KeyRotated
}

// keyChanges checks that each change of the log's key that the bag holds is signed by the key before and by the next one.
func (v *verifier) keyChanges() (string, error) {
	for _, r := range v.log.rotations {
		if err := checkRotation(r.body, v.log.vault); err != nil {
			return "", wrong("the change of the log's key in record %d: %w", r.seq, err)
		}
	}
	return fmt.Sprintf("%d changes of the log's key, each signed by the old key and the new one", len(v.log.rotations)), nil
}

// checkRotation checks a change of keys by itself; that it stands in the log is proved as for any record.
func checkRotation(b *evidence.KeyRotated, vault string) error {
	before, err := note.NewVerifier(b.Old)
	if err != nil {
		return fmt.Errorf("its old key cannot be read: %w", err)
	}
	next, err := note.NewVerifier(b.New)
	if err != nil {
		return fmt.Errorf("its new key cannot be read: %w", err)
	}
	n, err := note.Open([]byte(b.Note), note.VerifierList(before, next))
	if err != nil || len(n.Sigs) != 2 || before.Name() != next.Name() {
		return fmt.Errorf("it is not signed by both keys")
	}
	l := strings.Split(n.Text, "\n")
	if len(l) != 7 || l[0] != "muhafiz log key rotation v1" || !strings.HasPrefix(l[2], "size ") || !strings.HasPrefix(l[3], "root ") ||
		l[4] != "old "+b.Old || l[5] != "new "+b.New || l[6] != "" || (vault != "" && l[1] != "vault "+vault) {
		return fmt.Errorf("what both keys signed is not this change")
	}
	return nil
}

// trust returns the verifiers of the reader's log key and of every key that changes signed by both sides lead to from it, forwards and
// back.
func (v *verifier) trust() ([]note.Verifier, error) {
	given, err := v.log.checkpoint.vkey(v.o.LogKey)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{given: true}
	for range v.log.rotations {
		for _, r := range v.log.rotations {
			if (known[r.body.Old] || known[r.body.New]) && checkRotation(r.body, v.log.vault) == nil {
				known[r.body.Old], known[r.body.New] = true, true
			}
		}
	}
	var out []note.Verifier
	for key := range known {
		k, err := note.NewVerifier(key)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

// signedByAny checks that one of the keys signed under the checkpoint's own origin.
func (c checkpointNote) signedByAny(keys []note.Verifier) (by note.Verifier, err error) {
	for _, k := range keys {
		if e := c.signedBy(k); e == nil {
			return k, nil
		} else if err == nil {
			err = e
		}
	}
	return nil, err
}
