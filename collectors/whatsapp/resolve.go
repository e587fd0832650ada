package whatsapp

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"go.mau.fi/whatsmeow/types"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// The ways in which a target is stopped until something outside changes.
const (
	causeRefused  = "refused"
	causeIdentity = "identity-changed"

	causeUnreachable = "unreachable" // tried again now and then
)

const methodInfo = "newsletter.info"

// described is the platform's description of a channel, and its bytes.
type described struct {
	reply[json.RawMessage]
	about   metadata
	request map[string]any
}

// describe asks for a channel's metadata by invite or id. Neither makes us a follower.
func (w *watch) describe(ctx context.Context, typ types.NewsletterKeyType, key string) (described, error) {
	rep, err := ask(ctx, w.r, methodInfo, func(ctx context.Context, a asker) (json.RawMessage, error) {
		return a.info(ctx, typ, key)
	})
	if err != nil {
		return described{}, err
	}
	m, err := parseMetadata(rep.value)
	return described{rep, m, map[string]any{strings.ToLower(string(typ)): key}}, err
}

// bind makes sure that the target's invite stands for a channel that may be observed, and stores a fresh snapshot of it. It returns
// false for a target that is stopped.
func (w *watch) bind(ctx context.Context) (bool, error) {
	if err := w.unfollowed(ctx); err != nil {
		return false, err
	}
	c := w.cursor()
	if c.Stopped != "" && c.Address == w.target.Address && !w.confirmed(c) {
		return false, nil
	}
	d, err := w.describe(ctx, types.NewsletterKeyTypeInvite, w.invite)
	if r, ok := targetError(err); ok && r.code == 404 && c.Channel != "" && c.Address == w.target.Address {
		return w.inviteGone(ctx)
	}
	if err != nil {
		return false, err
	}
	jid, ok := channelID(d.about.ID)
	if !ok {
		return false, w.stop(ctx, causeRefused, "the invite is not a channel's ("+clip(d.about.ID)+"); only public channels are observed", "")
	}
	if id := jid.String(); c.Channel != "" && c.Channel != id && (c.Candidate != id || !w.confirmed(c)) {
		detail := fmt.Sprintf("the invite stood for channel %s and now stands for channel %s; nothing is collected until a person confirms that this is still the target", c.Channel, id)
		return false, w.stop(ctx, causeIdentity, detail, id)
	}
	if c.Followed && c.Channel != jid.String() {
		w.part(ctx) // of the channel that the target stood for before
	}
	if err := w.bound(ctx, jid.String(), d); err != nil {
		return false, err
	}
	return true, w.usable(ctx, d)
}

// inviteGone goes on by the channel's id where its invite names nothing any more: while nobody else bears it, the channel is still
// the target.
func (w *watch) inviteGone(ctx context.Context) (bool, error) {
	w.log.Info().Msg("the invite names nothing any more: asking for the channel by its id")
	d, err := w.describe(ctx, types.NewsletterKeyTypeJID, w.channel())
	if err != nil {
		return false, err
	}
	if d.about.ID != w.channel() {
		return false, errUnreadable
	}
	if err := w.snapshot(ctx, d, nil); err != nil {
		return false, err
	}
	return true, w.usable(ctx, d)
}

// usable says why a channel's posts cannot be read, and follows it where the target wants that.
func (w *watch) usable(ctx context.Context, d described) error {
	if s := d.about.state(); s != "active" {
		return &hiddenError{s}
	}
	return w.joined(ctx)
}

