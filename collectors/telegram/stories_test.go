package telegram_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// stories returns what was seen of stories, by part.
func stories(rs []record) map[string]*evidence.PostSeen {
	out := map[string]*evidence.PostSeen{}
	for _, x := range rs {
		if p, ok := x.body.(*evidence.PostSeen); ok && strings.HasPrefix(x.Subject.Part(), "s") {
			out[x.Subject.Part()] = p
		}
	}
	return out
}

// A channel's stories are read while they last, with their media, and nobody is told that they were.
func TestStoriesOfAChannel(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 2)
	caption := "فرضی کہانی simulated"
	ch.Story(telegramtest.Story{
		Caption: caption, Entities: []telegramtest.Entity{telegramtest.EntityOf(caption, "simulated", "bold")}, Photo: drawing(21),
		Views: 12, Forwards: 3, Viewers: []int64{hiddenUser},
	})
	ch.Story(telegramtest.Story{Caption: "Asked for by number", Brief: true, Document: &telegramtest.Document{Kind: "video", Bytes: []byte("simulated"), MIME: "video/mp4"}})
	ch.Story(telegramtest.Story{Caption: "For close friends", Friends: true})
	v := newVault(t, target(ch))
	o := l.options(t)
	o.RecheckEvery = 30 * time.Millisecond
	r := start(t, v, v, o, target(ch))
	rs := r.until(t, "the stories", func(rs []record) bool { return len(stories(rs)) == 2 && pictures(rs) == 1 })
	s := stories(rs)["s1"]
	if s.Text != caption || len(s.Entities) != 1 || s.ExpiresAt.Sub(s.ClaimedAt.Time) != 24*time.Hour || len(s.Media) != 1 || !s.RawExact {
		t.Errorf("got %+v", s)
	}
	if stories(rs)["s2"].Media[0].Type != "video" {
		t.Errorf("got %+v", stories(rs)["s2"])
	}
	if next := ch.Story(telegramtest.Story{Caption: "Another"}); next != 4 {
		t.Fatal(next)
	}
	rs = r.until(t, "the next story", func(rs []record) bool { return len(stories(rs)) == 3 })
	counted, kept := false, 0
	for _, x := range rs {
		if bytes.Contains(x.Body, []byte("7770001")) {
			t.Errorf("%s names a viewer", x.Kind)
		}
		switch b := x.body.(type) {
		case *evidence.PostCounts:
			for _, p := range b.Posts {
				counted = counted || p.Post == "s1" && p.Views == 12 && p.Forwards == 3
			}
		case *evidence.MediaKept:
			if x.Subject.Part() == "s1" {
				kept++
			}
		}
	}
	if !counted || kept != 1 {
		t.Errorf("counted %v, kept %d times", counted, kept)
	}
	checkMethods(t, l)
}

// A channel that says that it has no stories is not asked for them.
func TestNoStoriesNoQuestion(t *testing.T) {
	l := theLab(t)
	before := l.srv.CallCount("stories.getPeerStories")
	ch := l.channel(t, 1)
	v := newVault(t, target(ch))
	o := l.options(t)
	o.RecheckEvery = 20 * time.Millisecond
	r := start(t, v, v, o, target(ch))
	r.until(t, "the history", posts(1))
	ch.Retitle("Simulated, later")
	r.until(t, "a look", func(rs []record) bool { return len(of[*evidence.AccountSeen](rs)) >= 2 })
	if n := l.srv.CallCount("stories.getPeerStories"); n != before {
		t.Errorf("asked %d times", n-before)
	}
}
