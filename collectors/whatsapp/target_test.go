package whatsapp_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/whatsapp"
	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

// An invite that names another channel than before stops its target, until a person confirms.
func TestInviteMoved(t *testing.T) {
	l := linked(t)
	l.o.RecheckEvery = 30 * time.Millisecond
	confirmed := make(chan struct{})
	l.o.Confirmed = func(string, string) bool {
		select {
		case <-confirmed:
			return true
		default:
			return false
		}
	}
	ch, other := filled(l, 5), l.world.AddChannel(whatsapptest.Profile{Name: "Another simulated gazette"})
	other.Post(whatsapptest.Post{Text: "simulated elsewhere"})
	x := target(ch)
	r := observe(t, l, x)
	r.until(t, "the history", posts(5))
	l.world.MoveInvite(ch.Profile().Invite, other)
	rs := r.until(t, "the stop", func(rs []record) bool { return len(gaps(rs, "identity-changed")) > 0 })
	if d := gaps(rs, "identity-changed")[0].Detail; !strings.Contains(d, ch.JID().String()) || !strings.Contains(d, other.JID().String()) {
		t.Errorf("the gap says %q", d)
	}
	for _, ts := range texts(rs) {
		if slices.Contains(ts, "simulated elsewhere") {
			t.Error("the other channel was read before anybody confirmed")
		}
	}
	// A restart keeps it stopped.
	r.stop(t)
	before := l.srv.CallCount("newsletter.messages")
	r = start(t, r.v, r.v, l.o, x)
	r.until(t, "the stop again", func(rs []record) bool { return len(gaps(rs, "identity-changed")) > 1 })
	if n := l.srv.CallCount("newsletter.messages"); n != before {
		t.Errorf("%d pages of a stopped target", n-before)
	}
	close(confirmed)
	r.until(t, "the confirmed channel", func(rs []record) bool {
		return slices.ContainsFunc(of[*evidence.PostSeen](rs), func(p *evidence.PostSeen) bool { return p.Text == "simulated elsewhere" })
	})
}

// An invite that names nothing any more leaves the channel that it named.
func TestInviteRevoked(t *testing.T) {
	l := linked(t)
	l.o.RecheckEvery = 30 * time.Millisecond
	ch := filled(l, 5)
	r := observe(t, l, target(ch))
	r.until(t, "the history", posts(5))
	ch.SetInvite("NewSimulatedInvite")
	ch.Rename("Simulated gazette, renamed")
	rs := r.until(t, "the new name", func(rs []record) bool { return len(of[*evidence.AccountSeen](rs)) >= 2 })
	a := of[*evidence.AccountSeen](rs)
	if last := a[len(a)-1]; !slices.Contains(last.Usernames, "NewSimulatedInvite") {
		t.Errorf("%+v", last)
	}
}

// A channel that the platform hides is told as that, per vantage, and seen again when it is back.
func TestStates(t *testing.T) {
	for state, where := range map[whatsapptest.State]string{whatsapptest.Suspended: "all", whatsapptest.GeoSuspended: "where our account is"} {
		t.Run(string(state), func(t *testing.T) {
			l := linked(t)
			l.o.RecheckEvery = 30 * time.Millisecond
			ch := filled(l, 5)
			r := observe(t, l, target(ch, rotation))
			r.until(t, "the history", posts(5))
			ch.SetState(state)
			cause := "channel-" + strings.ToLower(string(state))
			rs := r.until(t, "the state", func(rs []record) bool { return len(gaps(rs, cause)) > 0 })
			a := of[*evidence.AccountSeen](rs)
			if last := a[len(a)-1].Restriction; len(last) != 1 || last[0].Where != where || last[0].Reason != strings.ToLower(string(state)) {
				t.Errorf("%+v", last)
			}
			if len(gone(rs)) != 0 {
				t.Error("its posts are called gone")
			}
			ch.SetState(whatsapptest.Active)
			ch.Fill(1, func(int) whatsapptest.Post { return whatsapptest.Post{Text: "simulated, back again"} })
			r.until(t, "its return", func(rs []record) bool {
				a := of[*evidence.AccountSeen](rs)
				return len(a[len(a)-1].Restriction) == 0 && len(texts(rs)) == 6
			})
		})
	}
}

