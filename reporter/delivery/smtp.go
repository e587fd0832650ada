package delivery

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// Security says how the connection to the server is protected.
type Security string

// The policies.
const (
	StartTLS      Security = "starttls"      // required; the default
	ImplicitTLS   Security = "tls"           // from the first byte, port 465
	Opportunistic Security = "opportunistic" // STARTTLS where the server offers it
	Plain         Security = "none"          // for a server on this machine
)

// Mail sends over SMTP.
type Mail struct {
	Addr     string // host:port
	Security Security
	TLS      *tls.Config // nil: the host's name and the system's roots
	User     string      // empty: no authentication
	// Password is asked when it is needed, so that this struct holds no secret.
	Password func() (string, error)
	Hello    string        // our name in EHLO; empty: localhost
	Timeout  time.Duration // of a whole delivery; 0: two minutes
}

// Route implements Courier.
func (m *Mail) Route() string { return "mail" }

// Send implements Courier.
func (m *Mail) Send(ctx context.Context, msg Message) (string, error) {
	timeout := m.Timeout
	if timeout <= 0 {
		timeout = 2 * time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c, stop, err := m.open(ctx)
	if err != nil {
		return "", notSent("connect to "+m.Addr, err)
	}
	defer stop()
	if err := envelope(c, msg); err != nil {
		return "", err
	}
	w, err := c.Data()
	if err != nil {
		return "", notSent("announce the message", err)
	}
	receipt, err := transfer(w, msg.Bytes)
	if err != nil {
		return "", err
	}
	_ = c.Quit() // the message is taken, however the goodbye ends
	return receipt, nil
}

// open connects, protects the connection and authenticates; stop ends the connection.
func (m *Mail) open(ctx context.Context) (c *smtp.Client, stop func(), err error) {
	host, _, err := net.SplitHostPort(m.Addr)
	if err != nil {
		return nil, nil, err
	}
	cfg := m.TLS.Clone()
	if cfg == nil {
		cfg = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if cfg.ServerName == "" {
		cfg.ServerName = host
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.Addr)
	if err != nil {
		return nil, nil, err
	}
	// Closing the connection ends whatever waits on it, which the SMTP client's calls do without a context.
	release := context.AfterFunc(ctx, func() { _ = conn.Close() })
	stop = func() { release(); _ = conn.Close() }
	wire := conn
	if m.Security == ImplicitTLS {
		wire = tls.Client(conn, cfg)
	}
	if c, err = smtp.NewClient(wire, host); err == nil {
		err = m.greet(c, cfg, host)
	}
	if err != nil {
		stop()
		return nil, nil, errors.Join(err, context.Cause(ctx))
	}
	return c, stop, nil
}

func (m *Mail) greet(c *smtp.Client, cfg *tls.Config, host string) error {
	if m.Hello != "" {
		if err := c.Hello(m.Hello); err != nil {
			return fmt.Errorf("greet: %w", err)
		}
	}
	offered, _ := c.Extension("STARTTLS")
	switch m.Security {
	case ImplicitTLS, Plain:
	case Opportunistic, StartTLS, "":
		if offered {
			if err := c.StartTLS(cfg); err != nil {
				return fmt.Errorf("start TLS: %w", err)
			}
		} else if m.Security != Opportunistic {
			return errors.New("the server offers no STARTTLS; use security tls, or none for a server on this machine")
		}
	default:
		return fmt.Errorf("security %q is none of starttls, tls, opportunistic, none", m.Security)
	}
	if m.User == "" {
		return nil
	}
	return m.authenticate(c, host)
}

func (m *Mail) authenticate(c *smtp.Client, host string) error {
	if m.Password == nil {
		return errors.New("a user is set without a password")
	}
	password, err := m.Password()
	if err != nil {
		return fmt.Errorf("read password: %w", err)
	}
	_, offered := c.Extension("AUTH")
	auth := smtp.PlainAuth("", m.User, password, host, false)
	if words := strings.Fields(offered); !has(words, "PLAIN") && has(words, "LOGIN") {
		auth = smtp.LoginAuth(m.User, password, host, false)
	}
	if err := c.Auth(auth); err != nil {
		return fmt.Errorf("log in as %s: %w", m.User, err)
	}
	return nil
}

func has(words []string, w string) bool {
	for _, x := range words {
		if strings.EqualFold(x, w) {
			return true
		}
	}
	return false
}

func envelope(c *smtp.Client, msg Message) error {
	if err := c.Mail("<" + msg.From + ">"); err != nil {
		return notSent("name the sender", err)
	}
	if len(msg.To) == 0 {
		return notSent("name the recipients", errors.New("there are none"))
	}
	for _, to := range msg.To {
		if err := c.Rcpt("<" + to + ">"); err != nil {
			return notSent("name the recipient "+to, err)
		}
	}
	return nil
}

// transfer writes the message and waits for the server's word. A reply in words, even a refusal, is a known outcome; silence is not.
func transfer(w io.WriteCloser, b []byte) (string, error) {
	_, werr := w.Write(b)
	err := w.Close()
	if err != nil {
		var said *textproto.Error
		if errors.As(err, &said) {
			return "", notSent("hand over the message", err)
		}
		return "", fmt.Errorf("the connection ended before the server said what became of the message: %w", errors.Join(werr, err))
	}
	if d, ok := w.(*smtp.DataCloser); ok {
		return "250 " + d.ServerResponse(), nil
	}
	return "250", nil
}
