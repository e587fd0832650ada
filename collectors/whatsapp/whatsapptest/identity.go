package whatsapptest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"go.mau.fi/libsignal/ecc"
	"go.mau.fi/whatsmeow/proto/waCert"
	"go.mau.fi/whatsmeow/util/keys"
	"google.golang.org/protobuf/proto"
)

// Root is the key pair that signs a loopback WhatsApp's certificates; a client must be told its public half.
type Root struct{ pair *keys.KeyPair }

// NewRoot returns a fresh random root.
func NewRoot() Root { return Root{keys.NewKeyPair()} }

// SharedRoot returns the root that servers use when none is given: the same in every process, and no secret. The client
// library keeps the trusted root in a global, so the tests of one process have to share one.
func SharedRoot() Root { return Root{derived("root")} }

// Public returns the public key.
func (r Root) Public() [32]byte { return *r.pair.Pub }

// LoadRoot reads a root from a file of 64 hexadecimal digits, and makes the file when it is absent.
func LoadRoot(path string) (Root, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		r := NewRoot()
		if err := renameio.WriteFile(path, []byte(hex.EncodeToString(r.pair.Priv[:])+"\n"), 0o600); err != nil {
			return Root{}, fmt.Errorf("keep the root key: %w", err)
		}
		return r, nil
	}
	if err != nil {
		return Root{}, fmt.Errorf("read the root key: %w", err)
	}
	k, err := hex.DecodeString(strings.TrimSpace(string(b)))
	if err != nil || len(k) != 32 {
		return Root{}, fmt.Errorf("read the root key %s: want 64 hexadecimal digits; remove the file to make a new one", path)
	}
	return Root{keys.NewKeyPairFromPrivateKey([32]byte(k))}, nil
}

// PublicHex returns the public key as 64 hexadecimal digits and a newline: the content of a client's root key file.
func (r Root) PublicHex() []byte { return []byte(hex.EncodeToString(r.pair.Pub[:]) + "\n") }

// derived makes a key pair that is the same in every run.
func derived(name string) *keys.KeyPair {
	k := sha256.Sum256([]byte("whatsapptest " + name))
	k[0] &= 248
	k[31] &= 127
	k[31] |= 64
	return keys.NewKeyPairFromPrivateKey(k)
}

// identity is a server's static key and the certificates that vouch for it.
type identity struct {
	static *keys.KeyPair
	chain  []byte
}

const (
	intermediateSerial = 1
	leafSerial         = 2
)

func newIdentity(root Root, now time.Time) (*identity, error) {
	middle, static := keys.NewKeyPair(), keys.NewKeyPair()
	intermediate, err := certificate(root.pair, middle.Pub, intermediateSerial, 0, now)
	if err != nil {
		return nil, err
	}
	leaf, err := certificate(middle, static.Pub, leafSerial, intermediateSerial, now)
	if err != nil {
		return nil, err
	}
	chain, err := proto.Marshal(&waCert.CertChain{Intermediate: intermediate, Leaf: leaf})
	if err != nil {
		return nil, err
	}
	return &identity{static: static, chain: chain}, nil
}

func certificate(by *keys.KeyPair, pub *[32]byte, serial, issuer uint32, now time.Time) (*waCert.CertChain_NoiseCertificate, error) {
	const year = 365 * 24 * time.Hour
	details, err := proto.Marshal(&waCert.CertChain_NoiseCertificate_Details{
		Serial: &serial, IssuerSerial: &issuer, Key: pub[:],
		NotBefore: proto.Uint64(uint64(now.Add(-year).Unix())), NotAfter: proto.Uint64(uint64(now.Add(year).Unix())),
	})
	if err != nil {
		return nil, err
	}
	sig := ecc.CalculateSignature(ecc.NewDjbECPrivateKey(*by.Priv), details)
	return &waCert.CertChain_NoiseCertificate{Details: details, Signature: sig[:]}, nil
}
