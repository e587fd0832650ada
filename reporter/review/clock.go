package review

import "time"

// clockStep is how far the machine's clock may fall behind the newest record before nobody signs: more than time services step.
const clockStep = 2 * time.Minute

// Time is now as the desk takes it: never before the newest record, so that setting the clock back makes nothing that has ended,
// such as an emergency start, begin again.
func (d *Desk) Time() time.Time {
	now := d.clock()
	if d.Newest != nil {
		if newest := d.Newest(); newest.After(now) {
			return newest
		}
	}
	return now
}

func (d *Desk) now() time.Time { return d.Time() }

func (d *Desk) clock() time.Time {
	if d.Now != nil {
		return d.Now()
	}
	return time.Now()
}

// checkClock refuses to let people sign by a clock that was set back.
func (d *Desk) checkClock() error {
	if d.Newest == nil {
		return nil
	}
	now, newest := d.clock(), d.Newest()
	if now.Before(newest.Add(-clockStep)) {
		return refuse(Clock, "this machine's clock says %s and the newest record is of %s: the clock was set back; put it right before anybody signs",
			now.UTC().Format(time.RFC3339), newest.UTC().Format(time.RFC3339))
	}
	return nil
}
