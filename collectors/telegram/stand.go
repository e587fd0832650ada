package telegram

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// stand is what the cursor knows of the last state that was recorded; empty where there was none, which is that of a channel that was
// only ever seen up.
type stand struct {
	State   string `json:"state"`
	Because string `json:"because,omitempty"`
}

// stands records the state in which the channel is seen, where it is another than before. The loss of our own account never comes here:
// what ends a run is no word about a channel.
func (w *watch) stands(ctx context.Context, s *evidence.Status, acq *evidence.Acquisition) error {
	c := w.cursor()
	was := c.Stand.State
	if was == "" {
		was = evidence.StatusUp
	}
	if s.State == was && s.Because == c.Stand.Because {
		return nil
	}
	s.Method, s.Vantage, s.Was = evidence.MethodMTProto, w.r.o.Vantage, was
	if last, _ := w.lastRead(); !last.IsZero() {
		s.LastSeen = evidence.At(last)
	}
	w.log.Warn().Str("state", s.State).Str("because", s.Because).Msg("the channel is seen in another state than before")
	b := w.r.batch()
	subject := evidence.Target(w.target.ID)
	if c.Channel != 0 {
		subject = account(c.Channel)
	}
	if acq != nil {
		// About the target and not the account: it may be all that there is to say that the account is not observed.
		s.Acquisition = b.Add(evidence.Target(w.target.ID), acq, true)
	}
	b.Add(subject, s, false)
	return w.commit(ctx, b, func(c *cursor) { c.Stand = stand{s.State, s.Because} })
}

// said is an answer of the platform in its own words.
func said(err error) string {
	rpc, ok := tgerr.As(err)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%d %s", rpc.Code, rpc.Message)
}

// refusedUs are the errors with which the platform does not give a channel to our account.
func refusedUs(err error) bool {
	return tgerr.Is(err, "CHANNEL_INVALID", "CHANNEL_PRIVATE", "CHANNEL_PUBLIC_GROUP_NA")
}

// nameFree are the errors that say that nobody bears a name.
func nameFree(err error) bool { return tgerr.Is(err, "USERNAME_NOT_OCCUPIED", "USERNAME_INVALID") }

// vanished records what the platform said of a channel that it does not give us by its number. name is what it said of the target's
// name: nil where somebody bears it, who is another where moved says so.
func (w *watch) vanished(ctx context.Context, from time.Time, byID, name error, moved bool) error {
	s := &evidence.Status{State: evidence.StatusUnknown, Said: "channels.getFullChannel: " + said(byID)}
	if name != nil {
		s.Said += "; contacts.resolveUsername: " + said(name)
	}
	var acq *evidence.Acquisition
	switch {
	case tgerr.Is(byID, "CHANNEL_INVALID") && (name != nil || moved):
		s.State = evidence.StatusRemoved
		s.Detail = "the platform knows neither the channel nor the name; whether its owner or the platform took it away is not told"
		if moved {
			s.Because = evidence.StatusNameMoved
			s.Detail = "the platform no longer knows the channel, and its name is another's"
		}
	case tgerr.Is(byID, "CHANNEL_INVALID"):
		s.Detail = "the platform knows the name and not the channel that it gives for it"
	default:
		s.Because = evidence.StatusPrivate
		s.Detail = "made private, or removed: the platform answers the same to both"
		var err error
		if acq, err = w.forbidden(ctx, s); err != nil {
			return err
		}
	}
	s.Observed = evidence.Span{From: evidence.At(from), To: evidence.At(w.r.o.Now())}
	return w.stands(ctx, s, acq)
}

