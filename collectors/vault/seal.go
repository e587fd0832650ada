package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// A sealed body stands where the body would: sealMark, the key's id (8 bytes), a nonce (12 bytes) and what AES-256-GCM makes of the
// body with the envelope's bytes as associated data, its tag last. No JSON begins with sealMark.
const (
	sealMark  = 1
	sealHead  = 1 + 8
	nonceLen  = 12
	tagLen    = 16
	sealExtra = sealHead + nonceLen + tagLen
)

var errUnsealed = errors.New("it does not open with its key: it was changed, or belongs to another record")

// newAEAD returns AES-256-GCM. Nonces are random: a key seals one channel's month, far below the 2^32 that they allow.
func newAEAD(key []byte) (cipher.AEAD, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(b)
}

// sealWith appends a nonce and the sealed text.
func sealWith(a cipher.AEAD, dst, plain, context []byte) []byte {
	at := len(dst)
	var nonce [nonceLen]byte
	rand.Read(nonce[:])
	dst = append(dst, nonce[:]...)
	return a.Seal(dst, dst[at:at+nonceLen], plain, context)
}

func openWith(a cipher.AEAD, sealed, context []byte) ([]byte, error) {
	if len(sealed) < nonceLen+tagLen {
		return nil, errUnsealed
	}
	plain, err := a.Open(nil, sealed[:nonceLen], sealed[nonceLen:], context)
	if err != nil {
		return nil, errUnsealed
	}
	return plain, nil
}

// sealBody returns the log value of a record; head is its envelope and the LF.
func (k *dataKey) sealBody(head, body []byte) []byte {
	return k.appendSealed(make([]byte, 0, len(head)+len(body)+sealExtra), head, body)
}

// appendSealed appends what sealBody returns.
func (k *dataKey) appendSealed(dst, head, body []byte) []byte {
	dst = append(append(dst, head...), sealMark)
	dst = binary.BigEndian.AppendUint64(dst, uint64(k.id))
	return sealWith(k.aead, dst, body, head[:len(head)-1])
}

// sealedBy returns the key of a stored body; false where it is plain or gone.
func sealedBy(stored []byte) (keyID, bool) {
	if len(stored) < sealHead || stored[0] != sealMark {
		return 0, false
	}
	return keyID(keySeq(stored[1:])), true
}

// body returns the body that is stored. It is the stored bytes themselves where they are plain, and nil where its key was destroyed.
func (r *ring) body(envelope, stored []byte) ([]byte, error) {
	if len(stored) == 0 || stored[0] != sealMark {
		return stored, nil
	}
	id, ok := sealedBy(stored)
	if !ok {
		return nil, errUnsealed
	}
	k, err := r.key(id)
	if errors.Is(err, errDestroyed) {
		return nil, nil // an old copy of vault.db: erased, like everywhere else
	} else if err != nil {
		return nil, err
	}
	return openWith(k.aead, stored[sealHead:], envelope)
}

// record reads a log value and keeps nothing of it.
func (r *ring) record(value []byte) (evidence.Record, error) {
	envelope, stored, err := split(append([]byte(nil), value...))
	if err != nil {
		return evidence.Record{}, err
	}
	rec := evidence.Record{EnvelopeBytes: envelope}
	if rec.Envelope, err = evidence.ParseEnvelope(envelope); err != nil {
		return rec, err
	}
	rec.Body, err = r.body(envelope, stored)
	return rec, err
}

// nameMACLen is the length of a sealed name's key beside its space.
const nameMACLen = 16

// nameKey is where a name stands in the bucket of names: by itself, or where the vault is sealed by a keyed digest.
func (t *txn) nameKey(n whole) []byte {
	if t.box == nil {
		return n.bytes()
	}
	m := hmac.New(sha256.New, t.box.mac)
	m.Write(n.bytes())
	return append([]byte{byte(n.space)}, m.Sum(nil)[:nameMACLen]...)
}

// seal seals a value of the vault's state for where it stands.
func (t *txn) seal(bucket string, key, value []byte) []byte {
	if t.box == nil {
		return append([]byte{}, value...)
	}
	return sealWith(t.box.aead, nil, value, stateContext(bucket, key))
}

// unseal opens what seal made, as a copy. It is nil for nil.
func (t *txn) unseal(bucket string, key, stored []byte) ([]byte, error) {
	switch {
	case stored == nil:
		return nil, nil
	case t.box == nil:
		return append([]byte{}, stored...), nil
	}
	plain, err := openWith(t.box.aead, stored, stateContext(bucket, key))
	if err != nil {
		return nil, fmt.Errorf("bucket %s, key %x: %w", bucket, key, err)
	}
	return append([]byte{}, plain...), nil
}

func stateContext(bucket string, key []byte) []byte { return append([]byte(bucket+"\x00"), key...) }
