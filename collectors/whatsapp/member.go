package whatsapp

import (
	"context"
	"encoding/json"
	"fmt"

	"go.mau.fi/whatsmeow/types"

	"github.com/muhafiz/muhafiz/collectors"
)

const (
	methodFollow   = "newsletter.follow"
	methodUnfollow = "newsletter.unfollow"
)

// unfollowed ends a following of ours that nothing asks for any more: the target's mode is another one now. A refusal changes nothing, and
// is met again at the next look.
func (w *watch) unfollowed(ctx context.Context) error {
	if w.target.Mode == collectors.ModeJoined || !w.cursor().Followed {
		return nil
	}
	return w.quit(ctx)
}

// joined makes our account a follower where the target asks for that: from then on the platform pushes to it, and the channel's
// administrators may see its number among the followers.
func (w *watch) joined(ctx context.Context) error {
	if w.target.Mode != collectors.ModeJoined || w.cursor().Followed {
		return nil
	}
	return w.follows(ctx, methodFollow, true, asker.follow)
}

// quit makes our account a follower no longer. Only what we followed ourselves is left: the cursor says what that is.
func (w *watch) quit(ctx context.Context) error {
	err := w.follows(ctx, methodUnfollow, false, asker.unfollow)
	r, refused := targetError(err)
	switch {
	case refused && r.code == 404:
		return w.commit(ctx, nil, func(c *cursor) { c.Followed = false }) // there is nothing left to follow
	case refused:
		w.log.Warn().Err(err).Msg("the channel could not be unfollowed; it is tried again")
		return nil
	case err == nil:
		w.log.Info().Msg("unfollowed the channel")
	}
	return err
}

// part unfollows a channel that is no longer this account's to observe. What cannot be left is not read either.
func (w *watch) part(ctx context.Context) {
	if !w.cursor().Followed {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	if err := w.quit(ctx); err != nil {
		w.log.Warn().Err(err).Msg("the channel could not be unfollowed; remove it on the account's phone")
	}
}

// follows asks for one of the two acts, and records it.
func (w *watch) follows(ctx context.Context, method string, on bool, act func(asker, context.Context, types.JID) (json.RawMessage, error)) error {
	jid, err := types.ParseJID(w.channel())
	if err != nil {
		return fmt.Errorf("read the id of the channel: %w", err)
	}
	rep, err := ask(ctx, w.r, method, func(ctx context.Context, a asker) (json.RawMessage, error) { return act(a, ctx, jid) })
	if err != nil {
		return err
	}
	acq, err := w.r.acquired(ctx, method, map[string]any{"channel": jid.String()}, rep.span(), raw{data: rep.value})
	if err != nil {
		return err
	}
	b := w.r.batch()
	b.Add(account(jid.String()), acq, false)
	return w.commit(ctx, b, func(c *cursor) { c.Followed = on })
}
