package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// unreadError is a reply that is none: its bytes are no value of what the method returns, or one that says nothing about what was asked
// for.
type unreadError struct {
	method  string
	why     string // in our words: what the decoder says may quote what came
	raw     []byte
	request map[string]any
	span    evidence.Span
	err     error
}

func (u *unreadError) Error() string { return u.detail() }
func (u *unreadError) Unwrap() error { return u.err }

func (u *unreadError) detail() string {
	return fmt.Sprintf("the reply to %s could not be read: %s; its bytes are kept as far as they may be, see the acquisitions", u.method, u.why)
}

func asUnread(err error) (*unreadError, bool) {
	var u *unreadError
	return u, errors.As(err, &u)
}

// causeUndecodable is of a gap in which the platform answered and nobody could read it.
const causeUndecodable = "undecodable"

// The bounds of what is kept of replies that cannot be read. Replies repeat, and a server that sends nonsense sends much of it: what is
// beyond is recorded with its length and digest alone, or, within one hour, not again.
const (
	unreadLimit  = 4 << 20  // of one reply
	unreadDaily  = 64 << 20 // of all replies to one account in a day
	unreadHourly = 4        // records of one target and method in an hour
	unreadTries  = 3        // before the target is put off
)

// unreadLog knows what was recorded of late. It outlives a run, since nonsense may be what ends one.
type unreadLog struct {
	mu     sync.Mutex
	recent map[string][]unreadMark // by target and method
	day    time.Time
	kept   int64 // bytes since then
}

type unreadMark struct {
	at  time.Time
	sum evidence.Digest
}

// admits reports whether a reply is to be recorded, and whether its bytes may be kept.
func (l *unreadLog) admits(key string, sum evidence.Digest, size int, now time.Time) (record, keep bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.recent == nil {
		l.recent = map[string][]unreadMark{}
	}
	had := slices.DeleteFunc(l.recent[key], func(m unreadMark) bool { return now.Sub(m.at) >= time.Hour })
	l.recent[key] = had
	if len(had) >= unreadHourly || slices.ContainsFunc(had, func(m unreadMark) bool { return m.sum == sum }) {
		return false, false
	}
	l.recent[key] = append(had, unreadMark{now, sum})
	if now.Sub(l.day) >= 24*time.Hour {
		l.day, l.kept = now, 0
	}
	if size == 0 || size > unreadLimit || l.kept+int64(size) > unreadDaily {
		return true, false
	}
	l.kept += int64(size)
	return true, true
}

// unread records a reply that cannot be read: its bytes, where they may be kept, and an acquisition that names their digest and length
// and brought nothing. Only replies about channels come here. Those about our own account hold its phone number, and a part of a file is
// asked for again until it comes or media.missed says that it did not.
func (r *run) unread(ctx context.Context, err error) error {
	u, ok := asUnread(err)
	if w := watchOf(ctx); ok && w != nil {
		return w.recordUnread(ctx, u)
	}
	return nil
}

func (w *watch) recordUnread(ctx context.Context, u *unreadError) error {
	r, sum := w.r, evidence.Sum(u.raw)
	record, keep := r.src.unread.admits(w.target.ID+" "+u.method, sum, len(u.raw), r.o.Now())
	w.log.Warn().Str("method", u.method).Str("why", u.why).Int("bytes", len(u.raw)).Bool("recorded", record).Msg("a reply cannot be read")
	if !record {
		return nil
	}
	q, err := json.Marshal(u.request)
	if err != nil {
		return fmt.Errorf("describe %s: %w", u.method, err)
	}
	a := &evidence.Acquisition{
		Method: u.method, Request: q, Alias: r.o.Alias, Vantage: r.o.Vantage, Observed: u.span,
		ClockOffsetMS: r.clock(), Build: r.o.Build, Layer: tg.Layer, Undecoded: &evidence.Undecoded{Why: u.why, Size: int64(len(u.raw)), SHA256: sum},
	}
	if keep {
		d, n, err := r.sink.Keep(ctx, bytes.NewReader(u.raw), unreadLimit)
		if err != nil {
			return fmt.Errorf("keep the reply to %s: %w", u.method, err)
		}
		a.Reply = evidence.Object{SHA256: d, Size: n}
	}
	subject := evidence.Target(w.target.ID)
	if id := w.channel(); id != 0 && u.method != "contacts.resolveUsername" {
		subject = account(id)
	}
	b := r.batch()
	b.Add(subject, a, false)
	return w.commit(ctx, b, nil)
}

