package telegramtest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gotd/td/session"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"

	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

func testDifference(t *testing.T, w *telegramtest.World, s *telegramtest.Server, d *desk) {
	ch := w.AddChannel(telegramtest.Profile{Username: "example_diff", Title: "Difference"})
	x := d.resolve(t, "example_diff")
	start := ch.Pts()
	a, b, c := ch.Post(telegramtest.Post{Text: "A"}), ch.Post(telegramtest.Post{Text: "A"}), ch.Post(telegramtest.Post{Text: "A"})
	ch.Edit(a, func(p *telegramtest.Post) { p.Text = "B" })
	ch.Delete(b)
	ch.EditSilently(c, func(p *telegramtest.Post) { p.Text = "C" })
	all := d.difference(t, x, start, 100).(*tg.UpdatesChannelDifference)
	if !all.Final || all.Pts != ch.Pts() {
		t.Errorf("got %v", all)
	}
	if diff := cmp.Diff([]int{a, c}, ids(all.NewMessages)); diff != "" {
		t.Error(diff)
	}
	if got := all.NewMessages[1].(*tg.Message); got.Message != "C" || got.EditDate == 0 {
		t.Errorf("a silent edit shows %v", got)
	}
	edit := all.OtherUpdates[0].(*tg.UpdateEditChannelMessage)
	del := all.OtherUpdates[1].(*tg.UpdateDeleteChannelMessages)
	if len(all.OtherUpdates) != 2 || edit.Message.(*tg.Message).Message != "B" || del.Messages[0] != b || del.PtsCount != 1 {
		t.Errorf("got %v", all.OtherUpdates)
	}
	pts, parts := start, 0
	for ; ; parts++ {
		e, more := d.difference(t, x, pts, 2).(*tg.UpdatesChannelDifference)
		if !more {
			break
		}
		if e.Final != (e.Pts == ch.Pts()) {
			t.Errorf("slice to %d of %d says final %v", e.Pts, ch.Pts(), e.Final)
		}
		pts = e.Pts
	}
	if parts != 3 {
		t.Errorf("five events in slices of two were %d slices", parts)
	}
	if e := d.difference(t, x, pts, 100).(*tg.UpdatesChannelDifferenceEmpty); !e.Final || e.Pts != pts || e.Timeout != 1 {
		t.Errorf("got %v", e)
	}
	ch.DeleteSilently(c)
	if _, quiet := d.difference(t, x, pts, 100).(*tg.UpdatesChannelDifferenceEmpty); !quiet {
		t.Error("a silent deletion is in the difference")
	}
	s.TooLong(ch)
	long := d.difference(t, x, pts, 100).(*tg.UpdatesChannelDifferenceTooLong)
	if dialog := long.Dialog.(*tg.Dialog); dialog.Pts != ch.Pts() || dialog.TopMessage != a || len(long.Messages) != 1 {
		t.Errorf("got %v", long)
	}
	if _, ok := d.difference(t, x, pts, 100).(*tg.UpdatesChannelDifferenceEmpty); !ok {
		t.Error("too long stays")
	}
	ch.Post(telegramtest.Post{Text: "later"})
	ch.Forget()
	if _, ok := d.difference(t, x, pts, 100).(*tg.UpdatesChannelDifferenceTooLong); !ok {
		t.Error("a log that was forgotten is not too long")
	}
	_, err := d.UpdatesGetChannelDifference(d.ctx, &tg.UpdatesGetChannelDifferenceRequest{
		Channel: x.AsInput(), Filter: &tg.ChannelMessagesFilterEmpty{}, Pts: ch.Pts() + 1, Limit: 100,
	})
	wantRPC(t, err, "PERSISTENT_TIMESTAMP_INVALID")
}

