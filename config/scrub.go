package config

import "time"

// Scrub is how a running daemon reads again what lies on the disk, so that rot is found while a whole copy can still be had.
type Scrub struct {
	// Every is how often a pass over everything begins; one that takes longer is followed by the next. 0 for only by hand
	// (`muhafiz scrub`). Default 168h, at least 1h.
	Every Interval `yaml:"every"`
	// Rate is how many bytes a second are read at most, as max_bytes is written. Default 8MiB, at least 64KiB.
	Rate Size `yaml:"rate"`
}

func (s *Scrub) setDefaults() { *s = Scrub{Every: Interval(7 * 24 * time.Hour), Rate: 8 << 20} }

func (l *loader) checkScrub(d *decoder) {
	s := l.cfg.Scrub
	if s.Every != 0 && s.Every < Interval(time.Hour) {
		d.errAt("scrub.every", "must be at least 1h, or 0 for only by hand, is %s", s.Every)
	}
	if s.Rate < 64<<10 {
		d.errAt("scrub.rate", "must be at least 64KiB, is %d bytes", s.Rate)
	}
}
