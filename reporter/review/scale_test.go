package review_test

import (
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// A queue reads few more posts than it shows, however many wait behind them.
func BenchmarkQueue(b *testing.B) {
	d, _ := approvedDesk(b)
	const posts, page = 20_000, 500
	for n := int64(0); n < posts; n += page {
		batch := evidence.Batch{}
		acq := evidence.NewAcq(d.now)
		for i := range int64(page) {
			at := evidence.At(d.now)
			batch.Drafts = append(batch.Drafts, evidence.Draft{
				ID: evidence.ID{Acq: acq, N: uint32(i)}, Actor: evidence.Source("test"), Subject: account("1234").Post(100 + n + i),
				Body: &evidence.PostSeen{Method: evidence.MethodMTProto, ClaimedAt: at, Text: "bland (simulated)"},
			})
		}
		if _, err := d.vault.Put(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		w, err := d.Queue(b.Context(), "ana", 50)
		if err != nil || len(w.Posts) != 50 {
			b.Fatalf("%d posts, %v", len(w.Posts), err)
		}
	}
}
