package telegram

import (
	"context"
	"errors"
	"time"

	"github.com/gotd/td/tgerr"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// nameLook is when an address was looked up last without that it led to a channel that we may observe. It stands in the cursor, since a
// program that is started again and again must not begin to ask anew each time.
type nameLook struct {
	At int64 `json:"at,omitempty"` // Unix seconds
	N  int   `json:"n,omitempty"`  // how often in a row
}

// due is when the address is to be looked up again: an absence of days costs few of the resolutions, which are few a day. A channel that
// we know is looked at by its number meanwhile, which costs none.
func (l nameLook) due(o *Options) time.Time {
	if l.N == 0 {
		return time.Time{}
	}
	return time.Unix(l.At, 0).Add(o.TargetRetry * [...]time.Duration{4, 12, maxRetries}[min(l.N, 3)-1])
}

// nothingNewOf reports whether an answer about a channel by its number is the one that is on record, and its name was looked up lately.
func (w *watch) nothingNewOf(byID error) bool {
	c := w.cursor()
	down := c.Stand.State != "" && c.Stand.State != evidence.StatusUp
	same := tgerr.Is(byID, "CHANNEL_INVALID") != (c.Stand.Because == evidence.StatusPrivate)
	return down && same && w.r.o.Now().Before(c.Name.due(&w.r.o))
}

// stillRenamed reports whether it is on record that the channel gave the target's name up, and that name was looked up lately.
func (w *watch) stillRenamed() bool {
	c := w.cursor()
	renamed := c.Stand.State == evidence.StatusRenamed || c.Stand.Because == evidence.StatusNotPublic
	return renamed && w.r.o.Now().Before(c.Name.due(&w.r.o))
}

// nameTurn marks the context of a target whose turn it is to be looked up.
type nameTurn struct{}

// errNameLater sends a target to the lane of those whose address is to be looked up.
var errNameLater = errors.New("the address is looked up when its turn comes")

// resolve looks the address up when it is the target's turn to.
func (w *watch) resolve(ctx context.Context) (bool, error) {
	if ctx.Value(nameTurn{}) == nil {
		w.wantsName = true
		return false, errNameLater
	}
	ok, err := w.lookUp(ctx)
	if _, own := targetError(err); !own {
		return ok, err
	}
	now := w.r.o.Now().Unix()
	if serr := w.commit(ctx, nil, func(c *cursor) { c.Name = nameLook{now, c.Name.N + 1} }); serr != nil {
		return false, serr
	}
	return ok, err
}

// nameless reports whether nothing can be asked of the target before its address is looked up.
func (w *watch) nameless(c *cursor) bool {
	return w.wantsName || c.Stopped == "" && (c.Channel == 0 || c.AccessHash == 0 || c.Address != w.target.Address)
}

// headStart is how much earlier an address that was never looked up in vain is served than one that was: as long as the resolutions do
// not suffice, what is new comes before what went away, and nobody waits for good.
const headStart = 24 * time.Hour

// nameAt is since when the target is to be looked up, as the lane orders them.
func (w *watch) nameAt(c *cursor) time.Time {
	at := w.nextBind
	if c.Name.N == 0 || c.Address != w.target.Address {
		at = at.Add(-headStart)
	} else if !w.wantsName {
		at = later(at, c.Name.due(&w.r.o))
	}
	if w.target.Urgent || !w.target.Rotates() {
		at = at.Add(-headStart)
	}
	return at
}

// nameBudget waits until an address may be looked up, so that whose turn it is is decided only then.
func (r *run) nameBudget(ctx context.Context) error {
	for {
		wait := r.src.budgets.of["contacts.resolveUsername"].Wait()
		if wait <= 0 {
			return ctx.Err()
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}
