package reporter

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule says when the reporter is due: five cron fields, or `@hourly`, `@daily`, `@every 30m`. Times are UTC unless the
// schedule begins with `CRON_TZ=Asia/Karachi `.
type Schedule struct {
	spec string
	next cron.Schedule
}

// ParseSchedule reads a schedule; one that never comes due is an error.
func ParseSchedule(s string) (Schedule, error) {
	s = strings.TrimSpace(s)
	// The parser reaches past the end of a zone without anything after it.
	if (strings.HasPrefix(s, "TZ=") || strings.HasPrefix(s, "CRON_TZ=")) && !strings.Contains(s, " ") {
		return Schedule{}, fmt.Errorf("schedule %q: a time zone and no fields after it; write for instance CRON_TZ=Asia/Karachi 0 9 * * *", s)
	}
	next, err := cron.ParseStandard(s)
	if err != nil {
		return Schedule{}, fmt.Errorf("schedule %q: %w; write five fields such as 0 * * * *, or @hourly", s, err)
	}
	out := Schedule{spec: s, next: next}
	if out.Next(time.Unix(0, 0)).IsZero() {
		return Schedule{}, fmt.Errorf("schedule %q: %w", s, errors.New("no such day ever comes"))
	}
	return out, nil
}

// String returns the schedule as it was written.
func (s Schedule) String() string { return s.spec }

// Next returns the first due time after t.
func (s Schedule) Next(t time.Time) time.Time { return s.next.Next(t.UTC()) }
