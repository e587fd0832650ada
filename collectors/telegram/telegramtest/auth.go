package telegramtest

import (
	"crypto/rand"
	"encoding/binary"
	"maps"
	"strings"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// Account may log in. User is given by the world when its ID is zero.
type Account struct {
	Phone    string // any form, digits count
	Code     string // the login code that the platform would send
	Password string // of the second step; none when empty
	User     User
	HomeDC   int // where a login by QR code ends; the main data centre when zero
}

// DefaultAccount is the account that may log in when Options name none.
func DefaultAccount() Account {
	return Account{Phone: "+10005550100", Code: "10055", User: User{FirstName: "Loopback", LastName: "Reader"}}
}

// authState is who may log in and who has. Guarded by the server's mutex.
type authState struct {
	accounts []*Account
	users    map[[8]byte]*Account // by auth key: logged in
	pending  map[[8]byte]*Account // by auth key: has given the code, owes the password
	exported map[string]*Account  // by the token of auth.exportAuthorization
	srp      map[[8]byte]*srpServer
	tokens   map[string]*loginToken // of auth.exportLoginToken
	frozen   *Freeze
}

func newAuthState(w *World, accounts []Account) authState {
	a := authState{}
	for _, acc := range accounts {
		acc.Phone = digits(acc.Phone)
		acc.User = w.ownUser(acc.User)
		a.accounts = append(a.accounts, &acc)
	}
	a.forget()
	return a
}

// forget drops everything that hangs on auth keys.
func (a *authState) forget() {
	a.users, a.pending = map[[8]byte]*Account{}, map[[8]byte]*Account{}
	a.exported, a.srp = map[string]*Account{}, map[[8]byte]*srpServer{}
	a.tokens = map[string]*loginToken{}
}

func digits(phone string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, phone)
}

// Revoke logs every session out, as when the account's owner or the platform ends them: from now on calls are answered with
// AUTH_KEY_UNREGISTERED until the client logs in again.
func (s *Server) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.auth.forget()
}

// RevokePhone logs every session of one account out, and leaves the others.
func (s *Server) RevokePhone(phone string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	acc := s.auth.byPhone(phone)
	maps.DeleteFunc(s.auth.users, func(_ [8]byte, a *Account) bool { return a == acc })
}

// LoggedIn returns the number of auth keys that are logged in.
func (s *Server) LoggedIn() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.auth.users)
}

func (s *Server) loggedIn(key [8]byte) bool { return s.account(key) != nil }

func (s *Server) account(key [8]byte) *Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.auth.users[key]
}

func (a *authState) byPhone(phone string) *Account {
	phone = digits(phone)
	for _, acc := range a.accounts {
		if acc.Phone == phone {
			return acc
		}
	}
	return nil
}

func (s *Server) sendCode(_ caller, q *tg.AuthSendCodeRequest) (bin.Encoder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	acc := s.auth.byPhone(q.PhoneNumber)
	if acc == nil {
		return nil, tgerr.New(400, "PHONE_NUMBER_INVALID")
	}
	return &tg.AuthSentCode{Type: &tg.AuthSentCodeTypeApp{Length: len(acc.Code)}, PhoneCodeHash: codeHash(acc)}, nil
}

// codeHash ties a code to the phone that it was sent to.
func codeHash(acc *Account) string { return "loopback-" + acc.Phone }

func (s *Server) signIn(by caller, q *tg.AuthSignInRequest) (bin.Encoder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	acc := s.auth.byPhone(q.PhoneNumber)
	switch {
	case acc == nil:
		return nil, tgerr.New(400, "PHONE_NUMBER_INVALID")
	case q.PhoneCodeHash != codeHash(acc):
		return nil, tgerr.New(400, "PHONE_CODE_EXPIRED")
	case q.PhoneCode == "":
		return nil, tgerr.New(400, "PHONE_CODE_EMPTY")
	case q.PhoneCode != acc.Code:
		return nil, tgerr.New(400, "PHONE_CODE_INVALID")
	case acc.Password != "":
		s.auth.pending[by.key] = acc
		return nil, tgerr.New(401, "SESSION_PASSWORD_NEEDED")
	}
	return s.admit(by.key, acc), nil
}

// admit logs a key in. The caller holds the mutex.
func (s *Server) admit(key [8]byte, acc *Account) *tg.AuthAuthorization {
	delete(s.auth.pending, key)
	delete(s.auth.srp, key)
	s.auth.users[key] = acc
	return &tg.AuthAuthorization{User: acc.self()}
}

func (acc *Account) self() *tg.User {
	u := acc.User.user()
	u.Self, u.Phone = true, acc.Phone
	return u
}

func (s *Server) getPassword(by caller, _ *tg.AccountGetPasswordRequest) (bin.Encoder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	acc := s.auth.pending[by.key]
	if acc == nil {
		acc = s.auth.users[by.key]
	}
	if acc == nil {
		return nil, tgerr.New(401, "AUTH_KEY_UNREGISTERED")
	}
	p := &tg.AccountPassword{
		NewAlgo: &tg.PasswordKdfAlgoUnknown{}, NewSecureAlgo: &tg.SecurePasswordKdfAlgoUnknown{}, SecureRandom: randomBytes(256),
	}
	if acc.Password == "" {
		return p, nil
	}
	v, err := newSRPServer(acc.Password)
	if err != nil {
		return nil, err
	}
	s.auth.srp[by.key] = v
	p.HasPassword, p.CurrentAlgo, p.SRPB, p.SRPID = true, v.algorithm(), v.publicB, v.id
	return p, nil
}

func (s *Server) checkPassword(by caller, q *tg.AuthCheckPasswordRequest) (bin.Encoder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	acc, v := s.auth.pending[by.key], s.auth.srp[by.key]
	in, ok := q.Password.(*tg.InputCheckPasswordSRP)
	switch {
	case acc == nil:
		return nil, tgerr.New(401, "AUTH_KEY_UNREGISTERED")
	case !ok || v == nil || in.SRPID != v.id:
		return nil, tgerr.New(400, "SRP_ID_INVALID")
	case !v.check(in.A, in.M1):
		return nil, tgerr.New(400, "PASSWORD_HASH_INVALID")
	}
	return s.admit(by.key, acc), nil
}

func (s *Server) exportAuthorization(by caller, q *tg.AuthExportAuthorizationRequest) (bin.Encoder, error) {
	if q.DCID == by.dc || q.DCID != s.opts.DC && q.DCID != s.opts.FileDC {
		return nil, tgerr.New(400, "DC_ID_INVALID") // the platform exports to other data centres only
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	acc, token := s.auth.users[by.key], randomBytes(32)
	s.auth.exported[string(token)] = acc
	return &tg.AuthExportedAuthorization{ID: acc.User.ID, Bytes: token}, nil
}

func (s *Server) importAuthorization(by caller, q *tg.AuthImportAuthorizationRequest) (bin.Encoder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	acc := s.auth.exported[string(q.Bytes)]
	if acc == nil || acc.User.ID != q.ID {
		return nil, tgerr.New(400, "AUTH_BYTES_INVALID")
	}
	delete(s.auth.exported, string(q.Bytes))
	return s.admit(by.key, acc), nil
}

func (s *Server) logOut(by caller, _ *tg.AuthLogOutRequest) (bin.Encoder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.auth.users, by.key)
	return &tg.AuthLoggedOut{}, nil
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

func randomID() int64 { return int64(binary.LittleEndian.Uint64(randomBytes(8)) >> 1) }
