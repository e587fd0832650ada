package telegram_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

func facts(m evidence.Media) string {
	var out []string
	for _, f := range m.Facts {
		out = append(out, f.Name+"="+f.Value)
	}
	return strings.Join(out, "; ")
}

// kind is one kind of post: what the platform has, and what must stand in the record.
type kind struct {
	name string
	post telegramtest.Post
	want func(t *testing.T, p *evidence.PostSeen)
}

// carries asks for one medium: its type, and facts of it in order.
func carries(typ, told string) func(*testing.T, *evidence.PostSeen) {
	return func(t *testing.T, p *evidence.PostSeen) {
		if len(p.Media) != 1 || p.Media[0].Type != typ || facts(p.Media[0]) != told {
			t.Errorf("got %+v", p.Media)
		}
	}
}

func marked(want ...string) func(*testing.T, *evidence.PostSeen) {
	return func(t *testing.T, p *evidence.PostSeen) {
		for _, m := range want {
			if !slices.Contains(p.Marks, m) {
				t.Errorf("%q is not among the marks %v", m, p.Marks)
			}
		}
	}
}

func drawing(n byte) *telegramtest.Photo {
	var b bytes.Buffer
	img := image.NewGray(image.Rect(0, 0, 8, 8))
	img.Pix[0] = n
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return &telegramtest.Photo{Bytes: b.Bytes()}
}

const secret = "Zubaida Fictional"

// person ids that may stand in no body, since they are in no text.
const hiddenUser = 7_770_001

func entityText() telegramtest.Post {
	p := telegramtest.Post{Text: "خبر: simulated 😀 bold italic under strike spoil code pre quote folded https://example.org link #tag $TAG /start a@example.org 🙂 tomorrow"}
	for _, e := range [][2]string{
		{"bold", "bold"},
		{"italic", "italic"},
		{"under", "underline"},
		{"strike", "strike"},
		{"spoil", "spoiler"},
		{"code", "code"},
		{"pre", "pre"},
		{"quote", "quote"},
		{"folded", "collapsed_quote"},
		{"https://example.org", "url"},
		{"link", "text_url"},
		{"#tag", "hashtag"},
		{"$TAG", "cashtag"},
		{"/start", "bot_command"},
		{"a@example.org", "email"},
		{"🙂", "custom_emoji"},
		{"tomorrow", "date"},
	} {
		x := telegramtest.EntityOf(p.Text, e[0], e[1])
		x.URL, x.Lang, x.Emoji, x.Date = "https://example.org/x", "go", 88, 1_700_000_000
		p.Entities = append(p.Entities, x)
	}
	p.Entities = append(p.Entities,
		telegramtest.Entity{Type: "bold", Offset: 1 << 20, Length: 3}, telegramtest.Entity{Type: "bold", Offset: -1, Length: 3},
		telegramtest.Entity{Type: "bold", Offset: 16, Length: 2}, // within the surrogate pair of 😀
		telegramtest.Entity{Type: "unheard of", Length: 1})
	return p
}

