package whatsapp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// reply is an answered query, and our clock when it was sent and complete.
type reply[T any] struct {
	value    T
	from, to time.Time
}

func (r reply[T]) span() evidence.Span {
	return evidence.Span{From: evidence.At(r.from), To: evidence.At(r.to)}
}

// ask makes a query until it is answered or refused. While there is no connection it waits: whether that lasts too long is decided
// where connections are made.
func ask[T any](ctx context.Context, r *run, method string, f func(context.Context, asker) (T, error)) (reply[T], error) {
	for tries := 0; ; {
		out, err := attempt(ctx, r, f)
		if err == nil {
			return out, r.answered(ctx)
		}
		if ctx.Err() != nil {
			return out, fmt.Errorf("%s: %w", method, ctx.Err())
		}
		if limited(err) {
			if err := r.limit(ctx, method); err != nil {
				return out, err
			}
			continue
		}
		if unheard(err) {
			continue // the next attempt waits for a connection
		}
		if tries++; !retryable(err) || tries > r.o.Retries {
			return out, fmt.Errorf("%s: %w", method, err)
		}
		r.log.Debug().Str("method", method).Int("try", tries).Err(err).Msg("query is repeated")
		if err := sleep(ctx, r.backoff(tries)); err != nil {
			return out, err
		}
	}
}

// backoff doubles from RetryMin to RetryMax, spread by a quarter.
func (r *run) backoff(tries int) time.Duration {
	return r.o.spread(doubled(r.o.RetryMin, r.o.RetryMax, tries))
}

func doubled(least, most time.Duration, times int) time.Duration {
	d := least
	for range times - 1 {
		if d *= 2; d >= most {
			return most
		}
	}
	return min(d, most)
}

// attempt makes a query once. One that is under way when ctx is done goes on in the background until its answer or its end, and keeps its
// place until then: cutting the sending short would leave the connection in an unknown state.
func attempt[T any](ctx context.Context, r *run, f func(context.Context, asker) (T, error)) (reply[T], error) {
	release, err := r.turn(ctx)
	if err != nil {
		return reply[T]{}, err
	}
	l, err := r.link(ctx)
	if err != nil {
		release()
		return reply[T]{}, err
	}
	done, ok := l.use()
	if !ok {
		release()
		return reply[T]{}, errLinkEnded
	}
	type answer struct {
		reply[T]
		err error
	}
	got := make(chan answer, 1)
	go func() {
		defer done()
		defer release()
		qctx, cancel := context.WithTimeout(l.using, r.o.QueryTimeout)
		defer cancel()
		var a answer
		a.from = r.o.Now()
		a.value, a.err = f(qctx, asker{l.cli, l.guard, r.o.QueryTimeout})
		a.to = r.o.Now()
		if a.err != nil && l.using.Err() != nil && refusalOf(a.err) == nil {
			a.err = errLinkEnded
		}
		got <- a
	}()
	select {
	case a := <-got:
		return a.reply, a.err
	case <-ctx.Done():
		return reply[T]{}, ctx.Err()
	}
}

// errLinkEnded is an answer that did not come because its connection ended.
var errLinkEnded = fmt.Errorf("the connection ended: %w", errNoLink)

// turn waits until a query may be made: for one of the account's places, for the pace, for the platform's patience, and for the hour's
// budget.
func (r *run) turn(ctx context.Context) (release func(), err error) {
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	release = func() { <-r.slots }
	for {
		wait := r.book()
		if err := sleep(ctx, wait); err != nil {
			release()
			return nil, err
		}
		if wait <= 0 {
			return release, nil
		}
	}
}

// book takes the next place in time, or says how long to wait.
func (r *run) book() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.o.Now()
	if wait := r.heldUntil.Sub(now); wait > 0 {
		return wait
	}
	if wait := r.nextQuery.Sub(now); wait > 0 && r.o.QueryPace > 0 {
		return wait
	}
	if limit := r.o.QueriesAnHour; limit > 0 {
		if now.Sub(r.hour) >= time.Hour {
			r.hour, r.asked = now, 0
		}
		if r.asked >= limit {
			return r.hour.Add(time.Hour).Sub(now)
		}
		r.asked++
	}
	r.nextQuery = now.Add(r.o.spread(max(0, r.o.QueryPace)))
	return 0
}

// limit records that the platform wants fewer queries, and holds all of the account's up. It does not say for how long, so the pause
// doubles with each such answer until one comes that is not.
func (r *run) limit(ctx context.Context, method string) error {
	r.mu.Lock()
	now := r.o.Now()
	first := !r.heldUntil.After(now)
	if first {
		r.limits++
		r.heldUntil = now.Add(r.o.spread(doubled(r.o.LimitMin, r.o.LimitMax, r.limits)))
	}
	until := r.heldUntil
	r.mu.Unlock()
	if w := watchOf(ctx); w != nil {
		w.blind("flood-wait")
	}
	if !first {
		return nil
	}
	r.log.Warn().Str("method", method).Time("until", until).Msg("the platform asks for fewer queries")
	return r.state(ctx, &evidence.Collector{State: "flood-waiting", Detail: method + ": too many requests; all queries wait", Until: evidence.At(until)})
}

// answered records that the platform answers again.
func (r *run) answered(ctx context.Context) error {
	r.mu.Lock()
	was := r.limits > 0
	r.limits = 0
	r.mu.Unlock()
	if !was {
		return nil
	}
	return r.state(ctx, &evidence.Collector{State: "healthy", Detail: "queries are answered again"})
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

// replyLimit is far above what the platform sends in one frame.
const replyLimit = 256 << 20

// raw is what is kept of a reply, and whether it is our encoding.
type raw struct {
	data []byte
	ours bool
}

// acquired keeps a reply's bytes and returns the acquisition that describes it.
func (r *run) acquired(ctx context.Context, method string, request any, span evidence.Span, b raw) (*evidence.Acquisition, error) {
	q, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("describe %s: %w", method, err)
	}
	a := &evidence.Acquisition{
		Method: method, Request: q, Reencoded: b.ours, Alias: r.o.Alias, Vantage: r.o.Vantage, Observed: span, Build: r.o.Build,
	}
	if len(b.data) == 0 {
		return a, nil
	}
	d, n, err := r.sink.Keep(ctx, bytes.NewReader(b.data), replyLimit)
	if err != nil {
		return nil, fmt.Errorf("keep the reply to %s: %w", method, err)
	}
	a.Reply = evidence.Object{SHA256: d, Size: n}
	return a, nil
}

var errNoLink = errors.New("there is no connection")
