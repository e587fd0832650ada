package telegramtest

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"math/big"

	"github.com/gotd/td/exchange"
	"github.com/gotd/td/tg"
)

// srpServer is the platform's side of one check of a two-step password, https://core.telegram.org/api/srp.
type srpServer struct {
	id           int64
	salt1, salt2 []byte
	p, v, b      *big.Int
	publicB      []byte
}

const srpG = 3

func newSRPServer(password string) (*srpServer, error) {
	p, err := exchange.TestServerRNG{}.DhPrime() // the prime that the platform itself uses
	if err != nil {
		return nil, fmt.Errorf("read the prime: %w", err)
	}
	s := &srpServer{id: randomID(), salt1: randomBytes(40), salt2: randomBytes(16), p: p, b: new(big.Int).SetBytes(randomBytes(256))}
	x, err := s.x(password)
	if err != nil {
		return nil, fmt.Errorf("derive the password's key: %w", err)
	}
	g := big.NewInt(srpG)
	s.v = new(big.Int).Exp(g, x, p)
	// B = k·v + g^b
	kv := new(big.Int).Mul(s.k(), s.v)
	gb := new(big.Int).Exp(g, s.b, p)
	s.publicB = padded(gb.Add(gb, kv).Mod(gb, p))
	return s, nil
}

func (s *srpServer) algorithm() tg.PasswordKdfAlgoClass {
	return &tg.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow{
		Salt1: s.salt1, Salt2: s.salt2, G: srpG, P: padded(s.p),
	}
}

// check verifies the client's A and M1.
func (s *srpServer) check(publicA, m1 []byte) bool {
	a := new(big.Int).SetBytes(publicA)
	if len(publicA) != 256 || a.Sign() == 0 || a.Cmp(s.p) >= 0 {
		return false
	}
	u := new(big.Int).SetBytes(hash(publicA, s.publicB))
	// S = (A · v^u)^b
	secret := new(big.Int).Exp(s.v, u, s.p)
	secret.Mul(secret, a).Mod(secret, s.p).Exp(secret, s.b, s.p)
	hp, hg := hash(padded(s.p)), hash(padded(big.NewInt(srpG)))
	for i := range hp {
		hp[i] ^= hg[i]
	}
	return bytes.Equal(m1, hash(hp, hash(s.salt1), hash(s.salt2), publicA, s.publicB, hash(padded(secret))))
}

func (s *srpServer) k() *big.Int {
	return new(big.Int).SetBytes(hash(padded(s.p), padded(big.NewInt(srpG))))
}

// x is PH2 of the password.
func (s *srpServer) x(password string) (*big.Int, error) {
	ph1 := salted(salted([]byte(password), s.salt1), s.salt2)
	long, err := pbkdf2.Key(sha512.New, string(ph1), s.salt1, 100000, 64)
	if err != nil {
		return nil, err
	}
	return new(big.Int).SetBytes(salted(long, s.salt2)), nil
}

func salted(data, salt []byte) []byte { return hash(salt, data, salt) }

func hash(parts ...[]byte) []byte {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

func padded(n *big.Int) []byte { return n.FillBytes(make([]byte, 256)) }
