package pace

import (
	"math"
	"time"
)

// Bounds are what an interval between two reads of a target may be.
type Bounds struct {
	Floor, Ceiling time.Duration
	// Reads is how many reads a second there are for all; 0: as many as are wanted.
	Reads float64
}

// never is an interval of a hundred years, in seconds: what a budget of next to nothing comes to.
const never = 100 * 365 * 86400

// Intervals returns for each posting rate (posts an hour) the pause between two reads. It makes the mean delay of a post least: with
// Σ 1/interval fixed, Σ rate·interval is least where the interval goes with 1/√rate. fits reports whether no interval exceeds the
// ceiling; where the reads do not suffice for that, none exceeds 2·len(rates)/Reads.
func Intervals(rates []float64, b Bounds) (every []time.Duration, fits bool) {
	every = make([]time.Duration, len(rates))
	floor, ceiling := b.Floor.Seconds(), max(b.Ceiling, b.Floor).Seconds()
	n := float64(len(rates))
	fits = b.Reads <= 0 || n/ceiling <= b.Reads
	if !fits {
		ceiling = min(2*n/b.Reads, never)
	}
	pull := make([]float64, len(rates))
	for i, r := range rates {
		if !(r > 0) || math.IsInf(r, 0) {
			r = priorPosts / priorHours
		}
		pull[i] = 1 / math.Sqrt(r)
	}
	k := 0.0
	if b.Reads > 0 && n/max(floor, 1e-9) > b.Reads {
		k = solve(pull, floor, ceiling, b.Reads)
	}
	for i, p := range pull {
		every[i] = time.Duration(min(max(k*p, floor), ceiling) * float64(time.Second))
	}
	return every, fits
}

// solve finds the factor by which the pulls become intervals that use just the reads there are.
func solve(pull []float64, floor, ceiling, reads float64) float64 {
	need := func(k float64) float64 {
		sum := 0.0
		for _, p := range pull {
			sum += 1 / min(max(k*p, floor, 1e-9), ceiling)
		}
		return sum
	}
	lo, hi := 0.0, 1.0
	for need(hi) > reads && hi < 1e12 {
		hi *= 4
	}
	for range 48 {
		if mid := (lo + hi) / 2; need(mid) > reads {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}
