package telegram

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/pace"
)

// The simulated posts: each channel posts at a rate of its own, 2 a day in the median and a few a hundred times as many, and less by
// night.
const (
	simulated   = 48 * time.Hour
	warmUp      = 12 * time.Hour // until the rates are learned; not counted
	roundTrip   = 250 * time.Millisecond
	deleted     = 0.10          // of the posts
	deletedMean = 2 * time.Hour // after which those are deleted, exponentially
)

// simTarget is a channel and what is known of it.
type simTarget struct {
	collectors.Target
	posts []time.Time // when each was posted
	gone  []time.Time // when each was deleted; zero: never
	seen  []time.Time
	next  int
	rate  pace.Posting
	last  time.Time
	every time.Duration
}

func newSimTarget(t collectors.Target, rng *rand.Rand, from time.Time) *simTarget {
	x := &simTarget{Target: t, last: from}
	perHour := min(2.0/24*math.Exp(1.6*rng.NormFloat64()), 20)
	for at := from; ; {
		at = at.Add(time.Duration(rng.ExpFloat64() / (1.5 * perHour) * float64(time.Hour)))
		if at.Sub(from) > simulated {
			return x
		}
		if h := at.Hour(); h < 6 && rng.Float64() < 0.8 {
			continue
		}
		gone := time.Time{}
		if rng.Float64() < deleted {
			gone = at.Add(time.Duration(rng.ExpFloat64() * float64(deletedMean)))
		}
		x.posts, x.gone = append(x.posts, at), append(x.gone, gone)
	}
}

// read sees what is there.
func (x *simTarget) read(at time.Time) {
	n := 0
	for x.next < len(x.posts) && !x.posts[x.next].After(at) {
		seen := at
		if g := x.gone[x.next]; !g.IsZero() && g.Before(at) {
			seen = time.Time{}
		} else {
			n++
		}
		x.seen = append(x.seen, seen)
		x.next++
	}
	x.rate = x.rate.Seen(n, at.Sub(x.last))
	x.last = at
}

// simAccount serves its targets with the real budgets, intervals and schedules.
type simAccount struct {
	o        Options
	budgets  *budgets
	targets  []*simTarget
	requests []time.Time // pages of history
	mu       sync.Mutex
}

func (a *simAccount) run(ctx context.Context) {
	var wg sync.WaitGroup
	urgent, rotation := pace.NewSchedule[*simTarget](time.Now), pace.NewSchedule[*simTarget](time.Now)
	for _, x := range a.targets {
		if x.Rotates() {
			rotation.Set(x, time.Now())
		} else {
			urgent.Set(x, time.Now())
		}
	}
	wg.Go(func() {
		for a.plan(); sleep(ctx, a.o.PlanEvery) == nil; {
			a.plan()
		}
	})
	wg.Go(func() { a.lane(ctx, urgent, laneUrgent, "updates.getChannelDifference", pace.Urgent) })
	wg.Go(func() { a.lane(ctx, rotation, laneRotation, "messages.getHistory", pace.Ordinary) })
	wg.Go(func() { // a backfill that takes whatever is left
		for a.budgets.of["messages.getHistory"].Take(ctx, pace.Background) == nil {
			a.note()
		}
	})
	wg.Wait()
}

func (a *simAccount) note() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = append(a.requests, time.Now())
}

func (a *simAccount) plan() {
	var rates []float64
	var ws []*simTarget
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, x := range a.targets {
		if x.Rotates() {
			rates, ws = append(rates, x.rate.PerHour()), append(ws, x)
		}
	}
	every, _ := a.o.intervals(rates, make([]bool, len(rates)))
	for i, x := range ws {
		x.every = every[i]
	}
}

func (a *simAccount) lane(ctx context.Context, s *pace.Schedule[*simTarget], l lane, method string, pay pace.Lane) {
	var wg sync.WaitGroup
	free := make(chan struct{}, a.o.workers(l))
	for {
		free <- struct{}{}
		x, err := s.Next(ctx)
		if err != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-free }()
			if a.budgets.of[method].Take(ctx, pay) != nil {
				return
			}
			if l == laneRotation {
				a.note()
			}
			if sleep(ctx, roundTrip) != nil {
				return
			}
			a.mu.Lock()
			defer a.mu.Unlock()
			x.read(time.Now())
			every := pollsUsually
			if l == laneRotation {
				every = x.every
			}
			s.Set(x, time.Now().Add(every))
		})
	}
	wg.Wait()
}

