package telegramtest_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gotd/td/session"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/dcs"
	"github.com/gotd/td/telegram/downloader"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/transport"

	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// TestClient shares one server, one client and one session, since every new key costs a second.
func TestClient(t *testing.T) {
	w := telegramtest.NewWorld(func() time.Time { return time.Unix(1_700_000_000, 0) })
	s := serve(t, w, telegramtest.Options{})
	store := &session.StorageMemory{}
	d := connect(t, s, store, nil)
	if _, err := d.ContactsResolveUsername(d.ctx, &tg.ContactsResolveUsernameRequest{Username: "example_news"}); err == nil {
		t.Error("a client that is not logged in may resolve")
	}
	d.logIn(t)
	t.Run("resolve", func(t *testing.T) { testResolve(t, w, d) })
	t.Run("metadata", func(t *testing.T) { testMetadata(t, w, d) })
	t.Run("history", func(t *testing.T) { testHistory(t, w, s, d) })
	t.Run("content", func(t *testing.T) { testContent(t, w, d) })
	t.Run("difference", func(t *testing.T) { testDifference(t, w, s, d) })
	t.Run("push", func(t *testing.T) { testPush(t, w, s, d) })
	t.Run("files", func(t *testing.T) { testFiles(t, w, s, d) })
	t.Run("trouble", func(t *testing.T) { testTrouble(t, w, s, d) })
	t.Run("calls", func(t *testing.T) { testCalls(t, s, d) })
	if err := d.stop(); err != nil {
		t.Error(err)
	}
	t.Run("transports", func(t *testing.T) { testTransports(t, s, store) })
	t.Run("restart", func(t *testing.T) { testRestart(t, s, store) })
}

func testResolve(t *testing.T, w *telegramtest.World, d *desk) {
	ch := w.AddChannel(telegramtest.Profile{Username: "Example_News", Title: "Example News (simulated)"})
	w.AddUser(telegramtest.User{Username: "example_bot", FirstName: "Bot", Bot: true})
	w.AddChannel(telegramtest.Profile{Username: "example_forum", Title: "Forum", Kind: telegramtest.Forum})
	if got := d.resolve(t, "eXample_news"); got.ID != ch.ID() || !got.Broadcast || got.Title != "Example News (simulated)" {
		t.Errorf("got %v", got)
	}
	if got := d.resolve(t, "example_forum"); !got.Megagroup || !got.Forum || got.Broadcast {
		t.Errorf("got %v", got)
	}
	r, err := d.ContactsResolveUsername(d.ctx, &tg.ContactsResolveUsernameRequest{Username: "example_bot"})
	if err != nil {
		t.Fatal(err)
	}
	if u := r.Users[0].(*tg.User); !u.Bot {
		t.Errorf("got %v", u)
	}
	for name, want := range map[string]string{"nobody_here": "USERNAME_NOT_OCCUPIED", "a b": "USERNAME_INVALID"} {
		_, err := d.ContactsResolveUsername(d.ctx, &tg.ContactsResolveUsernameRequest{Username: name})
		wantRPC(t, err, want)
	}
	other := w.AddChannel(telegramtest.Profile{Title: "Another"})
	w.MoveUsername("example_news", other)
	if got := d.resolve(t, "example_news"); got.ID != other.ID() {
		t.Errorf("the username stayed with %d", got.ID)
	}
}

