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
	Of string `json:"of,omitempty"` // the address
	At int64  `json:"at,omitempty"` // Unix seconds
	N  int    `json:"n,omitempty"`  // how often in a row
}

// vain reports whether the target's address was looked up in vain, and when it is due again: an absence of days costs few of the
// resolutions, which are few a day. A channel that we know is looked at by its number meanwhile, which costs none.
func (w *watch) vain() (due time.Time, ok bool) {
	l := w.cursor().Name
	if l.N <= 0 || l.Of != w.target.Address {
		return time.Time{}, false
	}
	return time.Unix(l.At, 0).Add(w.r.o.TargetRetry * [...]time.Duration{4, 12, maxRetries}[min(l.N, 3)-1]), true
}

// nothingNewOf reports whether an answer about a channel by its number is the one that is on record, and its name was looked up lately.
func (w *watch) nothingNewOf(byID error) bool {
	c := w.cursor()
	down := c.Stand.State != "" && c.Stand.State != evidence.StatusUp
	same := tgerr.Is(byID, "CHANNEL_INVALID") != (c.Stand.Because == evidence.StatusPrivate)
	due, _ := w.vain()
	return down && same && w.r.o.Now().Before(due)
}

// stillRenamed reports whether it is on record that the channel gave the target's name up, and that name was looked up lately.
func (w *watch) stillRenamed() bool {
	c := w.cursor()
	renamed := c.Stand.State == evidence.StatusRenamed || c.Stand.Because == evidence.StatusNotPublic
	due, _ := w.vain()
	return renamed && w.r.o.Now().Before(due)
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
	look := nameLook{Of: w.target.Address, At: w.r.o.Now().Unix(), N: 1}
	if _, again := w.vain(); again {
		look.N = w.cursor().Name.N + 1
	}
	if serr := w.commit(ctx, nil, func(c *cursor) { c.Name = look }); serr != nil {
		return false, serr
	}
	return ok, err
}

// nameless reports whether nothing can be asked of the target before its address is looked up.
func (w *watch) nameless() bool {
	c := w.cursor()
	return w.wantsName || c.Stopped == "" && (c.Channel == 0 || c.AccessHash == 0 || c.Address != w.target.Address)
}

// headStart is how much earlier an address that was never looked up in vain is served than one that was: as long as the resolutions do
// not suffice, what is new comes before what went away, and nobody waits for good.
const headStart = 24 * time.Hour

// nameAt is since when the target is to be looked up, as the lane orders them.
func (w *watch) nameAt() time.Time {
	at := w.nextBind
	if due, again := w.vain(); !again {
		at = at.Add(-headStart)
	} else if !w.wantsName {
		at = later(at, due)
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
