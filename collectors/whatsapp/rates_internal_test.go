package whatsapp

import (
	"fmt"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/pace"
)

func rotating(n int, h habit) map[string]habit {
	of := map[string]habit{}
	for i := range n {
		of[fmt.Sprint(i)] = h
	}
	return of
}

// Whatever the rates, all together are read as often as if each had the mean pause, and none more rarely than half of that.
func TestPausesShareTheReads(t *testing.T) {
	o := Options{Alias: "desk"}
	o.setDefaults()
	mean := o.PollEvery[collectors.ModeRotation]
	for name, of := range map[string]map[string]habit{
		"one":   rotating(1, habit{}),
		"alike": rotating(10, habit{rate: pace.Posting{Posts: 100, Hours: 24}}),
		"one busy": func() map[string]habit {
			of := rotating(10, habit{rate: pace.Posting{Hours: 24}})
			of["0"] = habit{rate: pace.Posting{Posts: 1000, Hours: 24}}
			return of
		}(),
		"one urgent": func() map[string]habit { of := rotating(10, habit{}); of["0"] = habit{urgent: true}; return of }(),
		"none":       {},
	} {
		every := o.pauses(of)
		reads, others := 0.0, 0
		for id, d := range every {
			if d < mean/oftenest || d > rarest*mean {
				t.Errorf("%s: %s waits %s", name, id, d)
			}
			if !of[id].urgent {
				reads += mean.Seconds() / d.Seconds()
				others++
			}
		}
		if len(every) != len(of) || reads > float64(others)*1.001 || reads < float64(others)*0.95 {
			t.Errorf("%s: %d pauses, %.2f reads in the time of %d", name, len(every), reads, others)
		}
		if busy := every["0"]; (name == "one busy" || name == "one urgent") && busy > mean/2 {
			t.Errorf("%s: it waits %s", name, busy)
		}
	}
}

// A pause that is configured to be shorter than what a poll takes stays as it is.
func TestPausesOfAShortMean(t *testing.T) {
	o := Options{Alias: "desk", PollEvery: map[string]time.Duration{collectors.ModeRotation: time.Minute, collectors.ModePoll: 5 * time.Minute}}
	o.setDefaults()
	for id, d := range o.pauses(rotating(3, habit{})) {
		if d != time.Minute {
			t.Errorf("%s waits %s", id, d)
		}
	}
}
