package whatsapp

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"go.mau.fi/whatsmeow"
)

// errHost is why an address that a post names is never fetched.
var errHost = errors.New("is not one of WhatsApp's hosts")

// ours reports whether a host is WhatsApp's own: the chat server, the web page, and the hosts of files.
func ours(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "web.whatsapp.com" || strings.HasSuffix(host, ".whatsapp.net")
}

// onlyOurs refuses requests to other hosts before anything is sent. It is below every client of ours, so that no message, redirection or
// list of hosts leads elsewhere.
type onlyOurs struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t onlyOurs) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" || r.URL.User != nil || (r.URL.Port() != "" && r.URL.Port() != "443") || !ours(r.URL.Hostname()) {
		return nil, fmt.Errorf("%s %w", r.URL.Host, errHost)
	}
	return t.next.RoundTrip(r)
}

// bodyLimit is the most that the library's own requests may bring; files do not pass there.
const bodyLimit = 64 << 20

// capped cuts the library's web requests off, which would otherwise hold any body in memory.
type capped struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t capped) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
		resp.Body = http.MaxBytesReader(nil, resp.Body, bodyLimit)
	}
	return resp, err
}

// transports are the ways to the platform.
type transports struct {
	base  *http.Transport
	web   http.RoundTripper // for the library
	files *http.Client      // for files: no redirections, nothing unpacked
}

func newHTTP(o *Options) *transports {
	t := &transports{}
	if o.Network != nil {
		t.base = o.Network.Transport()
	} else {
		t.base = http.DefaultTransport.(*http.Transport).Clone()
		t.base.DialContext = (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext
		t.base.ResponseHeaderTimeout = time.Minute
	}
	if o.Proxy != nil {
		t.base.Proxy = http.ProxyURL(o.Proxy)
	}
	t.base.DisableCompression = true
	t.base.MaxResponseHeaderBytes = 1 << 20
	guarded := onlyOurs{t.base}
	t.web = capped{guarded}
	t.files = &http.Client{Transport: guarded, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return t
}

// use points all of a client's HTTP clients at t.
func (t *transports) use(cli *whatsmeow.Client) {
	h := &http.Client{Transport: t.web}
	cli.SetWebsocketHTTPClient(h)
	cli.SetPreLoginHTTPClient(h)
	cli.SetMediaHTTPClient(h)
}

func (t *transports) close() { t.base.CloseIdleConnections() }
