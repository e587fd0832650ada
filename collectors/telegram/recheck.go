package telegram

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// look asks again for the recent posts, since the platform does not announce every edit and deletion, and for the channel's
// metadata. What did not change since it was last seen is not stored again, not even its bytes.
func (w *watch) look(ctx context.Context) error {
	for ids := range slices.Chunk(w.cursor().Recent, pageSize) {
		if err := w.recheck(ctx, ids); err != nil {
			return err
		}
	}
	w.nextLook = w.r.o.Now().Add(w.r.o.RecheckEvery)
	if err := w.renewed(ctx); err != nil {
		return err
	}
	return w.stories(ctx)
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
		return rep, nil, fmt.Errorf("channels.getMessages: unexpected %s", rep.value.TypeName())
	}
	return rep, list, nil
}

func (w *watch) recheck(ctx context.Context, ids []int) error {
	rep, list, err := w.byID(ctx, ids)
	if err != nil {
		return err
	}
	p := w.translate(rep.raw, rep.span(), list.GetChats(), list.GetMessages())
	p.posts = slices.DeleteFunc(p.posts, func(x post) bool { return w.known[x.id].digest == knownOf(x).digest })
	p.how = evidence.GoneMissing
	p.recount = w.recounted(p.counts)
	for _, m := range list.GetMessages() {
		if e, ok := m.(*tg.MessageEmpty); ok && slices.Contains(ids, e.ID) {
			p.gone = append(p.gone, e.ID)
		}
	}
	if p.empty() {
		return nil
	}
	p.acq, err = acquired(ctx, w.r, "channels.getMessages", map[string]any{
		"channel": strconv.FormatInt(w.channel(), 10), "id": ids,
	}, rep)
	if err != nil {
		return err
	}
	return w.put(ctx, []*page{p}, nil, nil)
}