func kinds() []kind {
	return []kind{
		{"entities", entityText(), func(t *testing.T, p *evidence.PostSeen) {
			var types []string
			outside := 0
			for _, e := range p.Entities {
				types = append(types, e.Type)
				if e.Outside {
					outside++
				}
				if (e.Type == "custom_emoji" && e.ID != "88") || (e.Type == "formatted_date" && e.Date.Unix() != 1_700_000_000) {
					t.Errorf("%+v", e)
				}
			}
			want := "bold italic underline strike spoiler code pre blockquote blockquote url text_link hashtag cashtag bot_command email custom_emoji formatted_date bold bold bold unknown"
			if got := strings.Join(types, " "); got != want {
				t.Errorf("got %s", got)
			}
			if !p.Entities[8].Collapsed || p.Entities[7].Collapsed || outside != 3 {
				t.Errorf("collapsed %v, %d outside", p.Entities[8].Collapsed, outside)
			}
		}},
		{"photo", telegramtest.Post{Photo: drawing(1)}, carries("photo", "")},
		{"spoiler", telegramtest.Post{Photo: &telegramtest.Photo{Bytes: drawing(2).Bytes, Spoiler: true}}, marked("spoiler")},
		{
			"video with a cover",
			telegramtest.Post{Document: &telegramtest.Document{Kind: "video", Bytes: []byte("v"), MIME: "video/mp4", Width: 4, Height: 3, Duration: 2.5, Cover: drawing(3), TTL: 9}},
			func(t *testing.T, p *evidence.PostSeen) {
				if m := p.Media[0]; m.Type != "video" || m.Duration != "2.5" || !strings.HasPrefix(facts(m), "cover=photo ") || !slices.Contains(p.Marks, "ttl") {
					t.Errorf("%+v", p)
				}
			},
		},
		{"round video", telegramtest.Post{Document: &telegramtest.Document{Kind: "round", Bytes: []byte("r")}}, carries("round_video", "")},
		{"voice", telegramtest.Post{Document: &telegramtest.Document{Kind: "voice", Bytes: []byte("o"), Duration: 3}}, carries("voice", "")},
		{"audio", telegramtest.Post{Document: &telegramtest.Document{Kind: "audio", Bytes: []byte("a"), Title: "Simulated song", By: "Nobody"}}, carries("audio", "title=Simulated song; performer=Nobody")},
		{"document", telegramtest.Post{Document: &telegramtest.Document{Bytes: []byte("d"), Name: "نمونہ.pdf"}}, func(t *testing.T, p *evidence.PostSeen) {
			if p.Media[0].Name != "نمونہ.pdf" {
				t.Errorf("%+v", p.Media)
			}
		}},
		{"animation", telegramtest.Post{Document: &telegramtest.Document{Kind: "animation", Bytes: []byte("g")}}, carries("animation", "sound=none")},
		{"sticker", telegramtest.Post{Document: &telegramtest.Document{Kind: "sticker", Bytes: []byte("s")}}, carries("sticker", "stands for=🙂")},
		{"custom emoji", telegramtest.Post{Document: &telegramtest.Document{Kind: "custom_emoji", Bytes: []byte("e")}}, carries("custom_emoji", "stands for=🙂; set=5")},
		{
			"preview",
			telegramtest.Post{Text: "https://example.org", WebPage: &telegramtest.WebPage{URL: "https://example.org", SiteName: "Example", Title: "A title", Description: "What it says", Photo: drawing(4)}},
			func(t *testing.T, p *evidence.PostSeen) {
				if f := facts(p.Media[0]); !strings.HasPrefix(f, "site=Example; title=A title; description=What it says; picture=photo ") || p.Media[0].Detail != "https://example.org" {
					t.Errorf("%+v", p.Media)
				}
			},
		},
		{"preview to come", telegramtest.Post{WebPage: &telegramtest.WebPage{URL: "https://example.org", Pending: true}}, carries("webpage", "preview=not made yet")},
		{
			"quiz",
			telegramtest.Post{Poll: &telegramtest.Poll{Question: "Which?", Answers: []string{"One", "Two"}, Quiz: true, Right: 1, Solution: "Because.", Closed: true, Votes: []int{3, 4}, Voters: 7}, Recent: []int64{hiddenUser}},
			func(t *testing.T, p *evidence.PostSeen) {
				carries("poll", "question=Which?; option=One; option=Two; right answer=Two; explanation=Because.")(t, p)
				if m := p.Media[0].Marks; !slices.Contains(m, "closed") || !slices.Contains(m, "quiz") {
					t.Errorf("%+v", m)
				}
			},
		},
		{"place", telegramtest.Post{Geo: &telegramtest.Geo{Lat: 1, Long: 2, Accuracy: 30}}, carries("geo", "accuracy=30 metres")},
		{"live place", telegramtest.Post{Geo: &telegramtest.Geo{Lat: 1, Long: 2, Period: 900, Heading: 90}}, carries("geo_live", "shared for=900 seconds; heading=90 degrees")},
		{
			"venue",
			telegramtest.Post{Venue: &telegramtest.Venue{Geo: telegramtest.Geo{Lat: 1, Long: 2}, Title: "A hall", Address: "1 Simulated Street", Type: "hall"}},
			carries("venue", "title=A hall; address=1 Simulated Street; kind=hall"),
		},
		{"contact", telegramtest.Post{Contact: &telegramtest.Contact{Phone: "+10005550177", FirstName: secret, Card: "TEL:+10005550177"}}, func(t *testing.T, p *evidence.PostSeen) {
			if p.Media[0].Person == nil || p.Media[0].Person.Ordinal.Space() != evidence.SpacePrivate || !p.NamesAPerson {
				t.Errorf("%+v", p)
			}
		}},
		{"game", telegramtest.Post{Game: &telegramtest.Game{Title: "A game", Description: "Simulated", Photo: drawing(5)}}, func(t *testing.T, p *evidence.PostSeen) {
			if !strings.HasPrefix(facts(p.Media[0]), "title=A game; description=Simulated; picture=photo ") {
				t.Errorf("%+v", p.Media)
			}
		}},
		{
			"invoice",
			telegramtest.Post{Invoice: &telegramtest.Invoice{Title: "A book", Description: "Simulated", Currency: "EUR", Amount: 950, Picture: "https://example.org/b.png"}},
			carries("invoice", "title=A book; description=Simulated; amount=950 of the smallest unit of EUR; picture elsewhere=https://example.org/b.png"),
		},
		{
			"giveaway",
			telegramtest.Post{Giveaway: &telegramtest.Giveaway{Channels: []int64{55}, Prize: "A cup", Quantity: 2, Until: 1_700_000_000}},
			carries("giveaway", "prizes=2; prize=A cup; until=2023-11-14T22:13:20Z; for subscribers of channel=55"),
		},
		{
			"giveaway that ended",
			telegramtest.Post{Giveaway: &telegramtest.Giveaway{Channels: []int64{55}, Ended: true, Winners: []int64{hiddenUser}, Unclaimed: 1, Months: 3, Until: 1}},
			carries("giveaway_results", "winners=1; unclaimed=1; prize=3 months of Premium"),
		},
		{"dice", telegramtest.Post{Dice: &telegramtest.Dice{Emoji: "🎲", Value: 4}}, func(t *testing.T, p *evidence.PostSeen) {
			if p.Media[0].Detail != "🎲 4" {
				t.Errorf("%+v", p.Media)
			}
		}},
		{"list of things to do", telegramtest.Post{Todo: &telegramtest.Todo{Title: "A list", Items: []string{"One", "Two"}, DoneBy: []int64{hiddenUser}}}, carries("to_do", "title=A list; item=One; item=Two; done=1")},
		{"story", telegramtest.Post{Story: &telegramtest.StoryLink{Channel: 56, ID: 9}}, func(t *testing.T, p *evidence.PostSeen) {
			if m := p.Media[0]; m.ID != "story 9" || m.Origin == nil || m.Origin.Ordinal.Space() != evidence.SpaceAccount {
				t.Errorf("%+v", p.Media)
			}
		}},
		{
			"sold",
			telegramtest.Post{Paid: &telegramtest.Paid{Stars: 50, Photos: []*telegramtest.Photo{drawing(6)}, Videos: []*telegramtest.Document{{Kind: "video", Width: 6, Height: 4, Duration: 7}}}},
			func(t *testing.T, p *evidence.PostSeen) {
				if len(p.Media) != 2 || !p.Media[0].Locked || p.Media[0].Type != "photo" || p.Media[1].Type != "video" || p.Media[1].Duration != "7" || p.Stars != 50 {
					t.Errorf("%+v", p)
				}
				marked("paid_media", "locked")(t, p)
			},
		},
		{"bought", telegramtest.Post{Paid: &telegramtest.Paid{Stars: 50, Bought: true, Photos: []*telegramtest.Photo{drawing(7)}}}, func(t *testing.T, p *evidence.PostSeen) {
			if len(p.Media) != 1 || p.Media[0].Locked || !strings.HasPrefix(p.Media[0].ID, "photo ") || !slices.Contains(p.Media[0].Marks, "paid_media") {
				t.Errorf("%+v", p)
			}
		}},
		{"not for this layer", telegramtest.Post{Unsupported: true}, func(t *testing.T, p *evidence.PostSeen) {
			if !slices.Equal(p.Unknown, []string{"messageMediaUnsupported"}) || p.Media[0].Type != "unsupported" {
				t.Errorf("%+v", p)
			}
		}},
		{
			"forward with its way here",
			telegramtest.Post{Text: "Simulated", Forward: &telegramtest.Forward{Channel: 57, Post: 3, Signature: secret, Date: 1, SavedChannel: 58, SavedPost: 4}},
			func(t *testing.T, p *evidence.PostSeen) {
				f := p.Forward
				if f.Post != "3" || f.SavedPost != "4" || f.SavedFrom == nil || f.Signature == nil || f.Signature.Ordinal.Space() != evidence.SpacePrivate {
					t.Errorf("%+v", f)
				}
			},
		},
		{"forward of a hidden name", telegramtest.Post{Text: "Simulated", Forward: &telegramtest.Forward{Name: secret, Date: 1}}, func(t *testing.T, p *evidence.PostSeen) {
			if p.Forward.From.Ordinal.Space() != evidence.SpacePrivate {
				t.Errorf("%+v", p.Forward)
			}
		}},
		{"reply with a quote", telegramtest.Post{Text: "Simulated", ReplyTo: 1, Reply: &telegramtest.Reply{Quote: "خبر", Offset: 2}}, func(t *testing.T, p *evidence.PostSeen) {
			if r := p.Reply; p.ReplyTo != "1" || r == nil || r.Quote != "خبر" || r.Offset != 2 || !r.Quoted {
				t.Errorf("%+v", r)
			}
		}},
		{"reply elsewhere", telegramtest.Post{Text: "Simulated", Reply: &telegramtest.Reply{Channel: 59, Post: 6, Name: secret, Media: true}}, func(t *testing.T, p *evidence.PostSeen) {
			r := p.Reply
			if p.ReplyTo != "" || r == nil || r.Post != "6" || r.Carried != "photo" || r.From.Ordinal.Space() != evidence.SpacePrivate || r.To.Ordinal.Space() != evidence.SpaceAccount {
				t.Errorf("%+v", r)
			}
		}},
		{"reply to a story", telegramtest.Post{Text: "Simulated", Reply: &telegramtest.Reply{Channel: 59, Story: 2}}, func(t *testing.T, p *evidence.PostSeen) {
			if p.Reply == nil || p.Reply.Story != "2" {
				t.Errorf("%+v", p.Reply)
			}
		}},
		{"what surrounds a text", telegramtest.Post{
			Text: "Simulated", Signature: secret, ViaBot: 61, Effect: 62, TTL: 3600, FactCheck: &telegramtest.FactCheck{Country: "DE", Text: "Not so."}, EditHide: true, EditDate: 1_700_000_100,
			Pinned: true, Silent: true, NoForwards: true, Replies: 5, Reactions: map[string]int{"👍": 2}, PaidReactions: 3, Recent: []int64{hiddenUser}, Views: 9, Forwards: 8,
			Restriction: []telegramtest.Restriction{{Platform: "ios", Reason: "terms", Text: "withheld"}, {Platform: "android", Reason: "terms"}},
		}, func(t *testing.T, p *evidence.PostSeen) {
			marked("pinned", "silent", "noforwards", "edit_hide", "comments", "via_bot", "ttl", "factcheck")(t, p)
			if p.Via == nil || p.Effect != "62" || p.TTL != 3600 || *p.FactCheck != (evidence.FactCheck{Country: "DE", Text: "Not so."}) || len(p.Restriction) != 2 || !p.EditedAt.IsZero() || p.Author == nil {
				t.Errorf("%+v", p)
			}
		}},
		{"group that became the channel", telegramtest.Post{Action: &telegramtest.Action{Type: "migrated", Detail: "Simulated group", From: 5}}, service("channel_migrate_from", "Simulated group", "")},
		{"boost", telegramtest.Post{Action: &telegramtest.Action{Type: "boost", Period: 2}}, service("boost_apply", "", "boosts=2")},
		{"call", telegramtest.Post{Action: &telegramtest.Action{Type: "call", Period: 90}}, service("group_call", "", "lasted=90 seconds")},
		{"pin", telegramtest.Post{ReplyTo: 1, Action: &telegramtest.Action{Type: "pin"}}, service("pin_message", "", "")},
		{"before there was a Telegram", telegramtest.Post{Text: "Simulated", Date: 1}, func(t *testing.T, p *evidence.PostSeen) {
			if p.ClaimedAt.Unix() != 1 {
				t.Errorf("%v", p.ClaimedAt)
			}
		}},
		{"bidi controls and bad UTF-8", telegramtest.Post{Text: "a\u202eb\u2066 \xff"}, func(t *testing.T, p *evidence.PostSeen) {
			if p.Text != "a\u202eb\u2066 \uFFFD" || !p.InvalidUTF8 {
				t.Errorf("%q", p.Text)
			}
		}},
		{"a very long text", telegramtest.Post{Text: strings.Repeat("خبر ", 100_000)}, func(t *testing.T, p *evidence.PostSeen) {
			if len(p.Text) != 700_000 {
				t.Errorf("%d bytes", len(p.Text))
			}
		}},
	}
}

