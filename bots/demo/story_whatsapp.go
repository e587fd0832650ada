package demo

import (
	"fmt"

	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

// The story's WhatsApp channels by invite code. The first is read without following it, the second is followed.
const (
	waNews = "0029VaNorthhavenSimA"
	waUrdu = "0029VaNorthhavenSimB"
)

const (
	textWhatsApp     = "Simulated WhatsApp post %d of the fictional Northhaven Front. It calls for nothing."
	textWhatsAppUrdu = "فرضی واٹس ایپ پیغام نمبر %d: یہ تحریر صرف سافٹ ویئر کی آزمائش کے لیے ہے۔"
	textWithdrawn    = "Simulated: this WhatsApp post will be deleted, in the form %q."
	textSpoken       = "Simulated caption of a test picture."
	textPushed       = "Simulated: pushed to whoever follows."
)

// whatsAppOpening is the history that stands on WhatsApp when the watch begins.
func whatsAppOpening() []step {
	var steps []step
	history := func(invite string, n int, text string, files int) {
		steps = append(steps, step{name: "history", ch: invite, wa: fill(n, text), expect: expectation{Posts: n, Versions: n, Files: files}})
	}
	history(waNews, 60, textWhatsApp, 1) // the channel's picture
	history(waUrdu, 16, textWhatsAppUrdu, 0)
	seen := expectation{Posts: 1, Versions: 1}
	file := expectation{Posts: 1, Versions: 1, Files: 1}
	for _, form := range whatsapptest.Deletions() {
		steps = append(steps, step{name: "to be deleted", ch: waUrdu, wa: send(whatsapptest.Post{Text: fmt.Sprintf(textWithdrawn, form)}), expect: seen})
	}
	return append(
		steps,
		step{name: "picture", ch: waNews, wa: send(whatsapptest.Post{
			Text: textSpoken, Media: &whatsapptest.Media{Kind: "image", MIME: "image/png", Bytes: picture(8), Width: 320, Height: 200},
		}), expect: file},
		step{name: "document", ch: waUrdu, wa: send(whatsapptest.Post{
			Text: textFile, Media: &whatsapptest.Media{Kind: "document", Name: "simulated.txt", MIME: "text/plain", Bytes: []byte("A simulated document on WhatsApp. It says nothing.\n")},
		}), expect: file},
		step{name: "poll", ch: waNews, wa: ask("Simulated question: which square is the test square?", "the first", "the second"), expect: seen},
		step{name: "vanished", ch: waNews, wa: send(whatsapptest.Post{Text: textVanished}), expect: seen},
		step{name: "silent deletion", ch: waNews, wa: send(whatsapptest.Post{Text: textRemoved}), expect: seen},
		step{name: "first", ch: waNews, wa: send(whatsapptest.Post{Text: textFirst}), expect: seen},
	)
}

// whatsAppLive is what happens on WhatsApp while the daemon watches.
func whatsAppLive() []step {
	steps := []step{
		{name: "pushed picture", ch: waUrdu, wa: send(whatsapptest.Post{
			Text: textPushed, Media: &whatsapptest.Media{Kind: "image", MIME: "image/png", Bytes: picture(9), Width: 320, Height: 200},
		}), expect: expectation{Posts: 1, Versions: 1, Files: 1}},
		{name: "edit A to B", ch: waNews, wa: reword(textFirst, textChanged), expect: expectation{Versions: 1}},
		{name: "edit B to A", ch: waNews, wa: reword(textChanged, textFirst), expect: expectation{Versions: 1}},
		{name: "deletion without a push", ch: waNews, wa: withdraw(textRemoved, func(ch *whatsapptest.Channel, id int) {
			ch.DeleteSilently(whatsapptest.DeleteAbsent, id)
		}), expect: expectation{Noticed: 1}},
		{name: "vanishing", ch: waNews, wa: withdraw(textVanished, func(ch *whatsapptest.Channel, id int) { ch.Vanish(id) }), expect: expectation{Missing: 1}},
	}
	for _, form := range whatsapptest.Deletions() {
		steps = append(steps, step{
			name: "deletion, form " + string(form), ch: waUrdu,
			wa:     withdraw(fmt.Sprintf(textWithdrawn, form), func(ch *whatsapptest.Channel, id int) { ch.Delete(form, id) }),
			expect: expectation{Noticed: 1},
		})
	}
	return append(
		steps,
		step{name: "rate limit", ch: waNews, wa: amid(func(s *stage, ch *whatsapptest.Channel) error {
			s.wa.server.Flood("newsletter.messages", 1, ch)
			return nil
		}, textFlood), expect: expectation{Posts: 1, Versions: 1}},
		step{name: "server restart", ch: waUrdu, wa: amid(func(s *stage, _ *whatsapptest.Channel) error {
			return s.wa.server.Restart()
		}, textOutage), expect: expectation{Posts: 1, Versions: 1}},
	)
}

// onWhatsApp is an event on a WhatsApp channel.
type onWhatsApp func(*stage, *whatsapptest.Channel) error

func waFind(ch *whatsapptest.Channel, text string) (whatsapptest.Post, bool) {
	for _, p := range ch.Posts() {
		if p.Text == text && p.Deleted == "" {
			return p, true
		}
	}
	return whatsapptest.Post{}, false
}

// fill adds a history at once, as far as it is not there.
func fill(n int, text string) onWhatsApp {
	return func(_ *stage, ch *whatsapptest.Channel) error {
		have := len(ch.Posts())
		if have < n {
			ch.Fill(n-have, func(i int) whatsapptest.Post {
				return whatsapptest.Post{Text: fmt.Sprintf(text, have+i+1), Views: 40 + i, Reactions: map[string]int{"👍": 1 + i%3}}
			})
		}
		return nil
	}
}

func send(p whatsapptest.Post) onWhatsApp {
	return func(_ *stage, ch *whatsapptest.Channel) error {
		if _, there := waFind(ch, p.Text); !there {
			ch.Post(p)
		}
		return nil
	}
}

func ask(question string, options ...string) onWhatsApp {
	return func(_ *stage, ch *whatsapptest.Channel) error {
		for _, p := range ch.Posts() {
			if p.Poll != nil {
				return nil
			}
		}
		ch.Post(whatsapptest.Post{Poll: &whatsapptest.Poll{Question: question, Options: options}})
		return nil
	}
}

func reword(from, to string) onWhatsApp {
	return func(_ *stage, ch *whatsapptest.Channel) error {
		if p, there := waFind(ch, from); there {
			ch.Edit(p.ServerID, func(p *whatsapptest.Post) { p.Text = to })
		}
		return nil
	}
}

// withdraw takes a post away that is still there.
func withdraw(text string, away func(*whatsapptest.Channel, int)) onWhatsApp {
	return func(_ *stage, ch *whatsapptest.Channel) error {
		if p, there := waFind(ch, text); there {
			away(ch, p.ServerID)
		}
		return nil
	}
}

// amid posts a text in the middle of some trouble.
func amid(trouble onWhatsApp, text string) onWhatsApp {
	return func(s *stage, ch *whatsapptest.Channel) error {
		if _, there := waFind(ch, text); there {
			return nil
		}
		if err := trouble(s, ch); err != nil {
			return err
		}
		ch.Post(whatsapptest.Post{Text: text})
		return nil
	}
}
