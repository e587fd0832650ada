package whatsapp_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

func filled(l *lab, n int) *whatsapptest.Channel {
	ch := l.world.AddChannel(whatsapptest.Profile{Name: "Simulated gazette"})
	ch.Fill(n, func(i int) whatsapptest.Post { return whatsapptest.Post{Text: fmt.Sprintf("simulated %d", i)} })
	return ch
}

// Each wire form of a deletion is a deletion notice, pushed or found; a post that is not there any more is something else.
func TestDeletions(t *testing.T) {
	for name, mode := range map[string]func(*collectors.Target){"joined": joined, "by recheck": func(t *collectors.Target) { t.Mode = collectors.ModePoll }} {
		t.Run(name, func(t *testing.T) {
			l := linked(t)
			l.o.PollEvery[collectors.ModeJoined] = 50 * time.Millisecond
			ch := filled(l, 20)
			ps := ch.Posts()
			r := observe(t, l, target(ch, mode))
			r.until(t, "the history", posts(20))
			want := map[string]string{}
			for i, form := range whatsapptest.Deletions() {
				id := ps[i+3].ServerID
				want[fmt.Sprint(id)] = evidence.GoneDeletionNotice
				if name == "joined" {
					ch.Delete(form, id)
				} else {
					ch.DeleteSilently(form, id)
				}
			}
			vanished := ps[12].ServerID
			ch.Vanish(vanished)
			want[fmt.Sprint(vanished)] = evidence.GoneMissing
			rs := r.until(t, "the deletions", func(rs []record) bool { return len(gone(rs)) == len(want) })
			for id, how := range want {
				if got := gone(rs)[id]; !slices.Equal(got, []string{how}) {
					t.Errorf("post %s: %v, want once %s", id, got, how)
				}
			}
			if n := len(texts(rs)); n != 20 {
				t.Errorf("%d posts", n)
			}
		})
	}
}

func TestSilentEditIsFoundByLook(t *testing.T) {
	l := linked(t)
	ch := filled(l, 10)
	r := observe(t, l, target(ch))
	r.until(t, "the history", posts(10))
	id := ch.Posts()[4].ServerID
	ch.EditSilently(id, func(p *whatsapptest.Post) { p.Text = "simulated, edited" })
	rs := r.until(t, "the edit", func(rs []record) bool { return len(texts(rs)[fmt.Sprint(id)]) == 2 })
	for _, p := range of[*evidence.PostSeen](rs) {
		if p.Text == "simulated, edited" && p.EditedAt.IsZero() {
			t.Error("the edit has no date")
		}
	}
}

// An edit of a post far below the newest ones is asked for by its number.
func TestPushedEditOfAnOldPost(t *testing.T) {
	l := linked(t)
	ch := filled(l, 300)
	r := observe(t, l, target(ch, joined))
	r.until(t, "the history", posts(300))
	id := ch.Posts()[3].ServerID
	ch.Edit(id, func(p *whatsapptest.Post) { p.Text = "simulated, edited late" })
	rs := r.until(t, "the edit and its answer", func(rs []record) bool {
		if len(texts(rs)[fmt.Sprint(id)]) < 2 {
			return false
		}
		last := of[*evidence.Acquisition](rs)
		return strings.Contains(string(last[len(last)-1].Request), `"count":1`)
	})
	if n := len(texts(rs)[fmt.Sprint(id)]); n != 2 {
		t.Errorf("%d versions", n)
	}
}

// A cut at any Put leaves a vault from which the next run completes: nothing is lost and nothing stands twice.
func TestKilledMidHistory(t *testing.T) {
	l := linked(t)
	ch := filled(l, 400)
	l.srv.Latency(5 * time.Millisecond) // a Put for each page, not one for all
	for _, at := range []int{4, 6, 8} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			v := newVault(t, target(ch))
			n := 0
			cut := &faulty{Vault: v, fail: func(evidence.Batch) bool { n++; return n == at }}
			r := start(t, v, cut, l.o, target(ch))
			if err := r.ended(t); !errors.Is(err, errCut) {
				t.Fatalf("ended with %v", err)
			}
			if got := len(texts(records(t, v))); got >= 400 {
				t.Fatalf("%d posts before the cut", got)
			}
			r = start(t, v, v, l.o, target(ch))
			rs := r.until(t, "the history", posts(400))
			for id, ts := range texts(rs) {
				if len(ts) != 1 {
					t.Errorf("post %s has %d versions", id, len(ts))
				}
			}
			if len(gaps(r.until(t, "the gap", func(rs []record) bool { return len(gaps(rs, "restart")) > 0 }), "restart")) != 1 {
				t.Error("the stretch in between is not one gap")
			}
		})
	}
}

