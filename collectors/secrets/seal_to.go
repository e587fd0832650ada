package secrets

import (
	"fmt"
	"io"

	"filippo.io/age"
)

// SealTo returns a writer that seals what is written to it to somebody's age public key (age1…), and ends with Close. Nobody but the holder
// of the other half opens it, not even who sealed it.
func SealTo(w io.Writer, recipient string) (io.WriteCloser, error) {
	r, err := age.ParseX25519Recipient(recipient)
	if err != nil {
		return nil, fmt.Errorf("%q is not an age public key (age1…): ask the recipient for theirs", recipient)
	}
	out, err := age.Encrypt(w, r)
	if err != nil {
		return nil, fmt.Errorf("seal to %s: %w", recipient, err)
	}
	return out, nil
}
