package whatsapptest_test

import (
	"bytes"
	"testing"

	"go.mau.fi/whatsmeow"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types/events"

	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

func TestEachAccountGetsWhatItFollows(t *testing.T) {
	w := whatsapptest.NewWorld(at)
	ch, other := gazette(w), w.AddChannel(whatsapptest.Profile{Name: "Allotment news (simulated)"})
	s := serve(t, w, whatsapptest.Options{})
	a := connect(t, s)
	second := whatsapptest.Account{Phone: "12025550101"}
	b := client(t, s, s.Device(second), nil)
	if err := b.Connect(); err != nil {
		t.Fatal(err)
	}
	wait[*events.Connected](t, b)
	w.Follow(whatsapptest.DefaultAccount().Phone, ch, true)
	w.Follow(second.Phone, other, true)
	ch.Post(whatsapptest.Post{Text: "to the first"})
	other.Post(whatsapptest.Post{Text: "to the second"})
	if m := wait[*events.Message](t, a); m.Info.Chat != ch.JID() {
		t.Errorf("the first got %v", m.Info.Chat)
	}
	if m := wait[*events.Message](t, b); m.Info.Chat != other.JID() {
		t.Errorf("the second got %v", m.Info.Chat)
	}
	if n := s.End(whatsapptest.Replaced, second.Phone); n != 1 {
		t.Errorf("ended %d sessions", n)
	}
	wait[*events.StreamReplaced](t, b)
	s.PushOff(true)
	ch.Post(whatsapptest.Post{Text: "not pushed"})
	s.PushOff(false)
	ch.Post(whatsapptest.Post{Text: "pushed"})
	if m := wait[*events.Message](t, a); m.Message.GetConversation() != "pushed" {
		t.Errorf("got %v", m.Message)
	}
}

func TestQuotesForwardsLinksAndPolls(t *testing.T) {
	_, ch, d := followed(t)
	ch.Post(whatsapptest.Post{Text: "reply", Quote: &whatsapptest.Quote{MessageID: "3EB0", Text: "before"}})
	ch.Post(whatsapptest.Post{Text: "passed on", Forward: &whatsapptest.Forward{Channel: "1@newsletter", ServerID: 7, Name: "Elsewhere"}})
	ch.Post(whatsapptest.Post{Text: "see https://example.org", Link: &whatsapptest.Link{URL: "https://example.org", Title: "Example"}})
	ch.Post(whatsapptest.Post{Poll: &whatsapptest.Poll{Question: "Which berth?", Options: []string{"North", "South"}}})
	list, err := d.GetNewsletterMessages(d.ctx, ch.JID(), nil)
	if err != nil || len(list) != 4 {
		t.Fatal(list, err)
	}
	if c := list[0].Message.GetExtendedTextMessage().GetContextInfo(); c.GetStanzaID() != "3EB0" || c.GetQuotedMessage().GetConversation() != "before" {
		t.Errorf("got %v", c)
	}
	if c := list[1].Message.GetExtendedTextMessage().GetContextInfo(); !c.GetIsForwarded() || c.GetForwardedNewsletterMessageInfo().GetServerMessageID() != 7 {
		t.Errorf("got %v", c)
	}
	if x := list[2].Message.GetExtendedTextMessage(); x.GetMatchedText() != "https://example.org" || x.GetTitle() != "Example" {
		t.Errorf("got %v", x)
	}
	if p := list[3].Message.GetPollCreationMessageV3(); p.GetName() != "Which berth?" || len(p.GetOptions()) != 2 || list[3].Type != "poll" {
		t.Errorf("got %v", p)
	}
}

func TestPagesThatWouldFitIntoNoFrame(t *testing.T) {
	_, ch, d := followed(t)
	ch.Fill(5, func(int) whatsapptest.Post {
		return whatsapptest.Post{Raw: append([]byte{10, 0}, bytes.Repeat([]byte{10, 0}, 2<<20)...)}
	})
	list, err := d.GetNewsletterMessages(d.ctx, ch.JID(), nil)
	if err != nil || len(list) == 0 || len(list) == 5 || list[len(list)-1].MessageServerID != 104 {
		t.Errorf("got %d posts, %v", len(list), err)
	}
	next, err := d.GetNewsletterMessages(d.ctx, ch.JID(), &whatsmeow.GetNewsletterMessagesParams{Before: list[0].MessageServerID})
	if err != nil || len(next) == 0 || next[len(next)-1].MessageServerID != list[0].MessageServerID-1 {
		t.Errorf("got %d posts, %v", len(next), err)
	}
}

func TestHistoryByInviteAndAfter(t *testing.T) {
	s, ch, d := followed(t)
	ch.Fill(10, func(int) whatsapptest.Post { return whatsapptest.Post{Text: "post"} })
	s.SetPageLimit(4)
	r := d.ask(t, "newsletter", waBinary.Node{Tag: "messages", Attrs: waBinary.Attrs{
		"type": "invite", "key": ch.Profile().Invite, "count": 50, "after": 101,
	}})
	m := r.GetChildByTag("messages")
	list := m.GetChildren()
	if len(list) != 4 || list[0].Attrs["server_id"] != "102" || m.Attrs["jid"] != ch.JID() {
		t.Errorf("got %d posts from %v", len(list), m.Attrs)
	}
}
