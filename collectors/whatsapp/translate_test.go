package whatsapp

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rs/zerolog"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

func messageNode(t testing.TB, m *waE2E.Message, attrs waBinary.Attrs, more ...waBinary.Node) *waBinary.Node {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	n := &waBinary.Node{Tag: "message", Attrs: waBinary.Attrs{"id": "3EB0", "server_id": "107", "t": "1700000000", "type": "text"}}
	for k, v := range attrs {
		n.Attrs[k] = v
	}
	n.Content = append([]waBinary.Node{{Tag: "plaintext", Content: b}}, more...)
	return n
}

func TestContent(t *testing.T) {
	person := "12025550199@s.whatsapp.net"
	for _, c := range []struct {
		name    string
		m       *waE2E.Message
		text    string
		media   []string // type: detail
		marks   []string
		private bool
		deleted bool
	}{
		{name: "conversation", m: &waE2E.Message{Conversation: proto.String("simulated")}, text: "simulated"},
		{
			name: "link", m: &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: proto.String("simulated https://example.org"), MatchedText: proto.String("https://example.org")}},
			text: "simulated https://example.org", media: []string{"webpage: https://example.org"},
		},
		{
			name: "poll", m: &waE2E.Message{PollCreationMessageV3: &waE2E.PollCreationMessage{Name: proto.String("Simulated?"), Options: []*waE2E.PollCreationMessage_Option{{OptionName: proto.String("yes")}, {OptionName: proto.String("no")}}}},
			media: []string{"poll: Simulated? | yes | no"},
		},
		{
			name: "place", m: &waE2E.Message{LocationMessage: &waE2E.LocationMessage{DegreesLatitude: proto.Float64(1.5), DegreesLongitude: proto.Float64(-2), Name: proto.String("Simulated square")}},
			media: []string{"geo: 1.500000,-2.000000 Simulated square"},
		},
		{name: "contact", m: &waE2E.Message{ContactMessage: &waE2E.ContactMessage{DisplayName: proto.String("Jane Simulated"), Vcard: proto.String("BEGIN:VCARD")}}, media: []string{"contact: "}, private: true},
		{
			name: "event", m: &waE2E.Message{EventMessage: &waE2E.EventMessage{Name: proto.String("Simulated meeting"), StartTime: proto.Int64(1700000000), Description: proto.String("simulated")}},
			text: "simulated", media: []string{"event: Simulated meeting | 2023-11-14T22:13:20Z"},
		},
		{name: "album", m: &waE2E.Message{AlbumMessage: &waE2E.AlbumMessage{ExpectedImageCount: proto.Uint32(3)}}, media: []string{"album: 3 images, 0 videos"}},
		{
			name: "mention", m: &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: proto.String("simulated @12025550199"), ContextInfo: &waE2E.ContextInfo{MentionedJID: []string{person}}}},
			text: "simulated @12025550199", private: true,
		},
		{name: "forward and quote", m: &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: proto.String("simulated"), ContextInfo: &waE2E.ContextInfo{
			StanzaID: proto.String("3EB1"), IsForwarded: proto.Bool(true), ForwardingScore: proto.Uint32(9),
			ForwardedNewsletterMessageInfo: &waE2E.ContextInfo_ForwardedNewsletterMessageInfo{NewsletterJID: proto.String("120363000000000001@newsletter"), ServerMessageID: proto.Int32(5)},
		}}}, text: "simulated", marks: []string{"quote", "forwarded", "forwarded_many_times"}},
		{name: "wrapped", m: &waE2E.Message{ViewOnceMessageV2: &waE2E.FutureProofMessage{Message: &waE2E.Message{Conversation: proto.String("simulated")}}}, text: "simulated", marks: []string{"view_once_message_v2"}},
		{name: "unknown kind", m: &waE2E.Message{OrderMessage: &waE2E.OrderMessage{}}, media: []string{"order_message: "}},
		{name: "revoke", m: &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{Type: waE2E.ProtocolMessage_REVOKE.Enum(), Key: &waCommon.MessageKey{}}}, deleted: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, why := element(messageNode(t, c.m, nil))
			if why != "" {
				t.Fatal(why)
			}
			var media []string
			for _, m := range x.body.Media {
				media = append(media, m.Type+": "+m.Detail)
			}
			if x.body.Text != c.text || !slices.Equal(media, c.media) || !slices.Equal(x.body.Marks, c.marks) || x.body.NamesAPerson != c.private || x.deleted != c.deleted {
				t.Errorf("%+v", x.body)
			}
			for _, e := range x.body.Entities {
				if e.Person == nil || e.Person.Name.Space != evidence.SpacePrivate || (e.Type == "mention" && (e.Offset != 10 || e.Length != 12)) {
					t.Errorf("%+v", e)
				}
			}
		})
	}
}

