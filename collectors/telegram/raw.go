package telegram

import (
	"bytes"
	"context"
	"sync"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/tg"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

type captureKey struct{}

// capture receives the bytes of one reply, as the platform sent them after decryption and decompression. A late answer may still write
// to it when nobody waits any more.
type capture struct {
	wanted bool // also of a reply that can be read

	mu      sync.Mutex
	raw     []byte
	request map[string]any
	why     string // the reply could not be read; empty: it could, or there is none
}

func (c *capture) put(b []byte, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.why = why
	if c.raw = nil; c.wanted || why != "" {
		c.raw = bytes.Clone(b)
	}
}

func (c *capture) take() (raw []byte, request map[string]any, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.raw, c.request, c.why
}

func withCapture(ctx context.Context, c *capture) context.Context {
	return context.WithValue(ctx, captureKey{}, c)
}

// captureReplies lets a request made under withCapture see its reply's exact bytes. Other requests pass untouched, so that
// the parts of a file are not held twice.
func captureReplies() telegram.Middleware {
	return telegram.MiddlewareFunc(func(next tg.Invoker) telegram.InvokeFunc {
		return func(ctx context.Context, in bin.Encoder, out bin.Decoder) error {
			if c, ok := ctx.Value(captureKey{}).(*capture); ok {
				c.request = requested(in)
				out = tap{out, c}
			}
			return next.Invoke(ctx, in, out)
		}
	})
}

type tap struct {
	out bin.Decoder
	c   *capture
}

// Decode copies what the inner decoder consumes, and all that came where it fails: the buffer is the connection's and is used again.
func (t tap) Decode(b *bin.Buffer) error {
	before := b.Buf
	if err := t.out.Decode(b); err != nil {
		t.c.put(before, whyUnread(err))
		return err
	}
	t.c.put(before[:len(before)-len(b.Buf)], "")
	return nil
}

// locator finds messages in the reply that they came in.
type locator struct {
	raw []byte
	pos int
	buf bin.Buffer
}

// find returns where the message's own encoding stands in the reply. It finds nothing where the encoding differs from what
// was sent, such as for fields newer than our schema: then no claim of exactness is made.
func (l *locator) find(m bin.Encoder) *evidence.Slice {
	l.buf.Reset()
	if err := m.Encode(&l.buf); err != nil || l.buf.Len() == 0 {
		return nil
	}
	at := l.pos
	if !bytes.HasPrefix(l.raw[at:], l.buf.Buf) {
		i := bytes.Index(l.raw[at:], l.buf.Buf)
		if i < 0 {
			if i, at = bytes.Index(l.raw, l.buf.Buf), 0; i < 0 {
				return nil
			}
		}
		at += i
	}
	l.pos = at + l.buf.Len()
	return &evidence.Slice{Offset: int64(at), Length: int64(l.buf.Len())}
}
