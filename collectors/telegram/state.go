package telegram

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// countPolls folds the polls that brought nothing into a record now and then, and looks whether our account was frozen meanwhile.
func (r *run) countPolls(ctx context.Context) error {
	for {
		if err := sleep(ctx, r.o.PollsEvery); err != nil {
			return nil
		}
		if err := r.foldPolls(ctx); err != nil {
			return stopping(ctx, err)
		}
		if err := r.freezeChanged(ctx); err != nil {
			return stopping(ctx, err)
		}
	}
}

func (r *run) foldPolls(ctx context.Context) error {
	now := r.o.Now()
	n := r.polls.Swap(0)
	if n == 0 {
		return nil
	}
	span := evidence.Span{From: evidence.At(r.pollsFrom), To: evidence.At(now)}
	r.pollsFrom = now
	return r.state(ctx, &evidence.Collector{State: "polls", Polls: n, Span: &span})
}

// state records what our account does. One that is frozen and may still read is never called healthy.
func (r *run) state(ctx context.Context, c *evidence.Collector) error {
	if f := r.freeze(); f != nil && c.State == "healthy" {
		c.State = stateFrozen
		f.describe(c)
		r.log.Error().Str("state", c.State).Time("since", f.since).Time("deleted", f.until).Msg("our account is frozen; what the platform lets it read is still read")
	}
	c.Key, c.Platform = r.src.Name(), platform
	b := r.batch()
	b.Add(r.name, c, false)
	if _, err := r.sink.Put(ctx, evidence.Batch{Drafts: b.Drafts}); err != nil {
		return fmt.Errorf("record the state of %s: %w", r.src.Name(), err)
	}
	return nil
}

// lastWords bounds what is written after our context is done.
const lastWords = 10 * time.Second

func (r *run) stopped(ctx context.Context) error {
	full := errors.Is(context.Cause(ctx), collectors.ErrNoRoom)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	var gaps error
	if full {
		gaps = r.tellNoRoom(ctx)
	}
	return errors.Join(r.foldPolls(ctx), gaps, r.state(ctx, &evidence.Collector{State: "stopped", Detail: "asked to stop"}))
}

// giveUp records the loss of our account and, for each of its targets, from when on nothing is seen.
func (r *run) giveUp(ctx context.Context, a *accountLost) error {
	r.log.Error().Str("state", a.state).Str("advice", a.advice).Err(a).Msg("our account is lost")
	now := r.o.Now()
	b := r.batch()
	body := &evidence.Collector{Key: r.src.Name(), Platform: platform, State: a.state, Detail: a.detail(), Advice: a.advice}
	if a.state == stateFrozen {
		r.freeze().describe(body)
	}
	b.Add(r.name, body, false)
	r.gaps(ctx, b, now, a.cause, a.text)
	if _, err := r.sink.Put(ctx, evidence.Batch{Drafts: b.Drafts}); err != nil {
		return stopping(ctx, errors.Join(permanent(a), fmt.Errorf("record that account %s is lost: %w", r.o.Alias, err)))
	}
	return permanent(a)
}
