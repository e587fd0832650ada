package bundle_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/bundle"
)

// everyKind puts posts with all that a post can carry, and returns their ordinals.
func (w *world) everyKind() []evidence.Ordinal {
	w.t.Helper()
	person := func(id string) *evidence.Ref { return &evidence.Ref{Name: evidence.Private("telegram", "hidden", id)} }
	channel := func(id string) *evidence.Ref { return &evidence.Ref{Name: evidence.Account("telegram", "channel", id)} }
	medium := func(m evidence.Media) func(*evidence.PostSeen) {
		return func(p *evidence.PostSeen) { p.Media = []evidence.Media{m} }
	}
	var out []evidence.Ordinal
	number := int64(100)
	put := func(text string, change func(*evidence.PostSeen)) {
		out = append(out, w.seen(number, text, change).Subject)
		number++
	}
	put("رائے شماری (فرضی)", medium(evidence.Media{ID: "poll 3", Type: "poll", Detail: "کون سا دن؟ | پیر | منگل", Marks: []string{"quiz", "closed"}, Facts: []evidence.Fact{
		{Name: "question", Value: "کون سا دن؟"}, {Name: "option", Value: "پیر"}, {Name: "option", Value: "منگل"}, {Name: "right answer", Value: "پیر"},
	}}))
	put("https://example.org/simulated", medium(evidence.Media{ID: "webpage", Type: "webpage", Detail: "https://example.org/simulated", Facts: []evidence.Fact{
		{Name: "site", Value: "Example"}, {Name: "title", Value: "فرضی عنوان \u202e"}, {Name: "description", Value: "Simulated description."}, {Name: "picture", Value: "photo 81"},
	}}))
	put("", medium(evidence.Media{ID: "contact", Type: "contact", Person: person("contact 1/2")}))
	put("", medium(evidence.Media{ID: "geo_live", Type: "geo_live", Detail: "1.000000,2.000000", Marks: []string{"live"}, Facts: []evidence.Fact{{Name: "shared for", Value: "900 seconds"}}}))
	put("", medium(evidence.Media{ID: "story 9", Type: "story", Origin: channel("99")}))
	put("", func(p *evidence.PostSeen) {
		p.Stars, p.Marks = 50, []string{"paid_media", "locked"}
		p.Media = []evidence.Media{{Type: "video", Locked: true, Width: 6, Height: 4, Duration: "7", Marks: []string{"paid_media"}}}
	})
	put("Simulated answer.", func(p *evidence.PostSeen) {
		p.ReplyTo, p.Reply = "", &evidence.Reply{To: channel("98"), Post: "6", From: person("somebody"), Quote: "نقلی اقتباس", Quoted: true, Carried: "photo"}
		p.Via, p.TTL, p.Effect = &evidence.Ref{Name: evidence.Account("telegram", "bot", "61")}, 3600, "62"
		p.FactCheck = &evidence.FactCheck{Country: "DE", Text: "Simulated check."}
		p.Marks = []string{"pinned", "silent", "noforwards", "comments"}
		p.Restriction = []evidence.Restriction{{Where: "ios", Reason: "terms", Text: "withheld"}}
		p.Forward = &evidence.Forward{From: channel("97"), Post: "3", Signature: person("signer"), SavedFrom: channel("96"), SavedPost: "4"}
		p.Author = person("author")
	})
	put("", func(p *evidence.PostSeen) {
		p.Service = &evidence.Service{Action: "boost_apply", Facts: []evidence.Fact{{Name: "boosts", Value: "2"}}}
	})
	put("", func(p *evidence.PostSeen) {
		p.Media, p.Unknown = []evidence.Media{{ID: "unsupported", Type: "unsupported"}}, []string{"messageMediaUnsupported"}
	})
	for i := range 3 {
		put(strings.Repeat("Simulated album, with a caption. ", 1-min(i, 1)), func(p *evidence.PostSeen) {
			p.Group, p.Media = "g9", []evidence.Media{{ID: "photo 9" + string(rune('0'+i)), Type: "photo", Width: 32, Height: 16, Marks: []string{"spoiler"}}}
		})
	}
	w.kept(109, "photo 90", w.photo, "image/png")
	w.now = w.now.Add(time.Second)
	return out
}

func TestEveryKindOfPostIsShownInPlainLanguage(t *testing.T) {
	w := newWorld(t)
	posts := w.everyKind()
	o := w.options(t.TempDir())
	o.Case, o.Posts = "", posts
	res := w.build(o)
	b, err := os.ReadFile(filepath.Join(res.Path, "data/report.html"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for _, want := range []string{
		`<tr><th>option</th><td dir="auto">منگل</td></tr>`, "quiz · closed", `<tr><th>title</th><td dir="auto">فرضی عنوان <span class="ctl" dir="ltr">U+202E</span>`,
		"somebody’s contact; name and number are in the raw reply only", "the private person p", "a place that moves", "telegram channel 99",
		"its outline only: it is sold and was not bought", "50 Stars", "نقلی اقتباس", "message 6 of a", "telegram bot 61", "3600 seconds", "Fact check shown with it DE",
		"saving and forwarding forbidden", "Forwarded by way of", ", message 4", "<tr><th>boosts</th>", "messageMediaUnsupported: see the raw reply",
		"One album of 3 posts", "media covered until touched", "File hidden until asked for", "Restricted for ios",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if n := strings.Count(page, `<div class="album">`); n != 1 {
		t.Errorf("%d albums", n)
	}
	if strings.Contains(page, "<img") || strings.Contains(page, "<video") {
		t.Error("the page shows media unasked")
	}
	if r, err := bundle.Verify(context.Background(), res.Path, w.roots()); err != nil || r.Status != bundle.StatusVerified {
		t.Errorf("%v, %+v", err, r)
	}
}
