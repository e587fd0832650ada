package whatsapptest_test

import (
	"testing"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types/events"

	"github.com/muhafiz/muhafiz/collectors/whatsapp/whatsapptest"
)

func BenchmarkHistory(b *testing.B) {
	_, ch, d := followed(b)
	ch.Fill(10_000, func(int) whatsapptest.Post {
		return whatsapptest.Post{Text: "high water 04:10, low water 10:25", Views: 7}
	})
	posts := 0
	for b.Loop() {
		before := 0
		for {
			page, err := d.GetNewsletterMessages(d.ctx, ch.JID(), &whatsmeow.GetNewsletterMessagesParams{Count: 100, Before: before})
			if err != nil {
				b.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			posts += len(page)
			before = page[0].MessageServerID
		}
	}
	b.ReportMetric(float64(posts)/b.Elapsed().Seconds(), "posts/s")
}

func BenchmarkPush(b *testing.B) {
	_, ch, d := followed(b)
	const burst = 1000
	posts := 0
	for b.Loop() {
		for range burst {
			ch.Post(whatsapptest.Post{Text: "high water 04:10, low water 10:25"})
		}
		for range burst {
			wait[*events.Message](b, d)
		}
		posts += burst
	}
	b.ReportMetric(float64(posts)/b.Elapsed().Seconds(), "posts/s")
}
