package telegram_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// The traps of the client library that lose evidence: 1 its own update manager drops what a gap recovery brings; 2 a lost answer
// looks like a cancelled context; 3 a forgotten key leads to a silent new one; 4 its iterator stops at a short page; 5 edits and
// deletions are not all announced; 6 downloads wait without bound and do not renew references (media_test.go); 7 its flood waiter
// serialises every request; 8 its session storage fails where nothing is stored yet; 9 a post's bytes must be found in the reply
// (source_test.go); 10 a frozen account looks like a flood wait. 11 is a race of the loopback server's library, which -race watches.

// Trap 1: what a gap recovery brings, new posts, edits and deletions alike, is stored; and a position that was not made durable is
// asked for again.
func TestTrap1NothingOfAGapIsDropped(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 5)
	r := observe(t, l, target(ch))
	r.until(t, "the history", posts(5))
	r.stop(t)

	changeAll := func() {
		ch.Post(telegramtest.Post{Text: "Simulated news 1"})
		ch.Edit(2, func(p *telegramtest.Post) { p.Text = "Simulated notice 2, corrected" })
		ch.Delete(3)
		ch.Post(telegramtest.Post{Text: "Simulated news 2"})
	}
	changeAll()
	// A power cut at the Put of the difference: nothing of it is on disk, and nothing may be lost.
	cut := &faulty{Vault: r.v, fail: func(b evidence.Batch) bool {
		return slices.ContainsFunc(b.Drafts, func(d evidence.Draft) bool { return d.Body.Kind() == evidence.KindPostGone })
	}}
	if err := start(t, r.v, cut, l.options(t), target(ch)).ended(t); !errors.Is(err, errCut) {
		t.Fatalf("the run ended with %v", err)
	}
	if n := len(texts(records(t, r.v))); n != 5 {
		t.Fatalf("the cut batch left %d posts", n)
	}
	l.srv.SetPageLimit(1) // four slices
	r = start(t, r.v, r.v, l.options(t), target(ch))
	rs := r.until(t, "all of the gap", func(rs []record) bool { return len(gaps(rs, "restart")) > 0 })
	if got := texts(rs); len(got) != 7 || len(got["a1/2"]) != 2 {
		t.Errorf("got %v", got)
	}
	if g := gone(rs); len(g) != 1 || !slices.Equal(g["3"], []string{evidence.GoneDeletionNotice}) {
		t.Errorf("got deletions %v", g)
	}
	if g := gaps(rs, "restart")[0]; !g.Recovered || !g.To.After(g.From.Time) {
		t.Errorf("the stretch between the runs is recorded as %+v", g)
	}
}

// Trap 1, its other half: an answer that is too long is made good by reading the history again.
func TestTrap1TooLongIsMadeGood(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 20)
	r := observe(t, l, target(ch))
	r.until(t, "the history", posts(20))
	r.stop(t)
	ch.Fill(330, func(i int) telegramtest.Post { return telegramtest.Post{Text: fmt.Sprint("Simulated late notice ", i)} })
	ch.DeleteSilently(4)
	r = start(t, r.v, r.v, l.options(t), target(ch))
	rs := r.until(t, "the posts of the gap", func(rs []record) bool {
		return posts(350)(rs) && len(gone(rs)) == 1 && len(gaps(rs, "too-long")) == 1
	})
	if g := gaps(rs, "too-long"); len(g) != 1 || !g[0].Recovered {
		t.Errorf("got %+v", g)
	}
	ch.Post(telegramtest.Post{Text: "Simulated news"})
	r.until(t, "the news after it", posts(351))
}

// Trap 2: an acknowledged request whose connection dies comes back as "context canceled". The source neither stops nor loses a page.
func TestTrap2ALostAnswerIsNotAShutdown(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 350)
	l.srv.DropAfter("messages.getHistory", ch)
	r := observe(t, l, target(ch))
	r.until(t, "the history", posts(350))
	for _, m := range []string{"updates.getChannelDifference", "channels.getFullChannel"} {
		l.srv.DropAfter(m, ch)
		ch.Retitle("Simulated, after " + m)
		n := len(ch.Posts())
		r.until(t, "the news after a lost "+m, posts(n))
	}
	l.srv.DropConnections()
	ch.Post(telegramtest.Post{Text: "Simulated news"})
	r.until(t, "the news after a cut", posts(353))
	if err := l.srv.Restart(true); err != nil {
		t.Fatal(err)
	}
	ch.Post(telegramtest.Post{Text: "Simulated news"})
	r.until(t, "the news after a restart of the server", posts(354))
}

