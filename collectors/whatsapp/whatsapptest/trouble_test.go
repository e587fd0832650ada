package whatsapptest_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"github.com/muhafiz/muhafiz/collectors/whatsapp"
	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

func TestRateLimitsOfBothKinds(t *testing.T) {
	s, ch, d := followed(t)
	s.Flood("newsletter.messages", 1, ch)
	_, err := d.GetNewsletterMessages(d.ctx, ch.JID(), nil)
	if !errors.Is(err, whatsmeow.ErrIQRateOverLimit) {
		t.Errorf("got %v", err)
	}
	s.Fail("mex.info", whatsapptest.Trouble{Code: 429, Text: "RATE_OVERLIMIT", GraphQL: true}, 1)
	_, err = d.GetNewsletterInfo(d.ctx, ch.JID())
	var g types.GraphQLError
	if !errors.As(err, &g) || g.Extensions.ErrorCode != 429 || !g.Extensions.IsRetryable {
		t.Errorf("got %v", err)
	}
	if s.Pending() != 0 {
		t.Error("trouble is left")
	}
	if _, err := d.GetNewsletterInfo(d.ctx, ch.JID()); err != nil {
		t.Error(err)
	}
}

func TestChannelsThatAreNotThere(t *testing.T) {
	_, ch, d := followed(t)
	invite := ch.Profile().Invite
	ch.Change(func(p *whatsapptest.Profile) { p.Gone = true })
	var g types.GraphQLError
	if _, err := d.GetNewsletterInfoWithInvite(d.ctx, invite); !errors.As(err, &g) || g.Extensions.ErrorCode != 404 {
		t.Errorf("got %v", err)
	}
	if _, err := d.GetNewsletterMessages(d.ctx, ch.JID(), nil); !errors.Is(err, whatsmeow.ErrIQNotFound) {
		t.Errorf("got %v", err)
	}
	if _, err := d.GetNewsletterMessages(d.ctx, types.NewJID("1", types.GroupServer), nil); !errors.Is(err, whatsmeow.ErrIQNotFound) {
		t.Errorf("got %v", err)
	}
	ch.Change(func(p *whatsapptest.Profile) { p.Gone, p.State = false, whatsapptest.Suspended })
	if _, err := d.GetNewsletterMessages(d.ctx, ch.JID(), nil); !errors.Is(err, whatsmeow.ErrIQForbidden) {
		t.Errorf("got %v", err)
	}
}

func TestAnInviteThatNamesAnotherChannel(t *testing.T) {
	s, ch, d := followed(t)
	other := s.World().AddChannel(whatsapptest.Profile{Name: "Allotment news (simulated)"})
	link := ch.Link()
	s.World().MoveInvite(ch.Profile().Invite, other)
	info, err := d.GetNewsletterInfoWithInvite(d.ctx, link)
	if err != nil || info.ID != other.JID() {
		t.Errorf("got %v, %v", info, err)
	}
	if info, err = d.GetNewsletterInfoWithInvite(d.ctx, ch.Link()); err != nil || info.ID != ch.JID() {
		t.Errorf("got %v, %v", info, err)
	}
}

func TestMangledAnswers(t *testing.T) {
	s, ch, d := followed(t)
	ch.Fill(3, func(int) whatsapptest.Post { return whatsapptest.Post{Text: "post"} })
	ask := func(mangle func(*waBinary.Node)) ([]*types.NewsletterMessage, error) {
		s.Fail("newsletter.messages", whatsapptest.Trouble{Mangle: mangle}, 1)
		return d.GetNewsletterMessages(d.ctx, ch.JID(), nil)
	}
	var missing *whatsmeow.ElementMissingError
	if _, err := ask(whatsapptest.WithoutContent); !errors.As(err, &missing) {
		t.Errorf("got %v", err)
	}
	list, err := ask(whatsapptest.WithoutAttr("server_id", "id"))
	if err != nil || len(list) != 3 || list[0].MessageServerID != 0 || list[0].MessageID != "" {
		t.Errorf("got %v, %v", list, err)
	}
	huge := make([]byte, 8<<20)
	list, err = ask(whatsapptest.EachMessage(func(n *waBinary.Node) {
		n.Content = []waBinary.Node{{Tag: "plaintext", Content: huge[:len(huge)/4]}}
	}))
	if err != nil || len(list) != 3 {
		t.Errorf("got %d, %v", len(list), err)
	}
	if list, err = d.GetNewsletterMessages(d.ctx, ch.JID(), nil); err != nil || list[0].Message.GetConversation() != "post" {
		t.Errorf("trouble outlived its call: %v, %v", list, err)
	}
}

