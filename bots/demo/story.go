package demo

import (
	"fmt"

	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// The story's channels by username. All of them are fictional; the first two are on the watchlist with reporting.
const (
	chNews    = "northhaven_front_sim"
	chUrdu    = "northhaven_urdu_sim"
	chPashto  = "northhaven_pashto_sim"
	chBalochi = "northhaven_balochi_sim"
)

// The texts are bland, and say in their own language that they are simulated.
const (
	textEnglish  = "Simulated post %d of the fictional Northhaven Front. It exists to test software and calls for nothing."
	textUrdu     = "فرضی پیغام نمبر %d: یہ تحریر صرف سافٹ ویئر کی آزمائش کے لیے بنائی گئی ہے۔"
	textPashto   = "فرضي پیغام %d: دا لیکنه یوازې د سافټویر د ازموینې لپاره جوړه شوې ده."
	textBalochi  = "فرضی کلوہ %d: اے نبشتانک تہنا سافٹ ویئر ءِ چکاسگ ءِ ھاترا اَڈ کنگ بوتگ."
	textArabic   = "رسالة وهمية رقم %d: كُتب هذا النص لاختبار البرامج فقط."
	textCall     = "Simulated: members of the fictional Northhaven Front should gather at the test square."
	textCallUrdu = "فرضی: خیالی نارتھ ہیون محاذ کے ارکان آزمائشی چوک پر جمع ہوں۔"
	glossUrdu    = "Simulated: members of the imaginary Northhaven Front should gather at the test square."
	textFirst    = "Simulated: the test meeting is at noon."
	textChanged  = "Simulated: the test meeting is at one o'clock."
	textRemoved  = "Simulated: this post will be removed, and the platform will say so."
	textVanished = "Simulated: this post will be removed, and nobody will say so."
	textAlbum    = "Simulated album: three test pictures."
	textFile     = "Simulated document: a plain text file."
	textOutage   = "Simulated: written while the server was restarting."
	textAgain    = "Simulated: a later run of the demo, number"
	textGap      = "Simulated: written when the platform had forgotten what came before."
	textFlood    = "Simulated: written while the platform asked us to wait."
)

// expectation is what the vault must hold of a channel after the steps that were played.
type expectation struct {
	Posts    int // message numbers that were ever there
	Versions int // versions of them that stood long enough to be seen
	Noticed  int // deletions that the platform announced
	Missing  int // deletions that only a recheck can find
	Files    int // photos and documents
}

// step is one event of the story. Play must find out by itself whether it was played already, since the process may be killed
// between the event and its being noted.
type step struct {
	name   string
	ch     string
	play   func(*stage, *telegramtest.Channel) error
	expect expectation // added to the channel's
	wa     onWhatsApp  // in place of play, on WhatsApp
}

// opening is the history that stands when the watch begins.
func opening() []step {
	var steps []step
	history := func(ch string, n int, text string) {
		for i := 1; i <= n; i++ {
			steps = append(steps, step{name: "history", ch: ch, play: post(telegramtest.Post{Text: fmt.Sprintf(text, i), Views: 40 + i}), expect: expectation{Posts: 1, Versions: 1}})
		}
	}
	history(chNews, 120, textEnglish)
	history(chUrdu, 24, textUrdu)
	history(chPashto, 12, textPashto)
	history(chBalochi, 8, textBalochi)
	history(chBalochi, 8, textArabic)
	steps = append(steps,
		step{name: "call", ch: chNews, play: post(telegramtest.Post{Text: textCall}), expect: expectation{Posts: 1, Versions: 1}},
		step{name: "call", ch: chNews, play: post(telegramtest.Post{Text: textCallUrdu}), expect: expectation{Posts: 1, Versions: 1}},
		step{name: "document", ch: chUrdu, play: post(telegramtest.Post{Text: textFile, Document: &telegramtest.Document{
			Name: "simulated.txt", MIME: "text/plain", Bytes: []byte("A simulated document. It says nothing.\n"),
		}}), expect: expectation{Posts: 1, Versions: 1, Files: 1}},
		step{name: "album", ch: chNews, play: album(3), expect: expectation{Posts: 3, Versions: 3, Files: 3}},
		step{name: "removed", ch: chNews, play: post(telegramtest.Post{Text: textRemoved}), expect: expectation{Posts: 1, Versions: 1}},
		step{name: "vanished", ch: chUrdu, play: post(telegramtest.Post{Text: textVanished}), expect: expectation{Posts: 1, Versions: 1}},
		step{name: "first", ch: chNews, play: post(telegramtest.Post{Text: textFirst}), expect: expectation{Posts: 1, Versions: 1}},
	)
	return append(steps, whatsAppOpening()...)
}

// live is what happens while the daemon watches. Each step is seen in the vault before the next is played.
func live() []step {
	return append([]step{
		{name: "photo", ch: chPashto, play: post(telegramtest.Post{Text: "Simulated picture.", Photo: &telegramtest.Photo{Bytes: picture(7)}}), expect: expectation{Posts: 1, Versions: 1, Files: 1}},
		{name: "edit A to B", ch: chNews, play: edit(textFirst, textChanged), expect: expectation{Versions: 1}},
		{name: "edit B to A", ch: chNews, play: edit(textChanged, textFirst), expect: expectation{Versions: 1}},
		{name: "deletion, announced", ch: chNews, play: remove(textRemoved, true), expect: expectation{Noticed: 1}},
		{name: "deletion, silent", ch: chUrdu, play: remove(textVanished, false), expect: expectation{Missing: 1}},
		{name: "flood wait", ch: chNews, play: during(func(s *stage, ch *telegramtest.Channel) error {
			s.server.Flood("updates.getChannelDifference", 2, 1, ch)
			return nil
		}, textFlood), expect: expectation{Posts: 1, Versions: 1}},
		{name: "server restart", ch: chBalochi, play: during(func(s *stage, _ *telegramtest.Channel) error {
			return s.server.Restart(true)
		}, textOutage), expect: expectation{Posts: 1, Versions: 1}},
		{name: "difference too long", ch: chUrdu, play: during(func(s *stage, ch *telegramtest.Channel) error {
			s.server.TooLong(ch)
			return nil
		}, textGap), expect: expectation{Posts: 1, Versions: 1}},
	}, whatsAppLive()...)
}

func find(ch *telegramtest.Channel, text string) (telegramtest.Post, bool) {
	for _, p := range ch.Posts() {
		if p.Text == text {
			return p, true
		}
	}
	return telegramtest.Post{}, false
}

func post(p telegramtest.Post) func(*stage, *telegramtest.Channel) error {
	return func(_ *stage, ch *telegramtest.Channel) error {
		if _, there := find(ch, p.Text); !there {
			ch.Post(p)
		}
		return nil
	}
}

// album posts n pictures under one group; a run that was killed within is completed.
func album(n int) func(*stage, *telegramtest.Channel) error {
	return func(s *stage, ch *telegramtest.Channel) error {
		var group int64
		have := 0
		for _, p := range ch.Posts() {
			if p.Group != 0 {
				group = p.Group
				have++
			}
		}
		if group == 0 {
			group = s.world.NewGroup()
		}
		for i := have; i < n; i++ {
			p := telegramtest.Post{Group: group, Photo: &telegramtest.Photo{Bytes: picture(i)}}
			if i == 0 {
				p.Text = textAlbum
			}
			ch.Post(p)
		}
		return nil
	}
}

func edit(from, to string) func(*stage, *telegramtest.Channel) error {
	return func(_ *stage, ch *telegramtest.Channel) error {
		if p, there := find(ch, from); there {
			ch.Edit(p.ID, func(p *telegramtest.Post) { p.Text = to })
		}
		return nil
	}
}

func remove(text string, announced bool) func(*stage, *telegramtest.Channel) error {
	return func(_ *stage, ch *telegramtest.Channel) error {
		p, there := find(ch, text)
		switch {
		case !there:
		case announced:
			ch.Delete(p.ID)
		default:
			ch.DeleteSilently(p.ID)
		}
		return nil
	}
}

// during posts a text in the middle of some trouble.
func during(trouble func(*stage, *telegramtest.Channel) error, text string) func(*stage, *telegramtest.Channel) error {
	return func(s *stage, ch *telegramtest.Channel) error {
		if _, there := find(ch, text); there {
			return nil
		}
		if err := trouble(s, ch); err != nil {
			return err
		}
		ch.Post(telegramtest.Post{Text: text})
		return nil
	}
}
