package telegram

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gotd/td/telegram/auth"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// Authenticator answers what the platform asks at a login. Code and Password are called at most once each; Password may be nil for
// an account without a second factor.
type Authenticator struct {
	Phone    string // international, with or without +
	Code     func(ctx context.Context) (string, error)
	Password func(ctx context.Context) (string, error)
}

// ErrLogin is wrapped by every refusal of a login that a person can do something about.
var ErrLogin = errors.New("login refused")

// Login logs an account in through the platform's own flow and leaves the session in o.Session. An account that is logged in
// already is left as it is. It never creates an account.
func Login(ctx context.Context, o Options, a Authenticator) error {
	o.setDefaults()
	stored := &storedSession{SessionStorage: o.Session, done: make(chan struct{})}
	if o.Session != nil {
		o.Session = stored
	}
	client, err := o.client(LoginMethods(), nil)
	if err != nil {
		return err
	}
	cctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slow := time.AfterFunc(o.ConnectTimeout, func() { cancel(errUnreachable) })
	defer slow.Stop()
	var result error
	began := false
	err = client.Run(cctx, func(ctx context.Context) error {
		slow.Stop()
		began = true
		if result = client.Auth().IfNecessary(ctx, auth.NewFlow(answers{a}, auth.SendCodeOptions{})); result == nil {
			result = stored.wait(ctx, o.RPCTimeout)
		}
		return result
	})
	switch {
	case began && result == nil:
		return nil // the login is done and stored; how the connection ends does not matter
	case began:
		err = result
	case ctx.Err() == nil && errors.Is(context.Cause(cctx), errUnreachable):
		err = errUnreachable
	case err == nil:
		err = ctx.Err()
	}
	return loginError(o.Alias, err)
}

// storedSession tells when the client has stored its session. The client does so in the background after it is connected, and gives
// up when it is closed: a login that is answered quickly would end with nothing stored.
type storedSession struct {
	SessionStorage
	once sync.Once
	done chan struct{}
}

func (s *storedSession) StoreSession(ctx context.Context, data []byte) error {
	err := s.SessionStorage.StoreSession(ctx, data)
	if err == nil {
		s.once.Do(func() { close(s.done) })
	}
	return err
}

func (s *storedSession) wait(ctx context.Context, limit time.Duration) error {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return errors.New("the login was accepted but its session could not be stored; look at the disk and log in again")
	}
}

// answers adapts an Authenticator to the client's flow.
type answers struct{ a Authenticator }

var errNoAccount = fmt.Errorf("%w: this telephone number has no Telegram account; make one with an official app first", ErrLogin)

func (s answers) Phone(context.Context) (string, error) { return s.a.Phone, nil }

func (s answers) Code(ctx context.Context, _ *tg.AuthSentCode) (string, error) {
	if s.a.Code == nil {
		return "", fmt.Errorf("%w: Telegram sent a code and there is nobody to type it; run the login on a terminal", ErrLogin)
	}
	return s.a.Code(ctx)
}

func (s answers) Password(ctx context.Context) (string, error) {
	if s.a.Password == nil {
		return "", fmt.Errorf("%w: the account has a two-step password; give it as well", ErrLogin)
	}
	return s.a.Password(ctx)
}

func (answers) AcceptTermsOfService(context.Context, tg.HelpTermsOfService) error {
	return errNoAccount
}

func (answers) SignUp(context.Context) (auth.UserInfo, error) { return auth.UserInfo{}, errNoAccount }

// loginError says in a sentence what to do about a refusal.
func loginError(alias string, err error) error {
	if err == nil || errors.Is(err, ErrLogin) {
		return err
	}
	if d, ok := tgerr.AsFloodWait(err); ok {
		return fmt.Errorf("%w: Telegram asks to wait %s before the next try for account %s: %w", ErrLogin, d, alias, err)
	}
	if errors.Is(err, auth.ErrPasswordInvalid) {
		return fmt.Errorf("%w: the two-step password is wrong; try again: %w", ErrLogin, err)
	}
	rpc, ok := tgerr.As(err)
	if !ok {
		return fmt.Errorf("log account %s in: %w", alias, err)
	}
	says := map[string]string{
		"PHONE_CODE_INVALID":      "the code is wrong; run the login again and type the newest one",
		"PHONE_CODE_EMPTY":        "no code was typed; run the login again",
		"PHONE_CODE_EXPIRED":      "the code is too old; run the login again",
		"PHONE_NUMBER_INVALID":    "Telegram does not accept the telephone number; give it in international form, such as +441234567890",
		"PHONE_NUMBER_BANNED":     "Telegram closed the account of this number; use another account",
		"PHONE_NUMBER_FLOOD":      "Telegram saw too many logins of this number; wait a day",
		"PHONE_PASSWORD_FLOOD":    "Telegram saw too many wrong passwords; wait a day",
		"PASSWORD_HASH_INVALID":   "the two-step password is wrong; try again",
		"SESSION_PASSWORD_NEEDED": "the account has a two-step password; give it as well",
		"API_ID_INVALID":          "Telegram does not know this app_id and app_hash; copy them from my.telegram.org",
		"API_ID_PUBLISHED_FLOOD":  "this app_id is public and therefore limited; get your own at my.telegram.org",
	}[rpc.Type]
	if says == "" {
		says = "Telegram refused"
	}
	return fmt.Errorf("%w: %s: %w", ErrLogin, says, err)
}
