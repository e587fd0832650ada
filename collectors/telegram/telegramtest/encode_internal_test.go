package telegramtest

import (
	"fmt"
	"testing"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
)

// TestEveryKind sends every kind of content through the wire format and back.
func TestEveryKind(t *testing.T) {
	w := NewWorld(nil)
	ch := w.AddChannel(Profile{LinkedChat: 9})
	for name, c := range map[string]struct {
		post Post
		want string // the TL name of the part that makes the kind
	}{
		"photo":       {Post{Photo: &Photo{Bytes: []byte("x"), Spoiler: true}}, "messageMediaPhoto"},
		"progressive": {Post{Photo: &Photo{Bytes: []byte("x"), Progressive: true}}, "messageMediaPhoto"},
		"document":    {Post{Document: &Document{Bytes: []byte("x"), Thumb: []byte("y"), Name: "a"}}, "messageMediaDocument"},
		"large":       {Post{Document: &Document{Size: 1 << 40}}, "messageMediaDocument"},
		"video":       {Post{Document: &Document{Kind: "video", Width: 4, Height: 3, Duration: 1.5}}, "messageMediaDocument"},
		"round":       {Post{Document: &Document{Kind: "round"}}, "messageMediaDocument"},
		"animation":   {Post{Document: &Document{Kind: "animation"}}, "messageMediaDocument"},
		"audio":       {Post{Document: &Document{Kind: "audio", Duration: 3}}, "messageMediaDocument"},
		"voice":       {Post{Document: &Document{Kind: "voice"}}, "messageMediaDocument"},
		"sticker":     {Post{Document: &Document{Kind: "sticker"}}, "messageMediaDocument"},
		"poll":        {Post{Poll: &Poll{Question: "?", Answers: []string{"yes", "no"}}}, "messageMediaPoll"},
		"geo":         {Post{Geo: &Geo{Lat: 1, Long: 2}}, "messageMediaGeo"},
		"page":        {Post{WebPage: &WebPage{URL: "https://example.org/"}}, "messageMediaWebPage"},
		"create":      {Post{Action: &Action{Type: "create", Detail: "T"}}, "messageActionChannelCreate"},
		"new photo":   {Post{Action: &Action{Type: "photo"}, Photo: &Photo{Bytes: []byte("x")}}, "messageActionChatEditPhoto"},
		"no photo":    {Post{Action: &Action{Type: "photo_deleted"}}, "messageActionChatDeletePhoto"},
		"pin":         {Post{Action: &Action{Type: "pin"}, ReplyTo: 1}, "messageActionPinMessage"},
		"ttl":         {Post{Action: &Action{Type: "ttl", Period: 86400}}, "messageActionSetMessagesTTL"},
		"custom":      {Post{Action: &Action{Type: "custom", Detail: "text"}}, "messageActionCustomAction"},
		"from a user": {Post{Forward: &Forward{User: 5}}, "peerUser"},
		"hidden":      {Post{Forward: &Forward{Name: "N"}}, "fwd N"},
		"replies":     {Post{Replies: 4}, "replies 4"},
	} {
		if got := kindOf(roundTrip(t, ch, c.post)); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	for _, typ := range []string{
		"bold", "italic", "underline", "strike", "spoiler", "code", "pre", "quote", "url", "text_url", "mention", "mention_name",
		"hashtag", "email", "phone", "custom_emoji",
	} {
		m := roundTrip(t, ch, Post{Text: "abcdef", Entities: []Entity{{Type: typ, Offset: 1, Length: 2, URL: "u", User: 3, Emoji: 4}}})
		e := m.(*tg.Message).Entities[0]
		if _, unknown := e.(*tg.MessageEntityUnknown); unknown || e.GetOffset() != 1 || e.GetLength() != 2 {
			t.Errorf("%s: got %v", typ, e)
		}
	}
}

func roundTrip(t *testing.T, ch *Channel, p Post) tg.MessageClass {
	t.Helper()
	ch.Post(p)
	var b bin.Buffer
	if err := ch.encode(ch.posts[len(ch.posts)-1]).Encode(&b); err != nil {
		t.Fatal(err)
	}
	m, err := tg.DecodeMessage(&b)
	if err != nil || b.Len() != 0 {
		t.Fatalf("decode: %v, %d bytes left", err, b.Len())
	}
	return m
}

func kindOf(m tg.MessageClass) string {
	switch m := m.(type) {
	case *tg.MessageService:
		return m.Action.TypeName()
	case *tg.Message:
		switch {
		case m.Media != nil:
			return m.Media.TypeName()
		case m.FwdFrom.FromID != nil:
			return m.FwdFrom.FromID.TypeName()
		case m.FwdFrom.FromName != "":
			return "fwd " + m.FwdFrom.FromName
		case m.Replies.Replies > 0:
			return fmt.Sprint("replies ", m.Replies.Replies)
		}
	}
	return "nothing"
}
