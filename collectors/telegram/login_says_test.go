package telegram_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/gotd/td/session"

	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// loginRows is every error that the API documents for the methods of a login, by method, with the word of its next step.
var loginRows = []struct {
	method string
	code   int
	typ    string
	says   string
}{
	{"auth.sendCode", 400, "API_ID_INVALID", "copy both from https://my.telegram.org"},
	{"auth.sendCode", 400, "API_ID_PUBLISHED_FLOOD", "get your own"},
	{"auth.sendCode", 400, "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN", "official app first"},
	{"auth.sendCode", 400, "PHONE_NUMBER_BANNED", "use another account"},
	{"auth.sendCode", 400, "PHONE_NUMBER_FLOOD", "wait a day"},
	{"auth.sendCode", 400, "PHONE_PASSWORD_PROTECTED", "--qr"},
	{"auth.sendCode", 400, "SMS_CODE_CREATE_FAILED", "try again in an hour"},
	{"auth.sendCode", 406, "PHONE_NUMBER_INVALID", "international form"},
	{"auth.sendCode", 406, "PHONE_PASSWORD_FLOOD", "wait a day"},
	{"auth.sendCode", 406, "UPDATE_APP_TO_LOGIN", "update Muhafiz"},
	{"auth.sendCode", 500, "AUTH_RESTART", "once more"},
	{"auth.sendCode", 420, "FLOOD_WAIT_60", "wait 1m0s"},
	{"auth.sendCode", 420, "FROZEN_METHOD_INVALID", "official app to see the reason"},
	{"auth.sendCode", 401, "USER_DEACTIVATED_BAN", "use another account"},
	{"auth.sendCode", 401, "AUTH_KEY_DUPLICATED", "stop the other one"},
	{"auth.sendCode", 400, "SOMETHING_NEW", "https://core.telegram.org/api/errors"},
	{"auth.sendCode", 500, "INTERNAL", "try again in some minutes"},
	{"auth.signIn", 400, "PHONE_CODE_EMPTY", "type it"},
	{"auth.signIn", 400, "PHONE_CODE_EXPIRED", "type the new one"},
	{"auth.signIn", 400, "PHONE_CODE_INVALID", "type the newest one"},
	{"auth.signIn", 400, "PHONE_NUMBER_UNOCCUPIED", "official app first"},
	{"auth.signIn", 406, "PHONE_NUMBER_INVALID", "international form"},
	{"auth.signIn", 406, "UPDATE_APP_TO_LOGIN", "update Muhafiz"},
	{"auth.signIn", 500, "AUTH_RESTART", "once more"},
	{"auth.signIn", 500, "SIGN_IN_FAILED", "some minutes"},
	{"auth.signIn", 401, "SESSION_PASSWORD_NEEDED", "--password-file"},
	{"account.getPassword", 401, "SESSION_REVOKED", "on another device"},
	{"auth.checkPassword", 400, "PASSWORD_HASH_INVALID", "look at spaces"},
	{"auth.checkPassword", 400, "SRP_ID_INVALID", "run the login again"},
	{"auth.checkPassword", 400, "SRP_PASSWORD_CHANGED", "with the new one"},
	{"auth.checkPassword", 500, "AUTH_KEY_UNSYNCHRONIZED", "in a minute"},
	{"auth.exportLoginToken", 400, "API_ID_INVALID", "copy both"},
	{"auth.exportLoginToken", 400, "API_ID_PUBLISHED_FLOOD", "get your own"},
	{"auth.exportLoginToken", 500, "AUTH_RESTART", "once more"},
	{"auth.importLoginToken", 400, "AUTH_TOKEN_ALREADY_ACCEPTED", "scan the new one"},
	{"auth.importLoginToken", 400, "AUTH_TOKEN_INVALID", "scan the newest one"},
	{"auth.importLoginToken", 400, "AUTH_TOKEN_INVALIDX", "scan the newest one"},
}

func TestEveryDocumentedRefusalNamesTheNextStep(t *testing.T) {
	plain := telegramtest.DefaultAccount()
	two := telegramtest.Account{Phone: "+10005550122", Code: "22222", Password: "correct horse"}
	far := telegramtest.Account{Phone: "+10005550133", Code: "33333", HomeDC: 4}
	l, err := serveAccounts(t, telegramtest.Options{FileDC: 4, Accounts: []telegramtest.Account{plain, two, far}})
	if err != nil {
		t.Fatal(err)
	}
	store := &session.StorageMemory{}
	for _, row := range loginRows {
		t.Run(row.method+"/"+row.typ, func(t *testing.T) {
			defer l.srv.Calm()
			who := plain
			if strings.HasSuffix(row.method, "Password") {
				who = two
			}
			l.srv.Fail(row.method, row.code, row.typ, 10)
			a := telegram.Authenticator{Phone: who.Phone, Code: answer(who.Code)}
			if who.Password != "" {
				a.Password = answer(who.Password)
			}
			o := l.options(t)
			o.Session = store
			if strings.HasSuffix(row.method, "LoginToken") {
				a.ShowQR = func(_ context.Context, q telegram.QR) error { return l.srv.ScanQR(q.URL, far.Phone) }
				o.Session = &session.StorageMemory{} // it moves to another data centre, whose key is of no use to the others
			}
			err := telegram.Login(t.Context(), o, a)
			if !errors.Is(err, telegram.ErrLogin) || !strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), "login refused") {
				t.Errorf("got %v", err)
			}
			if l.srv.LoggedIn() != 0 {
				t.Error("it is logged in")
			}
			l.srv.Revoke()
		})
	}
}

func answer(s string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return s, nil }
}

// A password's parameters may change between the question and the answer.
func TestAPasswordIsOfferedAgainWhenTheQuestionChanged(t *testing.T) {
	two := telegramtest.Account{Phone: "+10005550122", Code: "22222", Password: " correct horse "}
	l, err := serveAccounts(t, telegramtest.Options{Accounts: []telegramtest.Account{two}})
	if err != nil {
		t.Fatal(err)
	}
	l.srv.Fail("auth.checkPassword", 400, "SRP_ID_INVALID", 1)
	l.srv.Fail("auth.checkPassword", 500, "AUTH_KEY_UNSYNCHRONIZED", 1)
	asked, where := 0, ""
	o := l.options(t)
	err = telegram.Login(t.Context(), o, telegram.Authenticator{
		Phone: two.Phone, Code: answer(two.Code), CodeSent: func(s string) { where = s },
		Password: func(context.Context) (string, error) { asked++; return two.Password, nil },
	})
	if err != nil || asked != 1 || !strings.Contains(where, "Telegram app") {
		t.Errorf("asked %d times, code by %q: %v", asked, where, err)
	}
}
