package telegram

import (
	"slices"
	"testing"
	"time"
)

// TestOneAccountCarriesFiveHundred does the arithmetic of the default budget: three quarters of some 50 pages a minute are 37 reads a minute,
// and 500 targets need 20 for one in 25 minutes. It carries 900 and not 1,000.
func TestOneAccountCarriesFiveHundred(t *testing.T) {
	o := Options{}
	o.setDefaults()
	for _, c := range []struct {
		targets int
		fits    bool
	}{{500, true}, {900, true}, {1000, false}} {
		var rates []float64
		for i := range c.targets {
			rates = append(rates, 0.02*float64(1+i%32))
		}
		every, fits := o.intervals(rates, make([]bool, c.targets))
		if fits != c.fits || fits != (slices.Max(every) <= o.RotateMax) {
			t.Errorf("%d targets: %v, read at least every %s", c.targets, fits, slices.Max(every))
		}
		reads := 0.0
		for _, e := range every {
			reads += float64(time.Minute) / float64(e)
		}
		if reads > 37.6 {
			t.Errorf("%d targets: %.1f reads a minute", c.targets, reads)
		}
	}
}