// One target's trouble is not the others'.
func TestUnknownInvite(t *testing.T) {
	l := linked(t)
	ch := filled(l, 5)
	lost := target(ch)
	lost.ID, lost.Address = "lost", "https://whatsapp.com/channel/NobodyBearsThis"
	r := observe(t, l, target(ch), lost)
	rs := r.until(t, "the history and the gap", func(rs []record) bool { return len(texts(rs)) == 5 && len(gaps(rs, "unreachable")) > 0 })
	if d := gaps(rs, "unreachable")[0].Detail; !strings.Contains(d, "404") {
		t.Errorf("the gap says %q", d)
	}
}

// What a hostile or broken answer holds is recorded or refused; it ends nothing and invents no deletion.
func TestMalformedPages(t *testing.T) {
	for name, mangle := range map[string]func(*waBinary.Node){
		"no server_id":     whatsapptest.WithoutAttr("server_id"),
		"no id":            whatsapptest.WithoutAttr("id"),
		"no date":          whatsapptest.WithoutAttr("t", "type"),
		"numbers as words": whatsapptest.EachMessage(func(n *waBinary.Node) { n.Attrs["server_id"], n.Attrs["t"] = "many", "-5" }),
		"a person's id":    whatsapptest.EachMessage(func(n *waBinary.Node) { n.Attrs["server_id"] = types.NewJID("12025550123", types.DefaultUserServer) }),
		"no content":       whatsapptest.WithoutContent,
		"content as a list": whatsapptest.EachMessage(func(n *waBinary.Node) {
			n.Content = []waBinary.Node{{Tag: "plaintext", Content: []waBinary.Node{{Tag: "x"}}}}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			l := linked(t)
			ch := filled(l, 5)
			x := target(ch)
			v := newVault(t, x)
			r := start(t, v, v, l.o, x)
			r.until(t, "the history", posts(5))
			l.srv.Fail("newsletter.messages", whatsapptest.Trouble{Mangle: mangle}, 3, ch)
			if err := l.srv.WaitCalls(t.Context(), "newsletter.messages", l.srv.CallCount("newsletter.messages")+5); err != nil {
				t.Fatal(err)
			}
			ch.Fill(1, func(int) whatsapptest.Post { return whatsapptest.Post{Text: "simulated, afterwards"} })
			rs := r.until(t, "what came afterwards", posts(6))
			if g := gone(rs); len(g) != 0 {
				t.Errorf("called gone: %v", g)
			}
		})
	}
}

// Plaintexts that are no message, or a huge one, are posts all the same.
func TestStrangePlaintexts(t *testing.T) {
	l := linked(t)
	ch := l.world.AddChannel(whatsapptest.Profile{Name: "Simulated gazette"})
	huge := strings.Repeat("simulated ", 300_000)
	bad := ch.Post(whatsapptest.Post{Raw: []byte{0xff, 0xff, 0xff}})
	none := ch.Post(whatsapptest.Post{NoPlaintext: true})
	big := ch.Post(whatsapptest.Post{Text: huge})
	rs := observe(t, l, target(ch)).until(t, "the posts", posts(3))
	for _, x := range rs {
		p, ok := x.body.(*evidence.PostSeen)
		if !ok {
			continue
		}
		switch x.Subject.Part() {
		case fmt.Sprint(bad):
			if len(p.Media) != 1 || p.Media[0].Type != "undecodable" {
				t.Errorf("undecodable: %+v", p)
			}
		case fmt.Sprint(none):
			if !slices.Contains(p.Marks, "no_content") {
				t.Errorf("without content: %+v", p)
			}
		case fmt.Sprint(big):
			if len(p.Text) != 1<<20 || len(p.Media) != 1 || p.Media[0].Type != "long_text" {
				t.Errorf("huge: %d bytes, %+v", len(p.Text), p.Media)
			}
		}
	}
}

