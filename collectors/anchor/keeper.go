package anchor

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Log is the log whose head is signed and confirmed.
type Log interface {
	// Size is the number of records.
	Size() int64
	// Wait returns when there are more than size records, or with ctx's error.
	Wait(ctx context.Context, size int64) error
	// Checkpoint signs the head and records it.
	Checkpoint(ctx context.Context) (evidence.Checkpoint, error)
	// Put makes records durable.
	Put(ctx context.Context, b evidence.Batch) ([]evidence.Record, error)
}

// Keeper signs the log's head when it is due and has each authority confirm it. An authority that does not answer is asked again later,
// and then about the newest checkpoint; nothing waits for it.
type Keeper struct {
	Log         Log
	State       State // of the log so far: Read
	Authorities []Authority
	// Every and Records say when a checkpoint is due: when so much time has passed, or so many records came, since the last one.
	Every   time.Duration
	Records int64
	// RetryMin and RetryMax bound the pause before an authority is asked again. 0: 1 min, 1 h.
	RetryMin, RetryMax time.Duration
	Now                func() time.Time
	After              func(time.Duration) <-chan time.Time
	Logger             zerolog.Logger
	// Told, where set, hears of every request's outcome; err is nil where a token was recorded.
	Told func(authority string, err error)

	mu     sync.Mutex
	newest evidence.Checkpoint
	own    int64 // records about checkpoints from newest.Size on
	fresh  []chan struct{}
}

// State is what a keeper must know of the log when it begins.
type State struct {
	Newest   evidence.Checkpoint // the newest checkpoint, Size 0 where there is none
	Own      int64               // Signed.Own
	Anchored map[string]int64    // authority -> size of its newest anchor
}

// Run keeps the log's head signed and confirmed until ctx is done. It fails only when the log cannot be written.
func (k *Keeper) Run(ctx context.Context) error {
	if k.RetryMin <= 0 {
		k.RetryMin = time.Minute
	}
	if k.RetryMax <= 0 {
		k.RetryMax = time.Hour
	}
	k.newest, k.own = k.State.Newest, k.State.Own
	g, ctx := errgroup.WithContext(ctx)
	for _, a := range k.Authorities {
		c := make(chan struct{}, 1)
		k.fresh = append(k.fresh, c)
		g.Go(func() error { return ended(ctx, k.confirm(ctx, a, c)) })
	}
	g.Go(func() error { return ended(ctx, k.sign(ctx)) })
	return g.Wait()
}

func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// sign makes a checkpoint whenever one is due and there is anything new to sign.
func (k *Keeper) sign(ctx context.Context) error {
	for {
		if err := k.due(ctx); err != nil {
			return err
		}
		if k.unsigned() == 0 {
			continue
		}
		c, err := k.Log.Checkpoint(ctx)
		if err != nil {
			return fmt.Errorf("sign a checkpoint: %w", err)
		}
		k.mu.Lock()
		k.newest, k.own = c, 1
		k.mu.Unlock()
		for _, f := range k.fresh {
			signal(f)
		}
	}
}

// unsigned counts the records that the newest checkpoint does not cover, without those about checkpoints.
func (k *Keeper) unsigned() int64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.Log.Size() - k.newest.Size - k.own
}

// due returns when a checkpoint may be due.
func (k *Keeper) due(ctx context.Context) error {
	timer := k.After(k.Every)
	for k.Records > 0 && k.unsigned() < k.Records {
		size := k.Log.Size() + k.Records - k.unsigned() - 1
		wctx, cancel := context.WithCancel(ctx)
		grown := make(chan error, 1)
		go func() { grown <- k.Log.Wait(wctx, size) }()
		select {
		case <-timer:
			cancel()
			<-grown
			return ctx.Err()
		case err := <-grown:
			cancel()
			if err != nil {
				return err
			}
		}
	}
	if k.Records > 0 {
		return nil
	}
	select {
	case <-timer:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// confirm has one authority stamp the newest checkpoint whenever there is a newer one than it stamped last.
func (k *Keeper) confirm(ctx context.Context, a Authority, fresh <-chan struct{}) error {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = k.RetryMin, k.RetryMax
	done := k.State.Anchored[a.Name]
	failing := false
	for {
		k.mu.Lock()
		c := k.newest
		k.mu.Unlock()
		if c.Size <= done {
			select {
			case <-fresh:
				continue
			case <-ctx.Done():
				return nil
			}
		}
		err := k.stamp(ctx, a, c)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			done, failing = c.Size, false
			pause.Reset()
			k.tell(a, nil)
			continue
		}
		if w := (*writeError)(nil); asWrite(err, &w) {
			return err
		}
		wait := pause.NextBackOff()
		ev := k.Logger.Debug()
		if !failing {
			ev = k.Logger.Warn()
		}
		failing = true
		ev.Str("authority", a.Name).Dur("pause", wait).Err(err).Msg("no time-stamp")
		k.tell(a, err)
		select {
		case <-k.After(wait):
		case <-ctx.Done():
			return nil
		}
	}
}

func (k *Keeper) tell(a Authority, err error) {
	if k.Told != nil {
		k.Told(a.Name, err)
	}
}

// stamp asks for a token and records it.
func (k *Keeper) stamp(ctx context.Context, a Authority, c evidence.Checkpoint) error {
	got, err := Stamp(ctx, k.Log, k.Now(), c, a)
	if err != nil {
		return err
	}
	k.mu.Lock()
	if got.Seq >= k.newest.Size {
		k.own++
	}
	k.mu.Unlock()
	k.Logger.Info().Str("authority", a.Name).Int64("size", c.Size).Time("at", got.At.Time).Msg("the log's head is time-stamped")
	return nil
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