func service(action, detail, told string) func(*testing.T, *evidence.PostSeen) {
	return func(t *testing.T, p *evidence.PostSeen) {
		if s := p.Service; s == nil || s.Action != action || s.Detail != detail || facts(evidence.Media{Facts: s.Facts}) != told {
			t.Errorf("got %+v", s)
		}
	}
}

// Every kind of post comes over the wire to the real client, and what it says is in the record, with persons by pseudonym.
func TestEveryKindOfPost(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 1)
	all := kinds()
	ids := map[string]int{}
	for _, k := range all {
		ids[k.name] = ch.Post(k.post)
	}
	r := observe(t, l, target(ch))
	rs := r.until(t, "every kind", func(rs []record) bool { return len(texts(rs)) == len(all)+1 && pictures(rs) == 6 })
	for _, k := range all {
		t.Run(k.name, func(t *testing.T) { k.want(t, seen(t, rs, ids[k.name])) })
	}
	for _, x := range rs {
		if strings.HasPrefix(string(x.Subject), "p") {
			continue // what a pseudonym stands for is withheld with its body
		}
		for _, word := range []string{secret, "10005550177", strconv.Itoa(hiddenUser)} {
			if bytes.Contains(x.Body, []byte(word)) {
				t.Errorf("%s of %s names a private person: %s", x.Kind, x.Subject, x.Body)
			}
		}
		if x.Kind == evidence.KindPostSeen && !json.Valid(x.Body) {
			t.Errorf("%s is not JSON", x.Subject)
		}
	}
	counted(t, rs, ids)
	checkAcquisitions(t, r, rs2(rs, "a\u202eb", "خبر خبر"))
	checkMethods(t, l)
}

