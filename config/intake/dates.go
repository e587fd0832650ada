package intake

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// order is how a column of dates is written.
type order int

const (
	unknownOrder order = iota
	dayFirst
	monthFirst
	bothOrders // some rows can only be the one, some only the other
)

var (
	isoDate     = regexp.MustCompile(`^(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?(?:[T ].*)?$`)
	numericDate = regexp.MustCompile(`^(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})(?:[T, ].*)?$`)
	compactDate = regexp.MustCompile(`^(\d{4})(\d{2})(\d{2})$`)
	yearOnly    = regexp.MustCompile(`^\d{4}$`)
	serialDate  = regexp.MustCompile(`^\d{5}(?:\.\d+)?$`)
	wordyDate   = regexp.MustCompile(`^(?:(\d{1,2})(?:st|nd|rd|th)?)?[-/. ,]*([^\d\s.,/-]+)[-/. ,]*(?:(\d{1,2})(?:st|nd|rd|th)?[-/., ]+)?(\d{4}|\d{2})(?:[T, ].*)?$`)
)

// months by their first letters in English, and whole in Urdu.
var months = []struct{ en, ur string }{
	{"jan", "جنوری"},
	{"feb", "فروری"},
	{"mar", "مارچ"},
	{"apr", "اپریل"},
	{"may", "مئی"},
	{"jun", "جون"},
	{"jul", "جولائی"},
	{"aug", "اگست"},
	{"sep", "ستمبر"},
	{"oct", "اکتوبر"},
	{"nov", "نومبر"},
	{"dec", "دسمبر"},
}

// latinDigits turns the digits of Urdu, Arabic and other scripts into 0 to 9.
func latinDigits(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '٠' && r <= '٩':
			return '0' + r - '٠'
		case r >= '۰' && r <= '۹':
			return '0' + r - '۰'
		case r == '،':
			return ','
		case unicode.Is(unicode.Zs, r):
			return ' '
		}
		return r
	}, s)
}

// orderOf tells how a column writes its dates from those that can be read in one way only.
func orderOf(cells []string) order {
	o := unknownOrder
	for _, c := range cells {
		m := numericDate.FindStringSubmatch(strings.TrimSpace(latinDigits(c)))
		if m == nil {
			continue
		}
		a, b := number(m[1]), number(m[2])
		this := unknownOrder
		switch {
		case a > 12 && b <= 12:
			this = dayFirst
		case b > 12 && a <= 12:
			this = monthFirst
		}
		switch {
		case this == unknownOrder || this == o:
		case o == unknownOrder:
			o = this
		default:
			return bothOrders
		}
	}
	return o
}

// date reads a date and returns it as precise as it is: 2026-01-31, 2026-01 or 2026.
func (t *Table) date(cell string, o order, now time.Time) (string, error) {
	s := strings.Trim(strings.TrimSpace(latinDigits(cell)), ",.")
	var y, m, d int
	switch {
	case s == "":
		return "", nil
	case t.serials && serialDate.MatchString(s):
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return "", fmt.Errorf("%q is no date", clip(cell, 40))
		}
		epoch := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
		if t.from1904 {
			epoch = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		day := epoch.AddDate(0, 0, int(f))
		y, m, d = day.Year(), int(day.Month()), day.Day()
	case yearOnly.MatchString(s):
		y = number(s)
	default:
		var err error
		if y, m, d, err = calendar(s, o); err != nil {
			return "", err
		}
	}
	return checked(y, m, d, cell, now)
}

func calendar(s string, o order) (y, m, d int, err error) {
	if p := isoDate.FindStringSubmatch(s); p != nil {
		return number(p[1]), number(p[2]), number(p[3]), nil
	}
	if p := compactDate.FindStringSubmatch(s); p != nil {
		return number(p[1]), number(p[2]), number(p[3]), nil
	}
	if p := numericDate.FindStringSubmatch(s); p != nil {
		a, b := number(p[1]), number(p[2])
		switch {
		case a > 12 || a == b || o == dayFirst && b <= 12:
			return year(p[3]), b, a, nil
		case b > 12 || o == monthFirst:
			return year(p[3]), a, b, nil
		}
		return 0, 0, 0, fmt.Errorf("%q can be read day first or month first, and the list does not tell which", clip(s, 40))
	}
	if p := wordyDate.FindStringSubmatch(s); p != nil {
		if m := month(p[2]); m > 0 && (p[1] == "" || p[3] == "") {
			return year(p[4]), m, number(p[1] + p[3]), nil
		}
	}
	return 0, 0, 0, fmt.Errorf("%q is not a date in a form that is known (2026-01-31, 31.1.2026, 31 January 2026)", clip(s, 40))
}

func checked(y, m, d int, cell string, now time.Time) (string, error) {
	if m == 0 && d == 0 {
		if y < 2000 || y > now.Year() {
			return "", fmt.Errorf("%q is not a year from 2000 to now", clip(cell, 40))
		}
		return fmt.Sprintf("%04d", y), nil
	}
	day := max(d, 1)
	at := time.Date(y, time.Month(m), day, 0, 0, 0, 0, time.UTC)
	switch {
	case m < 1 || m > 12 || at.Day() != day:
		return "", fmt.Errorf("%q is no day of the calendar", clip(cell, 40))
	case y < 2000:
		return "", fmt.Errorf("%q lies before 2000", clip(cell, 40))
	case at.After(now.AddDate(0, 0, 1)):
		return "", fmt.Errorf("%q lies in the future", clip(cell, 40))
	case d == 0:
		return at.Format("2006-01"), nil
	}
	return at.Format("2006-01-02"), nil
}

func month(word string) int {
	word = strings.ToLower(word)
	for i, m := range months {
		if word == m.ur || strings.HasPrefix(word, m.en) && len(word) <= 9 {
			return i + 1
		}
	}
	return 0
}

func year(s string) int {
	if len(s) == 2 {
		return 2000 + number(s)
	}
	return number(s)
}

// number reads digits; none at all is 0.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
