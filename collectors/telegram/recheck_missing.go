package telegram

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// reallyMissing asks the history before it is believed that not one of the posts that were asked for is there: a channel that is
// withheld from us, or of which our account lost sight, looks just like that. False says that nothing is recorded of them.
func (w *watch) reallyMissing(ctx context.Context, x looked) (bool, error) {
	if _, err := w.snapshot(ctx, true); err != nil {
		return false, err // that it is refused to us is bind's to find out
	}
	if w.restricted {
		w.log.Warn().Msg("the channel is restricted and shows none of the posts that were asked for: nothing is said of them")
		return false, nil
	}
	top := slices.Max(x.missing)
	at, err := w.pageOf(ctx, top+1)
	if err != nil {
		return false, err
	}
	if len(at.msgs) > 0 {
		for _, m := range at.msgs {
			if slices.Contains(x.missing, m.GetID()) {
				w.log.Warn().Msg("the history shows posts that are not given by their numbers: nothing is said of them")
				return false, w.alsoShown(ctx, at)
			}
		}
		return true, w.alsoShown(ctx, at)
	}
	newest, err := w.pageOf(ctx, 0)
	if err != nil || len(newest.msgs) > 0 {
		return err == nil, errors.Join(err, w.alsoShown(ctx, newest))
	}
	return false, w.emptied(ctx, newest)
}

// alsoShown stores what changed among the posts of a page that was read for another reason: it may be the only look at an edit.
func (w *watch) alsoShown(ctx context.Context, p historyPage) error {
	if len(p.msgs) == 0 {
		return nil
	}
	return w.compare(ctx, looked{
		method: "messages.getHistory", request: historyRequest(w.channel(), p.offset, 0), rep: p.rep,
		list: &tg.MessagesChannelMessages{Messages: p.msgs, Chats: p.rep.value.(messages).GetChats()},
	}, nil)
}

type historyPage struct {
	rep    reply[tg.MessagesMessagesClass]
	msgs   []tg.MessageClass
	offset int
}

// pageOf reads the page of history below a post, the newest one for 0.
func (w *watch) pageOf(ctx context.Context, below int) (historyPage, error) {
	rep, err := w.history(ctx, below, 0)
	if err != nil {
		return historyPage{}, err
	}
	list, ok := rep.value.(messages)
	if !ok {
		return historyPage{}, fmt.Errorf("messages.getHistory: unexpected %s", rep.value.TypeName())
	}
	msgs := slices.DeleteFunc(slices.Clone(list.GetMessages()), func(m tg.MessageClass) bool {
		_, hole := m.(*tg.MessageEmpty)
		return hole
	})
	return historyPage{rep, msgs, below}, nil
}

// emptied records that a channel which is there shows us no post at all: its administrators removed all of them, or they are hidden from
// us. Neither is said of any post.
func (w *watch) emptied(ctx context.Context, p historyPage) error {
	acq, err := acquired(ctx, w.r, "messages.getHistory", historyRequest(w.channel(), p.offset, 0), p.rep)
	if err != nil {
		return err
	}
	return w.stands(ctx, &evidence.Status{
		State: evidence.StatusUnknown, Because: evidence.StatusEmptied, Observed: p.rep.span(),
		Said:   "channels.getMessages: messageEmpty for every post; messages.getHistory: no messages",
		Detail: "the channel is there and shows none of its posts: all were deleted, or they are hidden from our account; nothing is said of single posts",
	}, acq)
}

// shownAgain records that a channel shows posts again.
func (w *watch) shownAgain(ctx context.Context, span evidence.Span) error {
	if w.cursor().Stand.Because != evidence.StatusEmptied {
		return nil
	}
	return w.stands(ctx, &evidence.Status{State: evidence.StatusUp, Observed: span}, nil)
}

// putOff leaves all rungs for later: what was asked for was not told.
func (w *watch) putOff(ctx context.Context, err error) error {
	if err != nil {
		return err
	}
	until := w.r.o.Now().Add(w.r.o.RecheckEvery).UnixMilli()
	return w.commit(ctx, nil, func(c *cursor) {
		for i := range c.Aged {
			if c.Aged[i].Due != 0 {
				c.Aged[i].Due = max(c.Aged[i].Due, until)
			}
		}
	})
}
