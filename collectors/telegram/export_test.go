package telegram

import (
	"context"
	"errors"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/telegram"
)

// Allows reports whether a source's client would send a request.
func Allows(q bin.Object) bool {
	sent := false
	next := telegram.InvokeFunc(func(context.Context, bin.Encoder, bin.Decoder) error {
		sent = true
		return nil
	})
	err := allowOnly(Methods()).Handle(next).Invoke(context.Background(), q, nil)
	return sent && !errors.Is(err, ErrMethodNotAllowed)
}