// A post is the same version whether it is pushed or asked for, and its parts come in one order.
func TestSameVersion(t *testing.T) {
	m := &waE2E.Message{Conversation: proto.String("simulated"), OrderMessage: &waE2E.OrderMessage{}, PollUpdateMessage: &waE2E.PollUpdateMessage{}, ContactMessage: &waE2E.ContactMessage{}}
	n := messageNode(t, m, waBinary.Attrs{"edit": "3"}, waBinary.Node{Tag: "meta", Attrs: waBinary.Attrs{"msg_edit_t": "1700000001234", "original_msg_t": "1700000000"}})
	first, _ := element(n)
	if first.body.EditedAt.UnixMilli() != 1700000001234 || first.body.ClaimedAt.Unix() != 1700000000 {
		t.Errorf("dates %v %v", first.body.EditedAt, first.body.ClaimedAt)
	}
	for range 50 {
		x, _ := element(n)
		b, _ := proto.Marshal(m)
		pushed := wire{server: 107, message: "3EB0", at: 1700000001, edit: "3", editMS: 1700000001234, original: 1700000000, plaintext: b, has: true, bytes: true}.read()
		mark(&pushed, markPush)
		if postDigest(x.body) != postDigest(first.body) || postDigest(pushed.body) != postDigest(first.body) {
			t.Fatal("one message gives several versions")
		}
	}
}

func TestCounters(t *testing.T) {
	counts := []waBinary.Node{
		{Tag: "views_count", Attrs: waBinary.Attrs{"count": "0"}},
		{Tag: "forwards_count", Attrs: waBinary.Attrs{"count": "7"}},
		{Tag: "reactions", Content: []waBinary.Node{{Tag: "reaction", Attrs: waBinary.Attrs{"code": "👍", "count": "3"}}, {Tag: "reaction", Attrs: waBinary.Attrs{"code": "x", "count": "-1"}}}},
	}
	x, _ := element(messageNode(t, &waE2E.Message{Conversation: proto.String("simulated")}, nil, counts...))
	if x.counts.Views != 0 || x.counts.Forwards != 7 || len(x.counts.Reactions) != 1 || x.counts.Reactions["👍"] != 3 || x.bare {
		t.Errorf("with content: %+v", x.counts)
	}
	n := messageNode(t, &waE2E.Message{}, nil)
	n.Content = counts
	if x, _ = element(n); x.counts.Views != -1 || x.counts.Forwards != 7 || !x.bare {
		t.Errorf("counters alone: %+v", x)
	}
}

func TestChannelID(t *testing.T) {
	for s, want := range map[string]bool{
		"120363000000000001@newsletter": true, "12025550199@s.whatsapp.net": false, "120363000000000001@g.us": false, "": false,
		"abc@newsletter": false, "1:2@newsletter": false, "@newsletter": false, "newsletter": false,
	} {
		if _, ok := channelID(s); ok != want {
			t.Errorf("%q: %v", s, ok)
		}
	}
}

func TestAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"https://whatsapp.com/channel/0029Va": "0029Va", "https://www.whatsapp.com/channel/0029Va/": "0029Va",
		"https://whatsapp.com/channel/0029Va/123?x=1": "0029Va", "https://whatsapp.com/channel/0029Va?x=1": "0029Va",
	} {
		if got := inviteCode(address); got != want {
			t.Errorf("%s: %q", address, got)
		}
	}
	for path, ok := range map[string]bool{
		"/o1/v?oh=1": true, "/o1/v": true, "": false, "o1": false, "//evil.example/": false, "@evil.example/": false, "/a\\b": false, "/a b": false,
		"/a#b": false, "/a\r\nHost: x": false, "/" + strings.Repeat("a", 5000): false,
	} {
		if _, err := address("mmg.whatsapp.net", file{path: path}); (err == nil) != ok {
			t.Errorf("path %q: %v", clip(path), err)
		}
	}
	for host, want := range map[string]bool{
		"mmg.whatsapp.net": true, "media-x.cdn.whatsapp.net": true, "web.whatsapp.com": true, "evilwhatsapp.net": false, "whatsapp.net.evil.example": false,
		"127.0.0.1": false, "169.254.169.254": false, "localhost": false, "MMG.WHATSAPP.NET.": true, "": false,
	} {
		if ours(host) != want {
			t.Errorf("host %q", host)
		}
	}
}

func testWatch() *watch {
	s := New(Options{Alias: "desk", Log: zerolog.Nop(), Now: func() time.Time { return time.Unix(1700000000, 0) }})
	w := newWatch(newRun(s, nil, false), collectors.Target{ID: "t", Platform: platform, Address: "https://whatsapp.com/channel/CODE"})
	w.cur.Channel = "120363000000000001@newsletter"
	return w
}

