package telegram_test

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

// TestALongHistoryIsReadOnceInFlatMemory reads a channel of MUHAFIZ_SOAK_POSTS posts to its start, with a stop in the middle. Every post
// is recorded once, no page is asked for again but those that were under way at the stop, and the heap does not grow with the history.
func TestALongHistoryIsReadOnceInFlatMemory(t *testing.T) {
	n := number(t, "MUHAFIZ_SOAK_POSTS", 50_000)
	if testing.Short() {
		n = min(n, 10_000)
	}
	l := theLab(t)
	ch := l.world.AddChannel(telegramtest.Profile{Username: l.name(), Title: "Simulated channel"})
	ch.Deepen(n, func(id int) telegramtest.Post {
		return telegramtest.Post{Text: fmt.Sprintf("Simulated notice %d of a long history", id), Date: 1_500_000_000 + id, Views: id % 1000}
	})
	tg := target(ch)
	tg.Mode = collectors.ModeRotation
	v := newVault(t, tg)
	before := l.srv.CallCount("messages.getHistory")
	began := time.Now()

	o := l.options(t)
	o.PollEvery = time.Hour // what asks for news is none of the pages that are counted
	var heaps []uint64
	r := start(t, v, v, o, tg)
	heaps = append(heaps, r.reach(t, n/10), r.reach(t, n/2))
	r.stop(t)
	half := v.Size()
	r = start(t, v, v, o, tg)
	heaps = append(heaps, r.reach(t, n))
	if half >= int64(n) {
		t.Errorf("stopped in the middle at %d records of %d posts", half, n)
	}
	calls := l.srv.CallCount("messages.getHistory") - before
	if most := n/100 + 50; calls > most {
		t.Errorf("%d pages were asked for, %d would do", calls, most)
	}
	once(t, v, n)
	t.Logf("%d posts, %.0f a second, %d pages asked for; heap at a tenth, at half, at the end: %d, %d, %d MiB", n,
		float64(n)/time.Since(began).Seconds(), calls, heaps[0]>>20, heaps[1]>>20, heaps[2]>>20)
	if heaps[2] > heaps[0]+64<<20 {
		t.Errorf("the heap grew from %d to %d MiB between a tenth of the history and its end", heaps[0]>>20, heaps[2]>>20)
	}
}

// reach waits for as many records, and returns the size of the heap then.
func (r *rig) reach(t *testing.T, n int) uint64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	for r.v.Size() < int64(n) {
		if err := r.v.Wait(ctx, r.v.Size()); err != nil {
			t.Fatalf("at %d of %d records: %v", r.v.Size(), n, err)
		}
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// once checks that the posts from 1 to n were recorded, each as one version, and waits for those that are under way.
func once(t *testing.T, v *vault.Vault, n int) {
	t.Helper()
	seen, have := make([]uint8, n+1), 0
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for next := int64(0); have < n; {
		size := v.Size()
		err := v.Records(ctx, next, func(r evidence.Record) error {
			next = r.Seq + 1
			if r.Kind != evidence.KindPostSeen {
				return nil
			}
			id, err := strconv.Atoi(r.Subject.Part())
			if err != nil || id < 1 || id > n {
				return fmt.Errorf("post %s is none of the channel's: %w", r.Subject, err)
			}
			if seen[id]++; seen[id] > 1 {
				t.Errorf("post %d is recorded %d times", id, seen[id])
			}
			have++
			return nil
		})
		if err == nil && have < n {
			err = v.Wait(ctx, max(size, next))
		}
		if err != nil {
			t.Fatalf("%d of %d posts are recorded: %v", have, n, err)
		}
	}
}
