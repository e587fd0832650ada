package telegram

import (
	"context"
	"fmt"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// membership joins a channel whose target asks for that, and leaves one whose target no longer does. It is called for a bound
// target alone, that is for a public broadcast channel; nothing else in this package joins anything, and the allow-list lets the request
// pass for the one channel that is named here.
func (w *watch) membership(ctx context.Context) error {
	c := w.cursor()
	switch wanted := w.target.Mode == collectors.ModeJoined; {
	case wanted == c.Joined:
		return nil
	case wanted && w.r.joined() >= w.r.o.Budget.Joined && w.r.o.Budget.Joined > 0:
		w.log.Warn().Int("cap", w.r.o.Budget.Joined).Msg("the account is in as many channels as it may be: the target is polled instead")
		return nil
	case wanted && w.r.waitFor("channels.joinChannel") > w.r.o.RetryMax:
		w.log.Info().Msg("the budget of joins is used up for now: the target is polled until it is not")
		w.joinLater = true
		return nil
	case wanted:
		w.joinLater = false
		return w.join(ctx)
	}
	return w.quit(ctx)
}

// waitFor is how long a method's budget would make us wait; 0 where it has none.
func (r *run) waitFor(method string) time.Duration {
	if b := r.src.budgets.of[method]; b != nil {
		return b.Wait()
	}
	return 0
}

func (w *watch) join(ctx context.Context) error {
	c := w.cursor()
	ctx = context.WithValue(ctx, joinPermit{}, c.Channel)
	rep, err := ask(ctx, w.r, "channels.joinChannel", false, func(ctx context.Context) (tg.MessagesChatInviteJoinResultClass, error) {
		return w.r.api.ChannelsJoinChannel(ctx, &tg.InputChannel{ChannelID: c.Channel, AccessHash: c.AccessHash})
	})
	_, in := rep.value.(*tg.MessagesChatInviteJoinResultOk)
	_, refused := targetError(err)
	switch {
	case tgerr.Is(err, "USER_ALREADY_PARTICIPANT"):
	case refused && !refusedUs(err), err == nil && !in:
		w.log.Warn().Err(err).Msg("the channel could not be joined: the target is polled instead")
		return w.r.state(ctx, &evidence.Collector{State: "healthy", Detail: "target " + w.target.ID + " could not be joined and is polled instead; the platform answered " + orNothing(said(err))})
	case err != nil:
		return err
	}
	w.log.Info().Msg("joined the channel, as the watchlist asks")
	return w.commit(ctx, nil, func(c *cursor) { c.Joined = true })
}

func orNothing(said string) string {
	if said == "" {
		return "neither yes nor no"
	}
	return said
}

func (w *watch) quit(ctx context.Context) error {
	c := w.cursor()
	_, err := ask(ctx, w.r, "channels.leaveChannel", false, func(ctx context.Context) (tg.UpdatesClass, error) {
		return w.r.api.ChannelsLeaveChannel(ctx, &tg.InputChannel{ChannelID: c.Channel, AccessHash: c.AccessHash})
	})
	if err != nil && !tgerr.Is(err, "USER_NOT_PARTICIPANT") {
		return err
	}
	w.log.Info().Msg("left the channel")
	return w.commit(ctx, nil, func(c *cursor) { c.Joined = false })
}

// part leaves a joined channel that is no longer this account's to observe. A refusal changes nothing: what cannot be left is not
// read either.
func (w *watch) part(ctx context.Context) {
	if !w.cursor().Joined {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lastWords)
	defer cancel()
	if err := w.quit(ctx); err != nil {
		w.log.Warn().Err(err).Msg("the channel could not be left")
	}
}

// pushed reports whether the platform tells us of the target's changes: then it is asked for them now and then only.
func (w *watch) pushed() bool {
	return w.target.Mode == collectors.ModeJoined && w.cursor().Joined
}

// joined counts the channels in which the account is.
func (r *run) joined() int {
	n := 0
	for _, w := range r.all() {
		if w.cursor().Joined {
			n++
		}
	}
	return n
}

// joinPermit carries the number of the one channel that may be joined under a context.
type joinPermit struct{}

// mayJoin refuses to join anything but what the context permits: no channel by another number, and nothing by a link.
func mayJoin(ctx context.Context, in bin.Encoder) error {
	q, ok := in.(*tg.ChannelsJoinChannelRequest)
	if !ok {
		return nil
	}
	if ch, ok := q.Channel.(*tg.InputChannel); ok && ctx.Value(joinPermit{}) == ch.ChannelID {
		return nil
	}
	return fmt.Errorf("channels.joinChannel outside of a joined target: %w", ErrMethodNotAllowed)
}
