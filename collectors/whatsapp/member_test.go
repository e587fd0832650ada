package whatsapp_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/whatsapp"
	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

func unfollowed(t *testing.T, l *lab, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := l.srv.WaitCalls(ctx, "mex.unfollow", n); err != nil {
		t.Fatalf("the channel was not unfollowed: %v; %v", err, l.srv.Kinds())
	}
}

func acquisitions(rs []record, method string) (out []*evidence.Acquisition) {
	for _, a := range of[*evidence.Acquisition](rs) {
		if a.Method == method {
			out = append(out, a)
		}
	}
	return out
}

func unfollowRecorded(n int) func([]record) bool {
	return func(rs []record) bool { return len(acquisitions(rs, "newsletter.unfollow")) == n }
}

// What we followed for a target is unfollowed when its mode no longer asks for that, and followed again when it does.
func TestAModeThatChangesUndoesTheFollowing(t *testing.T) {
	l := linked(t)
	ch, own := filled(l, 3), filled(l, 3)
	phone := whatsapptest.DefaultAccount().Phone
	l.world.Follow(phone, own, true) // on the phone, by its owner
	r := observe(t, l, target(ch, joined), target(own, rotation))
	r.until(t, "the posts", func(rs []record) bool { return len(of[*evidence.PostSeen](rs)) == 6 })
	followed(t, l)
	r.src.Watch([]collectors.Target{target(ch, rotation), target(own, rotation)})
	rs := r.until(t, "the unfollowing", unfollowRecorded(1))
	if l.world.Follows(phone, ch) {
		t.Error("the account still follows the channel")
	}
	if a := acquisitions(rs, "newsletter.unfollow")[0]; a.Reply.Size == 0 || len(a.Request) == 0 {
		t.Errorf("it is recorded as %+v", a)
	}
	ch.Post(whatsapptest.Post{Text: "simulated, not pushed"})
	r.src.Watch([]collectors.Target{target(ch, joined), target(own, rotation)})
	r.until(t, "the post between", func(rs []record) bool { return len(of[*evidence.PostSeen](rs)) == 7 })
	if !l.world.Follows(phone, own) {
		t.Error("what the phone's owner follows was left")
	}
	r.stop(t)
	if n := l.srv.CallCount("mex.follow"); n != 2 {
		t.Errorf("followed %d times", n)
	}
	if n := l.srv.CallCount("mex.unfollow"); n != 1 {
		t.Errorf("unfollowed %d times", n)
	}
}

// The mode may change while the program does not run; a target that is removed while it runs is left, and a stop leaves nothing.
func TestARemovedTargetIsUnfollowed(t *testing.T) {
	l := linked(t)
	a, b := filled(l, 3), filled(l, 3)
	phone := whatsapptest.DefaultAccount().Phone
	v := newVault(t, target(a), target(b))
	r := start(t, v, v, l.o, target(a, joined), target(b, joined))
	r.until(t, "the posts", func(rs []record) bool { return len(of[*evidence.PostSeen](rs)) == 6 })
	r.stop(t)
	if !l.world.Follows(phone, a) || !l.world.Follows(phone, b) {
		t.Fatal("a stop left a channel")
	}
	r = start(t, v, v, l.o, target(a, rotation), target(b, joined))
	r.until(t, "the first unfollowing", unfollowRecorded(1))
	r.src.Watch([]collectors.Target{target(a, rotation)})
	r.until(t, "the second unfollowing", unfollowRecorded(2))
	if l.world.Follows(phone, a) || l.world.Follows(phone, b) {
		t.Error("the account still follows a channel")
	}
}

