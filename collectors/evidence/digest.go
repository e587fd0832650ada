package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// Digest is a SHA-256 digest. Its text form is 64 lower-case hexadecimal digits, and no other form is read.
type Digest [sha256.Size]byte

// ErrDigest is returned for a text that is not a digest in its one form.
var ErrDigest = errors.New("not a SHA-256 digest in lower-case hex")

// Sum returns the SHA-256 digest of b.
func Sum(b []byte) Digest { return sha256.Sum256(b) }

// LeafHash returns the RFC 6962 hash of a Merkle leaf with content b: SHA-256(0x00 || b).
func LeafHash(b []byte) Digest {
	var room [512]byte // more than an envelope
	return sha256.Sum256(append(append(room[:0], 0), b...))
}

// ParseDigest reads the 64 lower-case hexadecimal digits that String writes.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	if len(s) != 2*len(d) {
		return d, fmt.Errorf("%q: %w", clip(s), ErrDigest)
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return d, fmt.Errorf("%q: %w", clip(s), ErrDigest)
		}
	}
	_, err := hex.Decode(d[:], []byte(s))
	return d, err
}

// String returns the digest as 64 lower-case hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// IsZero reports whether d is the zero value, which stands for "no digest".
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText implements encoding.TextMarshaler.
func (d Digest) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Digest) UnmarshalText(b []byte) error {
	v, err := ParseDigest(string(b))
	*d = v
	return err
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
