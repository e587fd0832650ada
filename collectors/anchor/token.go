package anchor

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/digitorus/timestamp"
)

// Token is a verified RFC 3161 time-stamp over some bytes.
type Token struct {
	At       time.Time     // when, by the authority's clock
	Accuracy time.Duration // 0 where the authority does not say
	Cert     string        // hex SHA-256 of the signing certificate
	Subject  string        // of the signing certificate
}

// ErrToken is wrapped by every refusal of a token.
var ErrToken = errors.New("not a valid time-stamp")

// ParseRoots reads the certificates of a PEM file that an authority's chain may end in.
func ParseRoots(pem []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("no certificate in PEM form (-----BEGIN CERTIFICATE-----)")
	}
	return pool, nil
}

// Verify checks a TimeStampResp (RFC 3161 section 2.4.2) over data, with what OpenSSL's ts -verify checks: status, signature, the
// chain to roots at the time of the stamp, the certificate's only and critical purpose, and the digest.
func Verify(resp, data []byte, roots *x509.CertPool) (t Token, err error) {
	defer func() {
		if what := recover(); what != nil { // the parsers of DER below are not fuzzed by their authors
			err = fmt.Errorf("%w: it cannot be read: %v", ErrToken, what)
		}
	}()
	if roots == nil {
		return t, errors.New("no root certificates were given, and without them a time-stamp proves nothing")
	}
	ts, err := timestamp.ParseResponse(resp)
	if err != nil {
		return t, fmt.Errorf("%w: %w", ErrToken, err)
	}
	if err := covers(ts, data); err != nil {
		return t, err
	}
	p7, err := pkcs7.Parse(ts.RawToken)
	if err != nil {
		return t, fmt.Errorf("%w: %w", ErrToken, err)
	}
	signer := p7.GetOnlySigner()
	if signer == nil {
		return t, fmt.Errorf("%w: it does not carry the one certificate that signed it; ask the authority to include it", ErrToken)
	}
	if err := p7.VerifyWithChainAtTime(roots, ts.Time); err != nil {
		return t, fmt.Errorf("%w: the signature does not lead to the authority's root: %w", ErrToken, err)
	}
	if err := forStampsOnly(signer); err != nil {
		return t, err
	}
	if err := namesItsSigner(p7, signer); err != nil {
		return t, err
	}
	sum := sha256.Sum256(signer.Raw)
	return Token{At: ts.Time.UTC(), Accuracy: ts.Accuracy, Cert: hex.EncodeToString(sum[:]), Subject: signer.Subject.String()}, nil
}

func covers(ts *timestamp.Timestamp, data []byte) error {
	switch ts.HashAlgorithm {
	case crypto.SHA256, crypto.SHA384, crypto.SHA512:
	default:
		return fmt.Errorf("%w: its digest is %v, and only SHA-256, SHA-384 and SHA-512 are taken", ErrToken, ts.HashAlgorithm)
	}
	h := ts.HashAlgorithm.New()
	h.Write(data)
	if !bytes.Equal(h.Sum(nil), ts.HashedMessage) {
		return fmt.Errorf("%w: it is over other bytes", ErrToken)
	}
	return nil
}

var oidExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}

// forStampsOnly insists on RFC 3161 section 2.3: the extended key usage is there, critical, and holds timeStamping alone.
func forStampsOnly(c *x509.Certificate) error {
	if len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping || len(c.UnknownExtKeyUsage) > 0 {
		return fmt.Errorf("%w: its certificate is not for time-stamping alone", ErrToken)
	}
	for _, x := range c.Extensions {
		if x.Id.Equal(oidExtKeyUsage) && x.Critical {
			return nil
		}
	}
	return fmt.Errorf("%w: its certificate does not mark time-stamping as critical", ErrToken)
}
