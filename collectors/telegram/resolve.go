package telegram

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// The ways in which a target is stopped until something outside changes.
const (
	causeRefused  = "refused"
	causeIdentity = "identity-changed"

	causeUnreachable = "unreachable" // tried again now and then
)

// bind makes sure that the target stands for a channel that may be observed, and stores a fresh snapshot of it. It resolves the
// address once and again only when the address changed, the channel gave the name up or can no longer be reached: the platform
// allows few resolutions a day. It returns false for a target that is stopped.
func (w *watch) bind(ctx context.Context) (bool, error) {
	c := w.cursor()
	if c.Stopped != "" && c.Address == w.target.Address && !w.confirmed(c) {
		return false, nil
	}
	if c.Channel == 0 || c.AccessHash == 0 || c.Address != w.target.Address || c.Stopped != "" {
		return w.resolve(ctx)
	}
	from := w.r.o.Now()
	names, err := w.snapshot(ctx, false)
	if refusedUs(err) {
		return w.lookAgain(ctx, from, err)
	}
	if err != nil {
		return false, err
	}
	if !w.named(names) && w.cursor().Stopped == "" {
		return w.renamed(ctx, names)
	}
	return w.cursor().Stopped == "", nil
}

// lookAgain resolves the address of a channel that was not given to us by its number, and records what can be told from both answers.
func (w *watch) lookAgain(ctx context.Context, from time.Time, byID error) (bool, error) {
	if w.nothingNewOf(byID) {
		return false, byID
	}
	ok, err := w.resolve(ctx)
	free := nameFree(err)
	if c := w.cursor(); err != nil && !free && !refusedUs(err) || ok || err == nil && c.Stopped != causeIdentity {
		return ok, err
	}
	name := err
	if !free {
		name = nil
	}
	if serr := w.vanished(ctx, from, byID, name, w.cursor().Stopped == causeIdentity); serr != nil {
		return false, serr
	}
	return ok, err
}

// renamed finds out what became of the name that the channel gave up. While nobody else bears it, the channel is still the
// target, as long as it is public.
func (w *watch) renamed(ctx context.Context, names []string) (bool, error) {
	if w.stillRenamed() {
		if len(names) == 0 {
			return false, errNotPublic
		}
		return true, nil
	}
	w.log.Info().Msg("the channel no longer bears the target's name: resolving it again")
	from := w.r.o.Now()
	ok, err := w.resolve(ctx)
	switch {
	case nameFree(err):
		if err := w.renamedTo(ctx, from, names, err); err != nil {
			return false, err
		}
		if len(names) == 0 {
			return false, errNotPublic
		}
		return true, nil
	case err == nil && w.cursor().Stopped == causeIdentity:
		return false, w.renamedTo(ctx, from, names, nil)
	}
	return ok, err
}

func (w *watch) named(names []string) bool {
	return slices.ContainsFunc(names, func(u string) bool { return strings.EqualFold(u, w.username) })
}

// renewed takes a snapshot on the way; a channel that has just given the target's name up is bound anew.
func (w *watch) renewed(ctx context.Context) error {
	before := w.bearsName
	names, err := w.snapshot(ctx, true)
	if err != nil {
		return err
	}
	if (before && !w.named(names)) || len(names) == 0 || w.cursor().Stopped != "" {
		return errMoved
	}
	return nil
}

func (w *watch) confirmed(c cursor) bool {
	return c.Stopped == causeIdentity && w.r.o.Confirmed != nil &&
		w.r.o.Confirmed(w.target.ID, strconv.FormatInt(c.Candidate, 10))
}

// lookUp asks what the address stands for.
func (w *watch) lookUp(ctx context.Context) (bool, error) {
	from, name := w.r.o.Now(), w.username
	rep, err := w.resolveName(ctx, name)
	free := err
	if nameFree(err) {
		if newer, again, aerr := w.lookUpNewer(ctx); aerr != nil {
			return false, aerr
		} else if newer != "" {
			name, rep, err = newer, again, nil
		}
	}
	if nameFree(err) && w.cursor().Channel == 0 {
		s := &evidence.Status{
			State: evidence.StatusUnknown, Because: evidence.StatusNameFree, Said: "contacts.resolveUsername: " + said(err),
			Detail:   "nobody bears the name, and the account behind it was never seen",
			Observed: evidence.Span{From: evidence.At(from), To: evidence.At(w.r.o.Now())},
		}
		err = errors.Join(err, w.stands(ctx, s, nil))
	}
	if err != nil {
		return false, err
	}
	ch, why := refusal(rep.value.Chats, rep.value.Users, rep.value.Peer)
	if ch == nil || why != "" {
		return false, w.stop(ctx, causeRefused, why, 0)
	}
	c := w.cursor()
	if c.Channel != 0 && c.Channel != ch.ID && (c.Candidate != ch.ID || !w.confirmed(c)) {
		return false, w.foundMoved(ctx, rep, name, ch.ID)
	}
	acq, err := acquired(ctx, w.r, "contacts.resolveUsername", map[string]any{"username": name}, rep)
	if err != nil {
		return false, err
	}
	b := w.r.batch()
	id := b.Add(account(ch.ID), acq, true)
	if name == w.username { // the address stands for nobody otherwise, and what the target is bound to was said before
		b.Add(evidence.Target(w.target.ID), &evidence.TargetBound{
			Account: evidence.Ref{Name: account(ch.ID)}, Address: w.target.Address, Acquisition: id,
		}, false)
	}
	err = w.commit(ctx, b, func(c *cursor) {
		if c.Channel != ch.ID {
			*c = cursor{}
		}
		c.Address, c.Channel, c.AccessHash, c.Stopped, c.Candidate = w.target.Address, ch.ID, ch.AccessHash, "", 0
	})
	if err != nil {
		return false, err
	}
	w.resumed = w.resumed && !w.cursor().Observed.IsZero()
	names, err := w.snapshot(ctx, false)
	if err != nil {
		return false, err
	}
	if name != w.username && !w.named(names) {
		if err := w.renamedTo(ctx, from, names, free); err != nil {
			return false, err
		}
	}
	return w.cursor().Stopped == "", nil
}

