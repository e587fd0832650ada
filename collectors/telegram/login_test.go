package telegram_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

func TestLoginSaysWhatToDo(t *testing.T) {
	l := theLab(t)
	acc := telegramtest.DefaultAccount()
	code := func(c string) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return c, nil }
	}
	store := vaultless{}
	for _, c := range []struct {
		name, phone, code, says string
		fail                    func()
	}{
		{"number", "12", acc.Code, "telephone number", nil},
		{"code", acc.Phone, "00000", "code is wrong", nil},
		{"flood", acc.Phone, acc.Code, "wait 1m", func() { l.srv.Flood("auth.sendCode", 60, 1) }},
		{"password", acc.Phone, acc.Code, "two-step password", func() { l.srv.Fail("auth.signIn", 401, "SESSION_PASSWORD_NEEDED", 1) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer l.srv.Calm()
			if c.fail != nil {
				c.fail()
			}
			o := l.options(t)
			o.Session = store
			err := telegram.Login(t.Context(), o, telegram.Authenticator{Phone: c.phone, Code: code(c.code)})
			if !errors.Is(err, telegram.ErrLogin) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAPlatformOutOfReachIsAnErrorInTime(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 1)
	v := newVault(t, target(ch))
	o := l.options(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.Network.Addr = free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	o.ConnectTimeout = 300 * time.Millisecond
	got := start(t, v, v, o, target(ch)).ended(t)
	if got == nil || collectors.IsPermanent(got) || !strings.Contains(got.Error(), "no connection to Telegram") {
		t.Errorf("got %v", got)
	}
}

func TestATestNetworkThatCannotBeUsed(t *testing.T) {
	l := theLab(t)
	for _, change := range []func(*telegram.Network){
		func(n *telegram.Network) { n.Addr = "nowhere" },
		func(n *telegram.Network) { n.Addr = "127.0.0.1:http" },
		func(n *telegram.Network) { n.PublicKeyPEM = []byte("none") },
	} {
		o := l.options(t)
		change(o.Network)
		v := newVault(t)
		if err := start(t, v, v, o).ended(t); !collectors.IsPermanent(err) {
			t.Errorf("got %v", err)
		}
	}
}

// A private person stands in bodies by pseudonym alone.
func TestPrivatePersonsAreOrdinals(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 0)
	u := l.world.AddUser(telegramtest.User{FirstName: "Simulated", LastName: "Zanzibari"})
	ch.Post(telegramtest.Post{Text: "Simulated 1", Signature: "Zanzibari"})
	ch.Post(telegramtest.Post{Text: "Simulated 2", Forward: &telegramtest.Forward{User: u.ID, Date: 1}})
	ch.Post(telegramtest.Post{Text: "Simulated 3", Forward: &telegramtest.Forward{Name: "Zanzibari", Date: 1}})
	ch.Post(telegramtest.Post{Text: "Simulated 4", Entities: []telegramtest.Entity{{Type: "mention_name", Length: 9, User: u.ID}}})
	rs := observe(t, l, target(ch)).until(t, "the posts", posts(4))
	for _, r := range rs {
		b, bound := r.body.(*evidence.AccountBound)
		if bound && b.Private {
			continue
		}
		for _, s := range []string{"Zanzibari", strconv.FormatInt(u.ID, 10)} {
			if bytes.Contains(r.Body, []byte(s)) {
				t.Errorf("%s of %s names the person: %s", r.Kind, r.Subject, r.Body)
			}
		}
	}
	for _, p := range of[*evidence.PostSeen](rs) {
		if named := p.Text == "Simulated 4"; p.NamesAPerson != named {
			t.Errorf("%s: names a person: %v", p.Text, p.NamesAPerson)
		}
	}
}

// The account's owner reads in the list of sessions what this program is.
func TestTheDeviceIsTheTruth(t *testing.T) {
	l := theLab(t)
	for _, c := range []struct {
		device telegram.Device
		want   telegramtest.Device
	}{
		{telegram.Device{}, telegramtest.Device{Model: "Muhafiz", System: runtime.GOOS + "/" + runtime.GOARCH, AppVersion: "test", Language: "en"}},
		{telegram.Device{Model: "Muhafiz at Example Office", System: "server", AppVersion: "1", Language: "ur-PK"}, telegramtest.Device{Model: "Muhafiz at Example Office", System: "server", AppVersion: "1", Language: "ur-PK"}},
	} {
		o := l.options(t)
		o.Device = c.device
		if err := telegram.Login(t.Context(), o, telegram.Authenticator{}); err != nil {
			t.Fatal(err)
		}
		if got := l.srv.LastDevice(); got != c.want {
			t.Errorf("got %+v, want %+v", got, c.want)
		}
	}
}
