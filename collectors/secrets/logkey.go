package secrets

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// algEd25519 is the first byte of an Ed25519 key in a signed note's key (c2sp.org/signed-note).
const algEd25519 = 1

// NewLogKey makes a checkpoint key. Origin is the log's name in every checkpoint, such as example.org/muhafiz: no spaces, no plus
// sign; a random one if empty. skey is the private key, vkey the public one, both in the encoding of golang.org/x/mod/sumdb/note.
func NewLogKey(origin string) (skey, vkey string, err error) {
	if origin == "" {
		origin = "muhafiz-" + strings.ToLower(rand.Text()[:16])
	}
	skey, vkey, err = note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return "", "", fmt.Errorf("make log key: %w", err)
	}
	if _, err := note.NewSigner(skey); err != nil {
		return "", "", fmt.Errorf("%q cannot be the name of a log: use a name such as example.org/muhafiz, without spaces and plus signs", origin)
	}
	return skey, vkey, nil
}

// WriteLogKey makes a checkpoint key and writes it to path, mode 0600. It returns the public key, and ErrExists if there is a file.
func WriteLogKey(path, origin string) (vkey string, err error) {
	skey, vkey, err := NewLogKey(origin)
	if err != nil {
		return "", err
	}
	if err := writeNew(path, []byte(skey+"\n"), 0o600); err != nil {
		return "", err
	}
	return vkey, nil
}

// LoadLogKey reads the checkpoint key in the clear at path. The error is fs.ErrNotExist where there is no file.
func LoadLogKey(path string) (signer note.Signer, vkey string, err error) {
	return OpenLogKey(LogKeySource{At: path})
}

// publicOf derives the vkey of an skey that note.NewSigner took.
func publicOf(name, skey string) (string, error) {
	parts := strings.SplitN(skey, "+", 5) // PRIVATE+KEY+name+hash+key; base64 may hold further plus signs
	seed, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(seed) != 1+ed25519.SeedSize || seed[0] != algEd25519 {
		return "", errors.New("the log key is not an Ed25519 key")
	}
	pub, ok := ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey)
	if !ok {
		return "", errors.New("the log key is not an Ed25519 key")
	}
	return note.NewEd25519VerifierKey(name, pub)
}

// LogKeyPEM returns a vkey's Ed25519 public key as PKIX PEM, so that `openssl pkeyutl -verify -rawin -pubin` can check a checkpoint.
func LogKeyPEM(vkey string) ([]byte, error) {
	if _, err := note.NewVerifier(vkey); err != nil {
		return nil, fmt.Errorf("%q is not a log's public key (NAME+HASH+KEY)", vkey)
	}
	parts := strings.SplitN(vkey, "+", 3)
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 1+ed25519.PublicKeySize || key[0] != algEd25519 {
		return nil, fmt.Errorf("%q is not an Ed25519 key", vkey)
	}
	der, err := x509.MarshalPKIXPublicKey(ed25519.PublicKey(key[1:]))
	if err != nil {
		return nil, fmt.Errorf("encode log key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}
