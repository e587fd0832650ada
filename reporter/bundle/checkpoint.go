package bundle

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// checkpointNote is a C2SP checkpoint as read; its signatures are not checked by reading.
type checkpointNote struct {
	Origin string
	Size   int64
	Root   evidence.Digest
	raw    []byte
}

var errCheckpoint = errors.New("not a signed checkpoint")

const maxCheckpoint = 64 << 10

// parseCheckpoint reads a signed note whose text is a checkpoint: origin, size, root, and any extension lines.
func parseCheckpoint(b []byte) (checkpointNote, error) {
	c := checkpointNote{raw: b}
	if len(b) > maxCheckpoint {
		return c, fmt.Errorf("%w: larger than %d bytes", errCheckpoint, maxCheckpoint)
	}
	text, sigs, ok := strings.Cut(string(b), "\n\n")
	lines := strings.Split(text, "\n")
	if !ok || len(lines) < 3 || lines[0] == "" || !strings.HasPrefix(sigs, "— ") || !strings.HasSuffix(sigs, "\n") {
		return c, fmt.Errorf("%w: it needs origin, size, root, an empty line and a signature", errCheckpoint)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 1 || strconv.FormatInt(size, 10) != lines[1] {
		return c, fmt.Errorf("%w: %q is not a tree size", errCheckpoint, lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != len(c.Root) || strings.ContainsAny(lines[2], "\r") {
		return c, fmt.Errorf("%w: the root hash is not 32 bytes in base64", errCheckpoint)
	}
	c.Origin, c.Size, c.Root = lines[0], size, evidence.Digest(root)
	return c, nil
}

// vkey returns a log key, given as vkey or as an Ed25519 public key in PEM, as a vkey. A PEM key has no name, so it takes the
// checkpoint's origin.
func (c checkpointNote) vkey(key string) (string, error) {
	key = strings.TrimSpace(key)
	if !strings.HasPrefix(key, "-----BEGIN") {
		if _, err := note.NewVerifier(key); err != nil {
			return "", fmt.Errorf("the log key is neither a vkey (NAME+HASH+KEY) nor PEM: %w", err)
		}
		return key, nil
	}
	block, _ := pem.Decode([]byte(key))
	if block == nil {
		return "", errors.New("the log key's PEM cannot be read")
	}
	pub, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return "", fmt.Errorf("the log key's PEM cannot be read: %w", err)
	}
	ed, ok := pub.(ed25519.PublicKey)
	if !ok {
		return "", fmt.Errorf("the log key is %T, not Ed25519", pub)
	}
	return note.NewEd25519VerifierKey(c.Origin, ed)
}

// verifier returns the note verifier of a log key, in either form.
func (c checkpointNote) verifier(key string) (note.Verifier, error) {
	vkey, err := c.vkey(key)
	if err != nil {
		return nil, err
	}
	return note.NewVerifier(vkey)
}

// signedBy checks that the note carries a good signature of the key under the checkpoint's own origin.
func (c checkpointNote) signedBy(v note.Verifier) error {
	if v.Name() != c.Origin {
		return fmt.Errorf("the checkpoint is of %q, the key is of %q", c.Origin, v.Name())
	}
	_, err := note.Open(c.raw, note.VerifierList(v))
	return err
}

// LogKeyPEM returns the Ed25519 public key of a vkey as PEM, the form that openssl reads.
func LogKeyPEM(vkey string) (string, error) {
	parts := strings.SplitN(strings.TrimSpace(vkey), "+", 3)
	if _, err := note.NewVerifier(strings.TrimSpace(vkey)); err != nil || len(parts) != 3 {
		return "", fmt.Errorf("%q is not a vkey NAME+HASH+KEY", vkey)
	}
	b, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(b) != 1+ed25519.PublicKeySize || b[0] != 1 {
		return "", errors.New("the vkey is not an Ed25519 key")
	}
	der, err := x509.MarshalPKIXPublicKey(ed25519.PublicKey(b[1:]))
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}
