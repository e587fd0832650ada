package daemon

import (
	"errors"
	"slices"
)

// joinOnce is errors.Join without saying anything twice: what ended the daemon is met again by each part that is stopped because of it.
func joinOnce(errs ...error) error {
	var parts []error
	for _, err := range errs {
		parts = append(parts, partsOf(err)...)
	}
	var out []error
	for _, err := range parts {
		if !slices.ContainsFunc(out, func(e error) bool { return e.Error() == err.Error() }) {
			out = append(out, err)
		}
	}
	return errors.Join(out...)
}

func partsOf(err error) (out []error) {
	if err == nil {
		return nil
	}
	many, ok := err.(interface{ Unwrap() []error })
	if !ok || !isJoin(err, many.Unwrap()) {
		return []error{err}
	}
	for _, e := range many.Unwrap() {
		out = append(out, partsOf(e)...)
	}
	return out
}

// isJoin tells errors.Join from an error that wraps several and says more than they do.
func isJoin(err error, parts []error) bool { return errors.Join(parts...).Error() == err.Error() }
