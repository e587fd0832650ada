package whatsapptest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/socket"
	"go.mau.fi/whatsmeow/util/keys"
	"golang.org/x/crypto/curve25519"
	"google.golang.org/protobuf/proto"
)

// noise is the responder's half of Noise_XX_25519_AESGCM_SHA256 (noiseprotocol.org, revision 34) with WhatsApp's prologue. It is
// written apart from the client's half, so that neither hides the other's mistakes.
type noise struct {
	hash, chain []byte
	aead        cipher.AEAD
	n           uint32
}

func newNoise() (*noise, error) {
	start := []byte(socket.NoiseStartPattern)
	s := &noise{hash: start, chain: start}
	var err error
	if s.aead, err = gcm(start); err != nil {
		return nil, err
	}
	s.mix(socket.WAConnHeader)
	return s, nil
}

func (s *noise) mix(b []byte) {
	h := sha256.New()
	h.Write(s.hash)
	h.Write(b)
	s.hash = h.Sum(nil)
}

func (s *noise) mixKey(priv *[32]byte, pub []byte) error {
	secret, err := curve25519.X25519(priv[:], pub)
	if err != nil {
		return err
	}
	chain, key, err := expand(secret, s.chain)
	if err != nil {
		return err
	}
	s.chain, s.n = chain, 0
	s.aead, err = gcm(key)
	return err
}

func (s *noise) seal(plain []byte) []byte {
	out := s.aead.Seal(nil, nonce(s.n), plain, s.hash)
	s.n++
	s.mix(out)
	return out
}

func (s *noise) open(sealed []byte) ([]byte, error) {
	out, err := s.aead.Open(nil, nonce(s.n), sealed, s.hash)
	if err != nil {
		return nil, err
	}
	s.n++
	s.mix(sealed)
	return out, nil
}

// split returns the ciphers for the two directions.
func (s *noise) split() (fromClient, toClient cipher.AEAD, err error) {
	a, b, err := expand(nil, s.chain)
	if err != nil {
		return nil, nil, err
	}
	if fromClient, err = gcm(a); err != nil {
		return nil, nil, err
	}
	toClient, err = gcm(b)
	return fromClient, toClient, err
}

func expand(secret, salt []byte) (a, b []byte, err error) {
	out, err := hkdf.Key(sha256.New, secret, salt, "", 64)
	if err != nil {
		return nil, nil, err
	}
	return out[:32], out[32:], nil
}

func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func nonce(n uint32) []byte {
	iv := make([]byte, 12)
	binary.BigEndian.PutUint32(iv[8:], n)
	return iv
}

// hello is what a client told in the handshake.
type hello struct {
	static  [32]byte
	payload *waWa6.ClientPayload
}

// handshake speaks the responder's part over frames, and leaves the ciphers in w.
func (id *identity) handshake(w *wire) (*hello, error) {
	s, err := newNoise()
	if err != nil {
		return nil, err
	}
	b, err := w.frame()
	if err != nil {
		return nil, err
	}
	var msg waWa6.HandshakeMessage
	if err := proto.Unmarshal(b, &msg); err != nil {
		return nil, fmt.Errorf("client hello: %w", err)
	}
	ephemeral := msg.GetClientHello().GetEphemeral()
	if len(ephemeral) != 32 {
		return nil, errors.New("client hello: no ephemeral key")
	}
	own := keys.NewKeyPair()
	if err := id.answer(w, s, ephemeral, own); err != nil {
		return nil, err
	}
	h, err := finish(w, s, own)
	if err != nil {
		return nil, fmt.Errorf("client finish: %w", err)
	}
	w.in, w.out, err = s.split()
	return h, err
}

func (id *identity) answer(w *wire, s *noise, ephemeral []byte, own *keys.KeyPair) error {
	s.mix(ephemeral)
	s.mix(own.Pub[:])
	if err := s.mixKey(own.Priv, ephemeral); err != nil {
		return err
	}
	static := s.seal(id.static.Pub[:])
	if err := s.mixKey(id.static.Priv, ephemeral); err != nil {
		return err
	}
	b, err := proto.Marshal(&waWa6.HandshakeMessage{ServerHello: &waWa6.HandshakeMessage_ServerHello{
		Ephemeral: own.Pub[:], Static: static, Payload: s.seal(id.chain),
	}})
	if err != nil {
		return err
	}
	return w.write(frameOf(nil, b))
}

func finish(w *wire, s *noise, own *keys.KeyPair) (*hello, error) {
	b, err := w.frame()
	if err != nil {
		return nil, err
	}
	var msg waWa6.HandshakeMessage
	if err := proto.Unmarshal(b, &msg); err != nil {
		return nil, err
	}
	static, err := s.open(msg.GetClientFinish().GetStatic())
	if err != nil {
		return nil, err
	}
	if len(static) != 32 {
		return nil, errors.New("no static key")
	}
	if err := s.mixKey(own.Priv, static); err != nil {
		return nil, err
	}
	plain, err := s.open(msg.GetClientFinish().GetPayload())
	if err != nil {
		return nil, err
	}
	h := &hello{static: [32]byte(static), payload: &waWa6.ClientPayload{}}
	return h, proto.Unmarshal(plain, h.payload)
}
