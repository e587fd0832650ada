package telegram

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/gotd/td/mtproxy"
	"github.com/gotd/td/telegram/dcs"
	"golang.org/x/net/proxy"
)

// Proxy is a way to the platform that is not the direct one. It holds secrets, so it prints as its kind and address alone.
type Proxy struct {
	kind       string                // socks5 or mtproxy
	addr       string                // host:port
	user, pass string                // socks5
	secret     []byte                // mtproxy
	last       atomic.Pointer[error] // why the latest connection through it failed
}

// The errors of ParseProxy never repeat what was given, since that holds a secret.
var errProxyForm = errors.New("must be socks5://[USER:PASSWORD@]HOST:PORT or tg://proxy?server=HOST&port=PORT&secret=SECRET")

// ParseProxy reads socks5://[user:password@]host:port, or the link of an MTProxy as Telegram's apps share it: tg://proxy?… or
// https://t.me/proxy?… with server, port and secret (hexadecimal or base64; simple, dd and ee secrets).
// https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation
func ParseProxy(s string) (*Proxy, error) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil {
		return nil, errProxyForm
	}
	switch {
	case u.Scheme == "socks5":
		return parseSOCKS(u)
	case u.Scheme == "tg" && u.Host == "proxy", u.Scheme == "https" && u.Host == "t.me" && u.Path == "/proxy":
		return parseMTProxy(u.Query())
	}
	return nil, errProxyForm
}

func parseSOCKS(u *url.URL) (*Proxy, error) {
	if (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" {
		return nil, errProxyForm
	}
	p := &Proxy{kind: "socks5", user: u.User.Username()}
	p.pass, _ = u.User.Password()
	// RFC 1929 gives each one byte of length.
	if len(p.user) > 255 || len(p.pass) > 255 || (p.user == "") != (p.pass == "") {
		return nil, errors.New("a SOCKS5 proxy takes a user and a password of at most 255 bytes each, or neither")
	}
	var err error
	if p.addr, err = proxyAddr(u.Hostname(), u.Port()); err != nil {
		return nil, err
	}
	return p, nil
}

func parseMTProxy(q url.Values) (*Proxy, error) {
	addr, err := proxyAddr(q.Get("server"), q.Get("port"))
	if err != nil {
		return nil, err
	}
	secret, err := proxySecret(q.Get("secret"))
	if err != nil {
		return nil, err
	}
	return &Proxy{kind: "mtproxy", addr: addr, secret: secret}, nil
}

func proxyAddr(host, port string) (string, error) {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || host == "" || strings.ContainsAny(host, " /@\x00\r\n") {
		return "", errors.New("the proxy needs a host and a port from 1 to 65535")
	}
	return net.JoinHostPort(host, strconv.FormatUint(n, 10)), nil
}

// proxySecret decodes a secret, which proxies hand out as hexadecimal or as base64 with or without padding.
func proxySecret(s string) ([]byte, error) {
	bad := errors.New("the proxy's secret is not one: copy the whole link from who runs the proxy")
	b, err := hex.DecodeString(s)
	if err != nil {
		s = strings.NewReplacer("+", "-", " ", "-", "/", "_").Replace(strings.TrimRight(s, "="))
		if b, err = base64.RawURLEncoding.DecodeString(s); err != nil {
			return nil, bad
		}
	}
	parsed, err := mtproxy.ParseSecret(b)
	if err != nil || len(b) > 1+16+253 || (parsed.Type == mtproxy.TLS && parsed.CloakHost == "") {
		return nil, bad
	}
	return b, nil
}

// String returns the kind and the address, never a secret.
func (p *Proxy) String() string {
	if p == nil {
		return "none"
	}
	return p.kind + " " + p.addr
}

// GoString returns what String does.
func (p *Proxy) GoString() string { return p.String() }

// Format prints what String returns, whatever the verb.
func (p *Proxy) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(p.String())) }

// resolver reaches every data centre through the proxy and never past it. The platform's list of data centres holds addresses, so no
// name is looked up on this machine but the proxy's own.
func (p *Proxy) resolver() (dcs.Resolver, error) {
	if p == nil {
		return dcs.Plain(dcs.PlainOptions{}), nil
	}
	if p.kind == "mtproxy" {
		return dcs.MTProxy(p.addr, p.secret, dcs.MTProxyOptions{Dial: p.dial((&net.Dialer{}).DialContext)})
	}
	var auth *proxy.Auth
	if p.user != "" {
		auth = &proxy.Auth{User: p.user, Password: p.pass}
	}
	d, err := proxy.SOCKS5("tcp", p.addr, auth, proxy.Direct)
	if err != nil {
		return nil, fmt.Errorf("use the proxy at %s: %w", p.addr, err)
	}
	cd, ok := d.(proxy.ContextDialer)
	if !ok {
		return nil, fmt.Errorf("use the proxy at %s: its dialer cannot be cancelled", p.addr)
	}
	return dcs.Plain(dcs.PlainOptions{Dial: p.dial(cd.DialContext)}), nil
}

// dial remembers why a connection failed: the client goes on trying by itself and does not say.
func (p *Proxy) dial(next dcs.DialFunc) dcs.DialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := next(ctx, network, addr)
		if err != nil {
			err = fmt.Errorf("through the %s: %w", p, err)
			p.last.Store(&err)
		} else {
			p.last.Store(nil)
		}
		return c, err
	}
}

// explain adds why the proxy lets nothing through to an error of a connection that did not come up.
func (p *Proxy) explain(err error) error {
	if p == nil || !errors.Is(err, errUnreachable) {
		return err
	}
	if last := p.last.Load(); last != nil {
		return fmt.Errorf("%w; look at the account's proxy: %w", err, *last)
	}
	return fmt.Errorf("%w; the %s takes connections and nothing comes through it: look at its secret and its own network", err, p)
}
