package telegram_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gotd/td/mtproxy/obfuscated2"

	"github.com/muhafiz/muhafiz/collectors/telegram"
)

// relay listens on loopback and hands each connection to a proxy's protocol, which says where it goes on.
type relay struct {
	net.Listener
	served atomic.Int64
	wait   sync.WaitGroup
}

func listenRelay(t *testing.T, open func(net.Conn) (io.ReadWriter, net.Conn, error)) *relay {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{Listener: ln}
	r.wait.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			r.wait.Go(func() {
				defer c.Close()
				in, out, err := open(c)
				if err != nil {
					return
				}
				defer out.Close()
				r.served.Add(1)
				done := make(chan struct{})
				go func() {
					defer close(done)
					_, _ = io.Copy(out, in)
					out.Close()
				}()
				_, _ = io.Copy(in, out)
				c.Close()
				<-done
			})
		}
	})
	t.Cleanup(func() { ln.Close(); r.wait.Wait() })
	return r
}

// socks speaks RFC 1928 CONNECT with RFC 1929 user and password.
func socks(user, pass string) func(net.Conn) (io.ReadWriter, net.Conn, error) {
	return func(c net.Conn) (io.ReadWriter, net.Conn, error) {
		head := make([]byte, 2)
		if _, err := io.ReadFull(c, head); err != nil {
			return nil, nil, err
		}
		methods := make([]byte, head[1])
		if _, err := io.ReadFull(c, methods); err != nil {
			return nil, nil, err
		}
		if user == "" {
			_, _ = c.Write([]byte{5, 0})
		} else {
			if !strings.Contains(string(methods), "\x02") {
				_, _ = c.Write([]byte{5, 0xff})
				return nil, nil, errors.New("no password offered")
			}
			_, _ = c.Write([]byte{5, 2})
			read := func() string {
				n := make([]byte, 1)
				_, _ = io.ReadFull(c, n)
				b := make([]byte, n[0])
				_, _ = io.ReadFull(c, b)
				return string(b)
			}
			_, _ = io.ReadFull(c, head[:1])
			if read() != user || read() != pass {
				_, _ = c.Write([]byte{1, 1})
				return nil, nil, errors.New("wrong password")
			}
			_, _ = c.Write([]byte{1, 0})
		}
		req := make([]byte, 4+4+2) // version, connect, reserved, IPv4, address, port
		if _, err := io.ReadFull(c, req); err != nil || req[3] != 1 {
			return nil, nil, fmt.Errorf("not an IPv4 address: %v", err)
		}
		out, err := net.Dial("tcp", net.JoinHostPort(net.IP(req[4:8]).String(), strconv.Itoa(int(req[8])<<8|int(req[9]))))
		if err != nil {
			_, _ = c.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
			return nil, nil, err
		}
		_, err = c.Write([]byte{5, 0, 0, 1, 127, 0, 0, 1, 0, 0})
		return c, out, err
	}
}

// mtproxy takes a secret's obfuscation off and speaks plainly to the data centre that the client names.
func mtproxy(secret []byte, dcs map[uint16]string) func(net.Conn) (io.ReadWriter, net.Conn, error) {
	return func(c net.Conn) (io.ReadWriter, net.Conn, error) {
		in, meta, err := obfuscated2.Accept(c, secret)
		if err != nil {
			return nil, nil, err
		}
		addr, known := dcs[meta.DC]
		if !known {
			return nil, nil, fmt.Errorf("no data centre %d: the secret is another one", meta.DC)
		}
		out, err := net.Dial("tcp", addr)
		if err == nil {
			_, err = out.Write(meta.Protocol[:])
		}
		return in, out, err
	}
}

