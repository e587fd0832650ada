package telegram

import (
	"errors"
	"fmt"
	"time"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"

	"github.com/muhafiz/muhafiz/collectors"
)

// accountLost is a state of our own account that waiting does not mend.
type accountLost struct {
	state  string // the collector record's state
	cause  string // the gaps' cause: account-lost or not-authorised
	text   string
	advice string // what a person can do
	err    error
}

func (a *accountLost) Error() string {
	if a.err == nil {
		return a.text + "; " + a.advice
	}
	return a.text + "; " + a.advice + ": " + a.err.Error()
}

// detail is what happened, without the advice, which has a field of its own.
func (a *accountLost) detail() string {
	if a.err == nil {
		return a.text
	}
	return a.text + ": " + a.err.Error()
}

// Recorded tells the supervisor that the state of the source stands in the log already.
func (a *accountLost) Recorded() bool { return true }

func asLost(err error) (*accountLost, bool) {
	var a *accountLost
	return a, errors.As(err, &a)
}

func (a *accountLost) Unwrap() error { return a.err }

func permanent(a *accountLost) error { return collectors.Permanent(a) }

// waitError is a flood wait that is longer than the caller may wait.
type waitError struct {
	method string
	wait   time.Duration
}

func (w *waitError) Error() string {
	return fmt.Sprintf("Telegram asks to wait %s before the next %s", w.wait, w.method)
}

// targetError is an error of one target, which the others do not share. The loss of our own account is none.
func targetError(err error) (*tgerr.Error, bool) {
	if _, ok := asLost(err); ok {
		return nil, false
	}
	rpc, ok := tgerr.As(err)
	return rpc, ok && rpc.Code >= 400 && rpc.Code < 500 && rpc.Code != 420
}

// retryable reports whether a read may be asked again at once: anything but the platform's own refusal. Whether it is we who are
// stopping is asked of our own context beforehand, since the client reports a lost connection as context.Canceled.
func retryable(err error) bool {
	if errors.Is(err, ErrMethodNotAllowed) {
		return false
	}
	rpc, ok := tgerr.As(err)
	return !ok || rpc.Code >= 500 || rpc.Code < 0 || rpc.Code == 303
}

func referenceExpired(err error) bool {
	return tgerr.Is(err, tg.ErrFileReferenceExpired, "FILE_REFERENCE_INVALID", "FILE_REFERENCE_EMPTY")
}