// Whatever a frame holds, its translation ends, its posts can be written, and its raw form can be read.
func FuzzPage(f *testing.F) {
	list := waBinary.Node{Tag: "messages", Attrs: waBinary.Attrs{"jid": types.NewJID("120363000000000001", types.NewsletterServer)}, Content: []waBinary.Node{
		*messageNode(f, &waE2E.Message{Conversation: proto.String("simulated")}, nil),
		*messageNode(f, &waE2E.Message{ImageMessage: &waE2E.ImageMessage{Caption: proto.String("simulated"), FileSHA256: make([]byte, 32), DirectPath: proto.String("/x?y=z")}}, waBinary.Attrs{"server_id": "108", "edit": "3"}),
		*messageNode(f, &waE2E.Message{EphemeralMessage: &waE2E.FutureProofMessage{Message: &waE2E.Message{ContactMessage: &waE2E.ContactMessage{Vcard: proto.String("x")}}}}, waBinary.Attrs{"server_id": "109", "edit": "8"}),
	}}
	b, err := waBinary.Marshal(list)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{0, 0xF8, 0xFF, 1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := unmarshal(b)
		if err != nil {
			return
		}
		data, at := encodePage(n)
		for _, line := range bytes.Split(bytes.TrimSpace(data), []byte("\n")) {
			if !json.Valid(line) {
				t.Fatalf("raw line %q", line)
			}
		}
		p := testWatch().translate(n, at, evidence.Span{})
		for _, x := range p.posts {
			if x.id <= 0 || !utf8.ValidString(x.body.Text) || len(x.body.Text) > maxText+1 {
				t.Fatalf("post %d %q", x.id, clip(x.body.Text))
			}
			if end := x.body.Raw.Offset + x.body.Raw.Length; end > int64(len(data)) {
				t.Fatalf("raw ends at %d of %d", end, len(data))
			}
			postDigest(x.body)
		}
	})
}

// unmarshal decodes a frame as the library does, which panics on an empty one: only WhatsApp's own server could send that.
func unmarshal(b []byte) (n *waBinary.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errUnreadable
		}
	}()
	plain, err := waBinary.Unpack(b)
	if err != nil {
		return nil, err
	}
	return waBinary.Unmarshal(plain)
}

// Whatever a plaintext holds, it is a post.
func FuzzPlaintext(f *testing.F) {
	for _, m := range []*waE2E.Message{
		{Conversation: proto.String("simulated")},
		{VideoMessage: &waE2E.VideoMessage{Caption: proto.String("simulated"), GifPlayback: proto.Bool(true)}},
		{PollCreationMessage: &waE2E.PollCreationMessage{Name: proto.String("?")}},
		{ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: proto.String("@1"), ContextInfo: &waE2E.ContextInfo{MentionedJID: []string{"1@s.whatsapp.net"}, StanzaID: proto.String("x")}}},
	} {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, int64(1700000000), "3")
	}
	f.Fuzz(func(t *testing.T, b []byte, at int64, edit string) {
		x := wire{server: 1, message: "m", at: at, edit: edit, editMS: at, original: at, plaintext: b, has: true, bytes: true}.read()
		if !utf8.ValidString(x.body.Text) {
			t.Fatal("text is not UTF-8")
		}
		var m waE2E.Message
		if proto.Unmarshal(b, &m) == nil && !slices.Equal(populated(m.ProtoReflect(), b), populated(m.ProtoReflect(), nil)) {
			t.Fatal("the bytes do not name the fields that are set")
		}
		if y, err := json.Marshal(x.body.Media); err != nil {
			t.Fatal(err, y)
		}
		if _, err := x.body.ClaimedAt.MarshalJSON(); err != nil {
			t.Fatal(err)
		}
		if _, err := x.body.EditedAt.MarshalJSON(); err != nil {
			t.Fatal(err)
		}
	})
}

// Whatever a description holds, it is read or refused.
func FuzzMetadata(f *testing.F) {
	f.Add([]byte(`{"xwa2_newsletter":{"id":"1@newsletter","state":{"type":"ACTIVE"},"thread_metadata":{"creation_time":"1","subscribers_count":5,"name":{"text":"x"},"picture":{"id":"1","direct_path":"/x"}}}}`))
	f.Add([]byte(`{"xwa2_newsletter":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseMetadata(b)
		if err != nil {
			return
		}
		s := m.seen("v")
		digestOf(s)
		if _, err := json.Marshal(s.CreatedAt); err != nil || !utf8.ValidString(s.Title) {
			t.Fatal(err, s.Title)
		}
	})
}