// Trap 2, its other half: a request that is never answered ends by our own deadline and is made again.
func TestTrap2EveryRequestHasADeadline(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 150)
	l.srv.Stall("messages.getHistory", 2, ch)
	v := newVault(t, target(ch))
	o := l.options(t)
	o.RPCTimeout = 100 * time.Millisecond
	start(t, v, v, o, target(ch)).until(t, "the history", posts(150))
}

// Traps 3 and 10: states of our own account end the run at once, are never waited for, and leave a gap for every target.
func TestTrap3And10ALostAccountIsSaid(t *testing.T) {
	for _, c := range []struct {
		code       int
		typ, state string
	}{
		{401, "AUTH_KEY_UNREGISTERED", "logged-out"},
		{401, "SESSION_REVOKED", "logged-out"},
		{401, "SESSION_EXPIRED", "logged-out"},
		{406, "AUTH_KEY_DUPLICATED", "logged-out"},
		{401, "USER_DEACTIVATED", "banned"},
		{420, "FROZEN_METHOD_INVALID", "frozen"},
	} {
		t.Run(c.typ, func(t *testing.T) {
			l := theLab(t)
			a, b := l.channel(t, 1), l.channel(t, 1)
			r := observe(t, l, target(a), target(b))
			r.until(t, "both", posts(2))
			before := l.srv.CallCount("updates.getChannelDifference")
			l.srv.Fail("updates.getChannelDifference", c.code, c.typ, 1000)
			err := r.ended(t)
			if !collectors.IsPermanent(err) {
				t.Fatalf("got %v, want a permanent error", err)
			}
			if n := l.srv.CallCount("updates.getChannelDifference") - before; n > 4 {
				t.Errorf("%d requests were made after the account was lost", n)
			}
			rs := records(t, r.v)
			if !hasState(rs, c.state) || len(gaps(rs, "account-lost")) != 2 || hasState(rs, "flood-waiting") {
				t.Errorf("state or gaps are missing: %d gaps", len(gaps(rs, "account-lost")))
			}
		})
	}
}

func TestTrap3AServerThatForgotOurKey(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 1)
	r := observe(t, l, target(ch))
	r.until(t, "the history", posts(1))
	defer func() {
		if err := l.login(); err != nil {
			t.Fatal(err)
		}
	}()
	if err := l.srv.Restart(false); err != nil {
		t.Fatal(err)
	}
	if err := r.ended(t); !collectors.IsPermanent(err) || !strings.Contains(err.Error(), "run muhafiz login telegram main") {
		t.Fatalf("got %v", err)
	}
	if rs := records(t, r.v); !hasState(rs, "logged-out") || len(gaps(rs, "account-lost")) != 1 {
		t.Error("the loss of the account is not recorded")
	}
	v := newVault(t, target(ch))
	again := start(t, v, v, l.options(t), target(ch))
	if err := again.ended(t); !collectors.IsPermanent(err) || !strings.Contains(err.Error(), "run muhafiz login telegram main") {
		t.Fatalf("a run without a login ended with %v", err)
	}
	if len(gaps(records(t, v), "not-authorised")) != 1 {
		t.Error("a run without a login left no gap")
	}
}

// Trap 4: a short page is not the end.
func TestTrap4AShortPageIsNotTheEnd(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 999)
	l.srv.ShortPages(true)
	observe(t, l, target(ch)).until(t, "the history", posts(999))
}