// A source that is cancelled in the middle of the history goes on there.
func TestCancelledMidHistory(t *testing.T) {
	l := linked(t)
	ch := filled(l, 500)
	l.srv.Latency(5 * time.Millisecond)
	v := newVault(t, target(ch, rotation))
	r := start(t, v, v, l.o, target(ch, rotation))
	r.until(t, "some of the history", posts(100))
	r.stop(t)
	before := l.srv.CallCount("newsletter.messages")
	rs := start(t, v, v, l.o, target(ch, rotation)).until(t, "the history", posts(500))
	for id, ts := range texts(rs) {
		if len(ts) != 1 {
			t.Errorf("post %s has %d versions", id, len(ts))
		}
	}
	if again := l.srv.CallCount("newsletter.messages") - before; again > 12 {
		t.Errorf("%d pages were asked for after the restart", again)
	}
}

// A push is acknowledged after it is durable: while nothing can be written, none is, and it comes again.
func TestPushIsAcknowledgedWhenDurable(t *testing.T) {
	l := linked(t)
	ch := filled(l, 3)
	v := newVault(t, target(ch))
	r := start(t, v, v, l.o, target(ch, joined))
	r.until(t, "the history", posts(3))
	followed(t, l)
	r.stop(t)
	cut := &faulty{Vault: v, fail: func(b evidence.Batch) bool {
		for _, d := range b.Drafts {
			if a, ok := d.Body.(*evidence.Acquisition); ok && a.Method == "newsletter.push" {
				return true
			}
		}
		return false
	}}
	r = start(t, v, cut, l.o, target(ch, joined))
	if err := l.srv.WaitCalls(t.Context(), "passive.active", 3); err != nil {
		t.Fatal(err)
	}
	id := ch.Post(whatsapptest.Post{Text: "simulated, pushed into the dark"})
	if err := r.ended(t); !errors.Is(err, errCut) {
		t.Fatalf("ended with %v", err)
	}
	if n := l.srv.CallCount("ack.message"); n != 0 {
		t.Fatalf("%d acknowledgements of what was not durable", n)
	}
	r = start(t, v, v, l.o, target(ch, joined))
	rs := r.until(t, "the push", func(rs []record) bool { return len(texts(rs)[fmt.Sprint(id)]) > 0 })
	if err := l.srv.WaitCalls(t.Context(), "ack.message", 1); err != nil {
		t.Fatal(err)
	}
	if n := len(texts(rs)[fmt.Sprint(id)]); n != 1 {
		t.Errorf("%d versions", n)
	}
}

func followed(t testing.TB, l *lab) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := l.srv.WaitCalls(ctx, "mex.follow", 1); err != nil {
		t.Fatal(err)
	}
}

// Many pushes become durable in few batches, and all are acknowledged.
func TestBurst(t *testing.T) {
	l := linked(t)
	chs := []*whatsapptest.Channel{filled(l, 1), filled(l, 1)}
	r := observe(t, l, target(chs[0], joined), target(chs[1], joined))
	r.until(t, "the history", func(rs []record) bool { return len(of[*evidence.PostSeen](rs)) == 2 })
	if err := l.srv.WaitCalls(t.Context(), "mex.follow", 2); err != nil {
		t.Fatal(err)
	}
	const n = 1000
	var wg sync.WaitGroup
	for _, ch := range chs {
		wg.Go(func() {
			for i := range n {
				ch.Post(whatsapptest.Post{Text: fmt.Sprintf("simulated burst %d", i)})
			}
		})
	}
	wg.Wait()
	rs := r.until(t, "the burst", func(rs []record) bool { return len(of[*evidence.PostSeen](rs)) >= 2+2*n })
	if got := len(of[*evidence.PostSeen](rs)); got != 2+2*n {
		t.Errorf("%d records of %d posts", got, 2+2*n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := l.srv.Settle(ctx); err != nil {
		t.Error(err)
	}
}

// Views and reactions alone make no version, and are stored again now and then.
func TestCountsAreStoredAgain(t *testing.T) {
	l := linked(t)
	l.o.RecheckEvery, l.o.CountsEvery = 20*time.Millisecond, 60*time.Millisecond
	ch := filled(l, 3)
	r := observe(t, l, target(ch))
	r.until(t, "the history", posts(3))
	id := ch.Posts()[1].ServerID
	ch.Count(id, func(p *whatsapptest.Post) { p.Views, p.Reactions = 4321, map[string]int{"👍": 5} })
	rs := r.until(t, "the counts", func(rs []record) bool {
		return slices.ContainsFunc(of[*evidence.PostCounts](rs), func(c *evidence.PostCounts) bool {
			return slices.ContainsFunc(c.Posts, func(p evidence.Post) bool {
				return p.Post == fmt.Sprint(id) && p.Views == 4321 && p.Reactions["👍"] == 5
			})
		})
	})
	if n := len(of[*evidence.PostSeen](rs)); n != 3 {
		t.Errorf("%d versions of 3 posts", n)
	}
}