// 500 targets, 20 of them urgent, on two accounts with the default budgets, over two simulated days in which a backfill takes all that
// rotation leaves. The pace, the intervals, the spread and the budgets are the real ones; the platform is a delay.
func TestFiveHundredTargetsOnTwoAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(4, 500))
		var ts []collectors.Target
		for i := range 500 {
			x := collectors.Target{ID: fmt.Sprintf("t%03d", i), Platform: platform}
			if i%25 == 0 {
				x.Mode = collectors.ModePoll
			}
			ts = append(ts, x)
		}
		given := collectors.NewSpread().Assign([]collectors.Account{
			{Source: "telegram/a", Usable: true, Polled: 10, Joined: 500}, {Source: "telegram/b", Usable: true, Polled: 10, Joined: 500},
		}, ts)
		ctx, cancel := context.WithTimeout(t.Context(), simulated)
		defer cancel()
		began := time.Now()
		var all []*simTarget
		var accounts []*simAccount
		var wg sync.WaitGroup
		for _, source := range []string{"telegram/a", "telegram/b"} {
			o := Options{Alias: source}
			o.setDefaults()
			a := &simAccount{o: o, budgets: newBudgets(o)}
			for _, x := range given[source] {
				a.targets = append(a.targets, newSimTarget(x, rng, began))
			}
			all, accounts = append(all, a.targets...), append(accounts, a)
			wg.Go(func() { a.run(ctx) })
		}
		wg.Wait()

		urgent := report(t, "urgent (poll)", all, began, func(x *simTarget) bool { return !x.Rotates() })
		others := report(t, "others (rotation)", all, began, func(x *simTarget) bool { return x.Rotates() })
		if urgent > time.Minute {
			t.Errorf("urgent posts: p95 %s, want at most 1m", urgent)
		}
		if others > 30*time.Minute {
			t.Errorf("other posts: p95 %s, want at most 30m", others)
		}
		for _, a := range accounts {
			most, in := 0, 0
			for i, j := 0, 0; i < len(a.requests); i++ {
				for in++; a.requests[i].Sub(a.requests[j]) >= 30*time.Second; j++ {
					in--
				}
				most = max(most, in)
			}
			t.Logf("%s: %d pages of history, at most %d in any 30 s; budgets used: %s", a.o.Alias, len(a.requests), most, used(a.budgets))
			if most > 30 {
				t.Errorf("%d pages of history within 30 s, 30 are tolerated", most)
			}
		}
	})
}

func used(bs *budgets) string {
	out := ""
	for _, m := range []string{"messages.getHistory", "updates.getChannelDifference"} {
		out += fmt.Sprintf("%s %.0f%% ", m, 100*bs.of[m].Used().Share)
	}
	return out
}

func report(t *testing.T, what string, all []*simTarget, began time.Time, which func(*simTarget) bool) (p95 time.Duration) {
	t.Helper()
	var delays []time.Duration
	posts, missed, expected, targets := 0, 0, 0.0, 0
	for _, x := range all {
		if !which(x) {
			continue
		}
		targets++
		for i, seen := range x.seen {
			if x.posts[i].Sub(began) < warmUp {
				continue
			}
			posts++
			if seen.IsZero() {
				missed++
				continue
			}
			d := seen.Sub(x.posts[i])
			delays = append(delays, d)
			expected += deleted * (1 - math.Exp(-d.Seconds()/deletedMean.Seconds()))
		}
	}
	if len(delays) == 0 {
		t.Fatalf("%s: nothing was seen", what)
	}
	slices.Sort(delays)
	at := func(q float64) time.Duration { return delays[int(q*float64(len(delays)-1))].Round(time.Second) }
	t.Logf("%s: %d targets, %d posts; delay p50 %s, p95 %s, p99 %s, most %s; deleted before seen %.2f%% (estimated %.2f%%; model: %.0f%% are deleted, after %s in the mean)",
		what, targets, posts, at(.5), at(.95), at(.99), delays[len(delays)-1].Round(time.Second),
		100*float64(missed)/float64(posts), 100*expected/float64(len(delays)), 100*deleted, deletedMean)
	return at(.95)
}
