package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/emersion/go-smtp"
)

// mailbox is an abuse desk's mail server on the loopback interface: it takes every message and keeps each in
// a file whose name begins with its digest, so that a message that came twice would be seen.
type mailbox struct {
	dir string
	srv *smtp.Server
	ln  net.Listener
}

const maxMessage = 16 << 20

func openMailbox(dir, addr string) (*mailbox, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen for mail: %w", err)
	}
	m := &mailbox{dir: dir, ln: ln}
	m.srv = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &delivery{box: m}, nil }))
	m.srv.Domain = "abuse.example"
	m.srv.ReadTimeout, m.srv.WriteTimeout = 30*time.Second, 30*time.Second
	m.srv.MaxMessageBytes = maxMessage
	go m.srv.Serve(ln)
	return m, nil
}

func (m *mailbox) close() error { return m.srv.Close() }

// messages returns the files that arrived, in all runs.
func (m *mailbox) messages() ([]string, error) {
	return filepath.Glob(filepath.Join(m.dir, "*.eml"))
}

// delivery is one SMTP session.
type delivery struct{ box *mailbox }

func (d *delivery) Mail(string, *smtp.MailOptions) error { return nil }
func (d *delivery) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (d *delivery) Reset()                               {}
func (d *delivery) Logout() error                        { return nil }

func (d *delivery) Data(r io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(r, maxMessage))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(b)
	f, err := os.CreateTemp(d.box.dir, hex.EncodeToString(sum[:8])+"-*.eml")
	if err != nil {
		return err
	}
	if _, err := f.Write(b); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