// rs2 leaves out posts whose text begins with one of the words: their bytes are not those of the record's text.
func rs2(rs []record, begin ...string) []record {
	return slices.DeleteFunc(slices.Clone(rs), func(x record) bool {
		p, ok := x.body.(*evidence.PostSeen)
		return ok && slices.ContainsFunc(begin, func(b string) bool { return strings.HasPrefix(p.Text, b) })
	})
}

func seen(t *testing.T, rs []record, id int) *evidence.PostSeen {
	t.Helper()
	for _, x := range rs {
		if p, ok := x.body.(*evidence.PostSeen); ok && x.Subject.Part() == strconv.Itoa(id) {
			return p
		}
	}
	t.Fatalf("post %d was never seen", id)
	return nil
}

func pictures(rs []record) int {
	n := 0
	for _, k := range of[*evidence.MediaKept](rs) {
		if strings.HasPrefix(k.MediaID, "photo ") {
			n++
		}
	}
	return n
}

// counted asks for the totals, which name nobody.
func counted(t *testing.T, rs []record, ids map[string]int) {
	t.Helper()
	found := 0
	for _, c := range of[*evidence.PostCounts](rs) {
		for _, p := range c.Posts {
			switch p.Post {
			case strconv.Itoa(ids["quiz"]):
				found++
				if p.Voters == nil || *p.Voters != 7 || !slices.Equal(p.Votes, []int64{3, 4}) || !p.Closed {
					t.Errorf("the poll's totals: %+v", p)
				}
			case strconv.Itoa(ids["what surrounds a text"]):
				found++
				if p.Views != 9 || p.Forwards != 8 || p.Replies != 5 || p.Reactions["👍"] != 2 || p.Reactions["paid"] != 3 {
					t.Errorf("counters: %+v", p)
				}
			}
		}
	}
	if found != 2 {
		t.Errorf("%d of 2 posts were counted", found)
	}
}

