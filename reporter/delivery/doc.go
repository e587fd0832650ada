// Package delivery carries notices away: it builds the message once, and sends exactly those bytes by SMTP or lays them into an
// outbox folder.
//
// It promises that an error which wraps ErrNotSent means that nobody took the message, so that it may be tried again. Any
// other error means that nobody knows: the connection went away after the server had said that it was ready for the message,
// and before it had said what became of it. Several recipients are all served or none.
//
// It does not promise that a server which took a message passes it on; the receipt is that server's word.
package delivery

import (
	"context"
	"errors"
	"fmt"
)

// ErrNotSent marks a failure after which the message was surely not taken.
var ErrNotSent = errors.New("not sent")

// Message is a notice ready to leave.
type Message struct {
	Name      string // of the notice, for files: letters, digits and `-`
	From      string // envelope sender, a bare address
	To        []string
	MessageID string
	Bytes     []byte // RFC 5322, CRLF; sent as they are
	Machine   []byte // the JSON twin
}

// Courier is a way out. Mail and Outbox are couriers.
type Courier interface {
	// Route names the way in records: mail, outbox.
	Route() string
	// Send hands the message over and returns the receipt. An error that does not wrap ErrNotSent leaves the outcome unknown.
	Send(ctx context.Context, m Message) (receipt string, err error)
}

func notSent(doing string, err error) error {
	return fmt.Errorf("%s: %w: %w", doing, ErrNotSent, err)
}