func (w *watch) resolveName(ctx context.Context, name string) (reply[*tg.ContactsResolvedPeer], error) {
	return ask(ctx, w.r, "contacts.resolveUsername", true, func(ctx context.Context) (*tg.ContactsResolvedPeer, error) {
		return w.r.api.ContactsResolveUsername(ctx, &tg.ContactsResolveUsernameRequest{Username: name})
	})
}

// newerNames is how many of the names that a channel bore last are looked up for an account that cannot reach it.
const newerNames = 2

// lookUpNewer looks up the names that the channel bore when another account of ours saw it last: an account that never resolved it has no
// access hash, and so no way to a channel that has given the target's name up. What it returns may be another channel, which is for resolve
// to refuse; name is empty where nobody bears such a name, or none is known.
func (w *watch) lookUpNewer(ctx context.Context) (name string, rep reply[*tg.ContactsResolvedPeer], err error) {
	c := w.cursor()
	if c.Channel == 0 || c.AccessHash != 0 || c.Address != w.target.Address {
		return "", rep, nil
	}
	names := slices.DeleteFunc(slices.Clone(c.Names), func(n string) bool { return strings.EqualFold(n, w.username) })
	for _, n := range names[:min(len(names), newerNames)] {
		rep, err = w.resolveName(ctx, strings.ToLower(n))
		if err == nil {
			return strings.ToLower(n), rep, nil
		}
		if !nameFree(err) {
			return "", rep, err
		}
	}
	return "", rep, nil
}

// stop records why the target is not observed, and remembers it so that a restart neither asks nor records again.
func (w *watch) stop(ctx context.Context, cause, detail string, candidate int64) error {
	return w.stopWith(ctx, cause, detail, candidate, nil)
}

func (w *watch) stopWith(ctx context.Context, cause, detail string, candidate int64, extra func(*batch)) error {
	w.log.Warn().Str("cause", cause).Msg(detail)
	now := w.r.o.Now()
	b := w.r.batch()
	if extra != nil {
		extra(b)
	}
	b.Add(evidence.Target(w.target.ID), w.gapBody(now, cause, detail, false), false)
	return w.commit(ctx, b, func(c *cursor) {
		c.Address, c.Stopped, c.Candidate, c.Observed = w.target.Address, cause, candidate, now
	})
}

// snapshot stores the channel's metadata where it differs from what is known, and its pts as the starting point of a target
// without one: it must be taken before the history is read, or what happens meanwhile would be missed. It returns the channel's
// public names. Where quiet, an unchanged snapshot stores nothing at all.
func (w *watch) snapshot(ctx context.Context, quiet bool) (names []string, err error) {
	c := w.cursor()
	input := &tg.InputChannel{ChannelID: c.Channel, AccessHash: c.AccessHash}
	rep, err := ask(ctx, w.r, "channels.getFullChannel", true, func(ctx context.Context) (*tg.MessagesChatFull, error) {
		return w.r.api.ChannelsGetFullChannel(ctx, input)
	})
	if err != nil {
		return nil, err
	}
	full, ok := rep.value.FullChat.(*tg.ChannelFull)
	ch, why := refusal(rep.value.Chats, nil, &tg.PeerChannel{ChannelID: c.Channel})
	if !ok || ch == nil {
		return nil, w.notDescribed(ctx, c, rep)
	}
	names = usernames(ch)
	w.bearsName = w.named(names)
	w.tellsStories.Store(hasStories(ch))
	if why != "" && len(names) > 0 {
		return names, w.stop(ctx, causeRefused, why, 0)
	}
	seen := snapshot(ch, full)
	seen.Vantage, seen.Observed = w.r.o.Vantage, rep.span()
	w.restricted = len(seen.Restriction) > 0
	digest := digestOf(seen)
	if quiet && digest == w.account {
		return names, w.present(ctx, seen)
	}
	acq, err := acquired(ctx, w.r, "channels.getFullChannel", map[string]any{"channel": strconv.FormatInt(c.Channel, 10)}, rep)
	if err != nil {
		return names, err
	}
	b := w.r.batch()
	seen.Acquisition = b.Add(account(c.Channel), acq, true)
	b.Add(account(c.Channel), seen, false)
	err = w.commit(ctx, b, func(c *cursor) {
		c.Names = names
		if c.Pts == 0 {
			c.Pts = max(1, full.Pts)
			c.Observed = rep.from
		}
	})
	if err != nil {
		return names, err
	}
	w.account = digest
	return names, w.present(ctx, seen)
}

func digestOf(o evidence.Observer) evidence.Digest {
	var all []byte
	for _, f := range o.Facets() {
		all = append(all, f.Slot...)
		all = append(all, f.Value[:]...)
	}
	return evidence.Sum(all)
}