// A platform that refuses changes nothing but that it is tried again.
func TestAnUnfollowingThatIsRefusedIsTriedAgain(t *testing.T) {
	l := linked(t)
	ch := filled(l, 3)
	l.o.RecheckEvery = 50 * time.Millisecond
	r := observe(t, l, target(ch, joined))
	r.until(t, "the posts", posts(3))
	followed(t, l)
	l.srv.Fail("mex.unfollow", whatsapptest.Trouble{Code: 403, Text: "Forbidden", GraphQL: true}, 2)
	r.src.Watch([]collectors.Target{target(ch, rotation)})
	r.until(t, "the unfollowing", unfollowRecorded(1))
	if n := l.srv.CallCount("mex.unfollow"); n != 3 {
		t.Errorf("asked %d times", n)
	}
}

// Counters of a followed channel are told as they change, the latest of each post in one record, and asked for anew before that ends.
func TestLiveCounters(t *testing.T) {
	l := linked(t)
	ch, other := filled(l, 5), filled(l, 5)
	l.o.LiveEvery = 100 * time.Millisecond
	r := observe(t, l, target(ch, joined), target(other, rotation))
	r.until(t, "the posts", func(rs []record) bool { return len(of[*evidence.PostSeen](rs)) == 10 })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := l.srv.WaitCalls(ctx, "newsletter.live_updates", 1); err != nil {
		t.Fatal(err)
	}
	before := len(of[*evidence.PostCounts](records(t, r.v)))
	ids := []int{ch.Posts()[0].ServerID, ch.Posts()[1].ServerID}
	for n := range 20 {
		ch.Count(ids[0], func(p *whatsapptest.Post) { p.Reactions = map[string]int{"👍": n + 1} })
		ch.PushCounts(ids...)
	}
	rs := r.until(t, "the counters", func(rs []record) bool {
		for _, c := range of[*evidence.PostCounts](rs)[before:] {
			if slices.ContainsFunc(c.Posts, func(p evidence.Post) bool { return p.Reactions["👍"] == 20 }) {
				return true
			}
		}
		return false
	})
	if n := len(of[*evidence.PostCounts](rs)) - before; n > 10 {
		t.Errorf("20 pushes became %d records", n)
	}
	if n := l.srv.CallCount("newsletter.live_updates"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// A platform that does not answer it fails nothing.
func TestWithoutLiveCounters(t *testing.T) {
	l := linked(t)
	ch := filled(l, 5)
	l.srv.Fail("newsletter.live_updates", whatsapptest.Trouble{Code: 404, Text: "item-not-found"}, 100)
	r := observe(t, l, target(ch, joined))
	r.until(t, "the posts", posts(5))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := l.srv.WaitCalls(ctx, "newsletter.live_updates", 2); err != nil {
		t.Fatal(err)
	}
	ch.Post(whatsapptest.Post{Text: "simulated, pushed"})
	rs := r.until(t, "the post", posts(6))
	if g := of[*evidence.Gap](rs); len(g) != 0 {
		t.Errorf("gaps: %+v", g)
	}
}

// The version is the one that is configured when a connection is made.
func TestAVersionTakesEffectOnTheNextConnection(t *testing.T) {
	if raced(t) {
		return
	}
	l := linked(t)
	ch := filled(l, 3)
	r := observe(t, l, target(ch))
	r.until(t, "the posts", posts(3))
	if err := r.src.SetVersion("2.3000"); err == nil {
		t.Error("a version with two parts was taken")
	}
	const later = "2.3000.1039999999"
	if err := r.src.SetVersion(later); err != nil {
		t.Fatal(err)
	}
	if v := lastVersion(l); v != whatsapp.BuiltInVersion() {
		t.Errorf("before: %s", v)
	}
	n := l.srv.CallCount("login")
	l.srv.DropConnections()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := l.srv.WaitCalls(ctx, "login", n+1); err != nil {
		t.Fatal(err)
	}
	if v := lastVersion(l); v != later {
		t.Errorf("after: %s", v)
	}
}

func lastVersion(l *lab) (v string) {
	for _, c := range l.srv.Calls() {
		if c.Kind == "login" {
			v = c.Version
		}
	}
	return v
}
