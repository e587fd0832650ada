package telegram

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// lookAt is when something of the channel is to be looked at again: its metadata, or the posts that come to an age.
func (w *watch) lookAt() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, at, ok := w.cur.next(); ok && at.Before(w.nextLook) {
		return at
	}
	return w.nextLook
}

// look asks again for posts that came to an age, since the platform does not announce every edit and deletion, and now and then for the
// channel's metadata. What did not change since it was last seen is not stored again, not even its bytes. It makes one request about
// posts at most, so that a channel of a million does not keep the others waiting.
func (w *watch) look(ctx context.Context) error {
	now := w.r.o.Now()
	if !now.Before(w.nextLook) {
		w.nextLook = now.Add(w.r.o.RecheckEvery)
		if err := w.renewed(ctx); err != nil {
			return err
		}
		if w.joinLater {
			if err := w.membership(ctx); err != nil {
				return err
			}
		}
		return w.stories(ctx)
	}
	c := w.cursor()
	k, at, ok := c.next()
	if !ok || now.Before(at) {
		return nil
	}
	return w.recheckAge(ctx, k, c.asks(k))
}

// byID asks for messages by number. Those that are not there come back as messageEmpty.
func (w *watch) byID(ctx context.Context, ids []int) (reply[tg.MessagesMessagesClass], messages, error) {
	c := w.cursor()
	q := &tg.ChannelsGetMessagesRequest{Channel: &tg.InputChannel{ChannelID: c.Channel, AccessHash: c.AccessHash}}
	for _, id := range ids {
		q.ID = append(q.ID, &tg.InputMessageID{ID: id})
	}
	rep, err := ask(ctx, w.r, "channels.getMessages", true, func(ctx context.Context) (tg.MessagesMessagesClass, error) {
		return w.r.api.ChannelsGetMessages(ctx, q)
	})
	if err != nil {
		return rep, nil, err
	}
	list, ok := rep.value.(messages)
	if !ok {
		return rep, nil, odd(ctx, w.r, "channels.getMessages", w.asked(ids), rep, "unexpected "+rep.value.TypeName())
	}
	return rep, list, nil
}

// recheck asks again for posts, whatever their age.
func (w *watch) recheck(ctx context.Context, ids []int) error {
	rep, list, err := w.byID(ctx, ids)
	if err != nil {
		return err
	}
	return w.compare(ctx, looked{
		method: "channels.getMessages", request: w.asked(ids), rep: rep, list: list, missing: emptyOf(list, ids), of: len(ids),
	}, nil)
}

func (w *watch) asked(ids []int) map[string]any {
	return map[string]any{"channel": strconv.FormatInt(w.channel(), 10), "id": ids}
}

// recheckAge asks for the posts that are due at a rung, and moves it on.
func (w *watch) recheckAge(ctx context.Context, k int, ids []int) error {
	if len(ids) == 0 {
		return w.commit(ctx, nil, func(c *cursor) { c.nobody(k, &w.r.o, w.r.o.Now()) })
	}
	rep, list, err := w.byID(ctx, ids)
	if err != nil {
		return err
	}
	msgs := list.GetMessages()
	upTo, young := w.oldEnough(k, ids, msgs)
	c := w.cursor()
	x := looked{
		method: "channels.getMessages", request: w.asked(ids), rep: rep, list: list, missing: emptyOf(list, ids), of: len(ids),
	}
	if album := albumAtEnd(msgs); young == 0 && album > 0 && len(c.Known.above(ids[len(ids)-1], 1)) > 0 && album-1 > c.Aged[k].ID && album > ids[0] {
		// Its other members are among the next ones: they are looked at together.
		upTo, x.below = album-1, album
	}
	return w.compare(ctx, x, func(c *cursor) { c.looked(k, upTo, young, &w.r.o, w.r.o.Now()) })
}