// odd is a reply that could be read and is none to what was asked for; it is recorded as one that could not.
func odd[T any](ctx context.Context, r *run, method string, request map[string]any, rep reply[T], why string) error {
	u := &unreadError{method: method, why: why, raw: rep.raw, request: request, span: rep.span()}
	if err := r.unread(ctx, u); err != nil {
		return err
	}
	return u
}

func (w *watch) notDescribed(ctx context.Context, c cursor, rep reply[*tg.MessagesChatFull]) error {
	request := map[string]any{"channel": strconv.FormatInt(c.Channel, 10)}
	return odd(ctx, w.r, "channels.getFullChannel", request, rep, "it does not describe the channel")
}

// retries is how often a read is repeated that ended in err.
func (r *run) retries(err error) int {
	if _, ok := asUnread(err); ok {
		return min(unreadTries, r.o.Retries)
	}
	return r.o.Retries
}

// whyUnread says in our own words why a reply cannot be read.
func whyUnread(err error) string {
	var id *bin.UnexpectedIDErr
	var length *bin.InvalidLengthError
	switch {
	case errors.As(err, &id):
		return fmt.Sprintf("constructor %08x is unknown or does not belong there", id.ID)
	case errors.As(err, &length):
		return fmt.Sprintf("a length of %d cannot be right", length.Length)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "it ends too soon"
	}
	return "it does not follow the schema"
}

// aboutChannels are the methods whose replies say something about a channel and nothing about us.
func aboutChannels(method string) bool {
	switch method {
	case "contacts.resolveUsername", "channels.getFullChannel", "channels.getChannels", "channels.getMessages", "messages.getHistory",
		"updates.getChannelDifference", "stories.getPeerStories", "stories.getStoriesByID":
		return true
	}
	return false
}

// requested is what a request about a channel asked for, without access hashes.
func requested(in bin.Encoder) map[string]any {
	channel := func(c any) string {
		if c, ok := c.(interface{ GetChannelID() int64 }); ok {
			return strconv.FormatInt(c.GetChannelID(), 10)
		}
		return ""
	}
	switch q := in.(type) {
	case *tg.ContactsResolveUsernameRequest:
		return map[string]any{"username": q.Username}
	case *tg.ChannelsGetFullChannelRequest:
		return map[string]any{"channel": channel(q.Channel)}
	case *tg.ChannelsGetMessagesRequest:
		ids := make([]int, 0, len(q.ID))
		for _, m := range q.ID {
			if m, ok := m.(*tg.InputMessageID); ok {
				ids = append(ids, m.ID)
			}
		}
		return map[string]any{"channel": channel(q.Channel), "id": ids}
	case *tg.MessagesGetHistoryRequest:
		d := map[string]any{"channel": channel(q.Peer), "offset_id": q.OffsetID, "limit": q.Limit}
		if q.MinID > 0 {
			d["min_id"] = q.MinID
		}
		return d
	case *tg.UpdatesGetChannelDifferenceRequest:
		return map[string]any{"channel": channel(q.Channel), "pts": q.Pts, "limit": q.Limit}
	case *tg.StoriesGetPeerStoriesRequest:
		return map[string]any{"channel": channel(q.Peer)}
	case *tg.StoriesGetStoriesByIDRequest:
		return map[string]any{"channel": channel(q.Peer), "id": q.ID}
	case *tg.ChannelsGetChannelsRequest:
		if len(q.ID) == 1 {
			return map[string]any{"channel": channel(q.ID[0])}
		}
	}
	return nil
}
