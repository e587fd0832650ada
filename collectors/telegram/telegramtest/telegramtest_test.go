package telegramtest_test

import (
	"context"
	"testing"
	"time"

	"github.com/gotd/td/session"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

func TestSmoke(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w := telegramtest.NewWorld(nil)
	ch := w.AddChannel(telegramtest.Profile{Username: "example_news", Title: "Example"})
	for range 250 {
		ch.Post(telegramtest.Post{Text: "a simulated post"})
	}
	s, err := telegramtest.Serve(ctx, w, telegramtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	o := s.ClientOptions()
	o.SessionStorage = &session.StorageMemory{}
	c := telegram.NewClient(telegramtest.AppID, telegramtest.AppHash, o)
	err = c.Run(ctx, func(ctx context.Context) error {
		if err := telegramtest.LogIn(ctx, c, telegramtest.DefaultAccount()); err != nil {
			return err
		}
		api := c.API()
		r, err := api.ContactsResolveUsername(ctx, &tg.ContactsResolveUsernameRequest{Username: "Example_News"})
		if err != nil {
			return err
		}
		x := r.Chats[0].(*tg.Channel)
		h, err := api.MessagesGetHistory(ctx, &tg.MessagesGetHistoryRequest{Peer: x.AsInputPeer(), Limit: 100})
		if err != nil {
			return err
		}
		t.Log(len(h.(*tg.MessagesChannelMessages).Messages))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(s.Calls())
}
