package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// TestKillLosesNothingAcknowledged kills the daemon at random moments, while it starts, reads a channel, imports, takes orders, signs
// checkpoints and compacts. MUHAFIZ_SOAK is how often; 25 times without it.
func TestKillLosesNothingAcknowledged(t *testing.T) {
	kills := 25
	if s := os.Getenv("MUHAFIZ_SOAK"); s != "" {
		var err error
		if kills, err = strconv.Atoi(s); err != nil {
			t.Fatalf("MUHAFIZ_SOAK: %v", err)
		}
	}
	s := newSite(t, true, true)
	o := newObserver(s)
	clean, starts, lost, twice := 0, 0, 0, 0
	for n := range kills {
		if n%8 == 7 {
			s.killCompaction()
		} else if s.killDaemon(o) {
			starts++
		}
		o.confirm()
		if s.fsckClean() {
			clean++
		}
		f := o.look(t)
		lost, twice = lost+f.lost, twice+f.two
	}
	s.converge(o)
	f := o.look(t)
	lost, twice = lost+f.lost, twice+f.two
	t.Logf("%d kills (%d before the daemon ran, %d of a compaction), %d acknowledged, %d lost, %d duplicated, fsck clean %d; %d records",
		kills, starts, kills/8, o.told(), lost, twice, clean, len(f.records))
	if clean != kills || o.told() < 10*kills {
		t.Errorf("fsck clean after %d of %d kills, %d acknowledged", clean, kills, o.told())
	}
}

// killDaemon starts the daemon, gives it work and kills it at a random moment; early: before it ran.
func (s *site) killDaemon(o *observer) (early bool) {
	d := s.start()
	// A random moment is what is tested; nothing is waited for. Every fourth one is within the start.
	moment := time.Duration(rand.IntN(900)) * time.Millisecond
	if rand.IntN(4) == 0 {
		moment = time.Duration(rand.IntN(150)) * time.Millisecond
	} else {
		d.await()
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	timer := time.AfterFunc(moment, func() {
		d.cmd.Process.Kill()
		cancel()
	})
	defer timer.Stop()
	select {
	case <-d.up:
		o.work(ctx)
	case <-d.over:
		early = true
	}
	<-d.over
	cancel()
	return early
}

// work keeps the daemon busy until it is gone.
func (o *observer) work(ctx context.Context) {
	var wg sync.WaitGroup
	for _, act := range []func(context.Context, *daemon.Client) error{
		func(ctx context.Context, cl *daemon.Client) error {
			path, words := o.export(rand.IntN(200_000))
			return o.imports(ctx, cl, path, words)
		},
		o.holds, o.signs, o.reads,
	} {
		wg.Go(func() {
			cl, err := o.s.client(ctx)
			if err != nil {
				return // killed before it was reached
			}
			defer cl.Close()
			for ctx.Err() == nil {
				if err := act(ctx, cl); err != nil {
					return
				}
			}
		})
	}
	wg.Go(func() {
		for ctx.Err() == nil {
			o.posts()
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Millisecond): // the channel's own pace
			}
		}
	})
	wg.Wait()
}

// posts lets the channel publish a post.
func (o *observer) posts() {
	words := fmt.Sprintf("Simulated live post %d.", o.number())
	o.s.channel.Post(telegramtest.Post{Text: words})
	o.mu.Lock()
	defer o.mu.Unlock()
	o.live[words], o.tried[words] = o.s.channel.Pts(), true
}

// killCompaction kills a compaction at a random moment; it may have ended before.
func (s *site) killCompaction() {
	cmd := exec.Command(s.muhafiz, "compact")
	cmd.Dir = s.dir
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	timer := time.AfterFunc(time.Duration(rand.IntN(250))*time.Millisecond, func() { cmd.Process.Kill() })
	defer timer.Stop()
	cmd.Wait()
}

// converge lets the daemon finish what was cut off: every export is imported again, and the channel is read to its end.
func (s *site) converge(o *observer) {
	d := s.start().await()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	cl, err := s.client(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	defer cl.Close()
	o.again(ctx, cl)
	o.posts()
	d.caughtUp()
	posts := len(s.channel.Posts())
	d.until("has the whole channel", func() bool {
		var st daemon.Status
		if err := cl.Call(ctx, "GET", "/v1/status", nil, &st); err != nil {
			s.t.Fatal(err)
		}
		for _, x := range st.Targets {
			if x.ID == "front" && x.Versions >= int64(posts) {
				return true
			}
		}
		return false
	})
	for words := range o.live { // all of the channel is there, history too
		o.acked[words] = true
	}
	d.stop()
}

// caughtUp waits until the daemon has told the platform that it has every post.
func (d *running) caughtUp() {
	d.t.Helper()
	d.until("reads the channel to its end", func() bool {
		_, upTo := d.s.channel.Confirmed()
		return upTo == d.s.channel.Pts()
	})
}

// until waits for what the daemon does at its own pace.
func (d *running) until(what string, ok func() bool) {
	d.t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.t.Fatalf("the daemon never %s:\n%s", what, d.words())
		}
	}
}