// bound writes which channel the target stands for, together with a snapshot.
func (w *watch) bound(ctx context.Context, id string, d described) error {
	fresh := w.cursor().Channel != id
	err := w.snapshotOf(ctx, id, d, func(b *batch, acq evidence.ID) {
		b.Add(evidence.Target(w.target.ID), &evidence.TargetBound{
			Account: evidence.Ref{Name: account(id)}, Address: w.target.Address, Acquisition: acq,
		}, false)
	}, func(c *cursor) {
		if c.Channel != id {
			*c = cursor{}
		}
		c.Address, c.Channel, c.Stopped, c.Candidate = w.target.Address, id, "", ""
	})
	if fresh {
		w.resumed, w.rate = w.resumed && !w.cursor().Observed.IsZero(), w.cursor().Rate
	}
	return err
}

// renewed takes a snapshot on the way. An invite that stands for another channel now, or nothing, is bound anew, which stops the target.
func (w *watch) renewed(ctx context.Context) error {
	d, err := w.describe(ctx, types.NewsletterKeyTypeInvite, w.invite)
	if r, ok := targetError(err); ok && r.code == 404 {
		d, err = w.describe(ctx, types.NewsletterKeyTypeJID, w.channel())
	}
	if err != nil {
		return err
	}
	if d.about.ID != w.channel() {
		return errMoved
	}
	if err := w.unfollowed(ctx); err != nil {
		return err
	}
	if err := w.snapshot(ctx, d, nil); err != nil {
		return err
	}
	return w.usable(ctx, d)
}

func (w *watch) confirmed(c cursor) bool {
	return c.Stopped == causeIdentity && w.r.o.Confirmed != nil && w.r.o.Confirmed(w.target.ID, c.Candidate)
}

// stop records why the target is not observed, and remembers it so that a restart neither asks nor records again.
func (w *watch) stop(ctx context.Context, cause, detail, candidate string) error {
	w.log.Warn().Str("cause", cause).Msg(detail)
	w.listen(false)
	now := w.r.o.Now()
	b := w.r.batch()
	b.Add(evidence.Target(w.target.ID), w.gapBody(now, cause, detail, false), false)
	return w.commit(ctx, b, func(c *cursor) {
		c.Address, c.Stopped, c.Candidate, c.Observed = w.target.Address, cause, candidate, now
	})
}

// held waits while the target is stopped: for a person to confirm, or for the watchlist to change, which ends ctx.
func (w *watch) held(ctx context.Context) error {
	for {
		if err := sleep(ctx, w.r.o.TargetRetry); err != nil {
			return err
		}
		if c := w.cursor(); c.Stopped == causeIdentity {
			if w.confirmed(c) {
				return errMoved
			}
			if err := w.gap(ctx, causeIdentity, "not yet confirmed by a person", false); err != nil {
				return err
			}
		}
	}
}

// snapshot stores the channel's metadata where it differs from what is known.
func (w *watch) snapshot(ctx context.Context, d described, move func(*cursor)) error {
	return w.snapshotOf(ctx, w.channel(), d, nil, move)
}

func (w *watch) snapshotOf(ctx context.Context, id string, d described, extra func(*batch, evidence.ID), move func(*cursor)) error {
	seen := d.about.seen(w.r.o.Vantage)
	seen.Observed = d.span()
	digest := digestOf(seen)
	if digest == w.account && extra == nil {
		return nil
	}
	acq, err := w.r.acquired(ctx, methodInfo, d.request, d.span(), raw{data: d.value})
	if err != nil {
		return err
	}
	b := w.r.batch()
	seen.Acquisition = b.Add(account(id), acq, true)
	if extra != nil {
		extra(b, seen.Acquisition)
	}
	b.Add(account(id), seen, false)
	picture, ok := d.about.picture()
	err = w.commit(ctx, b, func(c *cursor) {
		if move != nil {
			move(c)
		}
		if ok && digest != w.account && w.target.Keeps(picture.kind) {
			c.want([]pending{{Media: picture.media.ID}})
		}
		if c.Observed.IsZero() {
			c.Observed = d.from
		}
	})
	if err != nil {
		return err
	}
	w.account = digest
	if ok {
		w.queue(map[pending]file{{Media: picture.media.ID}: picture})
	}
	return nil
}
