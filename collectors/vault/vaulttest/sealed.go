package vaulttest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"path/filepath"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

// Sealed returns a fresh vault as New does, sealed with a vault key that nobody keeps.
func Sealed(t testing.TB, views ...evidence.View) *vault.Vault {
	t.Helper()
	return create(t, SealedOptions(t, views...))
}

// SealedOptions returns options as Options does, with keys; the key ring lies in the vault's folder.
func SealedOptions(t testing.TB, views ...evidence.View) vault.Options {
	t.Helper()
	o := Options(t, views...)
	o.Keys = &vault.Keys{Sealer: NewKey()}
	return o
}

func create(t testing.TB, o vault.Options) *vault.Vault {
	t.Helper()
	v, err := vault.Create(filepath.Join(t.TempDir(), "vault"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	return v
}

// Key is a vault key that is quick to use.
type Key struct{ aead cipher.AEAD }

var _ vault.Sealer = Key{}

// NewKey makes a random one.
func NewKey() Key {
	key := make([]byte, 32)
	rand.Read(key)
	return KeyOf([32]byte(key))
}

// KeyOf makes one of 32 bytes, for processes that share it.
func KeyOf(secret [32]byte) Key {
	b, err := aes.NewCipher(secret[:])
	if err != nil {
		panic(err) // 32 bytes are a key
	}
	a, err := cipher.NewGCMWithRandomNonce(b)
	if err != nil {
		panic(err)
	}
	return Key{a}
}

// Seal implements vault.Sealer.
func (k Key) Seal(plain []byte) ([]byte, error) { return k.aead.Seal(nil, nil, plain, nil), nil }

// Open implements vault.Sealer.
func (k Key) Open(sealed []byte) ([]byte, error) {
	plain, err := k.aead.Open(nil, nil, sealed, nil)
	if err != nil {
		return nil, errors.New("it is another key")
	}
	return plain, nil
}
