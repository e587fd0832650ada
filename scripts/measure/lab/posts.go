package lab

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

// source is who acts in what the measuring programs write.
const source = "bench/main"

// bodyHead is about what an encoded body holds beside the text.
const bodyHead = 387

// Posts drafts posts of fictional channels, round robin, all of them new. Its methods may be called by many goroutines at once.
type Posts struct {
	channels []evidence.Name
	texts    []string // by turns
	next     atomic.Int64
}

// NewPosts makes the texts, so that measuring does not include thinking of them: an encoded body has about size bytes.
func NewPosts(channels, size int) *Posts {
	p := &Posts{channels: make([]evidence.Name, channels)}
	for i := range p.channels {
		p.channels[i] = evidence.Account("bench", "channel", fmt.Sprint(1_000_000+i))
	}
	filler := strings.Repeat("A simulated post of a fictional channel, for measuring. ", size/56+1)[:max(1, size-bodyHead)]
	for i := range 997 {
		p.texts = append(p.texts, fmt.Sprintf("%06d %s", i, filler))
	}
	return p
}

// Bind gives every channel its ordinal, as its snapshot would.
func (p *Posts) Bind(ctx context.Context, v *vault.Vault) error {
	now := time.Now()
	drafts := []evidence.Draft{{
		ID: evidence.NewID(now), Actor: evidence.Source(source), Subject: evidence.Source(source), Body: &evidence.Collector{Key: source, State: "starting"},
	}}
	acq := evidence.NewAcq(now)
	for i, c := range p.channels {
		drafts = append(drafts, evidence.Draft{
			ID: evidence.ID{Acq: acq, N: uint32(i)}, Actor: evidence.Source(source), Subject: c,
			Body: &evidence.AccountSeen{Method: evidence.MethodMTProto, Vantage: "main", Title: fmt.Sprintf("Simulated channel %d", i)},
		})
	}
	_, err := v.Put(ctx, evidence.Batch{Drafts: drafts})
	return err
}

// Ingest puts posts until n have been drafted since NewPosts, with inFlight batches on their way at once.
func (p *Posts) Ingest(ctx context.Context, v *vault.Vault, n, batch, inFlight int) error {
	g, ctx := errgroup.WithContext(ctx)
	for range inFlight {
		g.Go(func() error {
			for {
				b, some := p.Page(n, batch)
				if !some {
					return nil
				}
				if _, err := v.Put(ctx, b); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// Page drafts the next posts, as one acquisition would bring them: as many as batch, and none beyond the n-th.
func (p *Posts) Page(n, batch int) (b evidence.Batch, some bool) {
	var first int
	for {
		at := p.next.Load()
		if first = int(at); first >= n {
			return b, false
		}
		if batch = min(batch, n-first); p.next.CompareAndSwap(at, at+int64(batch)) {
			break
		}
	}
	now := time.Now()
	acq := evidence.NewAcq(now)
	drafts := make([]evidence.Draft, batch)
	for i := range drafts {
		k := first + i
		drafts[i] = evidence.Draft{
			ID: evidence.ID{Acq: acq, N: uint32(i)}, Actor: evidence.Source(source),
			Subject: p.channels[k%len(p.channels)].Post(int64(k/len(p.channels) + 1)),
			Body: &evidence.PostSeen{
				Method: evidence.MethodMTProto, Vantage: "main", Acquisition: evidence.ID{Acq: acq, N: uint32(batch)},
				Observed: evidence.Span{From: evidence.At(now), To: evidence.At(now)}, ClaimedAt: evidence.At(now), Text: p.texts[k%len(p.texts)],
				Entities: []evidence.Entity{{Type: "bold", Offset: 0, Length: 4}}, Raw: &evidence.Slice{Offset: int64(i) * 900, Length: 900}, RawExact: true,
			},
		}
	}
	return evidence.Batch{Drafts: drafts, Cursor: &evidence.Cursor{Name: "bench", Data: []byte(acq)}}, true
}
