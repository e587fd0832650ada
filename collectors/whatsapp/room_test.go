package whatsapp_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/whatsapp"
	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

// narrow is a Room for small files and no history until it is wide.
type narrow struct {
	collectors.Unlimited
	wide atomic.Bool
}

func (r *narrow) File(size int64) bool { return r.wide.Load() || size > 0 && size < 10_000 }
func (r *narrow) History() bool        { return r.wide.Load() }

// What the disk has no room for is missed once, with the rule that says so, and fetched when there is room. History waits meanwhile and
// new posts do not.
func TestFilesWaitForRoom(t *testing.T) {
	l := linked(t)
	room := &narrow{}
	l.o.Room, l.o.RoomPause, l.o.PageSize = room, 10*time.Millisecond, 5
	ch := l.world.AddChannel(whatsapptest.Profile{Name: "Simulated gazette"})
	for i := range 20 {
		ch.Post(whatsapptest.Post{Text: fmt.Sprintf("simulated history %d", i)})
	}
	for i, n := range []int{50_000, 50_001, 900} {
		ch.Post(whatsapptest.Post{Text: "simulated", Media: &whatsapptest.Media{Kind: "image", MIME: "image/jpeg", Bytes: noise(n, byte(i))}})
	}
	r := observe(t, l, target(ch))
	missed := func(rs []record) int { return len(of[*evidence.MediaMissed](rs)) }
	rs := r.until(t, "the small file", func(rs []record) bool { return len(of[*evidence.MediaKept](rs)) == 1 && missed(rs) == 2 })
	for _, m := range of[*evidence.MediaMissed](rs) {
		if m.Reason != collectors.ReasonNoRoom || m.Rule != collectors.RuleDisk || m.Size == 0 {
			t.Errorf("got %+v", m)
		}
	}
	ch.Post(whatsapptest.Post{Text: "simulated news"})
	rs = r.until(t, "the news", func(rs []record) bool { return len(texts(rs)) > 5 || len(of[*evidence.PostSeen](rs)) > 5 })
	if n := len(of[*evidence.PostSeen](rs)); n > 10 {
		t.Errorf("%d posts: history was read", n)
	}
	room.wide.Store(true)
	rs = r.until(t, "everything", func(rs []record) bool {
		return len(of[*evidence.MediaKept](rs)) == 3 && len(of[*evidence.PostSeen](rs)) == 24
	})
	if n := missed(rs); n != 2 {
		t.Errorf("%d records of missed files, want one each", n)
	}
}

// A source that is stopped for want of room says from when on nothing is seen, and the next run that the disk was why.
func TestAStopForWantOfRoomIsAGap(t *testing.T) {
	if raced(t) {
		return
	}
	l := linked(t)
	ch := l.world.AddChannel(whatsapptest.Profile{Name: "Simulated gazette"})
	ch.Post(whatsapptest.Post{Text: "simulated"})
	x := target(ch)
	v := newVault(t, x)
	turns := make(chan bool)
	s := &collectors.Supervisor{Sink: v, Room: turning{turns: turns}, Log: l.o.Log, Now: time.Now, After: time.After, Min: time.Second, Max: time.Minute}
	src := whatsapp.New(l.o)
	src.Watch([]collectors.Target{x})
	ctx, cancel := context.WithCancel(t.Context())
	r := &rig{src: src, v: v, cancel: cancel, done: make(chan error, 1)}
	go func() { r.done <- s.Run(ctx, src) }()
	t.Cleanup(func() { r.stop(t) })
	r.until(t, "the post", posts(1))
	turns <- false
	r.until(t, "the gap of the stop", func(rs []record) bool { return len(gaps(rs, collectors.CauseDisk)) == 1 })
	rs := r.until(t, "the gap of the return", func(rs []record) bool { return len(gaps(rs, collectors.CauseDisk)) == 2 })
	for i, g := range gaps(rs, collectors.CauseDisk) {
		if g.Recovered != (i == 1) {
			t.Errorf("gap %d: %+v", i, g)
		}
	}
}

// turning has no room for a moment, each time that it is told.
type turning struct {
	collectors.Unlimited
	turns chan bool
}

func (r turning) Reading(ctx context.Context, may bool) error {
	if may {
		return nil
	}
	select {
	case <-r.turns:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
