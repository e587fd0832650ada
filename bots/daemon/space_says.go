package daemon

import (
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/room"
)

// SpaceStatus is how the disk with the vault stands. Sizes are in bytes.
type SpaceStatus struct {
	Level    string        `json:"level"` // ample, media-limited, no-backfill, no-collection
	Since    evidence.Time `json:"since,omitzero"`
	Stopped  string        `json:"stopped,omitempty"` // what is not taken in
	Do       string        `json:"do,omitempty"`
	Free     int64         `json:"free"`
	Total    int64         `json:"total"`
	Limits   room.Limits   `json:"limits"` // of free room, under which each level begins
	Reserve  room.Reserve  `json:"reserve"`
	Reserved room.Reserved `json:"reserved"`
	PerDay   *float64      `json:"growth_per_day"` // of the vault lately; null where too little was seen to tell
	DaysLeft *float64      `json:"days_left"`      // until collection stops at that rate; null likewise
	Trouble  string        `json:"trouble,omitempty"`
}

func (s *space) status() SpaceStatus {
	s.look()
	s.mu.Lock()
	defer s.mu.Unlock()
	st := SpaceStatus{
		Level: s.level.String(), Since: evidence.At(s.entered[s.level]), Free: s.free, Total: s.total, Limits: s.limits,
		Reserve: s.reserve, Reserved: s.have, Stopped: stops(s.level, s.limits), Do: s.advice(s.level),
	}
	if rate, ok := s.growth.PerDay(); ok {
		st.PerDay = &rate
	}
	if days, ok := s.growth.Days(s.reserve.Free(s.free, s.have), s.limits.Collection); ok {
		st.DaysLeft = &days
	}
	if s.trouble != nil {
		st.Trouble = s.trouble.Error()
	}
	return st
}

// stops says what a level leaves out.
func stops(v room.Level, l room.Limits) string {
	switch v {
	case room.MediaLimited:
		return "files over " + Bytes(l.MediaOver) + " are not fetched"
	case room.NoBackfill:
		return "no history is read, and files over " + Bytes(l.MediaOver) + " are not fetched; new posts are read"
	case room.NoCollection:
		return "nothing is collected or imported; decisions, notices and gaps are still recorded"
	}
	return ""
}

// advice says how much room has a level end. The caller holds the mutex.
func (s *space) advice(v room.Level) string {
	if v == room.Ample {
		return ""
	}
	n := s.limits.Leave(v) - s.reserve.Free(s.free, s.have)
	return "make " + Bytes(max(n, 1)) + " of room on the disk with " + s.path + " (a larger disk, other programs' files, `muhafiz compact`); it goes on by itself then"
}

// warnings says what a person should act on.
func (st SpaceStatus) warnings(running bool) []string {
	var out []string
	if st.Stopped != "" {
		out = append(out, "the disk has only "+Bytes(st.Free)+" free: "+st.Stopped+". What to do: "+st.Do)
	} else if st.DaysLeft != nil && *st.DaysLeft < 7 {
		out = append(out, fmt.Sprintf("the disk has room for about %.1f days at the recent %s a day, then collection stops: make room", *st.DaysLeft, Bytes(int64(*st.PerDay))))
	}
	if n := st.Reserve.Missing(st.Reserved); running && n > 0 && st.Level != room.Ample.String() {
		out = append(out, Bytes(n)+" of the "+Bytes(st.Reserve.File+st.Reserve.Ahead)+" that should be set aside for the last records are not")
	}
	if st.Trouble != "" {
		out = append(out, "the disk: "+st.Trouble)
	}
	return out
}

// Line is the status in a line.
func (st SpaceStatus) Line() string {
	left := "how many days are left is not known yet"
	if st.DaysLeft != nil && st.PerDay != nil {
		left = fmt.Sprintf("about %.0f days left at the recent %s a day", *st.DaysLeft, Bytes(int64(*st.PerDay)))
		if *st.DaysLeft >= 3650 {
			left = "it hardly fills at present"
		}
	}
	return fmt.Sprintf("disk: %s, %s of %s free; %s", st.Level, Bytes(st.Free), Bytes(st.Total), left)
}

// Bytes is a size for people.
func Bytes(n int64) string {
	v, unit := float64(n), 0
	units := []string{"B", "kB", "MB", "GB", "TB", "PB"}
	for v >= 1000 && unit < len(units)-1 {
		v /= 1000
		unit++
	}
	if unit == 0 {
		return strconv.FormatInt(n, 10) + " B"
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + units[unit]
}

// keyDisk begins the keys of the alerts about the disk; each level has one, and its alert lasts while deeper levels do.
const keyDisk = "disk/"

// troubles returns the levels that are reached.
func (s *space) troubles(now time.Time) []trouble {
	s.look()
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []trouble
	for _, v := range room.Levels()[1:] {
		if v > s.level {
			break
		}
		since := s.entered[v]
		if since.IsZero() {
			since = now
		}
		out = append(out, trouble{
			key: keyDisk + v.String(), since: since, do: s.advice(v),
			what: "the disk with the vault gets full (" + Bytes(s.free) + " of " + Bytes(s.total) + " are free): " + stops(v, s.limits),
		})
	}
	return out
}

// spaceMetrics are the gauges about the disk.
type spaceMetrics struct {
	space                                   *space
	free, total, level, days, rate, missing *prometheus.Desc
}

func newSpaceMetrics(s *space) *spaceMetrics {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("muhafiz_disk_"+name, help, labels, nil)
	}
	return &spaceMetrics{
		space: s,
		free:  d("free_bytes", "Free room on the disk with the vault."), total: d("bytes", "Size of the disk with the vault."),
		level: d("level", "1 for the level that is in force: what is taken in as the disk gets full.", "level"),
		days:  d("days_left", "Days until collection stops at the recent growth; missing where too little was seen to tell."),
		rate:  d("growth_bytes_per_day", "How fast the vault grew lately; missing likewise."), missing: d("reserve_missing_bytes", "How much of the room that is set aside is not there."),
	}
}

// Describe implements prometheus.Collector.
func (m *spaceMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.free, m.total, m.level, m.days, m.rate, m.missing} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *spaceMetrics) Collect(ch chan<- prometheus.Metric) {
	st := m.space.status()
	gauge(ch, m.free, float64(st.Free))
	gauge(ch, m.total, float64(st.Total))
	gauge(ch, m.missing, float64(st.Reserve.Missing(st.Reserved)))
	for _, v := range room.Levels() {
		is := 0.0
		if v.String() == st.Level {
			is = 1
		}
		gauge(ch, m.level, is, v.String())
	}
	if st.DaysLeft != nil {
		gauge(ch, m.days, *st.DaysLeft)
	}
	if st.PerDay != nil {
		gauge(ch, m.rate, *st.PerDay)
	}
}
