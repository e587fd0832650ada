package main

import (
	"fmt"
	"slices"
	"strconv"
)

// waits are how long posts took from the platform's push, in milliseconds: until they were on disk, and until the platform had our
// acknowledgement. Both clocks are the machine's, and a post's time on disk is read before its Put returns to whoever acknowledges.
type waits struct{ durable, acked []float64 }

// add takes a run. A post that was acknowledged before it was on disk would be one that a power cut loses: that is an error.
func (w *waits) add(ds []delivery, at map[string]int64) error {
	for _, d := range ds {
		durable := at[strconv.Itoa(d.Post)]
		switch {
		case d.Acked == 0 || durable == 0:
			return fmt.Errorf("post %d was not acknowledged, or is not on disk", d.Post)
		case d.Acked < durable:
			return fmt.Errorf("post %d was acknowledged before it was on disk", d.Post)
		}
		w.durable = append(w.durable, float64(durable-d.Pushed)/1e6)
		w.acked = append(w.acked, float64(d.Acked-d.Pushed)/1e6)
	}
	return nil
}

// delays are waits in short.
type delays struct {
	Durable50 float64 `json:"durable_p50_ms"`
	Durable99 float64 `json:"durable_p99_ms"`
	Acked50   float64 `json:"acknowledged_p50_ms"`
	Acked99   float64 `json:"acknowledged_p99_ms"`
}

func (w waits) delays() *delays {
	slices.Sort(w.durable)
	slices.Sort(w.acked)
	return &delays{share(w.durable, 0.5), share(w.durable, 0.99), share(w.acked, 0.5), share(w.acked, 0.99)}
}

func share(sorted []float64, q float64) float64 { return sorted[int(q*float64(len(sorted)-1))] }

func (d *delays) String() string {
	return fmt.Sprintf("from push to disk p50 %.1f, p99 %.1f ms, to the acknowledgement p50 %.1f, p99 %.1f ms", d.Durable50, d.Durable99, d.Acked50, d.Acked99)
}
