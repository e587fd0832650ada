package telegramtest

import (
	"context"
	"encoding/base64"
	"strings"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
	"github.com/gotd/td/tgtest"
)

// loginToken is a QR code that was shown, https://core.telegram.org/api/qr-login.
type loginToken struct {
	key     [8]byte // that asked for it
	expires time.Time
	account *Account // that scanned it, nil before
}

// tokenLife is how long a token is good when the script does not say otherwise, as the documentation has it.
const tokenLife = 30 * time.Second

// TokenLife makes the login tokens from now on expire after d; zero restores the platform's half minute.
func (s *Server) TokenLife(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script.tokenLife = d
}

// ScanQR plays an app that is logged in with a number and opens the link of a QR code: auth.acceptLoginToken. The error is the one
// that the platform gives the app.
func (s *Server) ScanQR(link, phone string) error {
	raw, err := base64.URLEncoding.DecodeString(strings.TrimPrefix(link, "tg://login?token="))
	if err != nil {
		return tgerr.New(400, "AUTH_TOKEN_INVALID")
	}
	s.mu.Lock()
	t, acc := s.auth.tokens[string(raw)], s.auth.byPhone(phone)
	switch {
	case t == nil || acc == nil:
		err = tgerr.New(400, "AUTH_TOKEN_INVALID")
	case t.account != nil:
		err = tgerr.New(400, "AUTH_TOKEN_ALREADY_ACCEPTED")
	case time.Now().After(t.expires):
		err = tgerr.New(400, "AUTH_TOKEN_EXPIRED")
	default:
		t.account = acc
	}
	var to []session
	if err == nil {
		for _, k := range s.sessions {
			if k.AuthKey.ID == t.key && k.updates {
				to = append(to, *k)
			}
		}
	}
	s.mu.Unlock()
	for _, k := range to {
		ctx, cancel := context.WithTimeout(s.ctx, 5*time.Second)
		_ = k.srv.Send(ctx, k.Session, tgtest.MessageFromServer, &tg.UpdateShort{Update: &tg.UpdateLoginToken{}, Date: int(time.Now().Unix())})
		cancel() // a client that went away does not hear it, and asks again by itself
	}
	return err
}

func (s *Server) exportLoginToken(by caller, q *tg.AuthExportLoginTokenRequest) (bin.Encoder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for raw, t := range s.auth.tokens {
		if t.key != by.key || t.account == nil {
			continue
		}
		if home := t.account.HomeDC; home != 0 && home != by.dc {
			return &tg.AuthLoginTokenMigrateTo{DCID: home, Token: []byte(raw)}, nil
		}
		return s.acceptToken(by.key, raw, t)
	}
	life := s.script.tokenLife
	if life == 0 {
		life = tokenLife
	}
	t := &loginToken{key: by.key, expires: time.Now().Add(life)}
	raw := randomBytes(32)
	s.auth.tokens[string(raw)] = t
	return &tg.AuthLoginToken{Expires: int(t.expires.Unix()), Token: raw}, nil
}

func (s *Server) importLoginToken(by caller, q *tg.AuthImportLoginTokenRequest) (bin.Encoder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.auth.tokens[string(q.Token)]
	if t == nil || t.account == nil {
		return nil, tgerr.New(400, "AUTH_TOKEN_INVALID")
	}
	return s.acceptToken(by.key, string(q.Token), t)
}

// acceptToken logs a key in with a token that was scanned, or says that the password is owed. The caller holds the mutex.
func (s *Server) acceptToken(key [8]byte, raw string, t *loginToken) (bin.Encoder, error) {
	delete(s.auth.tokens, raw)
	if t.account.Password != "" {
		s.auth.pending[key] = t.account
		return nil, tgerr.New(401, "SESSION_PASSWORD_NEEDED")
	}
	return &tg.AuthLoginTokenSuccess{Authorization: s.admit(key, t.account)}, nil
}

// Freeze is what the platform says of a frozen account in help.getAppConfig, https://core.telegram.org/api/auth#frozen-accounts.
type Freeze struct {
	Since, Until time.Time
	AppealURL    string
}

// Freeze makes help.getAppConfig say that the account is frozen; nil takes it back. Which methods are refused is for Fail to say.
func (s *Server) Freeze(f *Freeze) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.auth.frozen = f
}

func (s *Server) getAppConfig(_ caller, _ *tg.HelpGetAppConfigRequest) (bin.Encoder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	values := []tg.JSONObjectValue{{Key: "test", Value: &tg.JSONNumber{Value: 1}}}
	if f := s.auth.frozen; f != nil {
		values = append(values,
			tg.JSONObjectValue{Key: "freeze_since_date", Value: &tg.JSONNumber{Value: float64(f.Since.Unix())}},
			tg.JSONObjectValue{Key: "freeze_until_date", Value: &tg.JSONNumber{Value: float64(f.Until.Unix())}},
			tg.JSONObjectValue{Key: "freeze_appeal_url", Value: &tg.JSONString{Value: f.AppealURL}})
	}
	return &tg.HelpAppConfig{Hash: 1, Config: &tg.JSONObject{Value: values}}, nil
}