func testMetadata(t *testing.T, w *telegramtest.World, d *desk) {
	ch := w.AddChannel(telegramtest.Profile{
		Username: "example_meta", Title: "Metadata", About: "simulated", Verified: true, Subscribers: 12,
		Restriction: []telegramtest.Restriction{{Platform: "ios", Reason: "terms", Text: "withheld"}},
	})
	x := d.resolve(t, "example_meta")
	full, err := d.ChannelsGetFullChannel(d.ctx, x.AsInput())
	if err != nil {
		t.Fatal(err)
	}
	f := full.FullChat.(*tg.ChannelFull)
	if f.About != "simulated" || f.ParticipantsCount != 12 || f.Pts != ch.Pts() {
		t.Errorf("got %v", f)
	}
	if !x.Verified || !x.Restricted || x.RestrictionReason[0].Platform != "ios" {
		t.Errorf("got %v", x)
	}
	_, err = d.ChannelsGetFullChannel(d.ctx, &tg.InputChannel{ChannelID: x.ID, AccessHash: x.AccessHash + 1})
	wantRPC(t, err, "CHANNEL_INVALID")
	ch.Change(func(p *telegramtest.Profile) { p.Private = true })
	_, err = d.ChannelsGetFullChannel(d.ctx, x.AsInput())
	wantRPC(t, err, "CHANNEL_PRIVATE")
	got, err := d.ChannelsGetChannels(d.ctx, []tg.InputChannelClass{x.AsInput()})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := got.GetChats()[0].(*tg.ChannelForbidden); !ok {
		t.Errorf("got %v", got)
	}
}