// forbidden asks what is left to be told of a channel that does not let us in: its title, and whether it was our account that was
// turned away.
func (w *watch) forbidden(ctx context.Context, s *evidence.Status) (*evidence.Acquisition, error) {
	c := w.cursor()
	rep, err := ask(ctx, w.r, "channels.getChannels", true, func(ctx context.Context) (tg.MessagesChatsClass, error) {
		return w.r.api.ChannelsGetChannels(ctx, []tg.InputChannelClass{&tg.InputChannel{ChannelID: c.Channel, AccessHash: c.AccessHash}})
	})
	if err != nil {
		if _, own := targetError(err); !own {
			return nil, err
		}
		s.Said += "; channels.getChannels: " + said(err)
		return nil, nil
	}
	for _, ch := range rep.value.GetChats() {
		f, ok := ch.(*tg.ChannelForbidden)
		if !ok || f.ID != c.Channel {
			continue
		}
		s.Said += "; channels.getChannels: channelForbidden"
		if until, ok := f.GetUntilDate(); ok {
			s.Detail = "the channel turned our account away until " + time.Unix(int64(until), 0).UTC().Format(time.RFC3339)
		}
	}
	return acquired(ctx, w.r, "channels.getChannels", map[string]any{"channel": strconv.FormatInt(c.Channel, 10)}, rep)
}

// present records how a channel that gave us its metadata stands. Whether a name that it no longer bears is free or another's is for
// renamed to find out.
func (w *watch) present(ctx context.Context, seen *evidence.AccountSeen) error {
	if was := w.cursor().Stand; was.Because == evidence.StatusEmptied && len(seen.Restriction) == 0 {
		return nil // its posts say when that is over
	}
	s := &evidence.Status{State: evidence.StatusUp, Restriction: seen.Restriction, Names: seen.Usernames, Observed: seen.Observed}
	switch {
	case len(seen.Restriction) > 0:
		s.State = evidence.StatusRestricted
		s.Because = reasons(seen.Restriction)
	case len(seen.Usernames) == 0 || !w.named(seen.Usernames):
		return nil
	}
	return w.stands(ctx, s, nil)
}

// reasons are the platform's own words for why and where it withholds something.
func reasons(rs []evidence.Restriction) string {
	var out []string
	for _, r := range rs {
		out = append(out, r.Where+" "+r.Reason)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// renamedTo records that the channel, which answers to its number, is no longer found under the target's name.
func (w *watch) renamedTo(ctx context.Context, from time.Time, names []string, name error) error {
	if w.cursor().Stand.State == evidence.StatusRestricted && w.restricted {
		return nil // said with its names already
	}
	s := &evidence.Status{
		State: evidence.StatusRenamed, Because: evidence.StatusNameFree, Names: names,
		Observed: evidence.Span{From: evidence.At(from), To: evidence.At(w.r.o.Now())},
	}
	if name != nil {
		s.Said = "contacts.resolveUsername: " + said(name)
	} else {
		s.Because = evidence.StatusNameMoved
	}
	if len(names) == 0 {
		s.State = evidence.StatusUnknown
		if name != nil {
			s.Because = evidence.StatusNotPublic
		}
		s.Detail = "it answers to its number and bears no public name any more, so it is not read"
	}
	return w.stands(ctx, s, nil)
}

// foundMoved records that the target's address leads to another channel, and stops the target until people say what that means.
func (w *watch) foundMoved(ctx context.Context, rep reply[*tg.ContactsResolvedPeer], name string, to int64) error {
	c := w.cursor()
	acq, err := acquired(ctx, w.r, "contacts.resolveUsername", map[string]any{"username": name}, rep)
	if err != nil {
		return err
	}
	detail := fmt.Sprintf("nobody bears the target's name, and the name that channel %d bore last stands for channel %d; nothing is collected until a person confirms that this is still the target", c.Channel, to)
	if name == w.username {
		detail = fmt.Sprintf("the address stood for channel %d and now stands for channel %d; nothing is collected until a person confirms that this is still the target", c.Channel, to)
	}
	return w.stopWith(ctx, causeIdentity, detail, to, func(b *batch) {
		b.Add(evidence.Target(w.target.ID), &evidence.Finding{
			Rule: evidence.RuleIdentity, Detail: detail, Vantage: w.r.o.Vantage, Address: w.target.Address,
			Was: &evidence.Ref{Name: account(c.Channel)}, Now: &evidence.Ref{Name: account(to)},
			Acquisition: b.Add(evidence.Target(w.target.ID), acq, true), Observed: rep.span(),
		}, false)
	})
}
