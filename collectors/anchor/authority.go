package anchor

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"net/http"
	"time"

	"github.com/digitorus/timestamp"
)

// Authority is a time-stamping authority (RFC 3161) spoken to over HTTP (section 3.4).
type Authority struct {
	Name    string // in records and file names: lower case letters, digits, - and .
	URL     string
	Roots   *x509.CertPool
	Client  *http.Client  // nil: http.DefaultTransport, no redirects to elsewhere
	Timeout time.Duration // of one request; 0: 30 s
}

// maxReply is far above any token: a chain of certificates has some kilobytes.
const maxReply = 1 << 20

// Stamp asks for a time-stamp over data and verifies it. It returns the reply's exact bytes.
func (a Authority) Stamp(ctx context.Context, data []byte) ([]byte, Token, error) {
	timeout := a.Timeout
	if timeout <= 0 {
		timeout = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		return nil, Token{}, err
	}
	query, err := timestamp.CreateRequest(bytes.NewReader(data), &timestamp.RequestOptions{Certificates: true, Nonce: nonce})
	if err != nil {
		return nil, Token{}, fmt.Errorf("make the request to %s: %w", a.Name, err)
	}
	resp, err := a.post(ctx, query)
	if err != nil {
		return nil, Token{}, fmt.Errorf("ask the time-stamping authority %s: %w", a.Name, err)
	}
	t, err := Verify(resp, data, a.Roots)
	if err != nil {
		return nil, Token{}, fmt.Errorf("authority %s answered: %w", a.Name, err)
	}
	if ts, err := timestamp.ParseResponse(resp); err != nil || ts.Nonce == nil || ts.Nonce.Cmp(nonce) != 0 {
		return nil, Token{}, fmt.Errorf("authority %s answered another request than ours (its nonce differs): %w", a.Name, ErrToken)
	}
	return resp, t, nil
}

func (a Authority) post(ctx context.Context, query []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.URL, bytes.NewReader(query))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/timestamp-query")
	client := a.Client
	if client == nil {
		client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered %s", resp.Status)
	}
	if t, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || t != "application/timestamp-reply" {
		return nil, fmt.Errorf("it answered with %q, which is no time-stamp reply; look at the address", resp.Header.Get("Content-Type"))
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	if err == nil && len(b) > maxReply {
		err = errors.New("its reply is too large")
	}
	return b, err
}
