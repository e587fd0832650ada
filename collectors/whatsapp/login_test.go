package whatsapp_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/whatsapp"
	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

func TestLoginByCode(t *testing.T) {
	l := newLab(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	a := whatsapptest.DefaultAccount()
	err := whatsapp.Login(ctx, l.o, whatsapp.Pairing{Phone: "+" + a.Phone, Code: func(code string) {
		go func() { _, _ = l.srv.EnterCode(ctx, code, a) }()
	}})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := whatsapp.Linked(ctx, l.o); err != nil || n != a.Phone {
		t.Errorf("linked to %q, %v", n, err)
	}
	if err := whatsapp.Login(ctx, l.o, whatsapp.Pairing{}); !errors.Is(err, whatsapp.ErrLinked) {
		t.Errorf("a second login: %v", err)
	}
}

func TestLoginRefused(t *testing.T) {
	if raced(t) {
		return
	}
	for _, c := range []struct {
		name, says string
		p          whatsapp.Pairing
		begin      func(*lab)
	}{
		{name: "outdated", says: "version", begin: func(l *lab) { l.srv.Refuse(whatsapptest.Refusal{Reason: 405}, 1) }},
		{name: "locked out", says: "locked account desk out until", begin: func(l *lab) { l.srv.Refuse(whatsapptest.Refusal{Reason: 402, Code: 101, Expire: time.Hour}, 1) }},
		{name: "no number", says: "international form", p: whatsapp.Pairing{Phone: "0123"}},
		{name: "nobody comes", says: "run the login again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			if c.begin != nil {
				c.begin(l)
			}
			if c.p.Phone == "" {
				c.p.QR = func(string) { l.srv.DropConnections() }
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			err := whatsapp.Login(ctx, l.o, c.p)
			if !errors.Is(err, whatsapp.ErrLogin) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestForget(t *testing.T) {
	l := linked(t)
	if err := whatsapp.Forget(t.Context(), l.o); err != nil {
		t.Fatal(err)
	}
	if n := len(l.world.Devices()); n != 0 {
		t.Errorf("%d devices are still linked", n)
	}
	if _, err := os.Stat(l.o.Device.Path); !os.IsNotExist(err) {
		t.Errorf("the keys are still there: %v", err)
	}
	l.login(t) // anew, with the same key
}

func TestVersion(t *testing.T) {
	l := newLab(t)
	l.o.Version = "2.3000"
	err := whatsapp.Login(t.Context(), l.o, whatsapp.Pairing{QR: func(string) {}})
	if err == nil {
		t.Error("a version with two parts was taken")
	}
	l.o.Version = whatsapp.BuiltInVersion()
	l.login(t)
	for _, c := range l.srv.Calls() {
		if (c.Kind == "login" || c.Kind == "register") && c.Version != whatsapp.BuiltInVersion() {
			t.Errorf("%s as %s", c.Kind, c.Version)
		}
	}
}
