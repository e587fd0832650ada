package review

import (
	"context"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Verify reads a statement of the given type and proves that the person made it, with the key that the roster holds for them
// now. What the statement is about is the caller's to check.
func (d *Desk) Verify(ctx context.Context, person, typ string, s evidence.Signed) (Person, evidence.Statement, error) {
	return d.verify(ctx, person, typ, s)
}

// KeyFingerprint returns the fingerprint of the person's key, computed from the key itself.
func (p Person) KeyFingerprint() (string, error) {
	_, fingerprint, err := p.key()
	return fingerprint, err
}
