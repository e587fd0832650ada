package telegram

import (
	"context"
	"strconv"
	"time"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// The bounds of the pause that the server asks for between two polls.
const (
	minTimeout = 5 * time.Second
	maxTimeout = 50 * time.Second
)

// poll asks for everything that happened since pts and stores it slice by slice. pts moves with each slice that is on disk.
func (w *watch) poll(ctx context.Context) error {
	if w.cursor().Rotated {
		if err := w.takePts(ctx); err != nil {
			return err
		}
	}
	for {
		rep, err := w.difference(ctx)
		if tgerr.Is(err, "PERSISTENT_TIMESTAMP_INVALID", "PERSISTENT_TIMESTAMP_EMPTY") {
			w.nextPoll = w.r.o.Now().Add(w.pause(0)) // it may be answered so again
			return w.restartPts(ctx)
		}
		if err != nil {
			return err
		}
		final, timeout, err := w.advance(ctx, rep)
		if err != nil {
			return err
		}
		if final {
			w.nextPoll = w.r.o.Now().Add(w.pause(timeout))
			return w.sighted(ctx, rep.from)
		}
	}
}

func (w *watch) difference(ctx context.Context) (reply[tg.UpdatesChannelDifferenceClass], error) {
	c := w.cursor()
	q := &tg.UpdatesGetChannelDifferenceRequest{
		Channel: &tg.InputChannel{ChannelID: c.Channel, AccessHash: c.AccessHash},
		Filter:  &tg.ChannelMessagesFilterEmpty{}, Pts: c.Pts, Limit: pageSize,
	}
	return ask(ctx, w.r, "updates.getChannelDifference", true, func(ctx context.Context) (tg.UpdatesChannelDifferenceClass, error) {
		return w.r.api.UpdatesGetChannelDifference(ctx, q)
	})
}

// advance stores one answer. final says that nothing is left for now; timeout is the server's advice in seconds.
func (w *watch) advance(ctx context.Context, rep reply[tg.UpdatesChannelDifferenceClass]) (final bool, timeout int, err error) {
	switch d := rep.value.(type) {
	case *tg.UpdatesChannelDifferenceEmpty:
		w.r.polls.Add(1)
		return true, d.Timeout, nil
	case *tg.UpdatesChannelDifference:
		stuck := d.Pts <= w.cursor().Pts // a server that does not move would be asked for ever
		return d.Final || stuck, d.Timeout, w.slice(ctx, rep, d)
	case *tg.UpdatesChannelDifferenceTooLong:
		dialog, ok := d.Dialog.(*tg.Dialog)
		if !ok || dialog.Pts == 0 {
			return true, d.Timeout, w.restartPts(ctx)
		}
		return true, d.Timeout, w.refill(ctx, dialog.Pts)
	}
	return false, 0, odd(ctx, w.r, "updates.getChannelDifference", nil, rep, "unexpected "+rep.value.TypeName())
}

// slice stores new messages and other updates; only what is on disk moves pts.
func (w *watch) slice(ctx context.Context, rep reply[tg.UpdatesChannelDifferenceClass], d *tg.UpdatesChannelDifference) error {
	c := w.cursor()
	msgs, gone, renewed := w.changes(d)
	p := w.translate(rep.raw, rep.span(), d.Chats, msgs)
	p.gone, p.how = gone, evidence.GoneDeletionNotice
	p.counts = append(p.counts, counters(d.OtherUpdates, c.Channel)...)
	var err error
	if !p.empty() {
		p.acq, err = acquired(ctx, w.r, "updates.getChannelDifference", map[string]any{
			"channel": strconv.FormatInt(c.Channel, 10), "pts": c.Pts, "limit": pageSize,
		}, rep)
	}
	if err != nil {
		return err
	}
	w.fresh += len(d.NewMessages)
	err = w.put(ctx, []*page{p}, nil, func(c *cursor) {
		c.Pts = max(c.Pts, d.Pts)
		for _, m := range d.NewMessages {
			c.Top = max(c.Top, m.GetID())
		}
	})
	if err != nil {
		return err
	}
	for _, x := range p.posts {
		renewed = renewed || x.snapshot
	}
	if renewed {
		return w.renewed(ctx)
	}
	return nil
}

// changes takes the messages and deletions out of a difference, in the order in which the platform tells them.
func (w *watch) changes(d *tg.UpdatesChannelDifference) (msgs []tg.MessageClass, gone []int, renewed bool) {
	id := w.channel()
	msgs = append(msgs, d.NewMessages...)
	for _, u := range d.OtherUpdates {
		switch u := u.(type) {
		case *tg.UpdateNewChannelMessage:
			msgs = append(msgs, u.Message)
		case *tg.UpdateEditChannelMessage:
			msgs = append(msgs, u.Message)
		case *tg.UpdateDeleteChannelMessages:
			if u.ChannelID != id {
				continue
			}
			for _, m := range u.Messages {
				if m > 0 {
					gone = append(gone, m)
				}
			}
		case *tg.UpdateChannel:
			renewed = renewed || u.ChannelID == id
		}
	}
	return msgs, gone, renewed
}

// counters takes out the updates that tell a number alone.
func counters(us []tg.UpdateClass, channel int64) []evidence.Post {
	var out []evidence.Post
	for _, u := range us {
		c := evidence.Post{Views: -1, Forwards: -1, Replies: -1}
		switch u := u.(type) {
		case *tg.UpdateChannelMessageViews:
			if u.ChannelID != channel {
				continue
			}
			c.Post, c.Views = strconv.Itoa(u.ID), int64(u.Views)
		case *tg.UpdateChannelMessageForwards:
			if u.ChannelID != channel {
				continue
			}
			c.Post, c.Forwards = strconv.Itoa(u.ID), int64(u.Forwards)
		default:
			continue
		}
		out = append(out, c)
	}
	return out
}

// pause is the time to the next poll. The server's time-out is advice and never a time in which news is thrown away.
func (w *watch) pause(timeout int) time.Duration {
	if w.pushed() {
		return w.r.o.JoinedEvery
	}
	if w.r.o.PollEvery > 0 {
		return w.r.o.PollEvery
	}
	if timeout <= 0 {
		return 30 * time.Second
	}
	return min(max(time.Duration(timeout)*time.Second, minTimeout), maxTimeout)
}

// sighted notes that the channel is up to date as of a moment, and records the stretch before in which it was not: since an earlier
// run, or longer than its mode promises within this one. What was read has told what happened in it.
func (w *watch) sighted(ctx context.Context, at time.Time) error {
	from := w.cursor().Observed
	if w.observed.After(from) {
		from = w.observed
	}
	w.learn(from, at)
	w.mu.Lock()
	cause := w.why
	w.why = ""
	w.mu.Unlock()
	within := from.IsZero() || at.Sub(from) <= w.promise()
	if within && (!w.resumed || w.target.Rotates() && !w.r.hadNoRoom(from)) {
		w.resumed = false
		w.saw(at)
		return nil
	}
	switch {
	case w.resumed:
		cause = w.r.cause
	case cause == "" && w.target.Rotates():
		cause = w.r.whyLate(from)
	case cause == "":
		cause = "outage"
	}
	b := w.r.batch()
	b.Add(evidence.Target(w.target.ID), w.gapBody(at, cause, "", true), false)
	if err := w.commit(ctx, b, func(c *cursor) { c.Observed = at }); err != nil {
		return err
	}
	w.saw(at)
	w.folded, w.resumed = at, false
	return nil
}

// causeBudget is of a gap that is due to our account's budget of requests, which did not suffice for the interval that was planned.
const causeBudget = "budget"

// whyLate says what kept the account from reading in rotation since a moment, for a target that did not meet it itself.
func (r *run) whyLate(since time.Time) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held["messages.getHistory"].After(since) {
		return "flood-wait"
	}
	return causeBudget
}