// Trap 5: what the platform does not announce is found by asking again; a number that we never saw is no deletion.
func TestTrap5UnannouncedChangesAreFound(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 120)
	ch.DeleteSilently(60)
	v := newVault(t, target(ch))
	o := l.options(t)
	oftenAgain(&o, 30*time.Millisecond)
	r := start(t, v, v, o, target(ch))
	r.until(t, "the history", posts(119))
	ch.DeleteSilently(61)
	ch.EditSilently(62, func(p *telegramtest.Post) { p.Text = "Simulated, corrected in silence" })
	rs := r.until(t, "both changes", func(rs []record) bool { return len(gone(rs)) == 1 && len(texts(rs)["a1/62"]) == 2 })
	if got := gone(rs)["61"]; !slices.Equal(got, []string{evidence.GoneMissing}) {
		t.Errorf("got %v", got)
	}
	// Rechecks that find nothing new store nothing, though the counters moved a little.
	ch.Count(63, func(p *telegramtest.Post) { p.Views += 5 })
	n := l.srv.CallCount("channels.getMessages")
	size := len(of[*evidence.Acquisition](rs))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := l.srv.WaitCalls(ctx, "channels.getMessages", n+6); err != nil {
		t.Fatal(err)
	}
	if got := len(of[*evidence.Acquisition](records(t, v))); got != size {
		t.Errorf("%d acquisitions came of nothing", got-size)
	}
}

// Trap 7: a method that is held up holds up no other.
func TestTrap7AWaitHoldsUpItsOwnMethodAlone(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 250)
	l.srv.Flood("messages.getHistory", 2, 1)
	r := observe(t, l, target(ch))
	r.until(t, "the wait", func(rs []record) bool { return hasState(rs, "flood-waiting") })
	ch.Post(telegramtest.Post{Text: "Simulated news"})
	rs := r.until(t, "the news", posts(1))
	if n := len(texts(rs)); n > 1 {
		t.Errorf("%d posts came during the wait", n)
	}
	rs = r.until(t, "the history", posts(251))
	for _, c := range of[*evidence.Collector](rs) {
		if c.State == "flood-waiting" && (c.Detail != "messages.getHistory" || c.Until.IsZero()) {
			t.Errorf("got %+v", c)
		}
	}
}

func TestALongWaitIsAGap(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 1)
	v := newVault(t, target(ch))
	o := l.options(t)
	o.GapAfter = 500 * time.Millisecond
	r := start(t, v, v, o, target(ch))
	r.until(t, "the history", posts(1))
	l.srv.Flood("updates.getChannelDifference", 1, 1)
	rs := r.until(t, "the gap", func(rs []record) bool { return len(gaps(rs, "flood-wait")) == 1 })
	if g := gaps(rs, "flood-wait")[0]; !g.Recovered || g.To.Sub(g.From.Time) < 900*time.Millisecond {
		t.Errorf("got %+v", g)
	}
}

// vaultless has no session in one of the ways in which a keeper of secrets may say so.
type vaultless struct{ err error }

func (s vaultless) LoadSession(context.Context) ([]byte, error) { return nil, s.err }
func (s vaultless) StoreSession(context.Context, []byte) error  { return nil }

// Trap 8: our own storage says "nothing yet" in its own words, and that is a login that is due, not a failure of the storage.
func TestTrap8AnEmptySessionStorageIsALoginThatIsDue(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 1)
	for _, err := range []error{nil, fs.ErrNotExist, evidence.ErrNotFound} {
		v := newVault(t, target(ch))
		o := l.options(t)
		o.Session = vaultless{err}
		got := start(t, v, v, o, target(ch)).ended(t)
		if !collectors.IsPermanent(got) || !strings.Contains(got.Error(), "is not logged in") {
			t.Errorf("storage says %v: got %v", err, got)
		}
	}
}

// Backfill goes on where it was, whatever cut it.
func TestBackfillGoesOnAfterACut(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 1500)
	v := newVault(t, target(ch))
	for n := range 3 {
		pages := 0
		cut := &faulty{Vault: v, fail: func(b evidence.Batch) bool {
			for _, d := range b.Drafts {
				if a, ok := d.Body.(*evidence.Acquisition); ok && a.Method == "messages.getHistory" {
					pages++
				}
			}
			return pages > 3
		}}
		if err := start(t, v, cut, l.options(t), target(ch)).ended(t); !errors.Is(err, errCut) {
			t.Fatalf("run %d ended with %v", n, err)
		}
	}
	rs := start(t, v, v, l.options(t), target(ch)).until(t, "the history", posts(1500))
	for o, ts := range texts(rs) {
		if len(ts) != 1 {
			t.Errorf("%s was written %d times", o, len(ts))
		}
	}
	for id := range 1500 {
		if len(texts(rs)[evidence.Ordinal("a1/"+strconv.Itoa(id+1))]) == 1 {
			continue
		}
		t.Fatalf("post %d is lost", id+1)
	}
}
