package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// reply is an answered request: the decoded value, the exact bytes, and our clock when it was sent and complete.
type reply[T any] struct {
	value    T
	raw      []byte
	from, to time.Time
}

func (r reply[T]) span() evidence.Span {
	return evidence.Span{From: evidence.At(r.from), To: evidence.At(r.to)}
}

// ask makes a reading request until it is answered or refused. Shutdown is decided by our own ctx alone: the client reports a
// connection that died under an acknowledged request as context.Canceled. capt says whether the reply's bytes are wanted.
func ask[T any](ctx context.Context, r *run, method string, capt bool, f func(context.Context) (T, error)) (reply[T], error) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = r.o.RetryMin, r.o.RetryMax
	for tries := 0; ; {
		if err := r.floodOver(ctx, method); err != nil {
			return reply[T]{}, err
		}
		if err := r.pay(ctx, method); err != nil {
			return reply[T]{}, err
		}
		out, err := attempt(ctx, r, method, capt, f)
		if err == nil {
			return out, r.answered(ctx, method)
		}
		if ctx.Err() != nil {
			return out, fmt.Errorf("%s: %w", method, ctx.Err())
		}
		if err := r.unread(ctx, err); err != nil {
			return out, err
		}
		if a := lost(r.o.Alias, err); a != nil {
			return out, a
		}
		if d, ok := tgerr.AsFloodWait(err); ok {
			if err := r.flooded(ctx, method, d); err != nil {
				return out, err
			}
			continue
		}
		if tries++; !retryable(err) || tries > r.retries(err) || r.waitFor(method) > r.o.RetryMax {
			return out, fmt.Errorf("%s: %w", method, err)
		}
		if w := watchOf(ctx); w != nil {
			w.blind("outage")
		}
		r.log.Debug().Str("method", method).Int("try", tries).Err(err).Msg("request is repeated")
		if err := sleep(ctx, pause.NextBackOff()); err != nil {
			return out, err
		}
	}
}

func attempt[T any](ctx context.Context, r *run, method string, capt bool, f func(context.Context) (T, error)) (reply[T], error) {
	c := &capture{wanted: capt}
	rctx, cancel := context.WithTimeout(ctx, r.o.RPCTimeout)
	defer cancel()
	if capt || aboutChannels(method) {
		rctx = withCapture(rctx, c)
	}
	out := reply[T]{from: r.o.Now()}
	v, err := f(rctx)
	out.to = r.o.Now()
	raw, request, why := c.take()
	if err != nil && why != "" {
		span := evidence.Span{From: evidence.At(out.from), To: evidence.At(out.to)}
		return out, &unreadError{method: method, why: why, raw: raw, request: request, span: span, err: err}
	}
	if err != nil {
		return out, err
	}
	out.value, out.raw = v, raw
	return out, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// floodOver waits until the platform accepts the method again. Every method has its own wait, so that one that is held up does
// not hold up the others.
func (r *run) floodOver(ctx context.Context, method string) error {
	for {
		r.mu.Lock()
		wait := r.floods[method].Sub(r.o.Now())
		r.mu.Unlock()
		if wait <= 0 {
			return ctx.Err()
		}
		d, ok := ctx.Deadline()
		if hasty := ctx.Value(impatient{}) != nil; hasty || (ok && time.Until(d) < wait) {
			return &waitError{method, wait}
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// flooded records that the platform holds a method up, and waits until it no longer does.
func (r *run) flooded(ctx context.Context, method string, d time.Duration) error {
	if d > r.o.MaxFloodWait {
		return fmt.Errorf("stop after %w: %w", &waitError{method, d}, errTooLongWait)
	}
	d = max(d, time.Second/10)
	until := r.o.Now().Add(d)
	r.mu.Lock()
	first := until.After(r.floods[method].Add(time.Second))
	r.held[method] = later(r.held[method], until)
	if until.After(r.floods[method]) {
		r.floods[method] = until
	}
	r.mu.Unlock()
	if w := watchOf(ctx); w != nil {
		w.blind("flood-wait")
	}
	if first {
		r.log.Warn().Str("method", method).Dur("wait", d).Msg("the platform asks to wait")
		body := &evidence.Collector{State: "flood-waiting", Detail: method, Until: evidence.At(until)}
		if err := r.state(ctx, body); err != nil {
			return err
		}
	}
	return r.floodOver(ctx, method)
}

// answered records that a method which was held up is answered again.
func (r *run) answered(ctx context.Context, method string) error {
	r.mu.Lock()
	_, was := r.floods[method]
	delete(r.floods, method)
	r.mu.Unlock()
	if !was {
		return nil
	}
	return r.state(ctx, &evidence.Collector{State: "healthy", Detail: method + " is answered again"})
}

var errTooLongWait = errors.New("the wait is longer than is allowed; raise MaxFloodWait or use another account")

// replyLimit is far above what the platform sends in one reply.
const replyLimit = 256 << 20

// acquired keeps a reply's bytes and returns the acquisition that describes it.
func acquired[T any](ctx context.Context, r *run, method string, request any, rep reply[T]) (*evidence.Acquisition, error) {
	q, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("describe %s: %w", method, err)
	}
	a := &evidence.Acquisition{
		Method: method, Request: q, Alias: r.o.Alias, Vantage: r.o.Vantage, Observed: rep.span(),
		ClockOffsetMS: r.clock(), Build: r.o.Build, Layer: tg.Layer,
	}
	if len(rep.raw) == 0 {
		return a, nil
	}
	d, n, err := r.sink.Keep(ctx, bytes.NewReader(rep.raw), replyLimit)
	if err != nil {
		return nil, fmt.Errorf("keep the reply to %s: %w", method, err)
	}
	a.Reply = evidence.Object{SHA256: d, Size: n}
	return a, nil
}