func TestObservesThroughProxies(t *testing.T) {
	l := theLab(t)
	secret := []byte("sixteen bytes 16")
	dcs := map[uint16]string{uint16(l.srv.DC()): l.srv.Addr()}
	host := func(r *relay) (string, string) {
		h, p, _ := net.SplitHostPort(r.Addr().String())
		return h, p
	}
	open, named, mt := listenRelay(t, socks("", "")), listenRelay(t, socks("muhafiz", "p@ss:word")), listenRelay(t, mtproxy(secret, dcs))
	h, p := host(mt)
	for name, c := range map[string]struct {
		link string
		via  *relay
	}{
		"SOCKS5":             {"socks5://" + open.Addr().String(), open},
		"SOCKS5 with a name": {"socks5://muhafiz:p%40ss%3Aword@" + named.Addr().String(), named},
		"MTProxy":            {"tg://proxy?server=" + h + "&port=" + p + "&secret=" + hex.EncodeToString(secret), mt},
		"MTProxy, dd secret": {"https://t.me/proxy?server=" + h + "&port=" + p + "&secret=dd" + hex.EncodeToString(secret), mt},
	} {
		t.Run(name, func(t *testing.T) {
			o := l.options(t)
			var err error
			if o.Proxy, err = telegram.ParseProxy(c.link); err != nil {
				t.Fatal(err)
			}
			before := c.via.served.Load()
			ch := l.channel(t, 3)
			v := newVault(t, target(ch))
			start(t, v, v, o, target(ch)).until(t, "the posts", posts(3))
			if c.via.served.Load() == before {
				t.Error("the proxy was not used")
			}
		})
	}
}

// A proxy that lets nothing through is named with its reason, and never gone around.
func TestAProxyThatRefuses(t *testing.T) {
	l := theLab(t)
	r := listenRelay(t, socks("muhafiz", "right"))
	for link, says := range map[string]string{
		"socks5://muhafiz:wrong@" + r.Addr().String(): "through the socks5 " + r.Addr().String(),
		"socks5://127.0.0.1:1":                        "look at the account's proxy",
	} {
		o := l.options(t)
		o.ConnectTimeout = 500 * time.Millisecond
		var err error
		if o.Proxy, err = telegram.ParseProxy(link); err != nil {
			t.Fatal(err)
		}
		calls := l.srv.CallCount("*")
		v := newVault(t)
		got := start(t, v, v, o).ended(t)
		login := telegram.Login(context.Background(), o, telegram.Authenticator{})
		for _, err := range []error{got, login} {
			if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "wrong@") {
				t.Errorf("got %v", err)
			}
		}
		if l.srv.CallCount("*") != calls {
			t.Error("the platform was asked past the proxy")
		}
	}
}

func TestParseProxyKeepsSecrets(t *testing.T) {
	for _, s := range []string{
		"", "http://127.0.0.1:1", "socks5://u:hush@:1", "socks5://u:hush@h:0", "socks5://u:hush@h:70000", "socks5://hush@h:1", "socks5://h:1/hush",
		"tg://proxy?server=h&port=1&secret=hush", "tg://proxy?server=h&port=1&secret=ff00112233445566778899aabbccddeeff",
		"tg://proxy?server=h&port=1", "tg://proxy?server=&port=1&secret=00112233445566778899aabbccddeeff", "tg://proxy?%zz=hush", "\x7f",
	} {
		if p, err := telegram.ParseProxy(s); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v, %v", s, p, err)
		}
	}
	p, err := telegram.ParseProxy("socks5://u:hush@proxy.example.org:1080")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{fmt.Sprint(p), fmt.Sprintf("%+v %#v %s %q", p, p, p, p)} {
		if strings.Contains(s, "hush") || !strings.Contains(s, "socks5 proxy.example.org:1080") {
			t.Errorf("printed as %s", s)
		}
	}
	for _, secret := range []string{
		"00112233445566778899aabbccddeeff", "dd00112233445566778899aabbccddeeff", "ee00112233445566778899aabbccddeeff6578616d706c652e6f7267",
		"3QARIjNEVWZ3iJmqu8zd7v8", "7gARIjNEVWZ3iJmqu8zd7v9leGFtcGxlLm9yZw==",
	} {
		if p, err := telegram.ParseProxy("tg://proxy?server=proxy.example.org&port=443&secret=" + secret); err != nil {
			t.Errorf("%s: %v, %v", secret, p, err)
		}
	}
}

func FuzzParseProxy(f *testing.F) {
	f.Add("socks5://u:p@h:1")
	f.Add("tg://proxy?server=h&port=1&secret=dd00112233445566778899aabbccddeeff")
	f.Add("https://t.me/proxy?server=h&port=1&secret=7gARIjNEVWZ3iJmqu8zd7v9leGFtcGxlLm9yZw")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := telegram.ParseProxy(s)
		if (p == nil) == (err == nil) {
			t.Fatalf("%v, %v", p, err)
		}
	})
}
