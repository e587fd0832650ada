package whatsapptest_test

import (
	"sync/atomic"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

// followed is a world with a channel that a connected client follows.
func followed(t testing.TB) (*whatsapptest.Server, *whatsapptest.Channel, *desk) {
	t.Helper()
	w := whatsapptest.NewWorld(at)
	ch := gazette(w)
	s := serve(t, w, whatsapptest.Options{})
	d := connect(t, s)
	if err := d.FollowNewsletter(d.ctx, ch.JID()); err != nil {
		t.Fatal(err)
	}
	return s, ch, d
}

func TestPostsEditsAndDeletionsArePushed(t *testing.T) {
	s, ch, d := followed(t)
	id := ch.Post(whatsapptest.Post{Text: "high water 04:10"})
	m := wait[*events.Message](t, d)
	if m.Info.Chat != ch.JID() || m.Info.Sender != ch.JID() || m.Info.ServerID != id || m.Message.GetConversation() != "high water 04:10" {
		t.Errorf("got %+v %v", m.Info, m.Message)
	}
	first := m.Info.ID
	ch.Edit(id, func(p *whatsapptest.Post) { p.Text, p.EditMS = "high water 04:20", 1_700_000_060_000 })
	m = wait[*events.Message](t, d)
	if m.Info.ID != first || m.Info.Edit != types.EditAttributeAdminEdit || m.IsEdit || m.Message.GetConversation() != "high water 04:20" {
		t.Errorf("got %+v %v", m.Info, m.Message)
	}
	if meta := m.NewsletterMeta; meta == nil || meta.EditTS.Unix() != 1_700_000_060 || meta.OriginalTS != at() {
		t.Errorf("got %+v", m.NewsletterMeta)
	}
	ch.Delete(whatsapptest.DeleteEmpty, id)
	if m = wait[*events.Message](t, d); m.Info.ID != first || m.Info.Edit != types.EditAttributeAdminRevoke {
		t.Errorf("got %+v", m.Info)
	}
	if err := s.WaitCalls(d.ctx, "ack.message", 3); err != nil {
		t.Fatal(err)
	}
}

func TestTheFourFormsOfDeletion(t *testing.T) {
	_, ch, d := followed(t)
	for form, visible := range map[whatsapptest.Deletion]bool{
		whatsapptest.DeleteEmpty: true, whatsapptest.DeleteRevoke: true, whatsapptest.DeleteBare: false, whatsapptest.DeleteAbsent: false,
	} {
		id := ch.Post(whatsapptest.Post{Text: "post"})
		wait[*events.Message](t, d)
		ch.Delete(form, id)
		ch.Post(whatsapptest.Post{Text: "marker"})
		m := wait[*events.Message](t, d)
		if got := m.Info.Edit == types.EditAttributeAdminRevoke; got != visible {
			t.Errorf("%s: an event %v, want %v", form, got, visible)
		}
		raw := page(t, d, ch.JID(), 2)
		if edit := raw[0].Attrs["edit"]; edit != "8" || raw[0].Attrs["server_id"] == nil {
			t.Errorf("%s: history shows %s", form, raw[0].XMLString())
		}
		if visible {
			wait[*events.Message](t, d)
		}
	}
	before := len(ch.Posts())
	ch.Vanish(ch.Posts()[0].ServerID)
	if got := len(page(t, d, ch.JID(), 50)); got != before-1 {
		t.Errorf("got %d posts after one vanished", got)
	}
}

// ask sends a query as it is and returns the raw answer.
func (d *desk) ask(t testing.TB, namespace string, content ...waBinary.Node) *waBinary.Node {
	t.Helper()
	//lint:ignore SA1019 there is no other way to the raw node
	r, err := d.DangerousInternals().SendIQ(d.ctx, whatsmeow.DangerousInfoQuery{
		Namespace: namespace, Type: "get", To: types.ServerJID, Content: content,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// page is a page of history as raw nodes.
func page(t testing.TB, d *desk, jid types.JID, count int) []waBinary.Node {
	t.Helper()
	r := d.ask(t, "newsletter", waBinary.Node{Tag: "messages", Attrs: waBinary.Attrs{"type": "jid", "jid": jid, "count": count}})
	m := r.GetChildByTag("messages")
	return m.GetChildren()
}

func TestWhatIsNotAcknowledgedComesAgain(t *testing.T) {
	w := whatsapptest.NewWorld(at)
	ch := gazette(w)
	s := serve(t, w, whatsapptest.Options{})
	a := whatsapptest.DefaultAccount()
	w.Follow(a.Phone, ch, true)
	var refuse atomic.Bool
	refuse.Store(true)
	d := client(t, s, s.Device(a), func(c *whatsmeow.Client) {
		c.SynchronousAck = true
		c.AddEventHandlerWithSuccessStatus(func(e any) bool {
			_, post := e.(*events.Message)
			return !post || !refuse.Load()
		})
	})
	if err := d.Connect(); err != nil {
		t.Fatal(err)
	}
	wait[*events.Connected](t, d)
	ch.Post(whatsapptest.Post{Text: "one"})
	first := wait[*events.Message](t, d)
	ch.Rename("Harbour notices (simulated)") // a notification, which is acknowledged
	if err := s.WaitCalls(d.ctx, "ack.notification", 1); err != nil {
		t.Fatal(err)
	}
	if n := s.CallCount("ack.message"); n != 0 {
		t.Fatalf("got %d acknowledgements of a refused post", n)
	}
	refuse.Store(false)
	s.End(whatsapptest.Cut)
	if again := wait[*events.Message](t, d); again.Info.ID != first.Info.ID {
		t.Errorf("got %v, want %v again", again.Info.ID, first.Info.ID)
	}
	if err := s.WaitCalls(d.ctx, "ack.message", 1); err != nil {
		t.Fatal(err)
	}
	wait[*events.OfflineSyncCompleted](t, d)
	if p := w.Devices()[0].Pending; p != 0 {
		t.Errorf("%d pushes are pending after all was acknowledged", p)
	}
}

func TestLiveUpdatesCarryCountsAlone(t *testing.T) {
	s, ch, d := followed(t)
	id := ch.Post(whatsapptest.Post{Text: "post"})
	wait[*events.Message](t, d)
	for range 2 { // the second time with a subscription
		ch.Count(id, func(p *whatsapptest.Post) { p.Views++ })
		ch.PushCounts(id)
		if s.CallCount("newsletter.live_updates") > 0 {
			break
		}
		dur, err := d.NewsletterSubscribeLiveUpdates(d.ctx, ch.JID())
		if err != nil || dur != 300*time.Second {
			t.Fatalf("got %v, %v", dur, err)
		}
	}
	u := wait[*events.NewsletterLiveUpdate](t, d)
	if u.JID != ch.JID() || len(u.Messages) != 1 || u.Messages[0].ViewsCount != 2 || u.Messages[0].Message != nil {
		t.Errorf("got %+v", u)
	}
}

func TestEndsOfASession(t *testing.T) {
	for _, c := range []struct {
		end  whatsapptest.End
		want func(t testing.TB, d *desk)
		kept bool // the device
	}{
		{whatsapptest.Unavailable, comesBack, true},
		{whatsapptest.Cut, comesBack, true},
		{whatsapptest.Replaced, func(t testing.TB, d *desk) { wait[*events.StreamReplaced](t, d) }, true},
		{whatsapptest.DeviceRemoved, func(t testing.TB, d *desk) { wait[*events.LoggedOut](t, d) }, false},
		{whatsapptest.Reconnect, func(t testing.TB, d *desk) { wait[*events.Connected](t, d) }, true},
	} {
		t.Run(string(c.end), func(t *testing.T) {
			w := whatsapptest.NewWorld(at)
			s := serve(t, w, whatsapptest.Options{})
			d := connect(t, s)
			if n := s.End(c.end, "19999999999"); n != 0 {
				t.Errorf("ended %d sessions of nobody", n)
			}
			if n := s.End(c.end); n != 1 {
				t.Fatalf("ended %d sessions", n)
			}
			c.want(t, d)
			if kept := len(w.Devices()) == 1; kept != c.kept {
				t.Errorf("the device is kept: %v, want %v", kept, c.kept)
			}
		})
	}
}

func TestRefusedLogins(t *testing.T) {
	for _, c := range []struct {
		refusal whatsapptest.Refusal
		want    func(t testing.TB, d *desk)
	}{
		{whatsapptest.Refusal{Reason: 401}, func(t testing.TB, d *desk) { wait[*events.LoggedOut](t, d) }},
		{whatsapptest.Refusal{Reason: 403}, func(t testing.TB, d *desk) { wait[*events.LoggedOut](t, d) }},
		{whatsapptest.Refusal{Reason: 406}, func(t testing.TB, d *desk) { wait[*events.LoggedOut](t, d) }},
		{whatsapptest.Refusal{Reason: 405}, func(t testing.TB, d *desk) { wait[*events.ClientOutdated](t, d) }},
		{whatsapptest.Refusal{Reason: 402, Code: 101, Expire: time.Hour}, func(t testing.TB, d *desk) {
			if b := wait[*events.TemporaryBan](t, d); b.Expire != time.Hour || b.Code != events.TempBanSentToTooManyPeople {
				t.Errorf("got %+v", b)
			}
		}},
		{whatsapptest.Refusal{Reason: 503}, comesBack},
	} {
		t.Run("", func(t *testing.T) {
			s := serve(t, whatsapptest.NewWorld(at), whatsapptest.Options{})
			d := client(t, s, s.Device(whatsapptest.DefaultAccount()), nil)
			s.Refuse(c.refusal, 1)
			if err := d.Connect(); err != nil {
				t.Fatal(err)
			}
			c.want(t, d)
			if n := s.Pending(); n != 0 {
				t.Errorf("%d refusals are left", n)
			}
		})
	}
}

func TestAnUnknownDeviceIsLoggedOut(t *testing.T) {
	w := whatsapptest.NewWorld(at)
	s := serve(t, w, whatsapptest.Options{})
	d := client(t, s, s.Device(whatsapptest.DefaultAccount()), nil)
	w.Unlink(d.Store.GetJID())
	if err := d.Connect(); err != nil {
		t.Fatal(err)
	}
	if e := wait[*events.LoggedOut](t, d); e.Reason != events.ConnectFailureLoggedOut {
		t.Errorf("got %v", e.Reason)
	}
}

func TestASecondConnectionReplacesTheFirst(t *testing.T) {
	s := serve(t, whatsapptest.NewWorld(at), whatsapptest.Options{})
	d := connect(t, s)
	other := client(t, s, d.Store, nil)
	if err := other.Connect(); err != nil {
		t.Fatal(err)
	}
	wait[*events.StreamReplaced](t, d)
	wait[*events.Connected](t, other)
}

func TestKeepAlive(t *testing.T) {
	s := serve(t, whatsapptest.NewWorld(at), whatsapptest.Options{})
	d := connect(t, s)
	d.ask(t, "w:p")
	if s.CallCount("ping") != 1 {
		t.Errorf("got %v", s.Kinds())
	}
}
