// Package anchortest plays time-stamping authorities on loopback: HTTP around OpenSSL's `ts` command, each with a root of its own. What
// they stamp is real; what it proves is this machine's clock.
package anchortest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// Authority is a running authority.
type Authority struct {
	URL   string
	Roots []byte // PEM

	dir    string
	mu     sync.Mutex
	answer http.HandlerFunc // asked instead of the authority
	asked  int
}

const config = `
[req]
distinguished_name = dn
prompt = no
[dn]
CN = Simulated %s
[ca]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
[tsa]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa1]
serial = %[2]s/serial
crypto_device = builtin
signer_cert = %[2]s/tsa.pem
signer_key = %[2]s/tsa.key
certs = %[2]s/ca.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
`

// New starts an authority with a fresh root and certificate.
func New(t testing.TB, name string) *Authority {
	t.Helper()
	a := &Authority{dir: t.TempDir()}
	if err := os.WriteFile(a.file("cnf"), fmt.Appendf(nil, config, name, a.dir), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.file("serial"), []byte("01\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a.openssl(t, "req", "-new", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
		"-config", a.file("cnf"), "-extensions", "ca", "-keyout", a.file("ca.key"), "-out", a.file("ca.pem"))
	a.openssl(t, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
		"-config", a.file("cnf"), "-keyout", a.file("tsa.key"), "-out", a.file("tsa.csr"))
	a.openssl(t, "x509", "-req", "-in", a.file("tsa.csr"), "-CA", a.file("ca.pem"), "-CAkey", a.file("ca.key"), "-set_serial", "2",
		"-days", "3650", "-extfile", a.file("cnf"), "-extensions", "tsa", "-out", a.file("tsa.pem"))
	roots, err := os.ReadFile(a.file("ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	a.Roots = roots
	srv := httptest.NewServer(a)
	t.Cleanup(srv.Close)
	a.URL = srv.URL
	return a
}

func (a *Authority) file(name string) string { return filepath.Join(a.dir, name) }

// RootsFile is the path of a PEM file with the root.
func (a *Authority) RootsFile() string { return a.file("ca.pem") }

func (a *Authority) openssl(t testing.TB, args ...string) {
	t.Helper()
	if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
		t.Fatalf("openssl %v: %v\n%s", args, err, out)
	}
}

// Answer makes h answer instead of the authority until it is called with nil.
func (a *Authority) Answer(h http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = h
}

// Asked returns how many requests came.
func (a *Authority) Asked() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked
}

// ServeHTTP implements http.Handler.
func (a *Authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.asked++
	answer := a.answer
	a.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	query, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	resp, err := a.Reply(query)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/timestamp-reply")
	w.Write(resp)
}

// Reply answers a time-stamp query as the authority does.
func (a *Authority) Reply(query []byte) ([]byte, error) {
	a.mu.Lock() // the serial number is in a file
	defer a.mu.Unlock()
	if err := os.WriteFile(a.file("q.tsq"), query, 0o600); err != nil {
		return nil, err
	}
	out, err := exec.Command("openssl", "ts", "-reply", "-config", a.file("cnf"), "-section", "tsa1", "-queryfile", a.file("q.tsq"), "-out", a.file("r.tsr")).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("openssl ts -reply: %w: %s", err, out)
	}
	return os.ReadFile(a.file("r.tsr"))
}
