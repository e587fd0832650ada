package telegram

import (
	"context"
	"slices"
	"time"

	"github.com/muhafiz/muhafiz/collectors/pace"
)

// replanning computes rotation's intervals anew now and then.
func (r *run) replanning(ctx context.Context) error {
	for {
		if err := sleep(ctx, r.o.PlanEvery); err != nil {
			return nil
		}
		r.replan()
	}
}

func (r *run) replan() {
	var ws []*watch
	var rates []float64
	for _, w := range r.all() {
		if w.target.Rotates() {
			ws = append(ws, w)
			rates = append(rates, w.rate())
		}
	}
	urgent := make([]bool, len(ws))
	for i, w := range ws {
		urgent[i] = w.target.Urgent
	}
	every, fits := r.o.intervals(rates, urgent)
	for i, w := range ws {
		w.mu.Lock()
		w.planned = every[i]
		w.mu.Unlock()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fits = fits
}

// intervals shares the part of the history budget that is rotation's out over targets by their rates. Those that are urgent are read as
// often as they may be before anything is left to the others.
func (o Options) intervals(rates []float64, urgent []bool) (every []time.Duration, fits bool) {
	reads := 0.0
	if ls := o.Budget.limits()["messages.getHistory"]; !o.Unpaced && !ls[0].None() {
		reads = ls[0].PerSecond() * rotationShare
	}
	b := pace.Bounds{Floor: o.RotateMin, Ceiling: o.RotateMax, Reads: reads}
	var rest []float64
	for i, r := range rates {
		if !urgent[i] {
			rest = append(rest, r)
		}
	}
	n := len(rates) - len(rest)
	if reads > 0 && o.RotateMin > 0 && n > 0 {
		// However many are urgent, half of the reads stay for the others.
		b.Reads = max(reads-float64(n)/o.RotateMin.Seconds(), reads/2)
	}
	others, fits := pace.Intervals(rest, b)
	least := o.RotateMin
	if reads > 0 {
		least = max(least, time.Duration(2*float64(n)/reads*float64(time.Second)))
	}
	for i := range rates {
		if urgent[i] {
			every = append(every, least)
		} else {
			every, others = append(every, others[0]), others[1:]
		}
	}
	return slices.Clip(every), fits
}
