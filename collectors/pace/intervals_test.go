package pace_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/muhafiz/muhafiz/collectors/pace"
)

func TestIntervalsKeepToTheReadsAndTheBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rates := rapid.SliceOfN(rapid.Float64Range(-1, 1e6), 0, 200).Draw(t, "rates")
		floor := time.Duration(rapid.IntRange(1, 600).Draw(t, "floor")) * time.Second
		b := pace.Bounds{Floor: floor, Ceiling: floor * time.Duration(rapid.IntRange(1, 60).Draw(t, "ceiling")), Reads: float64(rapid.IntRange(0, 5000).Draw(t, "reads")) / 1000}
		every, fits := pace.Intervals(rates, b)
		sum, worst := 0.0, time.Duration(0)
		for _, e := range every {
			if e < b.Floor {
				t.Fatalf("%s is below the floor %s", e, b.Floor)
			}
			sum += 1 / e.Seconds()
			worst = max(worst, e)
		}
		if b.Reads > 0 && sum > b.Reads*1.0001 {
			t.Fatalf("%f reads a second are planned, there are %f", sum, b.Reads)
		}
		most := b.Ceiling.Seconds()
		if !fits {
			most = max(most, 2*float64(len(rates))/b.Reads)
		}
		if worst.Seconds() > most*1.0001 {
			t.Fatalf("an interval of %s, want at most %fs (fits: %v)", worst, most, fits)
		}
	})
}

func TestABusyTargetIsReadMoreOften(t *testing.T) {
	every, fits := pace.Intervals([]float64{16, 1, 1, 1}, pace.Bounds{Floor: time.Second, Ceiling: time.Hour, Reads: 0.1})
	if got := every[1].Seconds() / every[0].Seconds(); !fits || math.Abs(got-4) > 0.01 {
		t.Errorf("16 times as busy: %.2f times as often, want 4; %v", got, every)
	}
}

func TestARateIsLearnedAndForgotten(t *testing.T) {
	var p pace.Posting
	prior := p.PerHour()
	for range 200 {
		p = p.Seen(3, 30*time.Minute)
	}
	if got := p.PerHour(); got < 5 || got > 6.5 {
		t.Errorf("6 posts an hour are learned as %.2f", got)
	}
	for range 400 {
		p = p.Seen(0, 30*time.Minute)
	}
	if got := p.PerHour(); got > prior/4 || got <= 0 {
		t.Errorf("after 200 silent hours the rate is %.3f", got)
	}
	if q := (pace.Posting{Posts: math.NaN(), Hours: math.Inf(1)}); q.PerHour() != prior {
		t.Errorf("nonsense is taken for a rate: %f", q.PerHour())
	}
}
