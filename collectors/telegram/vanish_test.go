package telegram_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

func statuses(rs []record) []string {
	var out []string
	for _, s := range of[*evidence.Status](rs) {
		out = append(out, s.State+" "+s.Because)
	}
	return out
}

// vanishing is a channel with three posts that is observed in both ways.
func vanishing(t *testing.T, mode string, what func(*lab, *telegramtest.Channel)) (*lab, *telegramtest.Channel, *rig) {
	t.Helper()
	l := theLab(t)
	ch := l.channel(t, 3)
	x := in(mode, target(ch))
	v := newVault(t, x)
	o := l.options(t)
	o.RecheckEvery = 30 * time.Millisecond
	r := start(t, v, v, o, x)
	r.until(t, "the history", posts(3))
	what(l, ch)
	return l, ch, r
}

func TestAChannelThatVanishesIsToldApart(t *testing.T) {
	for _, mode := range []string{collectors.ModeRotation, collectors.ModePoll} {
		for _, c := range []struct {
			name string
			what func(*lab, *telegramtest.Channel)
			want string
			said string
		}{
			{"deleted", func(_ *lab, ch *telegramtest.Channel) { ch.Vanish() }, "removed ", "channels.getFullChannel: 400 CHANNEL_INVALID; contacts.resolveUsername: 400 USERNAME_NOT_OCCUPIED"},
			{"made private", func(_ *lab, ch *telegramtest.Channel) { ch.MakePrivate() }, "unknown private", "channels.getFullChannel: 400 CHANNEL_PRIVATE; contacts.resolveUsername: 400 USERNAME_NOT_OCCUPIED; channels.getChannels: channelForbidden"},
			{"renamed", func(l *lab, ch *telegramtest.Channel) { ch.Rename(l.name()) }, "renamed name-free", "contacts.resolveUsername: 400 USERNAME_NOT_OCCUPIED"},
			{"without a name", func(_ *lab, ch *telegramtest.Channel) { ch.Rename("") }, "unknown not-public", "contacts.resolveUsername: 400 USERNAME_NOT_OCCUPIED"},
			{"restricted", func(_ *lab, ch *telegramtest.Channel) {
				ch.Restrict(telegramtest.Restriction{Platform: "all", Reason: "terrorism", Text: "Simulated: not available."})
			}, "restricted all terrorism", ""},
		} {
			t.Run(mode+" "+c.name, func(t *testing.T) {
				_, ch, r := vanishing(t, mode, c.what)
				rs := r.until(t, "the status", func(rs []record) bool { return len(statuses(rs)) > 0 })
				s := of[*evidence.Status](rs)[0]
				if statuses(rs)[0] != c.want || s.Said != c.said || s.Was != "up" || s.Vantage != "main" || s.LastSeen.IsZero() {
					t.Errorf("got %+v", s)
				}
				if n := len(gone(rs)); n != 0 {
					t.Errorf("%d posts are said to be gone", n)
				}
				if c.said != "" && !strings.HasPrefix(c.want, "renamed") {
					r.until(t, "the gap", func(rs []record) bool { return len(gaps(rs, "unreachable")) > 0 })
				}
				ch.Restrict()
				ch.Return(r.first)
				rs = r.until(t, "that it is back", func(rs []record) bool { return slices.Contains(statuses(rs), "up ") })
				if n := len(statuses(rs)); n != 2 {
					t.Errorf("got %q", statuses(rs))
				}
			})
		}
	}
}

func TestANameThatMovedIsAFindingAndNotFollowed(t *testing.T) {
	for _, c := range []struct {
		how, want string
	}{{"taken", "unknown name-moved"}, {"given up", "renamed name-moved"}, {"deleted", "removed name-moved"}} {
		l, ch, r := vanishing(t, "", func(*lab, *telegramtest.Channel) {})
		x := in("", target(ch))
		r.stop(t) // so that nobody looks between two steps
		other := l.channel(t, 1)
		switch c.how {
		case "deleted":
			ch.Vanish()
			other.Rename(r.first)
		case "given up":
			l.world.MoveUsername(r.first, other)
			ch.Rename(l.name())
		default:
			l.world.MoveUsername(r.first, other)
		}
		o := l.options(t)
		o.RecheckEvery = 30 * time.Millisecond
		r = start(t, r.v, r.v, o, x)
		rs := r.until(t, "the finding", func(rs []record) bool {
			return len(of[*evidence.Finding](rs)) > 0 && len(statuses(rs)) > 0 && len(gaps(rs, "identity-changed")) > 0
		})
		f := of[*evidence.Finding](rs)[0]
		if f.Rule != evidence.RuleIdentity || f.Was.Ordinal != "a1" || f.Now.Ordinal != "a2" || f.Acquisition.IsZero() {
			t.Errorf("got %+v", f)
		}
		if got := statuses(rs); !slices.Equal(got, []string{c.want}) {
			t.Errorf("got %q, want %q", got, c.want)
		}
		if n := len(texts(rs)); n != 3 {
			t.Errorf("%d posts: the other channel was read", n)
		}
		r.stop(t)
	}
}

func TestALostAccountIsNoStatus(t *testing.T) {
	_, ch, r := vanishing(t, "", func(l *lab, ch *telegramtest.Channel) {
		ch.MakePrivate()
		l.srv.Fail("*", 401, "AUTH_KEY_UNREGISTERED", 1000)
	})
	_ = r.ended(t)
	if got := statuses(records(t, r.v)); len(got) != 0 {
		t.Errorf("the loss of our account made %q of channel %d", got, ch.ID())
	}
}
