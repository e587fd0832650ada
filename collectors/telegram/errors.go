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
	state string // the collector record's state: logged-out or frozen
	cause string // the gaps' cause: account-lost or not-authorised
	text  string
	err   error
}

func (a *accountLost) Error() string {
	if a.err == nil {
		return a.text
	}
	return a.text + ": " + a.err.Error()
}

func (a *accountLost) Unwrap() error { return a.err }

// lost recognises the errors that end an account's use.
func lost(alias string, err error) *accountLost {
	var a *accountLost
	if errors.As(err, &a) {
		return a
	}
	rpc, ok := tgerr.As(err)
	if !ok {
		return nil
	}
	again := fmt.Sprintf("run muhafiz login telegram %s", alias)
	switch rpc.Type {
	case "AUTH_KEY_UNREGISTERED", "AUTH_KEY_INVALID", "AUTH_KEY_PERM_EMPTY", "SESSION_EXPIRED", "SESSION_REVOKED", "SESSION_PASSWORD_NEEDED":
		return &accountLost{"logged-out", "account-lost", "Telegram no longer knows the session of account " + alias + "; " + again, err}
	case "AUTH_KEY_DUPLICATED":
		return &accountLost{"logged-out", "account-lost", "the session of account " + alias + " was used from two places at once, and Telegram revoked it; stop the other one, then " + again, err}
	case "USER_DEACTIVATED", "USER_DEACTIVATED_BAN", "PHONE_NUMBER_BANNED":
		return &accountLost{"logged-out", "account-lost", "Telegram closed our account " + alias + "; use another account", err}
	case "FROZEN_METHOD_INVALID", "FROZEN_PARTICIPANT_MISSING":
		return &accountLost{"frozen", "account-lost", "Telegram froze our account " + alias + "; log in with an official app to see the reason and appeal", err}
	}
	return nil
}

func notAuthorised(alias string) *accountLost {
	return &accountLost{state: "logged-out", cause: "not-authorised", text: fmt.Sprintf("account %s is not logged in to Telegram; run muhafiz login telegram %s", alias, alias)}
}

func permanent(a *accountLost) error { return collectors.Permanent(a) }

// waitError is a flood wait that is longer than the caller may wait.
type waitError struct {
	method string
	wait   time.Duration
}

func (w *waitError) Error() string {
	return fmt.Sprintf("Telegram asks to wait %s before the next %s", w.wait, w.method)
}

// targetError is an error of one target, which the others do not share.
func targetError(err error) (*tgerr.Error, bool) {
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
