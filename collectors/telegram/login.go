package telegram

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/auth"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"
)

// Authenticator answers what the platform asks at a login. Code and Password are called at most once each; Password may be nil for
// an account without a second factor. With ShowQR the account is logged in by scanning, and Phone and Code are not used.
type Authenticator struct {
	Phone    string // international, with or without +
	Code     func(ctx context.Context) (string, error)
	Password func(ctx context.Context) (string, error)
	// CodeSent, where set, is told where the platform sent the code, before Code is asked.
	CodeSent func(where string)
	// ShowQR is given a link to show as a QR code, again whenever the one before is no longer good. The account's owner scans it
	// with an app that is logged in: Settings, Devices, Link Desktop Device.
	ShowQR func(ctx context.Context, q QR) error
	// Patience is how long a QR code may go unscanned. Default: 10 min.
	Patience time.Duration
}

// ErrLogin is wrapped by every refusal of a login that a person can do something about.
var ErrLogin = errors.New("login refused")

// Login logs an account in through the platform's own flow and leaves the session in o.Session. An account that is logged in
// already is left as it is. It never creates an account.
func Login(ctx context.Context, o Options, a Authenticator) error {
	o.setDefaults()
	if a.Patience <= 0 {
		a.Patience = 10 * time.Minute
	}
	stored := &storedSession{SessionStorage: o.Session, changed: make(chan struct{})}
	if o.Session != nil {
		o.Session = stored
	}
	l := &login{o: o, a: a, stored: stored, wants: 1, scanned: make(chan struct{}, 1)}
	var handler telegram.UpdateHandler
	if a.ShowQR != nil {
		handler = telegram.UpdateHandlerFunc(l.update)
	}
	client, err := o.client(LoginMethods(), handler)
	if err != nil {
		return err
	}
	l.client = client
	return o.loginError(l.run(ctx))
}

// login is one login under way.
type login struct {
	o       Options
	a       Authenticator
	client  *telegram.Client
	stored  *storedSession
	wants   int           // how many times the session must have been stored at the end
	scanned chan struct{} // the platform says that somebody scanned
}

func (l *login) run(ctx context.Context) error {
	cctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slow := time.AfterFunc(l.o.ConnectTimeout, func() { cancel(errUnreachable) })
	defer slow.Stop()
	var result error
	began := false
	err := l.client.Run(cctx, func(ctx context.Context) error {
		slow.Stop()
		began = true
		if result = l.authorise(ctx); result == nil {
			result = l.stored.wait(ctx, l.wants, l.o.RPCTimeout)
		}
		return result
	})
	switch {
	case began && result == nil:
		return nil // the login is done and stored; how the connection ends does not matter
	case began:
		return result
	case ctx.Err() == nil && errors.Is(context.Cause(cctx), errUnreachable):
		return errUnreachable
	case err == nil:
		return ctx.Err()
	}
	return err
}

func (l *login) authorise(ctx context.Context) error {
	st, err := l.client.Auth().Status(ctx)
	if err != nil || st.Authorized {
		return err
	}
	if l.a.ShowQR != nil {
		err = l.byQR(ctx)
	} else {
		err = l.byCode(ctx)
	}
	if passwordNeeded(err) {
		return l.password(ctx)
	}
	return err
}

func passwordNeeded(err error) bool {
	return errors.Is(err, auth.ErrPasswordAuthNeeded) || tgerr.Is(err, "SESSION_PASSWORD_NEEDED")
}

var errNoAccount = fmt.Errorf("%w: this telephone number has no Telegram account; make one with an official app first", ErrLogin)

func (l *login) byCode(ctx context.Context) error {
	sent, err := l.client.Auth().SendCode(ctx, l.a.Phone, auth.SendCodeOptions{})
	if err != nil {
		return err
	}
	var hash string
	switch s := sent.(type) {
	case *tg.AuthSentCode:
		hash = s.PhoneCodeHash
		where, err := sentWhere(s.Type)
		if err != nil {
			return err
		}
		if l.a.CodeSent != nil {
			l.a.CodeSent(where)
		}
	case *tg.AuthSentCodeSuccess:
		return authorised(s.Authorization)
	default:
		return fmt.Errorf("%w: Telegram wants a payment before it sends a code; log in by QR code instead (--qr)", ErrLogin)
	}
	if l.a.Code == nil {
		return fmt.Errorf("%w: Telegram sent a code and there is nobody to type it; run the login on a terminal", ErrLogin)
	}
	code, err := l.a.Code(ctx)
	if err != nil {
		return err
	}
	_, err = l.client.Auth().SignIn(ctx, l.a.Phone, code, hash)
	var up *auth.SignUpRequired
	if errors.As(err, &up) {
		return errNoAccount
	}
	return err
}

// sentWhere says in words where the code is to be found. https://core.telegram.org/type/auth.SentCodeType
func sentWhere(t tg.AuthSentCodeTypeClass) (string, error) {
	switch t := t.(type) {
	case *tg.AuthSentCodeTypeApp:
		return "a message in the Telegram app where the account is logged in", nil
	case *tg.AuthSentCodeTypeSMS, *tg.AuthSentCodeTypeFirebaseSMS:
		return "an SMS", nil
	case *tg.AuthSentCodeTypeSMSWord, *tg.AuthSentCodeTypeSMSPhrase:
		return "an SMS that holds words; type them all", nil
	case *tg.AuthSentCodeTypeCall:
		return "a telephone call that reads it out", nil
	case *tg.AuthSentCodeTypeFlashCall:
		return "a telephone call; the code is the caller's number", nil
	case *tg.AuthSentCodeTypeMissedCall:
		return fmt.Sprintf("a missed call; the code is the last %d digits of the caller's number", t.Length), nil
	case *tg.AuthSentCodeTypeEmailCode:
		return "a mail to the account's login address " + t.EmailPattern, nil
	case *tg.AuthSentCodeTypeFragmentSMS:
		return "Fragment: " + t.URL, nil
	case *tg.AuthSentCodeTypeSetUpEmailRequired:
		return "", fmt.Errorf("%w: Telegram wants a mail address for logins first; set one in an official app, or log in by QR code (--qr)", ErrLogin)
	}
	return "a way that this program does not know: look at the account's devices", nil
}

func authorised(a tg.AuthAuthorizationClass) error {
	if _, ok := a.(*tg.AuthAuthorization); !ok {
		return errNoAccount
	}
	return nil
}

// passwordTries is how often a password is offered again when the platform changed its parameters meanwhile.
const passwordTries = 3

// password gives the second factor. The password is asked for once.
func (l *login) password(ctx context.Context) error {
	if l.a.Password == nil {
		return fmt.Errorf("%w: the account has a two-step password; give it as well, with --password-file or on a terminal", ErrLogin)
	}
	word, err := l.a.Password(ctx)
	if err != nil {
		return err
	}
	for range passwordTries {
		_, err = l.client.Auth().Password(ctx, word)
		if !tgerr.Is(err, "SRP_ID_INVALID", "SRP_PASSWORD_CHANGED", "AUTH_KEY_UNSYNCHRONIZED") {
			break
		}
	}
	if errors.Is(err, auth.ErrPasswordInvalid) {
		return fmt.Errorf("%w: %s: %w", ErrLogin, loginSays["PASSWORD_HASH_INVALID"], err)
	}
	return err
}
