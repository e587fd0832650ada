package whatsapptest

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/pbkdf2"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"
	"golang.org/x/crypto/curve25519"
)

// codePairing is the pairing by a code that the device shows and a person types on the phone.
type codePairing struct {
	phone   string
	wrapped []byte // the device's ephemeral key under the code
	ref     []byte
	finish  chan []byte // the key bundle
}

// linkCode answers both steps of the device: hello, and the bundle of keys once the phone knows the code.
func linkCode(q *query) (any, *refused) {
	c := q.conn
	jid, _ := q.body.Attrs["jid"].(types.JID)
	if c.pair == nil || jid.User == "" {
		return nil, iqError(400, "bad-request")
	}
	part := func(tag string) []byte {
		n := q.body.GetChildByTag(tag)
		b, _ := n.Content.([]byte)
		return b
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	switch text(q.body, "stage") {
	case "companion_hello":
		wrapped := part("link_code_pairing_wrapped_companion_ephemeral_pub")
		if len(wrapped) != wrappedKey {
			return nil, iqError(400, "bad-request")
		}
		c.pair.code = &codePairing{phone: jid.User, wrapped: wrapped, ref: randomBytes(16), finish: make(chan []byte, 1)}
		return []waBinary.Node{{
			Tag: "link_code_companion_reg", Attrs: waBinary.Attrs{"stage": "companion_hello"},
			Content: []waBinary.Node{{Tag: "link_code_pairing_ref", Content: c.pair.code.ref}},
		}}, nil
	case "companion_finish":
		if c.pair.code == nil || !slices.Equal(part("link_code_pairing_ref"), c.pair.code.ref) {
			return nil, iqError(404, "item-not-found")
		}
		select {
		case c.pair.code.finish <- part("link_code_pairing_wrapped_key_bundle"):
		default: // said twice
		}
		return nil, nil
	}
	return nil, iqError(400, "bad-request")
}

const (
	saltLen    = 32
	ivLen      = 16
	wrappedKey = saltLen + ivLen + 32
	bundleHead = saltLen + 12
)

// EnterCode does what a phone does when its owner types the code that a device shows: it links the device that asked for the account's number.
// It returns when the device has signed.
func (s *Server) EnterCode(ctx context.Context, code string, a Account) (types.JID, error) {
	c, p := s.waitingFor(a.Phone)
	if c == nil {
		return types.EmptyJID, errors.New("enter a code: no device waits for this number")
	}
	adv, err := c.exchange(ctx, p, strings.ReplaceAll(code, "-", ""), a)
	if err != nil {
		return types.EmptyJID, fmt.Errorf("enter a code: %w", err)
	}
	return c.link(ctx, a, adv)
}

func (s *Server) waitingFor(phone string) (*conn, *codePairing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if c.pair != nil && c.pair.code != nil && c.pair.code.phone == phone {
			return c, c.pair.code
		}
	}
	return nil, nil
}

// exchange agrees on the ADV secret: a key exchange whose ephemeral keys travel under the code.
func (c *conn) exchange(ctx context.Context, p *codePairing, code string, a Account) ([]byte, error) {
	device, err := wrap(code, p.wrapped[:saltLen], p.wrapped[saltLen:saltLen+ivLen], p.wrapped[saltLen+ivLen:])
	if err != nil {
		return nil, err
	}
	own, phone := keys.NewKeyPair(), derived("account "+a.Phone)
	head := randomBytes(saltLen + ivLen)
	sealed, err := wrap(code, head[:saltLen], head[saltLen:], own.Pub[:])
	if err != nil {
		return nil, err
	}
	c.push(encode(waBinary.Node{
		Tag:   "notification",
		Attrs: waBinary.Attrs{"from": types.ServerJID, "type": "link_code_companion_reg", "id": "link-code", "t": c.s.world.now().Unix()},
		Content: []waBinary.Node{{
			Tag: "link_code_companion_reg", Attrs: waBinary.Attrs{"stage": "primary_hello"},
			Content: []waBinary.Node{
				{Tag: "link_code_pairing_wrapped_primary_ephemeral_pub", Content: slices.Concat(head, sealed)},
				{Tag: "primary_identity_pub", Content: phone.Pub[:]},
				{Tag: "link_code_pairing_ref", Content: p.ref},
			},
		}},
	}))
	select {
	case bundle := <-p.finish:
		return secret(bundle, own, phone, device)
	case <-c.w.ctx.Done():
		return nil, errors.New("the device went away")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// wrap encrypts and decrypts a key under a code.
func wrap(code string, salt, iv, key []byte) ([]byte, error) {
	k, err := pbkdf2.Key(sha256.New, code, salt, 2<<16, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(k)
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(key))
	cipher.NewCTR(block, iv).XORKeyStream(out, key)
	return out, nil
}

// secret opens the device's bundle (its identity key, the phone's, 32 random bytes) and derives the ADV secret.
func secret(bundle []byte, own, phone *keys.KeyPair, device []byte) ([]byte, error) {
	if len(bundle) < bundleHead {
		return nil, errors.New("the device's key bundle is too short")
	}
	ephemeral, err := curve25519.X25519(own.Priv[:], device)
	if err != nil {
		return nil, err
	}
	k, err := hkdf.Key(sha256.New, ephemeral, bundle[:saltLen], "link_code_pairing_key_bundle_encryption_key", 32)
	if err != nil {
		return nil, err
	}
	aead, err := gcm(k)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, bundle[saltLen:bundleHead], bundle[bundleHead:], nil)
	if err != nil || len(plain) != 96 {
		return nil, errors.New("the code is wrong")
	}
	shared, err := curve25519.X25519(phone.Priv[:], plain[:32])
	if err != nil {
		return nil, err
	}
	return hkdf.Key(sha256.New, slices.Concat(ephemeral, shared, plain[64:]), nil, "adv_secret", 32)
}
