package room

import (
	"encoding/json"
	"testing"
	"time"
)

var limits = Limits{Media: 400, History: 200, Collection: 100, MediaOver: 10}

func TestNext(t *testing.T) {
	for _, c := range []struct {
		was  Level
		free int64
		want Level
	}{
		{Ample, 400, Ample},
		{Ample, 399, MediaLimited},
		{Ample, 199, NoBackfill},
		{Ample, 99, NoCollection},
		{MediaLimited, 400, MediaLimited}, // at the limit again, but not beyond the margin
		{MediaLimited, 499, MediaLimited},
		{MediaLimited, 500, Ample},
		{NoBackfill, 249, NoBackfill},
		{NoBackfill, 250, MediaLimited}, // one level at a time where the next one's margin is not free
		{NoBackfill, 499, MediaLimited},
		{NoBackfill, 500, Ample},
		{NoCollection, 124, NoCollection},
		{NoCollection, 125, NoBackfill},
		{NoCollection, 1000, Ample},
		{NoCollection, 0, NoCollection},
		{MediaLimited, 99, NoCollection},
	} {
		if got := limits.Next(c.was, c.free); got != c.want {
			t.Errorf("from %s with %d free: got %s, want %s", c.was, c.free, got, c.want)
		}
	}
}

// TestNoFlutter goes up and down across every limit by less than the margin: each level is entered once.
func TestNoFlutter(t *testing.T) {
	for _, v := range Levels()[1:] {
		at, changes := limits.Next(Ample, limits.of(v)-1), 0
		for i := range 100 {
			next := limits.Next(at, limits.of(v)+int64(i%2)*limits.of(v)/5-1)
			if next != at {
				changes++
			}
			at = next
		}
		if changes > 0 {
			t.Errorf("%s: the level changed %d times within its margin", v, changes)
		}
	}
}

func TestOrdered(t *testing.T) {
	if got, want := (Limits{Media: 1, History: 2, Collection: 3}).Ordered(), (Limits{Media: 3, History: 3, Collection: 3}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := limits.Ordered(); got != limits {
		t.Errorf("got %+v", got)
	}
}

func TestAdmits(t *testing.T) {
	for _, c := range []struct {
		level      Level
		free, size int64
		want       bool
	}{
		{Ample, 1000, 600, true},
		{Ample, 1000, 601, false}, // alone it would bring the next level about
		{Ample, 401, 10, true},
		{Ample, 1000, 0, true},
		{MediaLimited, 399, 10, true},
		{MediaLimited, 399, 11, false},
		{MediaLimited, 399, 0, false}, // of unknown size
		{NoBackfill, 150, 10, true},
		{NoBackfill, 150, 11, false},
		{NoCollection, 99, 1, false},
	} {
		if got := limits.Admits(c.level, c.free, c.size); got != c.want {
			t.Errorf("%s, %d free, a file of %d: got %t", c.level, c.free, c.size, got)
		}
	}
}

func TestReserve(t *testing.T) {
	r := Reserve{File: 100, Ahead: 50}
	whole := Reserved{File: true, Ahead: 50}
	for _, c := range []struct {
		level Level
		free  int64
		have  Reserved
		want  Step
	}{
		{Ample, 1000, whole, Stay},
		{Ample, 1000, Reserved{}, Make},
		{Ample, 1000, Reserved{File: true, Ahead: 49}, Make},
		{NoCollection, 100, whole, Stay},
		{NoCollection, 99, whole, Release},
		{NoBackfill, 99, whole, Stay},
		{NoCollection, 349, Reserved{}, Stay},
		{NoCollection, 350, Reserved{}, Make},                      // there is room for it before collection resumes
		{NoCollection, 1000, Reserved{File: true, Ahead: 1}, Stay}, // the part within the database is being used
		{NoBackfill, 240, Reserved{Ahead: 50}, Stay},
	} {
		if got := r.Step(c.level, c.free, c.have); got != c.want {
			t.Errorf("%s, %d free, %+v: got %d, want %d", c.level, c.free, c.have, got, c.want)
		}
	}
	if got := r.Free(120, Reserved{Ahead: 30}); got != 0 {
		t.Errorf("got %d free", got)
	}
	if got := r.Free(120, whole); got != 120 {
		t.Errorf("got %d free", got)
	}
}

func TestForecast(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var g Growth
	if _, ok := g.Days(1000, 10); ok {
		t.Error("nothing was seen, and yet there is a forecast")
	}
	if d, ok := g.Days(10, 10); !ok || d != 0 {
		t.Error("what is over is over, whatever the rate")
	}
	for i := range 60 {
		g.See(at.Add(time.Duration(i)*time.Minute), int64(i))
	}
	if _, ok := g.PerDay(); ok {
		t.Error("59 minutes were enough for a rate")
	}
	for i := 60; i <= 24*60; i++ {
		g.See(at.Add(time.Duration(i)*time.Minute), int64(i))
	}
	if rate, ok := g.PerDay(); !ok || rate != 24*60 {
		t.Errorf("got %v a day", rate)
	}
	if n := len(g.Samples); n > 30 {
		t.Errorf("%d samples of a day are kept", n)
	}
	if d, ok := g.Days(10+2*24*60, 10); !ok || d != 2 {
		t.Errorf("got %v days", d)
	}
	b, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParseGrowth(b)
	if err != nil {
		t.Fatal(err)
	}
	if rate, ok := back.PerDay(); !ok || rate != 24*60 {
		t.Errorf("read again: got %v a day", rate)
	}
	// A week later, with nothing added, the old samples no longer count.
	now := at.Add(24 * time.Hour)
	for range 8 * 24 {
		now = now.Add(time.Hour)
		g.See(now, 24*60)
	}
	if d, ok := g.Days(1000, 10); !ok || d != maxDays {
		t.Errorf("nothing grows, and %v days are left", d)
	}
	g.See(now.Add(-time.Minute), 24*60)
	if _, ok := g.PerDay(); ok || len(g.Samples) != 1 {
		t.Error("a clock that went back was believed")
	}
	g.See(now, 5)
	if len(g.Samples) != 1 {
		t.Error("a count that went back was believed")
	}
}

func FuzzParseGrowth(f *testing.F) {
	f.Add([]byte(`{"samples":[{"at":"2026-01-01T00:00:00Z","added":5},{"at":"2026-01-02T00:00:00Z","added":9}]}`))
	f.Add([]byte(`{"samples":[{"at":"2026-01-02T00:00:00Z","added":5},{"at":"2026-01-01T00:00:00Z","added":9}]}`))
	f.Add([]byte(`{"samples":[{"at":"2026-01-01T00:00:00Z","added":-5}]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := ParseGrowth(b)
		if err != nil {
			return
		}
		if rate, ok := g.PerDay(); ok && rate < 0 {
			t.Errorf("%s: a rate of %v", b, rate)
		}
		if d, ok := g.Days(1<<40, 1); ok && (d < 0 || d > maxDays) {
			t.Errorf("%s: %v days", b, d)
		}
	})
}