func testHistory(t *testing.T, w *telegramtest.World, s *telegramtest.Server, d *desk) {
	ch := w.AddChannel(telegramtest.Profile{Username: "example_long", Title: "Long"})
	ch.Fill(999, func(int) telegramtest.Post { return telegramtest.Post{Text: "a simulated post"} })
	x := d.resolve(t, "example_long")
	walk := func() []int {
		var all []int
		for last := 0; ; last = all[len(all)-1] {
			page := d.history(t, tg.MessagesGetHistoryRequest{Peer: x.AsInputPeer(), OffsetID: last, Limit: 100})
			if len(page) == 0 {
				return all
			}
			all = append(all, page...)
		}
	}
	whole := walk()
	if len(whole) != 999 || whole[0] != 999 || whole[998] != 1 {
		t.Errorf("walked %d messages", len(whole))
	}
	s.ShortPages(true)
	if page := d.history(t, tg.MessagesGetHistoryRequest{Peer: x.AsInputPeer(), Limit: 100}); len(page) != 99 {
		t.Errorf("a short page has %d", len(page))
	}
	if diff := cmp.Diff(whole, walk()); diff != "" {
		t.Error("short pages lose messages", diff)
	}
	s.Calm()
	s.SetPageLimit(7)
	if page := d.history(t, tg.MessagesGetHistoryRequest{Peer: x.AsInputPeer(), Limit: 100}); len(page) != 7 {
		t.Errorf("a capped page has %d", len(page))
	}
	s.Calm()
	s.Compress(true)
	if page := d.history(t, tg.MessagesGetHistoryRequest{Peer: x.AsInputPeer(), Limit: 100}); len(page) != 100 {
		t.Errorf("a compressed page has %d", len(page))
	}
	s.Calm()
	ch.Delete(500, 502)
	for _, c := range []struct {
		name string
		q    tg.MessagesGetHistoryRequest
		want []int
	}{
		{"older", tg.MessagesGetHistoryRequest{OffsetID: 504, Limit: 3}, []int{503, 501, 499}},
		{"newer", tg.MessagesGetHistoryRequest{OffsetID: 503, AddOffset: -3, Limit: 3}, []int{505, 504, 503}},
		{"around", tg.MessagesGetHistoryRequest{OffsetID: 504, AddOffset: -1, Limit: 2}, []int{504, 503}},
		{"skipped", tg.MessagesGetHistoryRequest{AddOffset: 2, Limit: 2}, []int{997, 996}},
		{"above", tg.MessagesGetHistoryRequest{MinID: 997, Limit: 100}, []int{999, 998}},
		{"below the page", tg.MessagesGetHistoryRequest{MaxID: 5, Limit: 100}, []int{}},
		{"below", tg.MessagesGetHistoryRequest{OffsetID: 7, MaxID: 5, MinID: 2, Limit: 100}, []int{4, 3}},
		{"past the end", tg.MessagesGetHistoryRequest{OffsetID: 1, Limit: 100}, []int{}},
		{"past the start", tg.MessagesGetHistoryRequest{AddOffset: -5, Limit: 5}, []int{}},
		{"before the first date", tg.MessagesGetHistoryRequest{OffsetDate: 1_600_000_000, Limit: 5}, []int{}},
	} {
		c.q.Peer = x.AsInputPeer()
		if diff := cmp.Diff(c.want, d.history(t, c.q)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	r, err := d.ChannelsGetMessages(d.ctx, &tg.ChannelsGetMessagesRequest{
		Channel: x.AsInput(), ID: []tg.InputMessageClass{&tg.InputMessageID{ID: 500}, &tg.InputMessageID{ID: 501}},
	})
	if err != nil {
		t.Fatal(err)
	}
	list := r.(*tg.MessagesChannelMessages).Messages
	if _, gone := list[0].(*tg.MessageEmpty); !gone || list[1].GetID() != 501 {
		t.Errorf("got %v", list)
	}
}

func testContent(t *testing.T, w *telegramtest.World, d *desk) {
	ch := w.AddChannel(telegramtest.Profile{Username: "example_content", Title: "Content"})
	from := w.AddChannel(telegramtest.Profile{Username: "example_origin", Title: "Origin"})
	text := "یہ آزمائشی پیغام ہے 🙂 bold"
	id := ch.Post(telegramtest.Post{
		Text: text, Entities: []telegramtest.Entity{telegramtest.EntityOf(text, "bold", "bold")},
		Forward:   &telegramtest.Forward{Channel: from.ID(), Post: 5, Date: 1_600_000_000},
		Signature: "Editor", Group: w.NewGroup(), Views: 3, Reactions: map[string]int{"👍": 2},
		WebPage: &telegramtest.WebPage{URL: "https://example.org/", Title: "Example"},
		ReplyTo: 1, Pinned: true, NoForwards: true,
		Restriction: []telegramtest.Restriction{{Platform: "all", Reason: "terms", Text: "withheld"}},
	})
	m := d.message(t, d.resolve(t, "example_content"), id)
	e := m.Entities[0].(*tg.MessageEntityBold)
	if m.Message != text || e.Offset != 23 || e.Length != 4 {
		t.Errorf("got %q %v", m.Message, e)
	}
	if m.FwdFrom.ChannelPost != 5 || m.PostAuthor != "Editor" || m.GroupedID == 0 || m.Views != 3 || !m.Noforwards || !m.Pinned {
		t.Errorf("got %v", m)
	}
	if m.Reactions.Results[0].Count != 2 || m.RestrictionReason[0].Reason != "terms" {
		t.Errorf("got %v", m)
	}
	if m.Media.(*tg.MessageMediaWebPage).Webpage.(*tg.WebPage).Title != "Example" {
		t.Errorf("got %v", m.Media)
	}
	bad := ch.Post(telegramtest.Post{Text: "not UTF-8: \xff"})
	if m := d.message(t, d.resolve(t, "example_content"), bad); m.Message != "not UTF-8: \xff" {
		t.Errorf("got %q", m.Message)
	}
	ch.Retitle("New title")
	page, err := d.MessagesGetHistory(d.ctx, &tg.MessagesGetHistoryRequest{Peer: d.resolve(t, "example_content").AsInputPeer(), Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	got := page.(*tg.MessagesChannelMessages).Messages[0].(*tg.MessageService)
	if got.Action.(*tg.MessageActionChatEditTitle).Title != "New title" {
		t.Errorf("got %v", got)
	}
}

func testTransports(t *testing.T, s *telegramtest.Server, store *session.StorageMemory) {
	for name, o := range map[string]dcs.PlainOptions{
		"abridged":          {Protocol: transport.Abridged},
		"intermediate":      {Protocol: transport.Intermediate},
		"padded":            {Protocol: transport.PaddedIntermediate},
		"full":              {Protocol: transport.Full},
		"obfuscated":        {Protocol: transport.Intermediate, Obfuscated: true},
		"obfuscated padded": {Protocol: transport.PaddedIntermediate, Obfuscated: true},
	} {
		t.Run(name, func(t *testing.T) {
			d := connect(t, s, store, func(opt *telegram.Options) { opt.Resolver = dcs.Plain(o) })
			if u, err := d.client.Self(d.ctx); err != nil || !u.Self {
				t.Errorf("got %v, %v", u, err)
			}
		})
	}
}

func testFiles(t *testing.T, w *telegramtest.World, s *telegramtest.Server, d *desk) {
	ch := w.AddChannel(telegramtest.Profile{Username: "example_files", Title: "Files", Photo: &telegramtest.Photo{Bytes: picture(40, 40)}})
	big, small, doc := picture(320, 200), picture(32, 20), noise(3<<20+17)
	first := ch.Post(telegramtest.Post{Photo: &telegramtest.Photo{Bytes: big, Thumb: small}})
	second := ch.Post(telegramtest.Post{Document: &telegramtest.Document{Bytes: doc, Name: "simulated.bin"}})
	x := d.resolve(t, "example_files")
	get := func(loc tg.InputFileLocationClass) ([]byte, error) {
		var b bytes.Buffer
		_, err := downloader.NewDownloader().Download(d.Client, loc).Stream(d.ctx, &b)
		return b.Bytes(), err
	}
	photo := d.message(t, x, first).Media.(*tg.MessageMediaPhoto).Photo.(*tg.Photo)
	for _, size := range photo.Sizes {
		p := size.(*tg.PhotoSize)
		want := map[string][]byte{"m": small, "y": big}[p.Type]
		b, err := get(&tg.InputPhotoFileLocation{
			ID: photo.ID, AccessHash: photo.AccessHash, FileReference: photo.FileReference, ThumbSize: p.Type,
		})
		if err != nil || !bytes.Equal(b, want) || p.Size != len(want) {
			t.Errorf("size %s: %d bytes, %v", p.Type, len(b), err)
		}
	}
	file := d.message(t, x, second).Media.(*tg.MessageMediaDocument).Document.(*tg.Document)
	loc := file.AsInputDocumentFileLocation("")
	if b, err := get(loc); err != nil || !bytes.Equal(b, doc) || file.Size != int64(len(doc)) {
		t.Errorf("document: %d bytes, %v", len(b), err)
	}
	peer := &tg.InputPeerPhotoFileLocation{Big: true, Peer: x.AsInputPeer(), PhotoID: x.Photo.(*tg.ChatPhoto).PhotoID}
	if b, err := get(peer); err != nil || !bytes.Equal(b, picture(40, 40)) {
		t.Errorf("the channel's picture: %d bytes, %v", len(b), err)
	}
	s.ExpireFileReferences()
	_, err := get(loc)
	wantRPC(t, err, tg.ErrFileReferenceExpired)
	fresh := d.message(t, x, second).Media.(*tg.MessageMediaDocument).Document.(*tg.Document)
	if b, err := get(fresh.AsInputDocumentFileLocation("")); err != nil || !bytes.Equal(b, doc) {
		t.Errorf("with a fresh reference: %d bytes, %v", len(b), err)
	}
	for name, q := range map[string]tg.UploadGetFileRequest{
		"OFFSET_INVALID": {Offset: 1000, Limit: 4096},
		"LIMIT_INVALID":  {Offset: 0, Limit: 4096 * 3},
	} {
		q.Location = fresh.AsInputDocumentFileLocation("")
		_, err := d.UploadGetFile(d.ctx, &q)
		wantRPC(t, err, name)
	}
	r, err := d.UploadGetFile(d.ctx, &tg.UploadGetFileRequest{
		Precise: true, Location: fresh.AsInputDocumentFileLocation(""), Offset: 3 << 20, Limit: 1024,
	})
	if err != nil || !slices.Equal(r.(*tg.UploadFile).Bytes, doc[3<<20:]) {
		t.Errorf("a precise part: %v", err)
	}
}
