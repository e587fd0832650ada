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

// ErrUntrusted is wrapped, with ErrToken, by the refusal of a token that is in order but for its chain: it is of an authority that the
// roots are not of.
var ErrUntrusted = errors.New("the certificate does not lead to a root that was given")

// Verify checks a TimeStampResp (RFC 3161 section 2.4.2) over data, with what OpenSSL's ts -verify checks: status, signature, the
// chain to roots at the time of the stamp, the certificate's only and critical purpose, and the digest.
func Verify(resp, data []byte, roots *x509.CertPool) (t Token, err error) {
	defer readable(&err)
	if roots == nil {
		return t, errors.New("no root certificates were given, and without them a time-stamp proves nothing")
	}
	t, p7, err := inspect(resp, data)
	if err != nil {
		return Token{}, err
	}
	if err := p7.VerifyWithChainAtTime(roots, t.At); err != nil {
		return Token{}, fmt.Errorf("%w: %w: %w", ErrToken, ErrUntrusted, err)
	}
	return t, nil
}

// readable turns a panic into an error: the parsers of DER below are not fuzzed by their authors.
func readable(err *error) {
	if what := recover(); what != nil {
		*err = fmt.Errorf("%w: it cannot be read: %v", ErrToken, what)
	}
}

// inspect checks all of a token but whose it is.
func inspect(resp, data []byte) (t Token, p7 *pkcs7.PKCS7, err error) {
	ts, err := timestamp.ParseResponse(resp)
	if err != nil {
		return t, nil, fmt.Errorf("%w: %w", ErrToken, err)
	}
	if err := covers(ts, data); err != nil {
		return t, nil, err
	}
	if p7, err = pkcs7.Parse(ts.RawToken); err != nil {
		return t, nil, fmt.Errorf("%w: %w", ErrToken, err)
	}
	signer := p7.GetOnlySigner()
	if signer == nil {
		return t, nil, fmt.Errorf("%w: it does not carry the one certificate that signed it; ask the authority to include it", ErrToken)
	}
	if err := p7.VerifyWithChainAtTime(nil, ts.Time); err != nil {
		return t, nil, fmt.Errorf("%w: its signature does not hold: %w", ErrToken, err)
	}
	if err := errors.Join(forStampsOnly(signer), namesItsSigner(p7, signer)); err != nil {
		return t, nil, err
	}
	sum := sha256.Sum256(signer.Raw)
	return Token{At: ts.Time.UTC(), Accuracy: ts.Accuracy, Cert: hex.EncodeToString(sum[:]), Subject: signer.Subject.String()}, p7, nil
}

// Checker tells a reader of evidence about a token. Without roots it finds what is wrong with a token, and trusts none.
type Checker struct{ Roots *x509.CertPool }

// Check returns an error where the token is wrong whatever roots one trusts: damaged, or over other bytes. Else it returns the
// authority's time, and whether the authority is one of the roots'.
func (c Checker) Check(resp, data []byte) (at time.Time, trusted bool, err error) {
	defer readable(&err)
	t, p7, err := inspect(resp, data)
	if err != nil {
		return at, false, err
	}
	return t.At, c.Roots != nil && p7.VerifyWithChainAtTime(c.Roots, t.At) == nil, nil
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
