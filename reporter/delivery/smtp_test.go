package delivery_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/muhafiz/muhafiz/reporter/delivery"
)

// server is a real SMTP server on the loopback that keeps what it is given.
type server struct {
	mu       sync.Mutex
	got      [][]byte
	from     string
	to       []string
	user     string
	refuseTo string // recipient that is refused
	refuse   error  // what the server says to the message
	addr     string
	pool     *x509.CertPool
}

func startServer(t *testing.T, secure bool) *server {
	t.Helper()
	s := &server{}
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{s}, nil }))
	srv.Domain = "mail.example"
	if secure {
		srv.TLSConfig, s.pool = certificate(t)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	t.Cleanup(func() { srv.Close(); <-done })
	return s
}

func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}

type session struct{ s *server }

func (*session) Reset()        {}
func (*session) Logout() error { return nil }

func (*session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (c *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if password != "open sesame" {
			return errors.New("wrong password")
		}
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		c.s.user = user
		return nil
	}), nil
}

func (c *session) Mail(from string, _ *smtp.MailOptions) error { c.s.from = from; return nil }

func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if to == c.s.refuseTo {
		return &smtp.SMTPError{Code: 550, Message: "no such mailbox"}
	}
	c.s.to = append(c.s.to, to)
	return nil
}

func (c *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if c.s.refuse != nil {
		return c.s.refuse
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.got = append(c.s.got, b)
	return nil
}

func letter() delivery.Letter {
	return delivery.Letter{
		From: "Example Desk <desk@example.org>", To: []string{"abuse@platform.example", "two@platform.example"},
		Subject: "Notice R: 1 account for review", MessageID: "key@example.org", Date: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC),
		Text:    "First line\n.\n..two dots\nFrom the start\nیہ ایک نقلی متن ہے " + strings.Repeat("long ", 300) + "\n",
		Machine: []byte("{\n  \"simulated\": true\n}\n"),
	}
}

func message(t *testing.T) delivery.Message {
	t.Helper()
	b, err := delivery.Build(letter())
	if err != nil {
		t.Fatal(err)
	}
	return delivery.Message{
		Name: "key", From: "desk@example.org", To: letter().To, MessageID: "key@example.org", Bytes: b, Machine: letter().Machine,
	}
}

func TestWhatIsSentIsExactlyWhatWasBuilt(t *testing.T) {
	s := startServer(t, false)
	m := message(t)
	receipt, err := (&delivery.Mail{Addr: s.addr, Security: delivery.Plain}).Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.got) != 1 || !bytes.Equal(s.got[0], m.Bytes) {
		t.Errorf("the server got other bytes than were built")
	}
	if !strings.HasPrefix(receipt, "250 ") || s.from != "desk@example.org" || len(s.to) != 2 {
		t.Errorf("receipt %q, from %s, to %v", receipt, s.from, s.to)
	}
}

func TestStartTLSAndLogin(t *testing.T) {
	s := startServer(t, true)
	mail := &delivery.Mail{
		Addr: s.addr, TLS: &tls.Config{RootCAs: s.pool, MinVersion: tls.VersionTLS12}, User: "desk",
		Password: func() (string, error) { return "open sesame", nil }, Hello: "desk.example.org",
	}
	if _, err := mail.Send(t.Context(), message(t)); err != nil {
		t.Fatal(err)
	}
	if s.user != "desk" || len(s.got) != 1 {
		t.Errorf("user %q, %d messages", s.user, len(s.got))
	}
	mail.Password = func() (string, error) { return "wrong", nil }
	_, err := mail.Send(t.Context(), message(t))
	notSent(t, err)
	if strings.Contains(err.Error(), "wrong") && !strings.Contains(err.Error(), "wrong password") {
		t.Errorf("the error holds the password: %v", err)
	}
	mail.TLS = nil
	_, err = mail.Send(t.Context(), message(t))
	notSent(t, err)
}

func notSent(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, delivery.ErrNotSent) {
		t.Errorf("got %v, want ErrNotSent", err)
	}
}

func TestSurelyNotSent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	plain := startServer(t, false)
	refusing := startServer(t, false)
	refusing.refuseTo = "two@platform.example"
	full := startServer(t, false)
	full.refuse = &smtp.SMTPError{Code: 452, Message: "no room"}
	for name, m := range map[string]*delivery.Mail{
		"refused connection": {Addr: nobody, Security: delivery.Plain},
		"no TLS offered":     {Addr: plain.addr},
		"unknown policy":     {Addr: plain.addr, Security: "perhaps"},
		"one recipient":      {Addr: refusing.addr, Security: delivery.Plain},
		"message refused":    {Addr: full.addr, Security: delivery.Plain},
		"login unencrypted":  {Addr: plain.addr, Security: delivery.Plain, User: "desk"},
		"no port":            {Addr: "127.0.0.1"},
	} {
		_, err := m.Send(t.Context(), message(t))
		if !errors.Is(err, delivery.ErrNotSent) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if len(plain.got)+len(refusing.got)+len(full.got) != 0 {
		t.Error("a message was taken all the same")
	}
}

// cut is a server that ends the connection at a chosen word of the client, or says nothing more.
func cut(t *testing.T, at string, silent bool) (addr string, reached <-chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	ch := make(chan struct{})
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		io.WriteString(c, "220 mail.example\r\n")
		in := bufio.NewScanner(c)
		data := false
		for in.Scan() {
			line := in.Text()
			if strings.HasPrefix(line, at) {
				close(ch)
				if silent {
					<-release
				}
				return
			}
			switch {
			case data:
			case line == "DATA":
				data = true
				io.WriteString(c, "354 go on\r\n")
			default:
				io.WriteString(c, "250 fine\r\n")
			}
		}
	}()
	return l.Addr().String(), ch
}

func TestUncertainOnceTheServerIsReadyForTheMessage(t *testing.T) {
	for at, uncertain := range map[string]bool{"EHLO": false, "MAIL": false, "RCPT": false, "DATA": false, "Subject": true, ".": true} {
		addr, _ := cut(t, at, false)
		_, err := (&delivery.Mail{Addr: addr, Security: delivery.Plain}).Send(t.Context(), message(t))
		if err == nil || errors.Is(err, delivery.ErrNotSent) == uncertain {
			t.Errorf("cut at %s: got %v, want uncertain %v", at, err, uncertain)
		}
	}
}

func TestStoppedWhileTheServerIsSilent(t *testing.T) {
	addr, reached := cut(t, ".", true)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-reached; cancel() }()
	_, err := (&delivery.Mail{Addr: addr, Security: delivery.Plain}).Send(ctx, message(t))
	if err == nil || errors.Is(err, delivery.ErrNotSent) {
		t.Errorf("got %v, want an unknown outcome", err)
	}
	addr, reached = cut(t, "MAIL", true)
	ctx, cancel = context.WithCancel(t.Context())
	go func() { <-reached; cancel() }()
	_, err = (&delivery.Mail{Addr: addr, Security: delivery.Plain}).Send(ctx, message(t))
	notSent(t, err)
}
