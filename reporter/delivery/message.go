package delivery

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Letter is what a message is built from.
type Letter struct {
	From      string // RFC 5322: `Desk <desk@example.org>` or a bare address
	To        []string
	Subject   string
	MessageID string // without angle brackets, fixed when the notice is drafted
	Date      time.Time
	Text      string // plain text in LF lines
	Machine   []byte // attached as notice.json
	Urgent    bool   // marked as such in the header, too
}

// Build returns the message's exact bytes; equal letters give equal bytes.
func Build(l Letter) ([]byte, error) {
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingQP))
	if err := m.From(l.From); err != nil {
		return nil, fmt.Errorf("sender %q: %w", l.From, err)
	}
	if len(l.To) == 0 {
		return nil, errors.New("a message needs a recipient")
	}
	if err := m.To(l.To...); err != nil {
		return nil, fmt.Errorf("recipient: %w", err)
	}
	if strings.ContainsAny(l.MessageID, "\r\n <>") || !strings.Contains(l.MessageID, "@") {
		return nil, fmt.Errorf("message id %q is not of the form left@right", l.MessageID)
	}
	m.Subject(l.Subject)
	m.SetMessageIDWithValue(l.MessageID)
	m.SetDateWithValue(l.Date.UTC())
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	if l.Urgent {
		m.SetImportance(gomail.ImportanceHigh)
	}
	m.SetBodyString(gomail.TypeTextPlain, l.Text)
	if len(l.Machine) > 0 {
		// A boundary made of the contents cannot occur in them and is the same next time.
		sum := evidence.Sum(append([]byte(l.MessageID+"\n"+l.Text+"\n"), l.Machine...))
		m.SetBoundary("muhafiz-" + hex.EncodeToString(sum[:16]))
		err := m.AttachReader("notice.json", bytes.NewReader(l.Machine), gomail.WithFileContentType("application/json"))
		if err != nil {
			return nil, fmt.Errorf("attach notice.json: %w", err)
		}
	}
	var buf bytes.Buffer
	if _, err := m.WriteTo(&buf); err != nil {
		return nil, fmt.Errorf("write message: %w", err)
	}
	return canonicalLines(buf.Bytes()), nil
}

// canonicalLines ends every line in CRLF, the last one too: on the wire nothing else can be said, so what is kept says it already.
func canonicalLines(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	b = bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
	if !bytes.HasSuffix(b, []byte("\r\n")) {
		b = append(b, "\r\n"...)
	}
	return b
}

// Address returns the bare address of an RFC 5322 mailbox.
func Address(s string) (string, error) {
	a, err := mail.ParseAddress(s)
	if err != nil {
		return "", fmt.Errorf("address %q: %w", s, err)
	}
	return a.Address, nil
}

// Text returns the plain text part of a message that Build made, in LF lines.
func Text(message []byte) (string, error) {
	m, err := mail.ReadMessage(bytes.NewReader(message))
	if err != nil {
		return "", fmt.Errorf("read message: %w", err)
	}
	typ, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return "", fmt.Errorf("read message: %w", err)
	}
	body, encoding := m.Body, m.Header.Get("Content-Transfer-Encoding")
	if strings.HasPrefix(typ, "multipart/") {
		part, err := multipart.NewReader(m.Body, params["boundary"]).NextRawPart()
		if err != nil {
			return "", fmt.Errorf("read text part: %w", err)
		}
		body, encoding = part, part.Header.Get("Content-Transfer-Encoding")
	}
	if strings.EqualFold(encoding, "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return "", fmt.Errorf("read text part: %w", err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n"), nil
}
