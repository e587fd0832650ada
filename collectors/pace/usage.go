package pace

import "time"

// usage counts grants by hour, for the last day.
type usage struct {
	hour  [24]int64
	of    [24]int64 // the hour since the epoch that a slot counts
	total int64
	first time.Time
}

func (u *usage) add(now time.Time) {
	h := now.Unix() / 3600
	i := h % 24
	if u.of[i] != h {
		u.of[i], u.hour[i] = h, 0
	}
	u.hour[i]++
	u.total++
	if u.first.IsZero() {
		u.first = now
	}
}

// Use is how much of a budget was used.
type Use struct {
	Granted int64         // within Over
	Over    time.Duration // the last hour or day, or less where the budget is younger
	Share   float64       // of what the budget allows for long in that time; a burst makes it more than 1
}

// Used returns the use of the last hour or two for budgets by the second and minute, and of the last day for those by the day.
func (b *Budget) Used() Use {
	if b == nil {
		return Use{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	hours, per := int64(2), time.Duration(0)
	for _, l := range b.limits {
		per = max(per, l.Per)
	}
	if per > time.Hour {
		hours = 24
	}
	now := b.now()
	h := now.Unix() / 3600
	u := Use{Over: now.Sub(time.Unix((h-hours+1)*3600, 0))}
	for i, of := range b.used.of {
		if of > h-hours && of <= h {
			u.Granted += b.used.hour[i]
		}
	}
	if b.used.first.IsZero() {
		return Use{}
	}
	u.Over = min(u.Over, max(now.Sub(b.used.first), time.Second))
	u.Share = float64(u.Granted) / (b.perSecond() * u.Over.Seconds())
	return u
}

func (b *Budget) perSecond() float64 {
	least := b.limits[0].PerSecond()
	for _, l := range b.limits[1:] {
		least = min(least, l.PerSecond())
	}
	return least
}
