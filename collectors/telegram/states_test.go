package telegram_test

import (
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// Each way of losing our account is a state of its own, with advice, and a gap on its targets; nothing of it is a takedown.
func TestEachLossIsItsOwnState(t *testing.T) {
	l := theLab(t)
	for _, c := range []struct {
		code               int
		typ, state, advice string
	}{
		{401, "AUTH_KEY_UNREGISTERED", "logged-out", "run muhafiz login telegram main"},
		{401, "SESSION_REVOKED", "logged-out", "run muhafiz login telegram main"},
		{406, "AUTH_KEY_DUPLICATED", "logged-out", "stop the other one"},
		{401, "SESSION_PASSWORD_NEEDED", "needs-password", "give the password"},
		{401, "USER_DEACTIVATED", "banned", "another account"},
		{401, "USER_DEACTIVATED_BAN", "banned", "recover@telegram.org"},
		{400, "PHONE_NUMBER_BANNED", "banned", "another account"},
		{420, "FROZEN_METHOD_INVALID", "frozen", "appeal"},
	} {
		t.Run(c.typ, func(t *testing.T) {
			defer l.srv.Calm()
			ch := l.channel(t, 2)
			v := newVault(t, target(ch))
			r := start(t, v, v, l.options(t), target(ch))
			r.until(t, "the posts", posts(2))
			l.srv.Fail("*", c.code, c.typ, 1000)
			if err := r.ended(t); !collectors.IsPermanent(err) {
				t.Errorf("got %v", err)
			}
			rs := records(t, v)
			last := lastState(rs)
			if last.State != c.state || !strings.Contains(last.Advice, c.advice) || last.Detail == "" {
				t.Errorf("got %+v", last)
			}
			if len(gaps(rs, "account-lost")) == 0 || len(gone(rs)) != 0 {
				t.Errorf("%d gaps, gone: %v", len(gaps(rs, "account-lost")), gone(rs))
			}
		})
	}
}

func lastState(rs []record) *evidence.Collector {
	all := of[*evidence.Collector](rs)
	return all[len(all)-1]
}

func TestAFrozenAccountSaysUntilWhenAndWhereToAppeal(t *testing.T) {
	l := theLab(t)
	since := time.Now().Add(-time.Hour).Truncate(time.Second)
	f := &telegramtest.Freeze{Since: since, Until: since.Add(30 * 24 * time.Hour), AppealURL: "https://t.me/spambot"}
	l.srv.Freeze(f)
	defer l.srv.Freeze(nil)
	ch := l.channel(t, 2)
	v := newVault(t, target(ch))
	r := start(t, v, v, l.options(t), target(ch))
	rs := r.until(t, "the posts, which may still be read", posts(2))
	check := func(c *evidence.Collector) {
		t.Helper()
		if c.State != "frozen" || !c.FrozenSince.Equal(f.Since) || !c.FrozenUntil.Equal(f.Until) || c.Appeal != f.AppealURL || !strings.Contains(c.Advice, f.AppealURL) || !c.Until.IsZero() {
			t.Errorf("got %+v", c)
		}
	}
	check(lastState(rs))
	if hasState(rs, "healthy") {
		t.Error("a frozen account was called healthy")
	}
	began := time.Now()
	l.srv.Fail("*", 420, "FROZEN_METHOD_INVALID", 1000)
	if err := r.ended(t); !collectors.IsPermanent(err) || time.Since(began) > 10*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
	rs = records(t, v)
	check(lastState(rs))
	if hasState(rs, "flood-waiting") {
		t.Error("a freeze was taken for a wait")
	}
}

// A freeze that begins and ends while we watch is told without a new connection.
func TestAFreezeThatComesAndGoes(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 1)
	v := newVault(t, target(ch))
	o := l.options(t)
	o.PollsEvery = 20 * time.Millisecond
	r := start(t, v, v, o, target(ch))
	r.until(t, "healthy", func(rs []record) bool { return hasState(rs, "healthy") })
	l.srv.Freeze(&telegramtest.Freeze{Since: time.Now()})
	defer l.srv.Freeze(nil)
	r.until(t, "frozen", func(rs []record) bool { return hasState(rs, "frozen") })
	l.srv.Freeze(nil)
	r.until(t, "healthy again", func(rs []record) bool {
		for i, c := range of[*evidence.Collector](rs) {
			if c.State == "frozen" {
				for _, d := range of[*evidence.Collector](rs)[i:] {
					if d.State == "healthy" {
						return true
					}
				}
			}
		}
		return false
	})
}
