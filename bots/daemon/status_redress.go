package daemon

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// RedressStatus says what was put right. Counts are of the whole log.
type RedressStatus struct {
	Wrong     int64 `json:"listings_found_wrong"` // marks of innocence
	Corrected int64 `json:"notices_corrected"`    // corrections and withdrawals that people released
	// MedianHours is the median time from a target's stop, its suspension where that came before the mark, to the moment at which a
	// correction about its account had left. Only targets that stand marked count; nil where there is no such pair.
	MedianHours *float64 `json:"median_hours_to_correction,omitempty"`
}

func (r *Rooms) redressStatus(ctx context.Context, kinds map[evidence.Kind]int64, targets []review.Target) (RedressStatus, error) {
	s := RedressStatus{Wrong: kinds[evidence.KindTargetMarked], Corrected: kinds[evidence.KindNoticeCorrected]}
	if s.Wrong == 0 || s.Corrected == 0 {
		return s, nil
	}
	marked := map[evidence.Ordinal]evidence.Time{}
	for _, t := range targets {
		if t.State != review.TargetInnocent || t.Account == "" || t.Stop == nil {
			continue
		}
		if at, ok := marked[t.Account]; !ok || t.Stop.At.Before(at.Time) {
			marked[t.Account] = t.Stop.At
		}
	}
	all := map[evidence.Ordinal]notice.State{}
	err := r.Vault.Each(ctx, notice.ViewNotices, string(rune(evidence.SpaceNotice)), func(_ string, value []byte, _ int64) error {
		var n notice.State
		err := json.Unmarshal(value, &n)
		all[n.Ordinal] = n
		return err
	})
	if err != nil {
		return s, err
	}
	s.MedianHours = median(hoursToCorrection(all, marked))
	return s, nil
}

// hoursToCorrection has one value for each wrong notice and marked account of which somebody was told.
func hoursToCorrection(all map[evidence.Ordinal]notice.State, marked map[evidence.Ordinal]evidence.Time) []float64 {
	var hours []float64
	for _, n := range all {
		for _, c := range n.Cases {
			at, ok := marked[c.Account]
			if !ok {
				continue
			}
			for _, k := range n.Corrections {
				sent := all[k.Correction].SentAt
				// A correction from before the stop is none of it.
				if (k.Account == "" || k.Account == c.Account) && !sent.Before(at.Time) {
					hours = append(hours, sent.Sub(at.Time).Hours())
					break
				}
			}
		}
	}
	return hours
}

func median(v []float64) *float64 {
	if len(v) == 0 {
		return nil
	}
	slices.Sort(v)
	m := (v[(len(v)-1)/2] + v[len(v)/2]) / 2
	return &m
}
