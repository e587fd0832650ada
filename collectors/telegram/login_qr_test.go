package telegram_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gotd/td/session"

	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// serveAccounts is a server of its own for accounts other than the shared one; nobody is logged in.
func serveAccounts(t *testing.T, o telegramtest.Options) (*lab, error) {
	t.Helper()
	w := telegramtest.NewWorld(nil)
	o.Ledger = &ledger
	srv, err := telegramtest.Serve(context.Background(), w, o)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { srv.Close() })
	return &lab{srv: srv, world: w, store: &session.StorageMemory{}}, nil
}

func TestLoginByQR(t *testing.T) {
	for _, c := range []struct {
		name    string
		account telegramtest.Account
		renewed int // how many codes go by before one is scanned
	}{
		{"scanned at once", telegramtest.Account{Phone: "+10005550140"}, 0},
		{"renewed twice", telegramtest.Account{Phone: "+10005550141"}, 2},
		{"two-step password", telegramtest.Account{Phone: "+10005550142", Password: "correct horse"}, 0},
		{"lives in another data centre", telegramtest.Account{Phone: "+10005550143", HomeDC: 4}, 0},
		{"password there", telegramtest.Account{Phone: "+10005550144", HomeDC: 4, Password: "correct horse"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := serveAccounts(t, telegramtest.Options{FileDC: 4, Accounts: []telegramtest.Account{c.account}})
			if err != nil {
				t.Fatal(err)
			}
			l.srv.TokenLife(2 * time.Second)
			var shown []string
			a := telegram.Authenticator{
				Password: answer(c.account.Password),
				ShowQR: func(_ context.Context, q telegram.QR) error {
					shown = append(shown, q.URL)
					if len(shown) <= c.renewed {
						return nil
					}
					return l.srv.ScanQR(q.URL, c.account.Phone)
				},
			}
			if err := telegram.Login(t.Context(), l.options(t), a); err != nil {
				t.Fatal(err)
			}
			if len(shown) != c.renewed+1 || !strings.HasPrefix(shown[0], "tg://login?token=") {
				t.Errorf("%d codes were shown", len(shown))
			}
			for i := 1; i < len(shown); i++ {
				if shown[i] == shown[i-1] {
					t.Error("an old code was shown again")
				}
			}
			// The stored session is the one that is logged in, wherever that is.
			ch := l.channel(t, 3)
			v := newVault(t, target(ch))
			start(t, v, v, l.options(t), target(ch)).until(t, "the posts", posts(3))
		})
	}
}

func TestNobodyScans(t *testing.T) {
	l := theLab(t)
	o := l.options(t)
	o.Session = &session.StorageMemory{}
	err := telegram.Login(t.Context(), o, telegram.Authenticator{
		Patience: 50 * time.Millisecond, ShowQR: func(context.Context, telegram.QR) error { return nil },
	})
	if !errors.Is(err, telegram.ErrLogin) || !strings.Contains(err.Error(), "nobody scanned") {
		t.Errorf("got %v", err)
	}
}

// A code that was accepted by an app when it had already expired in the other data centre is shown anew.
func TestAnExpiredTokenIsRenewed(t *testing.T) {
	acc := telegramtest.Account{Phone: "+10005550145", HomeDC: 4}
	l, err := serveAccounts(t, telegramtest.Options{FileDC: 4, Accounts: []telegramtest.Account{acc}})
	if err != nil {
		t.Fatal(err)
	}
	l.srv.Fail("auth.importLoginToken", 400, "AUTH_TOKEN_EXPIRED", 1)
	shown := 0
	err = telegram.Login(t.Context(), l.options(t), telegram.Authenticator{ShowQR: func(_ context.Context, q telegram.QR) error {
		shown++
		return l.srv.ScanQR(q.URL, acc.Phone)
	}})
	if err != nil || l.srv.LoggedIn() != 1 {
		t.Errorf("%d codes, %d logged in: %v", shown, l.srv.LoggedIn(), err)
	}
}
