package daemon

import "golang.org/x/sys/unix"

// clockState says what the kernel knows of its clock: adjtimex(2) reports TIME_ERROR until a time service has set it.
func clockState() string {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	const timeError = 5 // TIME_ERROR, adjtimex(2)
	if err != nil || state == timeError {
		return "unsynchronised"
	}
	return "synchronised (kernel)"
}
