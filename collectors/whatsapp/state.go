package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// countPolls folds the looks that brought nothing into a record now and then.
func (r *run) countPolls(ctx context.Context) error {
	for {
		if err := sleep(ctx, r.o.PollsEvery); err != nil {
			return nil
		}
		if err := r.foldPolls(ctx); err != nil {
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

// state records what our account does.
func (r *run) state(ctx context.Context, c *evidence.Collector) error {
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
