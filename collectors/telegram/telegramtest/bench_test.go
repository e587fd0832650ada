package telegramtest_test

import (
	"testing"

	"github.com/gotd/td/session"
	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// BenchmarkBackfill reads 40,000 posts with a client that keeps nothing.
func BenchmarkBackfill(b *testing.B) {
	const posts = 40_000
	w := telegramtest.NewWorld(nil)
	ch := w.AddChannel(telegramtest.Profile{Username: "example_bulk", Title: "Bulk"})
	ch.Fill(posts, func(int) telegramtest.Post {
		return telegramtest.Post{Text: "A simulated post of some length, so that a page has a weight. یہ آزمائشی پیغام ہے", Views: 10}
	})
	s := serve(b, w, telegramtest.Options{})
	d := connect(b, s, &session.StorageMemory{}, nil)
	d.logIn(b)
	x := d.resolve(b, "example_bulk")
	for b.Loop() {
		n := 0
		for last := 0; ; {
			page := d.history(b, tg.MessagesGetHistoryRequest{Peer: x.AsInputPeer(), OffsetID: last, Limit: 100})
			if len(page) == 0 {
				break
			}
			n, last = n+len(page), page[len(page)-1]
		}
		if n != posts {
			b.Fatalf("read %d posts", n)
		}
	}
	b.ReportMetric(float64(posts*b.N)/b.Elapsed().Seconds(), "posts/s")
}
