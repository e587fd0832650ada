package anchor_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/anchor"
	"github.com/muhafiz/muhafiz/collectors/anchor/anchortest"
)

func authority(t *testing.T, a *anchortest.Authority) anchor.Authority {
	t.Helper()
	roots, err := anchor.ParseRoots(a.Roots)
	if err != nil {
		t.Fatal(err)
	}
	return anchor.Authority{Name: "simulated", URL: a.URL, Roots: roots}
}

var note = []byte("example.org/log\n7\nAAAA\n\n— example.org/log c2ln\n")

func TestStampThatOpenSSLVerifies(t *testing.T) {
	srv := anchortest.New(t, "one")
	resp, tok, err := authority(t, srv).Stamp(t.Context(), note)
	if err != nil {
		t.Fatal(err)
	}
	if d := time.Since(tok.At); d < -2*time.Second || d > time.Minute || tok.Accuracy != time.Second || len(tok.Cert) != 64 {
		t.Errorf("got %+v", tok)
	}
	dir := t.TempDir()
	for name, b := range map[string][]byte{"note": note, "r.tsr": resp} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command("openssl", "ts", "-verify", "-data", filepath.Join(dir, "note"), "-in", filepath.Join(dir, "r.tsr"), "-CAfile", srv.RootsFile()).CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("Verification: OK")) {
		t.Errorf("openssl: %v: %s", err, out)
	}
}

func TestRefusedStamps(t *testing.T) {
	one, two := anchortest.New(t, "one"), anchortest.New(t, "two")
	a := authority(t, one)
	resp, _, err := a.Stamp(t.Context(), note)
	if err != nil {
		t.Fatal(err)
	}
	for i := range resp {
		bad := bytes.Clone(resp)
		bad[i] ^= 0x40
		got, err := anchor.Verify(bad, note, a.Roots)
		if good, _ := anchor.Verify(resp, note, a.Roots); err == nil && got != good {
			t.Errorf("byte %d changed, and the token says %+v", i, got)
		}
	}
	say := func(b []byte, typ string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", typ)
			w.Write(b)
		}
	}
	const reply = "application/timestamp-reply"
	for want, h := range map[string]http.HandlerFunc{
		"its nonce differs":      say(resp, reply),
		"no time-stamp reply":    say([]byte("<html>"), "text/html"),
		"not a valid time-stamp": say([]byte("nothing"), reply),
		"it answered 503":        func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusServiceUnavailable) },
		"its reply is too large": say(make([]byte, 2<<20), reply),
		"rejected":               say([]byte{0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02}, reply),
		"it answered 302":        func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, two.URL, http.StatusFound) },
	} {
		one.Answer(h)
		if _, _, err := a.Stamp(t.Context(), note); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	one.Answer(nil)
	if _, err := anchor.Verify(resp, append([]byte("x"), note...), a.Roots); !errors.Is(err, anchor.ErrToken) || !strings.Contains(err.Error(), "other bytes") {
		t.Errorf("other data: %v", err)
	}
	if _, err := anchor.Verify(resp, note, authority(t, two).Roots); err == nil || !strings.Contains(err.Error(), "root") {
		t.Errorf("other roots: %v", err)
	}
	if _, err := anchor.Verify(resp, note, nil); err == nil {
		t.Error("no roots at all passed")
	}
	if _, err := anchor.ParseRoots([]byte("nothing")); err == nil {
		t.Error("roots without a certificate passed")
	}
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte{0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02})
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := anchor.Verify(b, note, x509.NewCertPool()); err == nil {
			t.Error("a token out of nothing")
		}
	})
}
