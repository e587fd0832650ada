package telegram_test

import (
	"bytes"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

func TestAChannelFromItsFirstPostToItsNews(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 250)
	r := observe(t, l, target(ch))
	rs := r.until(t, "the history", posts(250))

	if c := of[*evidence.Collector](rs); c[0].State != "starting" || !hasState(rs, "healthy") {
		t.Errorf("the source did not say that it starts and is healthy: %+v", c[0])
	}
	bound := of[*evidence.TargetBound](rs)
	if len(bound) != 1 || bound[0].Address != target(ch).Address {
		t.Fatalf("target.bound: got %+v", bound)
	}
	seen := of[*evidence.AccountSeen](rs)
	if len(seen) != 1 || seen[0].Title != "Simulated channel" || !slices.Equal(seen[0].Usernames, []string{ch.Profile().Username}) {
		t.Fatalf("account.seen: got %+v", seen)
	}

	id := ch.Post(telegramtest.Post{Text: "Simulated news"})
	r.until(t, "the news", posts(251))
	ch.Edit(id, func(p *telegramtest.Post) { p.Text = "Simulated news, corrected" })
	account := bound[0].Account.Ordinal
	key := account.With(strconv.Itoa(id))
	r.until(t, "the edit", func(rs []record) bool { return len(texts(rs)[key]) == 2 })
	ch.Delete(id, 7)
	rs = r.until(t, "the deletion", func(rs []record) bool { return len(gone(rs)) == 2 })
	if got := gone(rs)[strconv.Itoa(id)]; !slices.Equal(got, []string{evidence.GoneDeletionNotice}) {
		t.Errorf("the deletion is recorded as %v", got)
	}
	ch.Retitle("Simulated channel, renamed")
	rs = r.until(t, "the new title", func(rs []record) bool { return len(of[*evidence.AccountSeen](rs)) == 2 })
	if s := of[*evidence.AccountSeen](rs)[1]; s.Title != "Simulated channel, renamed" {
		t.Errorf("the new title is %q", s.Title)
	}
	r.stop(t)
	checkAcquisitions(t, r, records(t, r.v))
	checkMethods(t, l)
}

// Trap 9: every post says where its own bytes stand in the reply that is kept, and they do stand there.
func checkAcquisitions(t *testing.T, r *rig, rs []record) {
	t.Helper()
	replies := map[evidence.ID][]byte{}
	for _, x := range rs {
		if a, ok := x.body.(*evidence.Acquisition); ok {
			if bytes.Contains(a.Request, []byte("hash")) {
				t.Errorf("a request holds an access hash: %s", a.Request)
			}
			if !a.Reply.IsZero() {
				replies[x.ID] = blob(t, r.v, a.Reply.SHA256)
			}
			if a.ClockOffsetMS == nil || a.Layer == 0 || a.Alias != "main" || a.Vantage != "main" {
				t.Errorf("acquisition without its circumstances: %+v", a)
			}
		}
	}
	for _, x := range rs {
		p, ok := x.body.(*evidence.PostSeen)
		if !ok {
			continue
		}
		raw, ok := replies[p.Acquisition]
		if !ok {
			t.Fatalf("%s refers to no acquisition with a reply", x.Subject)
		}
		if !p.RawExact || p.Raw == nil || p.Raw.Offset+p.Raw.Length > int64(len(raw)) {
			t.Fatalf("%s has no place in its reply of %d bytes: %+v", x.Subject, len(raw), p.Raw)
		}
		if own := raw[p.Raw.Offset : p.Raw.Offset+p.Raw.Length]; !bytes.Contains(own, []byte(p.Text)) {
			t.Errorf("%s: the bytes at its place are not its own", x.Subject)
		}
	}
}

func checkMethods(t *testing.T, l *lab) {
	t.Helper()
	allowed := append(telegram.Methods(), telegram.LoginMethods()...)
	for _, c := range l.srv.Calls() {
		if !slices.Contains(allowed, c.Method) {
			t.Errorf("the server was asked for %s", c.Method)
		}
	}
}

func TestAPushIsAHintToPollAtOnce(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 1)
	v := newVault(t, target(ch))
	o := l.options(t)
	o.PollEvery = time.Hour
	r := start(t, v, v, o, target(ch))
	r.until(t, "the history", posts(1))
	ch.Post(telegramtest.Post{Text: "Simulated news"})
	r.until(t, "the news", posts(2))
}

