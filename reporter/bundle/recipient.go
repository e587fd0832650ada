package bundle

import (
	"fmt"

	"filippo.io/age"
)

// ParseRecipient reads the age public key of whoever is to open a sealed bundle.
func ParseRecipient(s string) (age.Recipient, error) {
	r, err := age.ParseX25519Recipient(s)
	if err != nil {
		return nil, fmt.Errorf("%q is not an age public key (age1…): %w", s, err)
	}
	return r, nil
}
