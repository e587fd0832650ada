package diary

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseSince reads a moment as people type it: `today` and `yesterday` (the day's beginning in UTC), a date such as 2026-11-23, an
// instant such as 2026-11-23T08:00:00Z, or how long ago: 90m, 36h, 7d.
func ParseSince(s string, now time.Time) (time.Time, error) {
	now = now.UTC()
	day := now.Truncate(24 * time.Hour)
	switch s {
	case "today":
		return day, nil
	case "yesterday":
		return day.AddDate(0, 0, -1), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n < 100_000 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("%q is no moment: say today, yesterday, a date such as %s, an instant such as %s, or how long ago, such as 36h or 7d",
		Visible(clip(s, 40)), now.Format(time.DateOnly), now.Format(time.RFC3339))
}
