package anchor

import (
	"bytes"
	"crypto"
	"crypto/sha1" // only to compare the older form of the attribute; the signature itself never rests on it
	"crypto/x509"
	"encoding/asn1"
	"fmt"

	"github.com/digitorus/pkcs7"
)

var (
	oidTSTInfo       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidSigningCert   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidSigningCertV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidSHA256        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
)

// The beginnings of ESSCertID and ESSCertIDv2 (RFC 5035 sections 4 and 3); what follows the hash is of no interest here.
type (
	essCertID struct {
		Hash []byte
		Rest asn1.RawValue `asn1:"optional"`
	}
	signingCert struct {
		Certs    []essCertID
		Policies asn1.RawValue `asn1:"optional"`
	}
	essCertIDv2 struct {
		Alg  algorithm `asn1:"optional"` // SHA-256 where it is not given
		Hash []byte
		Rest asn1.RawValue `asn1:"optional"`
	}
	signingCertV2 struct {
		Certs    []essCertIDv2
		Policies asn1.RawValue `asn1:"optional"`
	}
	algorithm struct {
		OID        asn1.ObjectIdentifier
		Parameters asn1.RawValue `asn1:"optional"`
	}
)

// namesItsSigner checks that the signed attributes say that this is a time-stamp, and name the certificate that signed it (RFC 3161
// section 2.4.1, RFC 5816): otherwise another certificate with the same key could be put in its place.
func namesItsSigner(p7 *pkcs7.PKCS7, signer *x509.Certificate) error {
	var typ asn1.ObjectIdentifier
	if err := p7.UnmarshalSignedAttribute(pkcs7.OIDAttributeContentType, &typ); err != nil || !typ.Equal(oidTSTInfo) {
		return fmt.Errorf("%w: what is signed is not a time-stamp", ErrToken)
	}
	var v2 signingCertV2
	if err := p7.UnmarshalSignedAttribute(oidSigningCertV2, &v2); err == nil && len(v2.Certs) > 0 {
		h, ok := digestOf(v2.Certs[0].Alg.OID)
		if ok && bytes.Equal(h(signer.Raw), v2.Certs[0].Hash) {
			return nil
		}
		return fmt.Errorf("%w: it names another certificate than the one that it carries", ErrToken)
	}
	var v1 signingCert
	if err := p7.UnmarshalSignedAttribute(oidSigningCert, &v1); err != nil || len(v1.Certs) == 0 {
		return fmt.Errorf("%w: it does not name the certificate that signed it", ErrToken)
	}
	if sum := sha1.Sum(signer.Raw); !bytes.Equal(sum[:], v1.Certs[0].Hash) {
		return fmt.Errorf("%w: it names another certificate than the one that it carries", ErrToken)
	}
	return nil
}

func digestOf(oid asn1.ObjectIdentifier) (func([]byte) []byte, bool) {
	h := crypto.SHA256
	switch {
	case len(oid) == 0, oid.Equal(oidSHA256):
	case oid.Equal(oidSHA384):
		h = crypto.SHA384
	case oid.Equal(oidSHA512):
		h = crypto.SHA512
	default:
		return nil, false
	}
	return func(b []byte) []byte {
		x := h.New()
		x.Write(b)
		return x.Sum(nil)
	}, true
}