// The only things that were ever sent are those of the list; in rotation not even a follow.
func TestNothingElseIsSent(t *testing.T) {
	l := linked(t)
	chs := []*whatsapptest.Channel{filled(l, 60), filled(l, 60)}
	chs[0].Post(whatsapptest.Post{Poll: &whatsapptest.Poll{Question: "Simulated?", Options: []string{"yes", "no"}}})
	chs[0].Post(whatsapptest.Post{Media: &whatsapptest.Media{Kind: "image", Bytes: noise(100, 1)}})
	l.o.RecheckEvery = 30 * time.Millisecond
	r := observe(t, l, target(chs[0], joined), target(chs[1], rotation))
	r.until(t, "the history", func(rs []record) bool {
		return len(of[*evidence.PostSeen](rs)) == 122 && len(of[*evidence.MediaKept](rs)) == 1
	})
	followed(t, l)
	id := chs[0].Post(whatsapptest.Post{Text: "simulated, pushed"})
	chs[0].Edit(id, func(p *whatsapptest.Post) { p.Text = "simulated, edited" })
	chs[0].Delete(whatsapptest.DeleteRevoke, id)
	r.until(t, "the deletion", func(rs []record) bool { return len(gone(rs)) == 1 })
	allowed := []string{
		"register", "login", "page", "media", // connections and files
		"ping", "passive.active", "encrypt.count", "encrypt.set", "iq.result", // the library's own: keep-alive, login, keys, pairing
		"mex.info", "mex.follow", "mex.unfollow", "newsletter.live_updates", "newsletter.messages", "media_conn", // ours
		"ack.message", "ack.notification",
	}
	r.src.Watch([]collectors.Target{target(chs[1], rotation)})
	unfollowed(t, l, 1)
	for kind, n := range l.srv.Kinds() {
		if !slices.Contains(allowed, kind) {
			t.Errorf("%d × %s", n, kind)
		}
	}
	if f, u := l.srv.CallCount("mex.follow"), l.srv.CallCount("mex.unfollow"); f != 1 || u != 1 {
		t.Errorf("channels were followed %d times and unfollowed %d times", f, u)
	}
	t.Logf("sent: %v", l.srv.Kinds())
	if len(whatsapp.Requests()) != 6 || len(whatsapp.Acts()) != 3 {
		t.Errorf("requests: %v", whatsapp.Requests())
	}
}

// After an outage the gap says what it probably cost, and files whose time runs out are fetched first.
func TestOutageIsEstimated(t *testing.T) {
	l := linked(t)
	ch := filled(l, 5)
	v := newVault(t, target(ch))
	r := start(t, v, v, l.o, target(ch))
	r.until(t, "the history", posts(5))
	r.stop(t)
	now := time.Now()
	ages := []int{40, 29, 3, 35, 10} // days
	byID := map[string]int{}
	for _, days := range ages {
		id := ch.Post(whatsapptest.Post{Date: now.AddDate(0, 0, -days).Unix(), Media: &whatsapptest.Media{Kind: "image", Bytes: noise(500, byte(days))}})
		byID[fmt.Sprint(id)] = days
	}
	l.o.Downloads = 1
	r = start(t, v, v, l.o, target(ch))
	rs := r.until(t, "gap and files", func(rs []record) bool { return len(gaps(rs, "restart")) == 1 && len(of[*evidence.MediaKept](rs)) == 5 })
	if d := gaps(rs, "restart")[0].Detail; !strings.Contains(d, "5 posts") || !strings.Contains(d, "5 files") || !strings.Contains(d, "about 2 files") {
		t.Errorf("the gap says %q", d)
	}
	var order []int
	for _, x := range rs {
		if _, ok := x.body.(*evidence.MediaKept); ok {
			order = append(order, byID[x.Subject.Part()])
		}
	}
	if !slices.Equal(order, []int{29, 10, 3, 35, 40}) {
		t.Errorf("fetched by age in days: %v", order)
	}
}

// Targets come and go while the source runs.
func TestWatchChanges(t *testing.T) {
	l := linked(t)
	a, b := filled(l, 5), filled(l, 7)
	r := observe(t, l, target(a))
	r.until(t, "the first", posts(5))
	for _, x := range []collectors.Target{target(b)} {
		_, err := r.v.Put(t.Context(), evidence.Batch{Drafts: []evidence.Draft{{
			ID: evidence.NewID(time.Now()), Actor: evidence.Vault(), Subject: evidence.Target(x.ID), Body: &evidence.TargetSet{Key: x.ID, Platform: "whatsapp"},
		}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	r.src.Watch([]collectors.Target{target(b)})
	r.until(t, "the second", func(rs []record) bool { return len(of[*evidence.PostSeen](rs)) == 12 })
	if err := r.src.Name(); err != "whatsapp/desk" {
		t.Error(err)
	}
}