func testPush(t *testing.T, w *telegramtest.World, s *telegramtest.Server, d *desk) {
	ch := w.AddChannel(telegramtest.Profile{Username: "example_push", Title: "Push"})
	next := func() tg.UpdateClass {
		t.Helper()
		for {
			select {
			case u := <-d.updates:
				if about(u) == ch.ID() { // what earlier tests did may still be on its way
					return u
				}
			case <-d.ctx.Done():
				t.Fatal("no update came")
			}
		}
	}
	id := ch.Post(telegramtest.Post{Text: "pushed"})
	if n := next().(*tg.UpdateNewChannelMessage); n.Pts != ch.Pts() || n.PtsCount != 1 || n.Message.GetID() != id {
		t.Errorf("got %v", n)
	}
	ch.Edit(id, func(p *telegramtest.Post) { p.Text = "edited" })
	if e := next().(*tg.UpdateEditChannelMessage); e.Message.(*tg.Message).Message != "edited" || e.Pts != ch.Pts() {
		t.Errorf("got %v", e)
	}
	ch.Delete(id)
	if e := next().(*tg.UpdateDeleteChannelMessages); e.Messages[0] != id || e.Pts != ch.Pts() {
		t.Errorf("got %v", e)
	}
	s.PushOff(true)
	ch.Post(telegramtest.Post{Text: "unheard"})
	s.PushOff(false)
	ch.PushTooLong()
	if e, ok := next().(*tg.UpdateChannelTooLong); !ok || e.Pts != ch.Pts() {
		t.Errorf("got %v", e)
	}
}

// about is the channel of an update about posts, 0 for another update.
func about(u tg.UpdateClass) int64 {
	peer := func(m tg.MessageClass) int64 {
		if m, ok := m.(tg.NotEmptyMessage); ok {
			if p, ok := m.GetPeerID().(*tg.PeerChannel); ok {
				return p.ChannelID
			}
		}
		return 0
	}
	switch u := u.(type) {
	case *tg.UpdateNewChannelMessage:
		return peer(u.Message)
	case *tg.UpdateEditChannelMessage:
		return peer(u.Message)
	case *tg.UpdateDeleteChannelMessages:
		return u.ChannelID
	case *tg.UpdateChannelTooLong:
		return u.ChannelID
	}
	return 0
}

func testTrouble(t *testing.T, w *telegramtest.World, s *telegramtest.Server, d *desk) {
	ch, other := w.AddChannel(telegramtest.Profile{Username: "example_trouble"}), w.AddChannel(telegramtest.Profile{Username: "example_calm"})
	x, y := d.resolve(t, "example_trouble"), d.resolve(t, "example_calm")
	get := func(ctx context.Context, c *tg.Channel) error {
		_, err := d.MessagesGetHistory(ctx, &tg.MessagesGetHistoryRequest{Peer: c.AsInputPeer(), Limit: 1})
		return err
	}
	s.Flood("messages.getHistory", 3, 2, ch)
	if err := get(d.ctx, y); err != nil {
		t.Errorf("trouble of one channel met %s: %v", other.Profile().Username, err)
	}
	for range 2 {
		if wait, ok := tgerr.AsFloodWait(get(d.ctx, x)); !ok || wait != 3*time.Second {
			t.Errorf("got a wait of %v", wait)
		}
	}
	if err := get(d.ctx, x); err != nil || s.Pending() != 0 {
		t.Errorf("the flood went on: %v", err)
	}
	s.Fail("*", 420, "FROZEN_METHOD_INVALID", 1)
	wantRPC(t, get(d.ctx, x), "FROZEN_METHOD_INVALID")

	s.Latency(80 * time.Millisecond)
	before := time.Now()
	if err := get(d.ctx, x); err != nil || time.Since(before) < 80*time.Millisecond {
		t.Errorf("answered after %v: %v", time.Since(before), err)
	}
	s.Calm()

	s.Skew(time.Hour)
	if st, err := d.UpdatesGetState(d.ctx); err != nil || time.Until(time.Unix(int64(st.Date), 0)) < 59*time.Minute {
		t.Errorf("got %v, %v", st, err)
	}
	s.Calm()

	s.Stall("messages.getHistory", 1)
	short, cancel := context.WithTimeout(d.ctx, 100*time.Millisecond)
	if err := get(short, x); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a stalled call ended with %v", err)
	}
	cancel()
	if err := get(d.ctx, x); err != nil {
		t.Errorf("after a stalled call: %v", err)
	}

	n := s.CallCount("messages.getHistory")
	s.DropAfter("messages.getHistory")
	if err := get(d.ctx, x); err == nil {
		t.Error("a call whose connection was cut was answered")
	} else {
		t.Logf("cut after the acknowledgement: %v (is context.Canceled: %v)", err, errors.Is(err, context.Canceled))
	}
	if got := s.CallCount("messages.getHistory"); got != n+1 {
		t.Errorf("the call was sent %d times", got-n)
	}
	if err := get(d.ctx, x); err != nil {
		t.Errorf("after a cut: %v", err)
	}
	s.DropConnections()
	if err := retry(d.ctx, func() error { return get(d.ctx, x) }); err != nil {
		t.Errorf("after a drop: %v", err)
	}
}

