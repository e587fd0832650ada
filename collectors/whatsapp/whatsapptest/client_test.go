package whatsapptest_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

func at() time.Time { return time.Unix(1_700_000_000, 0) }

func gazette(w *whatsapptest.World) *whatsapptest.Channel {
	return w.AddChannel(whatsapptest.Profile{
		Name: "Harbour gazette (simulated)", Description: "Tide tables", Verified: true, Followers: 1234, Created: 1_600_000_000,
		Picture: &whatsapptest.Media{Bytes: noise(100), MIME: "image/jpeg"},
	})
}

func TestPairingByQRCode(t *testing.T) {
	w := whatsapptest.NewWorld(at)
	s := serve(t, w, whatsapptest.Options{})
	d := client(t, s, whatsapptest.NewDevice(), nil)
	codes, err := d.GetQRChannel(d.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Connect(); err != nil {
		t.Fatal(err)
	}
	item := <-codes
	if item.Event != whatsmeow.QRChannelEventCode {
		t.Fatalf("got %+v, want a code", item)
	}
	if _, err := s.Scan(d.ctx, "2@x,"+item.Code[3:], whatsapptest.DefaultAccount()); err == nil {
		t.Error("an unknown reference was accepted")
	}
	jid, err := s.Scan(d.ctx, item.Code, whatsapptest.DefaultAccount())
	if err != nil {
		t.Fatal(err)
	}
	if item := <-codes; item != whatsmeow.QRChannelSuccess {
		t.Fatalf("got %+v, want success", item)
	}
	wait[*events.Connected](t, d)
	if got := d.Store.GetJID(); got != jid || jid.User != whatsapptest.DefaultAccount().Phone {
		t.Errorf("got device %v, want %v", got, jid)
	}
	if n := s.CallCount("encrypt.set"); n != 1 {
		t.Errorf("prekeys were uploaded %d times, want 1", n)
	}
	if list := w.Devices(); len(list) != 1 || list[0].PreKeys < 50 || !list[0].Online {
		t.Errorf("got devices %+v", list)
	}
}

func TestPairingByCode(t *testing.T) {
	s := serve(t, whatsapptest.NewWorld(at), whatsapptest.Options{PreKeys: 50})
	d := client(t, s, whatsapptest.NewDevice(), nil)
	if err := d.Connect(); err != nil {
		t.Fatal(err)
	}
	wait[*events.QR](t, d)
	a := whatsapptest.DefaultAccount()
	code, err := d.PairPhone(d.ctx, "+"+a.Phone, true, whatsmeow.PairClientChrome, "Chrome (Linux)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.EnterCode(d.ctx, code, whatsapptest.Account{Phone: "12025550199"}); err == nil {
		t.Error("a code of another number was accepted")
	}
	if _, err := s.EnterCode(d.ctx, code, a); err != nil {
		t.Fatal(err)
	}
	wait[*events.PairSuccess](t, d)
	wait[*events.Connected](t, d)
}

func TestInfoByInviteAndJID(t *testing.T) {
	w := whatsapptest.NewWorld(at)
	ch := gazette(w)
	s := serve(t, w, whatsapptest.Options{})
	d := connect(t, s)
	info, err := d.GetNewsletterInfoWithInvite(d.ctx, ch.Link())
	if err != nil {
		t.Fatal(err)
	}
	if info.ID != ch.JID() || info.ViewerMeta != nil || info.State.Type != types.NewsletterStateActive {
		t.Errorf("got %+v", info)
	}
	m := info.ThreadMeta
	got := []any{m.Name.Text, m.Description.Text, m.SubscriberCount, m.VerificationState, m.InviteCode, m.CreationTime.Unix()}
	want := []any{
		"Harbour gazette (simulated)", "Tide tables", 1234, types.NewsletterVerificationStateVerified, ch.Profile().Invite, int64(1_600_000_000),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	ch.SetState(whatsapptest.GeoSuspended)
	ch.Rename("Harbour notices (simulated)")
	info, err = d.GetNewsletterInfo(d.ctx, ch.JID())
	if err != nil {
		t.Fatal(err)
	}
	if info.State.Type != types.NewsletterStateGeoSuspended || info.ViewerMeta.Role != types.NewsletterRoleGuest ||
		info.ThreadMeta.Name.Text != "Harbour notices (simulated)" || info.ThreadMeta.Name.UpdateTime.Unix() != at().Unix() {
		t.Errorf("got %+v", info)
	}
}

func TestFollowing(t *testing.T) {
	w := whatsapptest.NewWorld(at)
	ch := gazette(w)
	s := serve(t, w, whatsapptest.Options{})
	d := connect(t, s)
	if err := d.FollowNewsletter(d.ctx, ch.JID()); err != nil {
		t.Fatal(err)
	}
	list, err := d.GetSubscribedNewsletters(d.ctx)
	if err != nil || len(list) != 1 || list[0].ID != ch.JID() {
		t.Fatalf("got %v, %v", list, err)
	}
	if err := d.UnfollowNewsletter(d.ctx, ch.JID()); err != nil {
		t.Fatal(err)
	}
	if list, err = d.GetSubscribedNewsletters(d.ctx); err != nil || len(list) != 0 {
		t.Fatalf("got %v, %v", list, err)
	}
}

func TestHistoryIsPagedToTheStart(t *testing.T) {
	w := whatsapptest.NewWorld(at)
	ch := gazette(w)
	ch.Fill(230, func(i int) whatsapptest.Post {
		return whatsapptest.Post{Text: fmt.Sprintf("tide %d", i), Views: i, Reactions: map[string]int{"👍": i}}
	})
	s := serve(t, w, whatsapptest.Options{})
	d := connect(t, s)
	for _, order := range []whatsapptest.Order{whatsapptest.Ascending, whatsapptest.Descending, whatsapptest.Shuffled} {
		s.SetOrder(order)
		seen, before, pages := map[int]string{}, 0, 0
		for {
			page, err := d.GetNewsletterMessages(d.ctx, ch.JID(), &whatsmeow.GetNewsletterMessagesParams{Count: 100, Before: before})
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			pages++
			for _, m := range page {
				seen[m.MessageServerID] = m.Message.GetConversation()
				if before == 0 || m.MessageServerID < before {
					before = m.MessageServerID
				}
			}
		}
		if len(seen) != 230 || pages != 3 || seen[100] != "tide 0" || seen[329] != "tide 229" {
			t.Errorf("%s: got %d posts in %d pages, %q, %q", order, len(seen), pages, seen[100], seen[329])
		}
	}
	s.Calm()
	got, err := d.GetNewsletterMessageUpdates(d.ctx, ch.JID(), &whatsmeow.GetNewsletterUpdatesParams{Count: 10})
	if err != nil {
		t.Fatal(err)
	}
	last := got[len(got)-1]
	if len(got) != 10 || last.MessageServerID != 329 || last.ViewsCount != 229 || last.ReactionCounts["👍"] != 229 || last.Message != nil {
		t.Errorf("got %d updates, the last %+v", len(got), last)
	}
}

func TestMediaOfEveryKind(t *testing.T) {
	w := whatsapptest.NewWorld(at)
	ch := gazette(w)
	kinds := []string{"image", "video", "round", "gif", "audio", "voice", "document", "sticker"}
	for i, k := range kinds {
		ch.Post(whatsapptest.Post{Text: "caption", Media: &whatsapptest.Media{Kind: k, Bytes: noise(1000 + i), MIME: "application/x"}})
	}
	s := serve(t, w, whatsapptest.Options{})
	d := connect(t, s)
	page, err := d.GetNewsletterMessages(d.ctx, ch.JID(), nil)
	if err != nil || len(page) != len(kinds) {
		t.Fatalf("got %d posts, %v", len(page), err)
	}
	for i, m := range page {
		b, err := d.Download(d.ctx, fileOf(m.Message))
		if err != nil || !bytes.Equal(b, noise(1000+i)) {
			t.Errorf("%s: got %d bytes, %v", kinds[i], len(b), err)
		}
	}
	if n := s.CallCount("media"); n != len(kinds) {
		t.Errorf("got %d media requests", n)
	}
}

func TestARestartKeepsPairedDevices(t *testing.T) {
	path := t.TempDir() + "/world.json"
	w := whatsapptest.NewWorld(at)
	ch := gazette(w)
	if err := w.Autosave(path); err != nil {
		t.Fatal(err)
	}
	root, err := whatsapptest.LoadRoot(t.TempDir() + "/root")
	if err != nil {
		t.Fatal(err)
	}
	if root.Public() == whatsapptest.SharedRoot().Public() {
		t.Error("a fresh root is the shared one")
	}
	s := serve(t, w, whatsapptest.Options{})
	dev := s.Device(whatsapptest.DefaultAccount())
	w.Follow(whatsapptest.DefaultAccount().Phone, ch, true)
	ch.Post(whatsapptest.Post{Text: "while away", Media: &whatsapptest.Media{Kind: "image", Bytes: noise(10)}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	w, err = whatsapptest.Load(path, at)
	if err != nil {
		t.Fatal(err)
	}
	s = serve(t, w, whatsapptest.Options{})
	d := client(t, s, dev, nil)
	if err := d.Connect(); err != nil {
		t.Fatal(err)
	}
	m, connected := (*events.Message)(nil), false
	for m == nil || !connected { // in either order
		switch e := next(t, d).(type) {
		case *events.Message:
			m = e
		case *events.Connected:
			connected = true
		}
	}
	if got := m.Message.GetImageMessage().GetCaption(); got != "while away" {
		t.Errorf("got %q", got)
	}
	if err := s.WaitCalls(d.ctx, "ack.message", 1); err != nil { // the library does not lock its socket against a late sender
		t.Fatal(err)
	}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	comesBack(t, d)
	if n := s.CallCount("login"); n != 2 {
		t.Errorf("got %d logins", n)
	}
}

func TestTheVersionAtLoginIsNoted(t *testing.T) {
	s := serve(t, whatsapptest.NewWorld(at), whatsapptest.Options{})
	d := connect(t, s)
	for _, c := range s.Calls() {
		if c.Kind == "login" && (c.Version != store.GetWAVersion().String() || c.From != d.Store.GetJID()) {
			t.Errorf("got %+v", c)
		}
	}
}

func fileOf(m *waE2E.Message) whatsmeow.DownloadableMessage {
	switch {
	case m.ImageMessage != nil:
		return m.ImageMessage
	case m.VideoMessage != nil:
		return m.VideoMessage
	case m.PtvMessage != nil:
		return m.PtvMessage
	case m.AudioMessage != nil:
		return m.AudioMessage
	case m.StickerMessage != nil:
		return m.StickerMessage
	}
	return m.DocumentMessage
}
