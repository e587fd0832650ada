package daemon

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

// scrubMetrics say how what lies on the disk is read again.
type scrubMetrics struct {
	rooms                *Rooms
	errors               func(error)
	read, hits, open, at *prometheus.Desc
}

func newScrubMetrics(r *Rooms, failed func(error)) *scrubMetrics {
	d := func(name, help string) *prometheus.Desc { return prometheus.NewDesc("muhafiz_"+name, help, nil, nil) }
	return &scrubMetrics{
		rooms: r, errors: failed,
		read: d("scrub_read_bytes_total", "Bytes of records and files that were read again since the start."),
		hits: d("scrub_damage_found_total", "Damages found since the start."),
		open: d("damage_open", "Damaged files, records and hashes that are not mended."),
		at:   d("scrub_last_pass_age_seconds", "Time since everything had been read again; missing where that never was."),
	}
}

// Describe implements prometheus.Collector.
func (s *scrubMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{s.read, s.hits, s.open, s.at} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (s *scrubMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	ch <- prometheus.MustNewConstMetric(s.read, prometheus.CounterValue, float64(s.rooms.scrub.read.Load()))
	ch <- prometheus.MustNewConstMetric(s.hits, prometheus.CounterValue, float64(s.rooms.scrub.hits.Load()))
	x, open, err := s.rooms.scrubStatus(ctx)
	if err != nil {
		s.errors(err)
		return
	}
	gauge(ch, s.open, float64(len(open)))
	if x.Last != nil {
		gauge(ch, s.at, secondsSince(x.Last.Ended, s.rooms.Now()))
	}
}