func TestATargetThatIsNoLongerWatchedIsLeftAlone(t *testing.T) {
	l := theLab(t)
	a, b := l.channel(t, 1), l.world.AddChannel(telegramtest.Profile{Username: l.name(), Title: "Simulated"})
	r := observe(t, l, target(a), target(b))
	r.until(t, "both", func(rs []record) bool { return len(of[*evidence.TargetBound](rs)) == 2 && len(texts(rs)) == 1 })
	r.src.Watch([]collectorsTarget{target(b)})
	b.Post(telegramtest.Post{Text: "Simulated news of b"})
	r.until(t, "b", posts(2))
	// Two more events of b, one after another, prove that polls go on while a's news stay unread.
	a.Post(telegramtest.Post{Text: "Simulated news of a"})
	for n := range 2 {
		b.Post(telegramtest.Post{Text: "Simulated news of b"})
		r.until(t, "b again", posts(3+n))
	}
	for _, ts := range texts(records(t, r.v)) {
		if slices.Contains(ts, "Simulated news of a") {
			t.Error("a target that is no longer watched was read")
		}
	}
}

func TestOnlyPublicBroadcastChannelsAreRead(t *testing.T) {
	l := theLab(t)
	var ts []collectorsTarget
	for _, k := range []telegramtest.Kind{telegramtest.Megagroup, telegramtest.Forum, telegramtest.Gigagroup} {
		ch := l.world.AddChannel(telegramtest.Profile{Username: l.name(), Title: "Simulated group", Kind: k})
		ch.Post(telegramtest.Post{Text: "Simulated talk"})
		ts = append(ts, target(ch))
	}
	for _, bot := range []bool{false, true} {
		u := l.world.AddUser(telegramtest.User{Username: l.name(), FirstName: "Simulated", Bot: bot})
		ts = append(ts, collectorsTarget{ID: u.Username, Platform: "telegram", Address: "https://t.me/" + u.Username, Backfill: true})
	}
	before := l.srv.CallCount("messages.getHistory") + l.srv.CallCount("channels.getFullChannel") + l.srv.CallCount("updates.getChannelDifference")
	r := observe(t, l, ts...)
	rs := r.until(t, "five refusals", func(rs []record) bool { return len(gaps(rs, "refused")) == 5 })
	for _, g := range gaps(rs, "refused") {
		if g.Detail == "" {
			t.Error("a refusal without a reason")
		}
	}
	r.stop(t)
	after := l.srv.CallCount("messages.getHistory") + l.srv.CallCount("channels.getFullChannel") + l.srv.CallCount("updates.getChannelDifference")
	if after != before {
		t.Errorf("%d requests were made about what is not a public broadcast channel", after-before)
	}
	resolves := l.srv.CallCount("contacts.resolveUsername")
	again := start(t, r.v, r.v, l.options(t), ts...)
	again.until(t, "a second start", func(rs []record) bool { return countState(rs, "healthy") == 2 })
	again.stop(t)
	if n := len(gaps(records(t, r.v), "refused")); n != 5 || l.srv.CallCount("contacts.resolveUsername") != resolves {
		t.Errorf("a restart asked or recorded again: %d refusals", n)
	}
}

func countState(rs []record, state string) int {
	n := 0
	for _, c := range of[*evidence.Collector](rs) {
		if c.State == state {
			n++
		}
	}
	return n
}

func TestAnAddressThatStandsForAnotherChannelStops(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 3)
	tg := target(ch)
	r := observe(t, l, tg)
	r.until(t, "the history", posts(3))
	r.stop(t)
	other := l.world.AddChannel(telegramtest.Profile{Username: l.name(), Title: "Simulated other"})
	other.Post(telegramtest.Post{Text: "Simulated post of somebody else"})
	l.world.MoveUsername(tg.ID, other)

	r = start(t, r.v, r.v, l.options(t), tg)
	r.until(t, "the stop", func(rs []record) bool { return len(gaps(rs, "identity-changed")) > 0 })
	r.stop(t)
	if n := len(texts(records(t, r.v))); n != 3 {
		t.Fatalf("the other channel was read without a person's word: %d posts", n)
	}
	o := l.options(t)
	o.Confirmed = func(target, channel string) bool {
		return target == tg.ID && channel == strconv.FormatInt(other.ID(), 10)
	}
	r = start(t, r.v, r.v, o, tg)
	rs := r.until(t, "the confirmed channel", posts(4))
	if b := of[*evidence.TargetBound](rs); len(b) != 2 || b[0].Account == b[1].Account {
		t.Errorf("target.bound: got %+v", b)
	}
}

func TestAChannelThatWasRenamedIsStillFollowed(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 1)
	tg := target(ch)
	r := observe(t, l, tg)
	r.until(t, "the history", posts(1))
	renamed := l.name()
	ch.Rename(renamed)
	ch.Retitle("Simulated, renamed")
	ch.Post(telegramtest.Post{Text: "Simulated news"})
	r.until(t, "the news under another name", func(rs []record) bool {
		s := of[*evidence.AccountSeen](rs)
		return len(texts(rs)) == 3 && slices.Equal(s[len(s)-1].Usernames, []string{renamed})
	})
}
