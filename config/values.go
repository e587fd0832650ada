package config

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Size is a number of bytes.
type Size int64

const maxSize Size = 1 << 42

var sizeForm = regexp.MustCompile(`^([0-9]{1,15}(?:\.[0-9]{1,3})?) ?([kKMGT]i?B|B)?$`)

var sizeUnits = map[string]int64{
	"": 1, "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
	"KiB": 1 << 10, "kiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
}

func (s *Size) decodeNode(d *decoder, n *yaml.Node, path string) {
	text, ok := d.text(n, path)
	if !ok {
		return
	}
	v, err := ParseSize(text)
	if err != nil {
		d.errorf(n, path, "%v", err)
		return
	}
	*s = v
}

// ParseSize reads a number of bytes as it is written, such as 20MB or 1GiB.
func ParseSize(text string) (Size, error) {
	m := sizeForm.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("must be a number of bytes such as 500kB, 20MB or 1GiB, is %q", clip(text))
	}
	r, _ := new(big.Rat).SetString(m[1])
	r.Mul(r, new(big.Rat).SetInt64(sizeUnits[m[2]]))
	b := new(big.Int).Quo(r.Num(), r.Denom())
	if !b.IsInt64() || b.Int64() < 1 || Size(b.Int64()) > maxSize {
		return 0, fmt.Errorf("must be from 1B to 4TiB, is %q", clip(text))
	}
	return Size(b.Int64()), nil
}

// String returns the number of bytes with the largest decimal unit that fits exactly.
func (s Size) String() string {
	for _, u := range []string{"TB", "GB", "MB", "kB"} {
		if n := sizeUnits[u]; s != 0 && int64(s)%n == 0 {
			return strconv.FormatInt(int64(s)/n, 10) + u
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// Duration is a span of time, written as Go does: 90s, 15m, 6h.
type Duration time.Duration

func (x *Duration) decodeNode(d *decoder, n *yaml.Node, path string) {
	text, ok := d.text(n, path)
	if !ok {
		return
	}
	v, err := time.ParseDuration(text)
	if err != nil {
		d.errorf(n, path, "must be a duration such as 90s, 15m or 6h, is %q", clip(text))
		return
	}
	if v < time.Millisecond || v > 366*24*time.Hour {
		d.errorf(n, path, "must be from 1ms to 8784h, is %q", clip(text))
		return
	}
	*x = Duration(v)
}

// String returns the duration as time.Duration prints it.
func (x Duration) String() string { return time.Duration(x).String() }

// Interval is a Duration that may be 0, for never.
type Interval time.Duration

func (x *Interval) decodeNode(d *decoder, n *yaml.Node, path string) {
	if n.Kind == yaml.ScalarNode && n.Value == "0" {
		*x = 0
		return
	}
	(*Duration)(x).decodeNode(d, n, path)
}

// String returns the interval as time.Duration prints it.
func (x Interval) String() string { return time.Duration(x).String() }

func (a *Alias) decodeNode(d *decoder, n *yaml.Node, path string) {
	if n.Kind == yaml.ScalarNode {
		a.Value, _ = d.text(n, path)
		return
	}
	type plain Alias // without this method
	var p plain
	d.mapping(n, path, valueOf(&p))
	*a = Alias(p)
}

// validDate reports whether s is a date as precise as known: YYYY, YYYY-MM or YYYY-MM-DD.
func validDate(s string) bool {
	for _, layout := range []string{"2006", "2006-01", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Year() >= 1900 && t.Year() <= 2100 && !strings.HasPrefix(s, "+")
		}
	}
	return false
}