// A preview that the platform makes later brings its picture, without making a version of the post.
func TestAPreviewThatComesLater(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 0)
	page := telegramtest.WebPage{URL: "https://example.org", Pending: true}
	id := ch.Post(telegramtest.Post{Text: "https://example.org", WebPage: &page})
	v := newVault(t, target(ch))
	o := l.options(t)
	oftenAgain(&o, 30*time.Millisecond)
	r := start(t, v, v, o, target(ch))
	r.until(t, "the post", posts(1))
	ch.Count(id, func(p *telegramtest.Post) {
		p.WebPage = &telegramtest.WebPage{ID: p.WebPage.ID, URL: page.URL, Title: "Simulated", Photo: drawing(9)}
	})
	rs := r.until(t, "the picture", func(rs []record) bool { return pictures(rs) == 1 })
	if n := len(of[*evidence.PostSeen](rs)); n != 1 {
		t.Errorf("the preview made %d versions", n)
	}
}

// How a post's audience grows is recorded over time, though the post does not change; small steps are not.
func TestTheAudienceOverTime(t *testing.T) {
	l := theLab(t)
	ch := l.channel(t, 0)
	id := ch.Post(telegramtest.Post{Text: "Simulated notice", Views: 100})
	v := newVault(t, target(ch))
	o := l.options(t)
	oftenAgain(&o, 30*time.Millisecond)
	r := start(t, v, v, o, target(ch))
	r.until(t, "the post", posts(1))
	for _, views := range []int{105, 150, 151, 400} {
		ch.Count(id, func(p *telegramtest.Post) { p.Views = views })
		asked := l.srv.CallCount("channels.getMessages")
		if err := l.srv.WaitCalls(t.Context(), "channels.getMessages", asked+2); err != nil {
			t.Fatal(err)
		}
	}
	rs := r.until(t, "the last count", func(rs []record) bool { return slices.Contains(views(rs, id), 400) })
	if got := views(rs, id); !slices.Equal(got, []int64{100, 150, 400}) {
		t.Errorf("recorded %v", got)
	}
	if n := len(of[*evidence.PostSeen](rs)); n != 1 {
		t.Errorf("%d versions", n)
	}
}

func views(rs []record, id int) []int64 {
	var out []int64
	for _, c := range of[*evidence.PostCounts](rs) {
		for _, p := range c.Posts {
			if p.Post == strconv.Itoa(id) {
				out = append(out, p.Views)
			}
		}
	}
	return out
}