// retry repeats a call while the client connects again.
func retry(ctx context.Context, call func() error) error {
	for {
		err := call()
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
}

func testCalls(t *testing.T, s *telegramtest.Server, d *desk) {
	n, all := s.CallCount("messages.sendMessage"), s.CallCount("*")
	_, err := d.MessagesSendMessage(d.ctx, &tg.MessagesSendMessageRequest{Peer: &tg.InputPeerSelf{}, Message: "never"})
	wantRPC(t, err, "METHOD_INVALID")
	// The client may have asked for itself meanwhile, having connected again.
	if s.CallCount("messages.sendMessage") != n+1 || s.CallCount("*") <= all || len(s.Calls()) < all+1 {
		t.Error("a method that is not played is not counted")
	}
	if !slices.ContainsFunc(s.Calls(), func(c telegramtest.Call) bool { return c.Method == "messages.sendMessage" }) {
		t.Error("a method that is not played is not in the calls")
	}
	done := make(chan error, 1)
	go func() { done <- s.WaitCalls(d.ctx, "updates.getState", s.CallCount("updates.getState")+1) }()
	if _, err := d.UpdatesGetState(d.ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := d.UpdatesGetState(d.ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(d.ctx)
	cancel()
	if err := s.WaitCalls(ended, "updates.getState", 1<<30); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func testRestart(t *testing.T, s *telegramtest.Server, store *session.StorageMemory) {
	addr := s.Addr()
	if err := s.Restart(true); err != nil {
		t.Fatal(err)
	}
	d := connect(t, s, store, nil)
	if _, err := d.client.Self(d.ctx); err != nil || s.Addr() != addr {
		t.Errorf("after a restart that keeps the keys: %v", err)
	}
	s.Revoke()
	_, err := d.UpdatesGetState(d.ctx)
	wantRPC(t, err, "AUTH_KEY_UNREGISTERED")
	d.logIn(t)
	if s.LoggedIn() != 1 {
		t.Errorf("%d keys are logged in", s.LoggedIn())
	}
	if err := d.stop(); err != nil {
		t.Error(err)
	}
	if err := s.Restart(false); err != nil {
		t.Fatal(err)
	}
	// The client asks again after this interval when its key turned out to be unknown; 5 s by default.
	d = connect(t, s, store, func(o *telegram.Options) { o.RetryInterval = 200 * time.Millisecond })
	_, err = d.UpdatesGetState(d.ctx)
	wantRPC(t, err, "AUTH_KEY_UNREGISTERED")
	d.logIn(t)
	if _, err := d.AuthLogOut(d.ctx); err != nil {
		t.Error(err)
	}
	_, err = d.UpdatesGetState(d.ctx)
	wantRPC(t, err, "AUTH_KEY_UNREGISTERED")
}
