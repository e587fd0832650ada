package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"github.com/muhafiz/muhafiz/collectors"
)

// accountEnd is a state of our own account in which it cannot be used.
type accountEnd struct {
	state  string // the collector record's state: logged-out, replaced, client-outdated, unpaired, locked-out
	cause  string // the gaps' cause: account-lost, not-authorised or locked-out
	text   string
	advice string    // what a person can do
	until  time.Time // when waiting mends it; else zero
}

func (a *accountEnd) Error() string { return a.text + "; " + a.advice }

// Recorded tells the supervisor that the state is in the log.
func (a *accountEnd) Recorded() bool { return true }

// lost recognises the error that ends an account's use.
func lost(err error) *accountEnd {
	var a *accountEnd
	errors.As(err, &a)
	return a
}

func permanent(a *accountEnd) error { return collectors.Permanent(a) }

func unpaired(alias string) *accountEnd {
	return &accountEnd{
		state: "unpaired", cause: "not-authorised", text: fmt.Sprintf("account %s is not linked to a WhatsApp account", alias),
		advice: fmt.Sprintf("run muhafiz login whatsapp %s and scan the code with its phone", alias),
	}
}

func loggedOut(alias string, e *events.LoggedOut) *accountEnd {
	a := &accountEnd{
		state: "logged-out", cause: "account-lost", text: "WhatsApp unlinked the device of account " + alias,
		advice: "look at the phone, then run muhafiz login whatsapp " + alias,
	}
	if !e.OnConnect {
		return a
	}
	a.text = fmt.Sprintf("WhatsApp refused the login of account %s (%d)", alias, int(e.Reason))
	switch e.Reason {
	case events.ConnectFailureMainDeviceGone:
		a.text = fmt.Sprintf("WhatsApp no longer knows the phone's account behind %s (%d: closed or locked)", alias, int(e.Reason))
		a.advice = "look at the phone: WhatsApp says there why and how to appeal. Use another account meanwhile"
	case events.ConnectFailureUnknownLogout:
		a.text = fmt.Sprintf("WhatsApp unlinked the device of account %s without a reason (%d)", alias, int(e.Reason))
	}
	return a
}

func replaced(alias string) *accountEnd {
	return &accountEnd{
		state: "replaced", cause: "account-lost",
		text:   "the session of account " + alias + " was opened from another place and WhatsApp ended ours",
		advice: fmt.Sprintf("stop the other one, then run muhafiz login whatsapp %s; if there is none, unlink the device on the phone and link it anew with --anew", alias),
	}
}

func outdated(alias, version string) *accountEnd {
	return &accountEnd{
		state: "client-outdated", cause: "account-lost",
		text:   fmt.Sprintf("WhatsApp no longer accepts version %s of the web client, which account %s says it is", version, alias),
		advice: fmt.Sprintf("ask for the present one with muhafiz login whatsapp %s --latest-version, and set it as whatsapp.version: a running daemon goes on with it", alias),
	}
}

// lockedOut is the platform's temporary lock of an account; waiting mends it, and coming back too early makes it longer.
func lockedOut(alias string, e *events.TemporaryBan, now time.Time, unknown time.Duration) *accountEnd {
	wait, says := e.Expire, "as it says"
	if wait <= 0 {
		wait, says = unknown, "it does not say until when"
	}
	until := now.Add(wait)
	return &accountEnd{
		state: "locked-out", cause: "locked-out", until: until,
		text:   fmt.Sprintf("WhatsApp locked account %s out until %s (402, code %d; %s)", alias, until.UTC().Format(time.RFC3339), int(e.Code), says),
		advice: "wait: nothing is asked before then. Give the account a smaller budget or fewer targets, and spread the targets over two numbers",
	}
}

// forbidden ends the account's use where the library was about to send what we never send.
func forbidden(alias, shape string) *accountEnd {
	return &accountEnd{state: "stopped", cause: "account-lost", text: "account " + alias + " was stopped before the client library could send " + shape +
		", which Muhafiz never sends; nothing was sent. Report this as a defect, and restart to go on"}
}

// refused is the platform's answer that a query failed, in either of the two forms in which it says so.
type refused struct {
	code int
	text string
}

func (r *refused) Error() string { return strconv.Itoa(r.code) + " " + r.text }

// refusalOf recognises IQ errors and GraphQL errors.
func refusalOf(err error) *refused {
	var r *refused
	if errors.As(err, &r) {
		return r
	}
	var iq *whatsmeow.IQError
	if errors.As(err, &iq) {
		return &refused{iq.Code, valid(iq.Text)}
	}
	var g types.GraphQLError
	if errors.As(err, &g) {
		return &refused{g.Extensions.ErrorCode, valid(g.Message)}
	}
	return nil
}

// limited reports whether the platform says that we ask too much.
func limited(err error) bool {
	r := refusalOf(err)
	return errors.Is(err, whatsmeow.ErrIQRateOverLimit) || (r != nil && r.code == 429)
}

// targetError is a refusal of one target, which the others do not share.
func targetError(err error) (*refused, bool) {
	r := refusalOf(err)
	return r, r != nil && r.code >= 400 && r.code < 500 && r.code != 429
}

// unheard reports whether a query ended without the platform's word: the connection was lost or no answer came.
func unheard(err error) bool {
	var d *whatsmeow.DisconnectedError
	return errors.As(err, &d) || errors.Is(err, errNoLink) || errors.Is(err, whatsmeow.ErrNotConnected) || errors.Is(err, whatsmeow.ErrNotLoggedIn)
}

// retryable reports whether a query may be asked again.
func retryable(err error) bool {
	if errors.Is(err, ErrNotAllowed) {
		return false
	}
	r := refusalOf(err)
	return r == nil || r.code >= 500
}

// errUnreachable ends a run that got no connection, so that the outage is recorded instead of waited for in silence.
var errUnreachable = errors.New("no connection to WhatsApp; check the network, the firewall and the clock of this machine")

// stopping turns an error after the end of ctx into an ordinary stop.
func stopping(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
