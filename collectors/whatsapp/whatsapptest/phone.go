package whatsapptest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"go.mau.fi/whatsmeow/types"
)

// The addresses of the phone, see Options.Phone.
const (
	phoneScan = "/phone/scan"
	phoneCode = "/phone/code"
)

// servePhone scans or enters the code of a form with the fields code and phone, and answers with the new device's JID.
func (s *Server) servePhone(w http.ResponseWriter, r *http.Request) {
	if !s.opts.Phone || r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	a := DefaultAccount()
	if p := r.FormValue("phone"); p != "" {
		a = Account{Phone: p}
	}
	act := s.Scan
	if r.URL.Path == phoneCode {
		act = s.EnterCode
	}
	jid, err := act(r.Context(), strings.TrimSpace(r.FormValue("code")), a)
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	send(w, []byte(jid.String()))
}

// ScanAt scans a QR code with the phone of a server in another process.
func ScanAt(ctx context.Context, addr, qr string, a Account) (types.JID, error) {
	return post(ctx, "http://"+addr+phoneScan, qr, a)
}

// EnterCodeAt types a pairing code on the phone of a server in another process.
func EnterCodeAt(ctx context.Context, addr, code string, a Account) (types.JID, error) {
	return post(ctx, "http://"+addr+phoneCode, code, a)
}

func post(ctx context.Context, to, code string, a Account) (types.JID, error) {
	form := url.Values{"code": {code}, "phone": {a.Phone}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return types.EmptyJID, fmt.Errorf("reach the phone: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Close = true
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		return types.EmptyJID, fmt.Errorf("reach the phone: %w", err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(io.LimitReader(r.Body, 4096))
	if err != nil {
		return types.EmptyJID, fmt.Errorf("reach the phone: %w", err)
	}
	if r.StatusCode != http.StatusOK {
		return types.EmptyJID, errors.New(strings.TrimSpace(string(b)))
	}
	return types.ParseJID(string(b))
}
