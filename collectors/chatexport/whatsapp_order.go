package chatexport

import (
	"errors"
	"fmt"
	"time"
)

// order is a set of orders in which the three numbers of a date may stand.
type order uint8

const (
	orderDMY order = 1 << iota
	orderMDY
	orderYMD
)

// The orders as people name them.
const (
	DayFirst   = "dmy"
	MonthFirst = "mdy"
	YearFirst  = "ymd"
)

func (o order) String() string {
	switch o {
	case orderDMY:
		return DayFirst
	case orderMDY:
		return MonthFirst
	case orderYMD:
		return YearFirst
	}
	return "undecided"
}

// parseOrder reads one of DayFirst, MonthFirst and YearFirst; empty leaves it open.
func parseOrder(s string) (order, error) {
	for _, o := range []order{orderDMY, orderMDY, orderYMD} {
		if o.String() == s {
			return o, nil
		}
	}
	if s != "" {
		return 0, fmt.Errorf("the date order is %q; it is %s, %s or %s", clip(s), DayFirst, MonthFirst, YearFirst)
	}
	return orderDMY | orderMDY | orderYMD, nil
}

// read gives year, month and day. A year of two digits is of this century: WhatsApp is younger.
func (o order) read(n [3]int) (year, month, day int) {
	switch o {
	case orderMDY:
		year, month, day = n[2], n[0], n[1]
	case orderYMD:
		year, month, day = n[0], n[1], n[2]
	default:
		year, month, day = n[2], n[1], n[0]
	}
	if year < 100 {
		year += 2000
	}
	return year, month, day
}

// The years that an export may hold. WhatsApp is of 2009.
const (
	firstYear = 2000
	lastYear  = 2199
)

// candidates are the orders under which the numbers are a day of the calendar. The year stands first only with four digits.
func candidates(n [3]int, year int8) order {
	var out order
	for _, o := range []order{orderDMY, orderMDY, orderYMD} {
		if (o == orderYMD) != (year == 1) {
			continue
		}
		y, m, d := o.read(n)
		if y >= firstYear && y <= lastYear && m >= 1 && m <= 12 && d >= 1 && d <= time.Date(y, time.Month(m)+1, 0, 0, 0, 0, 0, time.UTC).Day() {
			out |= o
		}
	}
	return out
}

var (
	errContradict = errors.New("some of its dates can only have the day first and others only the month: it is not one export, or a message quotes another; give the order (--date-order dmy, mdy or ymd) if it is")
	errAmbiguous  = errors.New("nothing in it tells whether its dates have the day or the month first; give the order of the phone that exported it (--date-order dmy or mdy)")
)

// orders gathers from all headers what the order can be. Where numbers alone do not decide, the sequence may: an export goes
// forward in time, and read in the wrong order it leaps back at the turn of a month.
type orders struct {
	possible order
	differ   bool         // day and month differ somewhere
	last     [2]time.Time // under day first and month first
	leaps    [2]int       // by over a day
}

func (s *orders) add(h header) {
	s.possible &= h.candidates
	if h.candidates != orderDMY|orderMDY {
		return
	}
	s.differ = s.differ || h.date[0] != h.date[1]
	for i, o := range []order{orderDMY, orderMDY} {
		at := h.local(o)
		if at.Before(s.last[i].Add(-24 * time.Hour)) {
			s.leaps[i]++
		}
		s.last[i] = at
	}
}

// decide returns the one order, and what told it.
func (s *orders) decide() (o order, by string, err error) {
	switch {
	case s.possible == 0:
		return 0, "", errContradict
	case s.possible&(s.possible-1) == 0:
		return s.possible, "the numbers", nil
	case !s.differ:
		return orderDMY, "day and month are the same in all dates", nil
	case s.leaps[0] == 0 && s.leaps[1] > 0:
		return orderDMY, "the sequence", nil
	case s.leaps[1] == 0 && s.leaps[0] > 0:
		return orderMDY, "the sequence", nil
	}
	return 0, "", errAmbiguous
}
