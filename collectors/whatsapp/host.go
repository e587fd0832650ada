package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
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
	mu    sync.Mutex
	conns []*tracked
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
	dial := t.base.DialContext
	follow := func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return t.track(c), nil
	}
	t.base.DialContext = follow
	if o.Network != nil {
		t.base.DialTLSContext = follow // there is no TLS there
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

// tracked is a connection of which is known when its user has closed it.
type tracked struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
}

// Close implements net.Conn.
func (c *tracked) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

func (t *transports) track(c net.Conn) net.Conn {
	x := &tracked{Conn: c, closed: make(chan struct{})}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conns = slices.DeleteFunc(t.conns, func(c *tracked) bool {
		select {
		case <-c.closed:
			return true
		default:
			return false
		}
	})
	t.conns = append(t.conns, x)
	return x
}

// close ends all connections from below, and waits a little until their users have noticed. The library's reader would hang for ever with a frame
// in hand were it ended from above.
func (t *transports) close() {
	t.mu.Lock()
	conns := slices.Clone(t.conns)
	t.mu.Unlock()
	t.base.CloseIdleConnections()
	limit := time.NewTimer(parting)
	defer limit.Stop()
	for _, c := range conns {
		_ = c.Conn.Close() // it may be closed already
	}
	for _, c := range conns {
		select {
		case <-c.closed:
		case <-limit.C:
			return
		}
	}
}
