package whatsapp

import (
	"context"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

// Not even the library's own calls bring out what we never send.
func TestGuard(t *testing.T) {
	w := whatsapptest.NewWorld(nil)
	srv, err := whatsapptest.Serve(context.Background(), w, whatsapptest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	ch := w.AddChannel(whatsapptest.Profile{Name: "Simulated gazette"})
	jid := ch.JID()
	for name, call := range map[string]func(context.Context, *whatsmeow.Client) error{
		"viewed": func(ctx context.Context, c *whatsmeow.Client) error {
			return c.NewsletterMarkViewed(ctx, jid, []types.MessageServerID{101})
		},
		"reaction": func(ctx context.Context, c *whatsmeow.Client) error {
			return c.NewsletterSendReaction(ctx, jid, 101, "👍", "")
		},
		"read": func(ctx context.Context, c *whatsmeow.Client) error {
			return c.MarkRead(ctx, []types.MessageID{"x"}, time.Now(), jid, jid)
		},
		"message": func(ctx context.Context, c *whatsmeow.Client) error {
			_, err := c.SendMessage(ctx, jid, &waE2E.Message{Conversation: proto.String("simulated")})
			return err
		},
		"mute": func(ctx context.Context, c *whatsmeow.Client) error { return c.NewsletterToggleMute(ctx, jid, true) },
		"join": func(ctx context.Context, c *whatsmeow.Client) error {
			_, err := c.JoinGroupWithLink(ctx, "x")
			return err
		},
		"follow": func(ctx context.Context, c *whatsmeow.Client) error { return c.FollowNewsletter(ctx, jid) },
		"leave":  func(ctx context.Context, c *whatsmeow.Client) error { return c.UnfollowNewsletter(ctx, jid) },
		"updates": func(ctx context.Context, c *whatsmeow.Client) error {
			_, err := c.NewsletterSubscribeLiveUpdates(ctx, jid)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := Network(srv.Endpoint())
			o := Options{Alias: "desk", Network: &n, Log: zerolog.Nop()}
			o.setDefaults()
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			h := newHTTP(&o)
			defer h.close()
			caught := make(chan string, 8)
			cli, _, err := o.client(srv.Device(whatsapptest.DefaultAccount()), h, "", func(s string) { caught <- s })
			if err != nil {
				t.Fatal(err)
			}
			cli.BackgroundEventCtx = ctx
			up := make(chan struct{}, 1)
			cli.AddEventHandler(func(e any) {
				if _, ok := e.(*events.Connected); ok {
					up <- struct{}{}
				}
			})
			if err := cli.Connect(); err != nil {
				t.Fatal(err)
			}
			<-up
			before := srv.CallCount("*")
			if err := call(ctx, cli); err == nil {
				t.Error("the call succeeded")
			}
			select {
			case <-caught:
			default:
				t.Error("the guard did not see it")
			}
			if n := srv.CallCount("*"); n != before {
				t.Errorf("the server received %+v", srv.Calls()[before:])
			}
			if cli.IsConnected() {
				t.Error("the connection is still open")
			}
		})
	}
}

func TestNever(t *testing.T) {
	for s, want := range map[string]bool{
		`<ack class="message" id="1" to="x"/>`:                                                              false,
		`<receipt id="1" to="x" type="inactive"/>`:                                                          false,
		`<receipt id="1" to="x" type="view"><list/></receipt>`:                                              true,
		`<iq id="1" type="get" xmlns="newsletter"><messages count="1"/></iq>`:                               false,
		`<iq id="1" type="get" xmlns="w:mex"><query query_id="6563316087068696">{}</query></iq>`:            false,
		`<iq id="1" type="get" xmlns="w:mex"><query query_id="9800646650009898">{}</query></iq>`:            true,
		`<iq id="1" type="get" xmlns="w:p"/>`:                                                               false,
		`<iq id="1" type="set" xmlns="encrypt"><list/></iq>`:                                                false,
		`<message category="peer" id="1" to="me"/>`:                                                         false,
		`<message id="1" to="120363000000000001@newsletter" type="reaction"><reaction code="x"/></message>`: true,
		`<presence type="available"/>`:                                                                      true,
	} {
		if never(s) != want {
			t.Errorf("%s: %v", s, never(s))
		}
	}
}
