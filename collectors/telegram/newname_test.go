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

// TestARenamedChannelMovesToAnotherAccount has the account that knew a channel lost after the channel took another name: the other one
// has never resolved it and finds nobody under the target's address.
func TestARenamedChannelMovesToAnotherAccount(t *testing.T) {
	for _, mode := range []string{collectors.ModeRotation, collectors.ModePoll} {
		t.Run(mode, func(t *testing.T) {
			l, ch, r := vanishing(t, mode, func(l *lab, ch *telegramtest.Channel) { ch.Rename(l.name()) })
			x := in(mode, target(ch))
			x.ID, x.Address = r.first, "https://t.me/"+r.first
			r.until(t, "the new name", func(rs []record) bool { return slices.Contains(statuses(rs), "renamed name-free") })
			r.stop(t)
			resolves := calls(l, "contacts.resolveUsername")
			r = second(t, l, r, x)
			ch.Post(telegramtest.Post{Text: "Simulated news under another name"})
			rs := r.until(t, "the news", posts(4))
			if n := resolves(); n != 2 {
				t.Errorf("%d names were looked up, the old and the new one would do", n)
			}
			for _, b := range of[*evidence.TargetBound](rs)[1:] {
				t.Errorf("the address is said to lead to %s once more", b.Account.Ordinal)
			}
			if n := len(of[*evidence.Finding](rs)); n != 0 {
				t.Errorf("%d findings", n)
			}
			var last *evidence.Status
			for _, s := range of[*evidence.Status](rs) {
				last = s
			}
			if last.State != "renamed" || last.Vantage != "second" || last.Said != "contacts.resolveUsername: 400 USERNAME_NOT_OCCUPIED" {
				t.Errorf("the other account says %+v", last)
			}
			r.stop(t)
		})
	}
}

// TestANewNameThatIsAnothersByNowIsAFinding has the new name taken by somebody else before the other account looks it up.
func TestANewNameThatIsAnothersByNowIsAFinding(t *testing.T) {
	l, ch, r := vanishing(t, "", func(l *lab, ch *telegramtest.Channel) { ch.Rename(l.name()) })
	x := in("", target(ch))
	x.ID, x.Address = r.first, "https://t.me/"+r.first
	r.until(t, "the new name", func(rs []record) bool { return slices.Contains(statuses(rs), "renamed name-free") })
	r.stop(t)
	l.world.MoveUsername(ch.Profile().Username, l.channel(t, 2))
	r = second(t, l, r, x)
	rs := r.until(t, "the finding", func(rs []record) bool {
		return len(of[*evidence.Finding](rs)) > 0 && len(gaps(rs, "identity-changed")) > 0
	})
	f := of[*evidence.Finding](rs)[0]
	if f.Rule != evidence.RuleIdentity || f.Was.Ordinal != "a1" || f.Now.Ordinal != "a2" || !strings.Contains(f.Detail, "bore last") {
		t.Errorf("got %+v", f)
	}
	if n := len(texts(rs)); n != 3 {
		t.Errorf("%d posts: the other channel was read", n)
	}
	r.stop(t)
}

// second goes on with another account, which knows nothing of its own.
func second(t *testing.T, l *lab, r *rig, x collectors.Target) *rig {
	t.Helper()
	o := l.options(t)
	o.Alias, o.Siblings, o.PollEvery, o.RecheckEvery = "second", []string{"telegram/main", "telegram/second"}, 100*time.Millisecond, 30*time.Millisecond
	return start(t, r.v, r.v, o, x)
}
