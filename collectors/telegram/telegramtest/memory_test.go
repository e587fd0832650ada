package telegramtest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gotd/td/session"
	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// In memory, a server and its client live in a bubble in which no time is waited for.
func TestInMemoryTimeIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := telegramtest.NewWorld(nil)
		ch := w.AddChannel(telegramtest.Profile{Username: "simulated", Title: "Simulated channel"})
		s := serve(t, w, telegramtest.Options{Memory: true})
		d := connect(t, s, &session.StorageMemory{}, nil)
		d.ctx = t.Context()
		d.logIn(t)
		peer := d.resolve(t, "simulated")
		s.Latency(30 * time.Second)
		began := time.Now()
		ch.Post(telegramtest.Post{Text: "Simulated notice"})
		if got := d.history(t, tg.MessagesGetHistoryRequest{Peer: peer.AsInputPeer()}); len(got) != 1 {
			t.Errorf("history %v", got)
		}
		if took := time.Since(began); took < 30*time.Second {
			t.Errorf("half a minute took %v", took)
		}
		s.Calm()
		s.DropConnections()
		if err := s.Restart(true); err != nil {
			t.Fatal(err)
		}
		if got := d.history(t, tg.MessagesGetHistoryRequest{Peer: peer.AsInputPeer()}); len(got) != 1 {
			t.Errorf("history after a restart %v", got)
		}
	})
}