func (w *watch) saw(at time.Time) {
	w.observed = at
	w.doubted = w.doubted && at.Sub(w.doubtedAt) < w.r.o.RecheckEvery
	w.mu.Lock()
	w.seenUntil = at
	w.mu.Unlock()
}

// promise is how long the target may go without being read before that is a gap.
func (w *watch) promise() time.Duration {
	every := w.r.o.PollEvery
	switch {
	case w.target.Rotates():
		every = w.interval()
	case w.pushed():
		every = w.r.o.JoinedEvery
	}
	return max(w.r.o.GapAfter, 2*every)
}

// learn takes what a stretch brought into the target's rate.
func (w *watch) learn(from, to time.Time) {
	n := w.fresh
	w.fresh = 0
	if from.IsZero() {
		return
	}
	w.mu.Lock()
	w.cur.Rate = w.cur.Rate.Seen(n, to.Sub(from))
	w.mu.Unlock()
}

// restartPts begins anew where the platform does not accept our pts: the present one is taken first and the history read again down to
// the last known post.
func (w *watch) restartPts(ctx context.Context) error {
	pts, err := w.presentPts(ctx)
	if err != nil {
		return err
	}
	return w.refill(ctx, pts)
}

func (w *watch) presentPts(ctx context.Context) (int, error) {
	c := w.cursor()
	rep, err := ask(ctx, w.r, "channels.getFullChannel", true, func(ctx context.Context) (*tg.MessagesChatFull, error) {
		return w.r.api.ChannelsGetFullChannel(ctx, &tg.InputChannel{ChannelID: c.Channel, AccessHash: c.AccessHash})
	})
	if err != nil {
		return 0, err
	}
	full, ok := rep.value.FullChat.(*tg.ChannelFull)
	if !ok {
		return 0, w.notDescribed(ctx, c, rep)
	}
	return max(1, full.Pts), nil
}
