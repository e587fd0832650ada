package telegram_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// oftenAgain has every post looked at again after a moment, and then in rounds as short.
func oftenAgain(o *telegram.Options, every time.Duration) {
	o.RecheckEvery, o.RecheckAges, o.RecheckAgain = every, []time.Duration{every}, 2*every
}

// oldChannel has n posts, an hour apart.
func oldChannel(l *lab, n int) *telegramtest.Channel {
	ch := l.world.AddChannel(telegramtest.Profile{Username: l.name(), Title: "Simulated"})
	first := time.Now().Add(-time.Duration(n) * time.Hour)
	ch.Fill(n, func(i int) telegramtest.Post {
		return telegramtest.Post{Text: fmt.Sprintf("Simulated notice %d", i+1), Date: int(first.Add(time.Duration(i) * time.Hour).Unix())}
	})
	return ch
}

// Posts far below the newest 200 are looked at again as well, after a restart too.
func TestOldPostsAreLookedAtAgain(t *testing.T) {
	for _, mode := range []string{collectors.ModeRotation, collectors.ModePoll} {
		l := theLab(t)
		ch := oldChannel(l, 900)
		x := in(mode, target(ch))
		v := newVault(t, x)
		o := l.options(t)
		oftenAgain(&o, 20*time.Millisecond)
		r := start(t, v, v, o, x)
		r.until(t, "the history", posts(900))
		ch.DeleteSilently(17, 450)
		ch.EditSilently(30, func(p *telegramtest.Post) { p.Text = "Simulated, corrected in silence" })
		rs := r.until(t, "what changed", func(rs []record) bool { return len(gone(rs)) == 2 && len(texts(rs)["a1/30"]) == 2 })
		if g := gone(rs); !slices.Equal(g["17"], []string{evidence.GoneMissing}) {
			t.Errorf("got %v", g)
		}
		r.stop(t)
		ch.DeleteSilently(18)
		r = start(t, v, v, o, x)
		rs = r.until(t, "what went meanwhile", func(rs []record) bool { return len(gone(rs)) == 3 })
		if n := len(of[*evidence.PostSeen](rs)); n != 901 {
			t.Errorf("%d versions of 900 posts, of which one was edited", n)
		}
	}
}

func TestAllMissingIsVerifiedFirst(t *testing.T) {
	l := theLab(t)
	ch := oldChannel(l, 60)
	v := newVault(t, target(ch))
	o := l.options(t)
	oftenAgain(&o, 20*time.Millisecond)
	r := start(t, v, v, o, target(ch))
	r.until(t, "the history", posts(60))

	ch.Hide(telegramtest.HideByID) // the history still shows them
	asked := l.srv.CallCount("messages.getHistory")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := l.srv.WaitCalls(ctx, "messages.getHistory", asked+3); err != nil {
		t.Fatal(err)
	}
	if rs := records(t, v); len(gone(rs)) != 0 || len(statuses(rs)) != 0 {
		t.Fatalf("%d posts are said to be gone, and the channel %q", len(gone(rs)), statuses(rs))
	}
	ch.Hide(telegramtest.HidePosts)
	rs := r.until(t, "the status", func(rs []record) bool { return len(statuses(rs)) == 1 })
	if s := of[*evidence.Status](rs)[0]; s.State != evidence.StatusUnknown || s.Because != evidence.StatusEmptied || s.Acquisition.IsZero() {
		t.Errorf("got %+v", s)
	}
	ch.Restrict(telegramtest.Restriction{Platform: "all", Reason: "terms", Text: "Simulated"})
	rs = r.until(t, "the restriction", func(rs []record) bool { return len(statuses(rs)) == 2 })
	if n := len(gone(rs)); n != 0 {
		t.Errorf("%d posts are said to be gone", n)
	}
	ch.Restrict()
	ch.Hide(telegramtest.HideNothing)
	ch.DeleteSilently(7)
	rs = r.until(t, "the deletion", func(rs []record) bool { return len(gone(rs)) > 0 && slices.Contains(statuses(rs), "up ") })
	if n := len(gone(rs)); n != 1 {
		t.Errorf("%d posts are said to be gone", n)
	}
}

// What a page of a hundred holds of an album is not judged before the rest of it is seen as well.
func TestMembersOfAnAlbumAreLookedAtTogether(t *testing.T) {
	l := theLab(t)
	ch := l.world.AddChannel(telegramtest.Profile{Username: l.name(), Title: "Simulated"})
	g := l.world.NewGroup()
	date := int(time.Now().Add(-time.Hour).Unix())
	ch.Fill(110, func(i int) telegramtest.Post {
		p := telegramtest.Post{Text: "Simulated", Date: date}
		if i+1 >= 97 && i+1 <= 104 {
			p.Group = g
		}
		return p
	})
	v := newVault(t, target(ch))
	o := l.options(t)
	oftenAgain(&o, 20*time.Millisecond)
	r := start(t, v, v, o, target(ch))
	r.until(t, "the history", posts(110))
	ch.DeleteSilently(98, 103)
	rs := r.until(t, "both members", func(rs []record) bool { return len(gone(rs)) == 2 })
	var at []evidence.ID
	for _, b := range of[*evidence.PostGone](rs) {
		at = append(at, b.Acquisition)
	}
	if at[0] != at[1] {
		t.Error("two members of an album were found missing in two requests")
	}
}