func TestPostsThatAreNoProtobuf(t *testing.T) {
	_, ch, d := followed(t)
	ch.Post(whatsapptest.Post{Raw: []byte{0xff, 0xff, 0xff}})
	ch.Post(whatsapptest.Post{NoPlaintext: true})
	ch.Post(whatsapptest.Post{Text: "marker"})
	if m := wait[*events.Message](t, d); m.Message.GetConversation() != "marker" {
		t.Errorf("got %v", m.Message)
	}
	list, err := d.GetNewsletterMessages(d.ctx, ch.JID(), nil)
	if err != nil || len(list) != 3 || list[0].Message != nil || list[1].Message != nil {
		t.Errorf("got %v, %v", list, err)
	}
}

func TestStalledLateAndCutAnswers(t *testing.T) {
	s, ch, d := followed(t)
	s.Fail("*", whatsapptest.Trouble{Stall: true}, 1)
	s.Fail("*", whatsapptest.Trouble{Garbage: true}, 1)
	for range 2 {
		ctx, cancel := context.WithTimeout(d.ctx, 50*time.Millisecond)
		if _, err := d.GetNewsletterInfo(ctx, ch.JID()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		cancel()
	}
	s.Fail("mex.info", whatsapptest.Trouble{Delay: 20 * time.Millisecond}, 1)
	start := time.Now()
	if _, err := d.GetNewsletterInfo(d.ctx, ch.JID()); err != nil || time.Since(start) < 20*time.Millisecond {
		t.Errorf("got %v after %v", err, time.Since(start))
	}
	s.Fail("mex.info", whatsapptest.Trouble{Cut: true}, 1)
	if _, err := d.GetNewsletterInfo(d.ctx, ch.JID()); err != nil { // the library asks again after it has reconnected
		t.Error(err)
	}
	comesBack(t, d)
}

func TestWhatIsNotPlayedIsNotedAndRefused(t *testing.T) {
	s, ch, d := followed(t)
	_, err := d.GetJoinedGroups(d.ctx)
	var e *whatsmeow.IQError
	if !errors.As(err, &e) || e.Code != 501 {
		t.Errorf("got %v", err)
	}
	if err := d.NewsletterSendReaction(d.ctx, ch.JID(), 100, "👍", ""); err != nil {
		t.Fatal(err)
	}
	if err := s.WaitCalls(d.ctx, "message.reaction", 1); err != nil {
		t.Fatal(s.Kinds())
	}
	ended := make(chan error)
	go func() { ended <- d.NewsletterMarkViewed(d.ctx, ch.JID(), []types.MessageServerID{100}) }() // the answer never comes
	if err := s.WaitCalls(d.ctx, "receipt.view", 1); err != nil {
		t.Fatal(s.Kinds())
	}
	s.End(whatsapptest.Cut)
	<-ended
	comesBack(t, d)
}

func TestGarbageBeforeTheHandshake(t *testing.T) {
	s, ch, d := followed(t)
	for _, b := range [][]byte{{}, {0}, noise(5000), []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")} {
		nc, err := net.Dial("tcp", s.Endpoint().Addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = nc.Write(b)
		_ = nc.Close()
	}
	if _, err := d.GetNewsletterInfo(d.ctx, ch.JID()); err != nil {
		t.Error(err)
	}
}

func TestTheFrontPageTellsTheNewestVersion(t *testing.T) {
	s := serve(t, whatsapptest.NewWorld(at), whatsapptest.Options{})
	tr := whatsapp.Network(s.Endpoint()).Transport()
	defer tr.CloseIdleConnections()
	v, err := whatsmeow.GetLatestVersion(t.Context(), &http.Client{Transport: tr})
	if err != nil || v.IsZero() {
		t.Errorf("got %v, %v", v, err)
	}
}

func TestTheNetworkLeadsNowhereElse(t *testing.T) {
	s := serve(t, whatsapptest.NewWorld(at), whatsapptest.Options{})
	tr := whatsapp.Network(s.Endpoint()).Transport()
	defer tr.CloseIdleConnections()
	for _, u := range []string{"https://example.org/", "http://192.0.2.1/", "https://whatsapp.net.example.org/"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := tr.RoundTrip(req); err == nil {
			_ = r.Body.Close()
			t.Errorf("%s was reached", u)
		}
	}
	n := whatsapp.Network(s.Endpoint())
	n.RootKey[0]++
	if err := n.Use(whatsmeow.NewClient(whatsapptest.NewDevice(), nil), nil); err == nil {
		t.Error("a second network with another root was accepted")
	}
}
