package telegram

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

const testChannel = 1234

func message(change func(*tg.Message)) *tg.Message {
	m := &tg.Message{ID: 7, Post: true, PeerID: &tg.PeerChannel{ChannelID: testChannel}, Date: 1_700_000_000, Message: "Simulated notice"}
	if change != nil {
		change(m)
	}
	// Over the wire and back, so that flags are as a decoder sets them.
	var b bin.Buffer
	if err := m.Encode(&b); err != nil {
		panic(err)
	}
	out := &tg.Message{}
	if err := out.Decode(&b); err != nil {
		panic(err)
	}
	return out
}

func at(sec int64) evidence.Time { return evidence.At(time.Unix(sec, 0)) }

func TestTranslationOfAPost(t *testing.T) {
	private := func(typ, id string) *evidence.Ref {
		return &evidence.Ref{Name: evidence.Private("telegram", typ, id)}
	}
	photo := &tg.Photo{ID: 55, AccessHash: 9, FileReference: []byte{1}, Sizes: []tg.PhotoSizeClass{
		&tg.PhotoStrippedSize{Type: "i", Bytes: []byte{1}},
		&tg.PhotoSize{Type: "x", W: 800, H: 600, Size: 1000},
		&tg.PhotoSizeProgressive{Type: "y", W: 1280, H: 960, Sizes: []int{100, 5000}},
		&tg.PhotoSize{Type: "m", W: 320, H: 240, Size: 10},
	}}
	for name, c := range map[string]struct {
		in   func(*tg.Message)
		want func(*evidence.PostSeen)
	}{
		"plain": {nil, func(*evidence.PostSeen) {}},
		"edited": {
			func(m *tg.Message) { m.EditDate = 1_700_000_100 },
			func(p *evidence.PostSeen) { p.EditedAt = at(1_700_000_100) },
		},
		"edit that the platform hides": {
			func(m *tg.Message) { m.EditDate, m.EditHide = 1_700_000_100, true },
			func(p *evidence.PostSeen) { p.Marks = []string{"edit_hide"} },
		},
		"no date":  {func(m *tg.Message) { m.Date = 0 }, func(p *evidence.PostSeen) { p.ClaimedAt = evidence.Time{} }},
		"far date": {func(m *tg.Message) { m.Date = 1<<31 - 1 }, func(p *evidence.PostSeen) { p.ClaimedAt = at(1<<31 - 1) }},
		"old date": {func(m *tg.Message) { m.Date = -1 << 31 }, func(p *evidence.PostSeen) { p.ClaimedAt = at(-1 << 31) }},
		"invalid UTF-8": {
			func(m *tg.Message) { m.Message = "Simulated \xff\xfe" },
			func(p *evidence.PostSeen) { p.Text, p.InvalidUTF8 = "Simulated \uFFFD", true },
		},
		"bidi controls and NUL stay": {
			func(m *tg.Message) { m.Message = "a\u202eb\x00c\u2066" },
			func(p *evidence.PostSeen) { p.Text = "a\u202eb\x00c\u2066" },
		},
		"signature": {
			func(m *tg.Message) { m.PostAuthor = "Simulated Person" },
			func(p *evidence.PostSeen) { p.Author = private("signature", "1234:Simulated Person") },
		},
		"signing profile": {
			func(m *tg.Message) { m.FromID, m.PostAuthor = &tg.PeerUser{UserID: 5}, "Simulated Person" },
			func(p *evidence.PostSeen) { p.Author = private("user", "5") },
		},
		"forward from a person": {
			func(m *tg.Message) { m.FwdFrom = tg.MessageFwdHeader{FromID: &tg.PeerUser{UserID: 5}, Date: 1} },
			func(p *evidence.PostSeen) { p.Forward = &evidence.Forward{From: private("user", "5"), At: at(1)} },
		},
		"forward from a hidden name": {
			func(m *tg.Message) { m.FwdFrom = tg.MessageFwdHeader{FromName: "Simulated Person", Date: 1} },
			func(p *evidence.PostSeen) {
				p.Forward = &evidence.Forward{From: private("hidden", "Simulated Person"), At: at(1)}
			},
		},
		"forward from a channel": {
			func(m *tg.Message) {
				m.FwdFrom = tg.MessageFwdHeader{FromID: &tg.PeerChannel{ChannelID: 99}, ChannelPost: 3, Date: 1}
			},
			func(p *evidence.PostSeen) {
				p.Forward = &evidence.Forward{From: &evidence.Ref{Name: evidence.Account("telegram", "channel", "99")}, Post: "3", At: at(1)}
			},
		},
		"mention of a user": {
			func(m *tg.Message) {
				m.Entities = []tg.MessageEntityClass{&tg.MessageEntityMentionName{Offset: 0, Length: 9, UserID: 5}}
			},
			func(p *evidence.PostSeen) {
				p.Entities = []evidence.Entity{{Type: "mention_name", Length: 9, Person: private("user", "5")}}
				p.NamesAPerson = true
			},
		},
		"phone": {
			func(m *tg.Message) {
				m.Entities = []tg.MessageEntityClass{&tg.MessageEntityPhone{Offset: 1, Length: 2}}
			},
			func(p *evidence.PostSeen) {
				p.Entities, p.NamesAPerson = []evidence.Entity{{Type: "phone", Offset: 1, Length: 2}}, true
			},
		},
		"mention of a channel that is known": {
			func(m *tg.Message) {
				m.Message, m.Entities = "پیغام @Known_one", []tg.MessageEntityClass{&tg.MessageEntityMention{Offset: 6, Length: 10}}
			},
			func(p *evidence.PostSeen) {
				p.Text, p.Entities = "پیغام @Known_one", []evidence.Entity{{Type: "mention", Offset: 6, Length: 10}}
			},
		},
		"mention of nobody knows whom, outside of the text": {
			func(m *tg.Message) {
				m.Entities = []tg.MessageEntityClass{&tg.MessageEntityMention{Offset: 1 << 30, Length: 1 << 30}}
			},
			func(p *evidence.PostSeen) {
				p.Entities, p.NamesAPerson = []evidence.Entity{{Type: "mention", Offset: 1 << 30, Length: 1 << 30, Outside: true}}, true
			},
		},
		"links, code and emoji": {
			func(m *tg.Message) {
				m.Entities = []tg.MessageEntityClass{
					&tg.MessageEntityTextURL{Length: 1, URL: "https://example.org"}, &tg.MessageEntityPre{Length: 1, Language: "go"},
					&tg.MessageEntityCustomEmoji{Length: 1, DocumentID: 8}, &tg.MessageEntityBold{Length: 1},
				}
			},
			func(p *evidence.PostSeen) {
				p.Entities = []evidence.Entity{
					{Type: "text_link", Length: 1, URL: "https://example.org"},
					{Type: "pre", Length: 1, Lang: "go"},
					{Type: "custom_emoji", Length: 1, ID: "8"},
					{Type: "bold", Length: 1},
				}
			},
		},
		"photo": {
			func(m *tg.Message) { m.Media = &tg.MessageMediaPhoto{Photo: photo, Spoiler: true} },
			func(p *evidence.PostSeen) {
				p.Media = []evidence.Media{{ID: "photo 55", Type: "photo", Size: 5000, Width: 1280, Height: 960, Marks: []string{"spoiler"}}}
				p.Marks = []string{"spoiler"}
			},
		},
		"voice": {
			func(m *tg.Message) {
				m.Media = &tg.MessageMediaDocument{Voice: true, Document: &tg.Document{ID: 6, Size: 9, MimeType: "audio/ogg", Attributes: []tg.DocumentAttributeClass{
					&tg.DocumentAttributeAudio{Voice: true, Duration: 4}, &tg.DocumentAttributeFilename{FileName: "../a\u202egpj.ogg"},
				}}}
			},
			func(p *evidence.PostSeen) {
				p.Media = []evidence.Media{{ID: "document 6", Type: "voice", Size: 9, MIME: "audio/ogg", Name: "../a\u202egpj.ogg", Duration: "4"}}
			},
		},
		"contact": {
			func(m *tg.Message) {
				m.Media = &tg.MessageMediaContact{PhoneNumber: "+10005550199", FirstName: "Simulated"}
			},
			func(p *evidence.PostSeen) {
				p.Media, p.NamesAPerson = []evidence.Media{{ID: "contact", Type: "contact", Person: private("contact", "1234/7")}}, true
			},
		},
		"poll": {
			func(m *tg.Message) {
				m.Media = &tg.MessageMediaPoll{Poll: tg.Poll{ID: 3, Question: tg.TextWithEntities{Text: "Q"}, Answers: []tg.PollAnswerClass{
					&tg.PollAnswer{Text: tg.TextWithEntities{Text: "A"}, Option: []byte{1}},
				}}}
			},
			func(p *evidence.PostSeen) {
				p.Media = []evidence.Media{{
					ID: "poll 3", Type: "poll", Detail: "Q | A", Facts: []evidence.Fact{{Name: "question", Value: "Q"}, {Name: "option", Value: "A"}},
				}}
			},
		},
		"album, reply, restriction, marks": {
			func(m *tg.Message) {
				m.GroupedID, m.Pinned, m.Noforwards = 77, true, true
				m.ReplyTo = &tg.MessageReplyHeader{ReplyToMsgID: 3}
				m.RestrictionReason = []tg.RestrictionReason{{Platform: "all", Reason: "terms", Text: "withheld"}}
			},
			func(p *evidence.PostSeen) {
				p.Group, p.ReplyTo, p.Marks = "77", "3", []string{"pinned", "noforwards"}
				p.Restriction = []evidence.Restriction{{Where: "all", Reason: "terms", Text: "withheld"}}
			},
		},
		"reply to another channel's post": {
			func(m *tg.Message) {
				m.ReplyTo = &tg.MessageReplyHeader{ReplyToMsgID: 3, ReplyToPeerID: &tg.PeerChannel{ChannelID: 99}}
			},
			func(p *evidence.PostSeen) {
				p.Reply = &evidence.Reply{To: &evidence.Ref{Name: evidence.Account("telegram", "channel", "99")}, Post: "3"}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTranslator(testChannel, []tg.ChatClass{&tg.Channel{ID: 99, Username: "known_ONE"}})
			got, ok := tr.message(message(c.in))
			if !ok {
				t.Fatal("not translated")
			}
			want := &evidence.PostSeen{Method: "mtproto", Text: "Simulated notice", ClaimedAt: at(1_700_000_000)}
			c.want(want)
			if d := cmp.Diff(want, got.body, cmpopts.EquateEmpty()); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestTranslationOfCounters(t *testing.T) {
	got, _ := newTranslator(testChannel, nil).message(message(func(m *tg.Message) {
		m.SetViews(10)
		m.SetForwards(0)
		m.SetReactions(tg.MessageReactions{Results: []tg.ReactionCount{
			{Reaction: &tg.ReactionEmoji{Emoticon: "👍"}, Count: 3},
			{Reaction: &tg.ReactionCustomEmoji{DocumentID: 4}, Count: 2},
			{Reaction: &tg.ReactionPaid{}, Count: 1},
		}})
	}))
	want := evidence.Post{Post: "7", Views: 10, Forwards: 0, Replies: -1, Reactions: map[string]int64{"👍": 3, "custom 4": 2, "paid": 1}}
	if d := cmp.Diff(want, got.counts); d != "" {
		t.Error(d)
	}
}

func TestTranslationOfEvents(t *testing.T) {
	peer := &tg.PeerChannel{ChannelID: testChannel}
	for _, c := range []struct {
		action   tg.MessageActionClass
		want     evidence.Service
		snapshot bool
	}{
		{&tg.MessageActionChatEditTitle{Title: "Simulated"}, evidence.Service{Action: "chat_edit_title", Detail: "Simulated"}, true},
		{&tg.MessageActionChatDeletePhoto{}, evidence.Service{Action: "chat_delete_photo"}, true},
		{&tg.MessageActionPinMessage{}, evidence.Service{Action: "pin_message"}, true},
		{&tg.MessageActionChatAddUser{Users: []int64{5}}, evidence.Service{Action: "chat_add_user"}, false},
		{&tg.MessageActionChannelCreate{Title: "Simulated"}, evidence.Service{Action: "channel_create", Detail: "Simulated"}, false},
	} {
		got, ok := newTranslator(testChannel, nil).message(&tg.MessageService{ID: 3, PeerID: peer, Action: c.action})
		if !ok || !cmp.Equal(*got.body.Service, c.want) || got.snapshot != c.snapshot {
			t.Errorf("%T: got %+v, snapshot %v", c.action, got.body.Service, got.snapshot)
		}
	}
	for _, m := range []tg.MessageClass{
		&tg.MessageEmpty{ID: 3}, &tg.Message{ID: 3, PeerID: &tg.PeerUser{UserID: 1}}, &tg.Message{ID: 3, PeerID: &tg.PeerChannel{ChannelID: 99}},
		&tg.Message{ID: -3, PeerID: peer}, &tg.MessageService{ID: 0, PeerID: peer},
	} {
		if _, ok := newTranslator(testChannel, nil).message(m); ok {
			t.Errorf("%+v was taken for a post of the channel", m)
		}
	}
}

func TestAddressesAndNames(t *testing.T) {
	for in, want := range map[string]string{
		"https://t.me/Simulated_One": "simulated_one", "https://t.me/simulated/": "simulated", "@simulated": "simulated", "simulated": "simulated",
	} {
		if got := username(in); got != want {
			t.Errorf("%s: got %s", in, got)
		}
	}
	if got := snake("ChatEditTitle"); got != "chat_edit_title" {
		t.Error(got)
	}
}

func TestAnUnknownCursorIsNotGuessedAt(t *testing.T) {
	for _, s := range []string{`{"v":2}`, `{`, `[]`} {
		if _, err := parseCursor([]byte(s)); err == nil {
			t.Errorf("accepted %s", s)
		}
	}
}

// A reply's bytes may be anything: whatever decodes is translated, encoded as a body and located without a panic, and a place that
// is claimed to be exact is.
func FuzzTranslate(f *testing.F) {
	for _, m := range []tg.MessageClass{
		message(nil),
		message(func(m *tg.Message) {
			m.Entities = []tg.MessageEntityClass{&tg.MessageEntityMention{Offset: -5, Length: 1 << 30}}
		}),
		message(func(m *tg.Message) { m.Media = &tg.MessageMediaPhoto{Photo: &tg.Photo{ID: 1}} }),
		message(func(m *tg.Message) {
			m.Media = &tg.MessageMediaPaidMedia{ExtendedMedia: []tg.MessageExtendedMediaClass{&tg.MessageExtendedMediaPreview{W: -1}}}
		}),
		message(func(m *tg.Message) {
			m.Media = &tg.MessageMediaPoll{Poll: tg.Poll{Answers: []tg.PollAnswerClass{&tg.PollAnswer{Option: []byte{1}}}}, Results: tg.PollResults{Results: []tg.PollAnswerVoters{{Option: []byte{2}}}}}
		}),
		message(func(m *tg.Message) {
			m.Media = &tg.MessageMediaStory{Peer: &tg.PeerUser{UserID: 1}, Story: &tg.StoryItem{ID: -1, Media: &tg.MessageMediaEmpty{}}}
		}),
		message(func(m *tg.Message) {
			m.ReplyTo = &tg.MessageReplyHeader{QuoteText: "\xff", QuoteOffset: -1, ReplyMedia: &tg.MessageMediaContact{PhoneNumber: "1"}}
		}),
		&tg.MessageService{ID: 3, PeerID: &tg.PeerChannel{ChannelID: testChannel}, Action: &tg.MessageActionPollAppendAnswer{Answer: &tg.PollAnswer{}}},
		message(func(m *tg.Message) { m.Media = &tg.MessageMediaWebPage{Webpage: &tg.WebPage{ID: 1, URL: "x"}} }),
		&tg.MessageService{ID: 3, PeerID: &tg.PeerChannel{ChannelID: testChannel}, Action: &tg.MessageActionChatEditPhoto{Photo: &tg.PhotoEmpty{}}},
	} {
		var b bin.Buffer
		if err := m.Encode(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Buf)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := tg.DecodeMessage(&bin.Buffer{Buf: append([]byte(nil), raw...)})
		if err != nil {
			return
		}
		l := locator{raw: raw}
		if s := l.find(m); s != nil && s.Offset+s.Length > int64(len(raw)) {
			t.Fatalf("place %+v in %d bytes", s, len(raw))
		}
		p, ok := newTranslator(testChannel, nil).message(m)
		if !ok {
			return
		}
		for _, r := range p.body.Refs() {
			r.Ordinal = "p1"
		}
		enc, err := evidence.EncodeBody(p.body, [evidence.SaltLen]byte{})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(enc), "access_hash") {
			t.Error("an access hash got into a body")
		}
		postDigest(p.body)
	})
}
