package room

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Sample is how much had been added up to a moment.
type Sample struct {
	At    time.Time `json:"at"`
	Added int64     `json:"added"` // bytes since somebody began to count
}

// Growth remembers how fast something grew in the last days. It is a value that can be kept between runs; a lost one costs the forecast
// for an hour and nothing else.
type Growth struct {
	Samples []Sample `json:"samples"` // ascending
}

const (
	// every is the least time between two samples that are remembered.
	every = time.Hour
	// window is how far back a rate looks.
	window = 7 * 24 * time.Hour
	// least is the shortest stretch that says anything about a rate.
	least = time.Hour
	// most bounds what a file may make us remember.
	most = 1024
)

// See takes in how much had been added by now. A clock or a count that went back begins anew. It reports whether the sample is worth
// keeping; the newest one always counts.
func (g *Growth) See(now time.Time, added int64) bool {
	if n := len(g.Samples); n > 0 && (now.Before(g.Samples[n-1].At) || added < g.Samples[n-1].Added) {
		g.Samples = nil
	}
	g.Samples = slices.DeleteFunc(g.Samples, func(s Sample) bool { return now.Sub(s.At) > window })
	n := len(g.Samples)
	if n > 1 && g.Samples[n-1].At.Sub(g.Samples[n-2].At) < every {
		g.Samples[n-1] = Sample{now, added} // the one before is the remembered one
		return false
	}
	g.Samples = append(g.Samples, Sample{now, added})
	return true
}

// Added returns the newest count.
func (g *Growth) Added() int64 {
	if n := len(g.Samples); n > 0 {
		return g.Samples[n-1].Added
	}
	return 0
}

// PerDay returns the bytes a day that were added lately, and false where too little time was seen to tell.
func (g *Growth) PerDay() (float64, bool) {
	n := len(g.Samples)
	if n < 2 {
		return 0, false
	}
	first, last := g.Samples[0], g.Samples[n-1]
	over := last.At.Sub(first.At)
	if over < least {
		return 0, false
	}
	return float64(last.Added-first.Added) / over.Hours() * 24, true
}

// maxDays is where a forecast ends: more is as good as for ever.
const maxDays = 3650

// Days returns after how many days at the recent rate free bytes are down to floor, at most ten years, and false where nobody can tell.
func (g *Growth) Days(free, floor int64) (float64, bool) {
	if free <= floor {
		return 0, true
	}
	rate, ok := g.PerDay()
	if !ok {
		return 0, false
	}
	if rate <= 0 {
		return maxDays, true
	}
	return min(float64(free-floor)/rate, maxDays), true
}

// ParseGrowth reads what Growth was marshalled to as JSON. Samples that are out of order, negative or too many are an error.
func ParseGrowth(b []byte) (Growth, error) {
	var g Growth
	if err := json.Unmarshal(b, &g); err != nil {
		return Growth{}, err
	}
	for i, s := range g.Samples {
		if s.Added < 0 || s.At.IsZero() || i > 0 && (s.At.Before(g.Samples[i-1].At) || s.Added < g.Samples[i-1].Added) {
			return Growth{}, fmt.Errorf("sample %d does not follow the one before it", i)
		}
	}
	if len(g.Samples) > most {
		return Growth{}, fmt.Errorf("%d samples are more than anybody keeps", len(g.Samples))
	}
	return g, nil
}