// oldEnough returns the highest of the posts that came to a rung's age, and the date of the first that did not.
func (w *watch) oldEnough(k int, ids []int, msgs []tg.MessageClass) (upTo int, young seconds) {
	dates := map[int]seconds{}
	for _, m := range msgs {
		if d, ok := m.(interface{ GetDate() int }); ok {
			dates[m.GetID()] = seconds(d.GetDate())
		}
	}
	now, ages := w.r.o.Now(), w.r.o.ages()
	for _, id := range ids {
		d := dates[id]
		if k < len(ages) && d > 0 && d.after(now, ages[k]) {
			return upTo, d
		}
		upTo = id
	}
	return upTo, 0
}

// lookedBefore says how old a post was at the least when it was last looked at, by the highest age at which it was.
func (c *cursor) lookedBefore(id int, ages []time.Duration) time.Duration {
	for k := min(len(ages), len(c.Aged)) - 1; k >= 0; k-- {
		if id <= c.Aged[k].ID {
			return ages[k]
		}
	}
	return 0
}

// albumAtEnd returns the number of the first message of the album to which the last one that is there belongs; 0 where it belongs to none.
func albumAtEnd(msgs []tg.MessageClass) int {
	var last *tg.Message
	for _, m := range msgs {
		if m, ok := m.(*tg.Message); ok && (last == nil || m.ID > last.ID) {
			last = m
		}
	}
	if last == nil || last.GroupedID == 0 {
		return 0
	}
	first := last.ID
	for _, m := range msgs {
		if m, ok := m.(*tg.Message); ok && m.GroupedID == last.GroupedID {
			first = min(first, m.ID)
		}
	}
	return first
}

// emptyOf are those of the posts that were asked for of which the platform says that they are not there. What it does not mention at all
// it says nothing of.
func emptyOf(list messages, ids []int) []int {
	var out []int
	for _, m := range list.GetMessages() {
		if e, ok := m.(*tg.MessageEmpty); ok && slices.Contains(ids, e.ID) {
			out = append(out, e.ID)
		}
	}
	return out
}

// looked is a reply about posts that are known.
type looked struct {
	method  string
	request map[string]any
	rep     reply[tg.MessagesMessagesClass]
	list    messages
	missing []int
	of      int  // how many were asked for
	below   int  // what has this number or a higher one is left to the next look; 0: nothing is
	sure    bool // the history itself shows what is missing
}

// compare stores what changed among known posts.
func (w *watch) compare(ctx context.Context, x looked, move func(*cursor)) error {
	missing := slices.DeleteFunc(slices.Clone(x.missing), func(id int) bool { return x.below > 0 && id >= x.below })
	if len(missing) > 0 && len(x.missing) == x.of && !x.sure {
		really, err := w.reallyMissing(ctx, x)
		if err != nil || !really {
			return w.putOff(ctx, err)
		}
	}
	p := w.translate(x.rep.raw, x.rep.span(), x.list.GetChats(), x.list.GetMessages())
	if len(p.posts) > 0 {
		if err := w.shownAgain(ctx, x.rep.span()); err != nil {
			return err
		}
	}
	p.posts = slices.DeleteFunc(p.posts, func(y post) bool {
		return x.below > 0 && y.id >= x.below || !w.changed(y)
	})
	p.how, p.gone = evidence.GoneMissing, missing
	p.recount = w.recounted(p.counts)
	if p.empty() {
		if move == nil {
			return nil
		}
		return w.commit(ctx, nil, move)
	}
	var err error
	if p.acq, err = acquired(ctx, w.r, x.method, x.request, x.rep); err != nil {
		return err
	}
	return w.put(ctx, []*page{p}, nil, move)
}

// editSlack is for clocks that differ, and for an edit that is told late.
const editSlack = 10 * time.Minute

// changed reports whether a known post may be another than it was. Of the newest ones the content is remembered; of the others, an edit
// that the author makes has a date, and what is withheld is marked.
func (w *watch) changed(x post) bool {
	if k, ok := w.known[x.id]; ok {
		return k.digest != knownOf(x).digest
	}
	c := w.cursor()
	if !c.Known.has(x.id) || len(x.body.Restriction) > 0 {
		return true
	}
	edited := x.body.EditedAt
	return !edited.IsZero() && !edited.Before(x.body.ClaimedAt.Add(c.lookedBefore(x.id, w.r.o.ages())-editSlack))
}
