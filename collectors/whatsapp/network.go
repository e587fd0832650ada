package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
)

// Network is another WhatsApp than the real one, on this machine: for tests and the demo.
type Network struct {
	Addr      string   // loopback host:port that answers for web.whatsapp.com, without TLS
	MediaAddr string   // loopback host:port that answers for every host of whatsapp.net, without TLS
	RootKey   [32]byte // public key that signs the servers' certificates
}

// Use points a client at the network, before it connects: all three of its HTTP clients. wrap may be nil, or put a guard around the
// transport, as for the real network. The root key is the library's global: Use sets it once, and refuses another network later in
// the same process.
func (n Network) Use(cli *whatsmeow.Client, wrap func(http.RoundTripper) http.RoundTripper) error {
	if err := n.trust(); err != nil {
		return err
	}
	var rt http.RoundTripper = n.Transport()
	if wrap != nil {
		rt = wrap(rt)
	}
	h := &http.Client{Transport: rt}
	cli.SetWebsocketHTTPClient(h)
	cli.SetPreLoginHTTPClient(h)
	cli.SetMediaHTTPClient(h)
	return nil
}

// Transport returns a transport that dials the network instead of WhatsApp's hosts, and speaks plain HTTP where the URL says https.
// Other hosts are dialled when they are loopback addresses, so that a test can lay a trap there, and are refused otherwise.
func (n Network) Transport() *http.Transport {
	var d net.Dialer
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		to, err := n.route(addr)
		if err != nil {
			return nil, err
		}
		return d.DialContext(ctx, network, to)
	}
	return &http.Transport{
		DialContext: dial, DialTLSContext: dial,
		MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: time.Minute,
	}
}

// errOutside is why a test network's client cannot be led to the real one, not even by a bug.
var errOutside = errors.New("is outside the test network; only WhatsApp's hosts and loopback addresses are dialled there")

func (n Network) route(addr string) (string, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	to := addr
	switch {
	case host == "whatsapp.com" || strings.HasSuffix(host, ".whatsapp.com"):
		to = n.Addr
	case strings.HasSuffix(host, ".whatsapp.net"):
		to = n.MediaAddr
	}
	ap, err := netip.ParseAddrPort(to)
	if err != nil || !ap.Addr().IsLoopback() {
		return "", fmt.Errorf("%s %w", to, errOutside)
	}
	return to, nil
}

// trusted is which root the library's global holds; only one fits in a process.
var trusted struct {
	sync.Mutex
	key *[32]byte
}

func (n Network) trust() error {
	trusted.Lock()
	defer trusted.Unlock()
	switch {
	case trusted.key == nil:
		whatsmeow.WACertPubKey = n.RootKey
		trusted.key = &n.RootKey
	case *trusted.key != n.RootKey:
		return errors.New("another WhatsApp network with another root key is in use in this process; restart to change it")
	}
	return nil
}
