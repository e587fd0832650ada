package config

import (
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Space is what happens as the disk with the vault gets full: first files over MediaOver are left out, then no more history is read, then
// collection stops. Each ends by itself when a quarter more than its limit is free again. People's acts, gaps and status are written to
// the last, in the room that Reserve sets aside.
type Space struct {
	// Media is the free room under which files over MediaOver are not fetched: a size such as 8GB, or a share of the disk such as 10%.
	// Default: 8GB or 10%, whichever is less.
	Media Portion `yaml:"media"`
	// History is the free room under which no more history is read; new posts are. Default: 4GB or 5%, whichever is less.
	History Portion `yaml:"history"`
	// Collection is the free room under which sources stop and imports are refused. Default: 1GB or 2%, whichever is less.
	Collection Portion `yaml:"collection"`
	// MediaOver is the largest file that is fetched while room is short. Default 1MB.
	MediaOver Size `yaml:"media_over"`
	// Reserve is the room set aside for what must be written at the last. Half of it is part of vault.db, where nobody else can take it, half
	// a file that is given up when its bytes are needed. Default: 64MB or 2%, whichever is less.
	Reserve Portion `yaml:"reserve"`
}

// Portion is a part of a disk: the lesser of a number of bytes and a share, of those that are given.
type Portion struct {
	Bytes    Size // 0: not given
	PerMille int  // of the disk; 0: not given
}

// Of returns the portion of a disk of size bytes.
func (p Portion) Of(size int64) int64 {
	share := size / 1000 * int64(p.PerMille)
	switch {
	case p.PerMille == 0:
		return int64(p.Bytes)
	case p.Bytes == 0:
		return share
	}
	return min(int64(p.Bytes), share)
}

var shareForm = regexp.MustCompile(`^([0-9]{1,2})(?:\.([0-9]))?%$`)

func (p *Portion) decodeNode(d *decoder, n *yaml.Node, path string) {
	text, ok := d.text(n, path)
	if !ok {
		return
	}
	if m := shareForm.FindStringSubmatch(text); m != nil {
		whole, _ := strconv.Atoi(m[1])
		tenths, _ := strconv.Atoi("0" + m[2])
		*p = Portion{PerMille: 10*whole + tenths}
		if p.PerMille < 1 || p.PerMille > 900 {
			d.errorf(n, path, "must be from 0.1%% to 90%%, is %q", clip(text))
		}
		return
	}
	if !sizeForm.MatchString(text) {
		d.errorf(n, path, "must be a size such as 8GB or a share of the disk such as 10%%, is %q", clip(text))
		return
	}
	var s Size
	s.decodeNode(d, n, path)
	*p = Portion{Bytes: s}
}

// String returns the portion as it is written, or both where both count.
func (p Portion) String() string {
	share := strconv.FormatFloat(float64(p.PerMille)/10, 'f', -1, 64) + "%"
	switch {
	case p.PerMille == 0:
		return p.Bytes.String()
	case p.Bytes == 0:
		return share
	}
	return share + ", at most " + p.Bytes.String()
}

const (
	mb Size = 1e6
	gb Size = 1e9
	// minReserve holds the pages that a few hundred commits rewrite.
	minReserve = 8 * mb
)

func (s *Space) setDefaults() {
	*s = Space{
		Media: Portion{8 * gb, 100}, History: Portion{4 * gb, 50}, Collection: Portion{gb, 20}, MediaOver: 1e6,
		Reserve: Portion{64 * mb, 20},
	}
}

func (l *loader) checkSpace(d *decoder) {
	s := &l.cfg.Space
	for _, x := range []struct {
		key, above string
		v, limit   Portion
	}{{"history", "media", s.History, s.Media}, {"collection", "history", s.Collection, s.History}} {
		if both(x.v, x.limit) && (x.v.PerMille > x.limit.PerMille || x.v.Bytes > x.limit.Bytes) {
			d.errAt("space."+x.key, "must be at most space.%s (%s), is %s: what comes later begins with less room", x.above, x.limit, x.v)
		}
	}
	if r := s.Reserve; r.Bytes != 0 && r.PerMille == 0 && r.Bytes < minReserve {
		d.errAt("space.reserve", "must be at least 8MB, is %s: less does not hold what must still be written", r)
	}
}

// both reports whether two portions are given in the same way and can be compared without a disk.
func both(a, b Portion) bool {
	return (a.PerMille == 0) == (b.PerMille == 0) && (a.Bytes == 0) == (b.Bytes == 0)
}

// sentence is for people.
func (s Space) sentence() string {
	return "files over " + s.MediaOver.String() + " need " + s.Media.String() + " free; history " + s.History.String() +
		"; collection " + s.Collection.String() + "; set aside: " + s.Reserve.String()
}
