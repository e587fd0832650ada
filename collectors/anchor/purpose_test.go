package anchor_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/timestamp"

	"github.com/muhafiz/muhafiz/collectors/anchor"
)

// TestOnlyACertificateForTimeStampsCounts signs a token with certificates of the same root for one purpose or another.
func TestOnlyACertificateForTimeStampsCounts(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	caKey, ca := certificate(t, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Simulated root"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	usage := func(critical bool, oids ...asn1.ObjectIdentifier) []pkix.Extension {
		b, err := asn1.Marshal(oids)
		if err != nil {
			t.Fatal(err)
		}
		return []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: critical, Value: b}}
	}
	stamps, code := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3}
	for _, c := range []struct {
		name string
		ext  []pkix.Extension
		till time.Time
		want string
	}{
		{"for time-stamps", usage(true, stamps), now.Add(time.Hour), ""},
		{"for code", usage(true, code), now.Add(time.Hour), "not for time-stamping alone"},
		{"for both", usage(true, stamps, code), now.Add(time.Hour), "not for time-stamping alone"},
		{"not critical", usage(false, stamps), now.Add(time.Hour), "does not mark time-stamping as critical"},
		{"no purpose", nil, now.Add(time.Hour), "not for time-stamping alone"},
		{"over", usage(true, stamps), now.Add(-time.Minute), "outside of certificate validity"},
	} {
		key, cert := certificate(t, &x509.Certificate{
			SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Simulated authority"}, ExtraExtensions: c.ext,
			KeyUsage: x509.KeyUsageDigitalSignature, NotAfter: c.till,
		}, ca, caKey)
		sum := sha256.Sum256(note)
		resp, err := (&timestamp.Timestamp{
			HashAlgorithm: crypto.SHA256, HashedMessage: sum[:], Time: now, Policy: asn1.ObjectIdentifier{1, 2, 3},
			SerialNumber: big.NewInt(9), AddTSACertificate: true,
		}).CreateResponseWithOpts(cert, key, crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		_, err = anchor.Verify(resp, note, roots)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func certificate(t *testing.T, tmpl, parent *x509.Certificate, by crypto.Signer) (crypto.Signer, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl.NotBefore = time.Now().Add(-time.Hour)
	if tmpl.NotAfter.IsZero() {
		tmpl.NotAfter = time.Now().Add(time.Hour)
	}
	if parent == nil {
		parent, by = tmpl, key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, cert
}
