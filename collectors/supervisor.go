package collectors

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Supervisor keeps sources running. A source that fails is recorded as a `collector` record and run again after a pause that
// grows from Min to Max; one that fails with a Permanent error is recorded and left alone until the next start.
type Supervisor struct {
	Sink Sink
	Log  zerolog.Logger
	Now  func() time.Time
	// After is time.After, or a test's.
	After func(time.Duration) <-chan time.Time
	// Min and Max bound the pause between two runs of a source.
	Min, Max time.Duration
	// Room, where set, stops the sources while there is none for what they read.
	Room Room
	// Failed, where set, is told of every failure after its record is durable.
	Failed func(source string, err error, permanent bool)
}

// Run runs the sources until ctx is done and all have returned. It fails only when a failure could not be recorded, since a
// daemon that cannot write down that it is blind must not go on as if it saw.
func (s *Supervisor) Run(ctx context.Context, sources ...Source) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	errs := make(chan error, len(sources))
	for _, src := range sources {
		wg.Go(func() {
			if err := s.keep(ctx, src); err != nil {
				errs <- err
				cancel()
			}
		})
	}
	wg.Wait()
	close(errs)
	var all error
	for err := range errs {
		all = errors.Join(all, err)
	}
	return all
}

func (s *Supervisor) keep(ctx context.Context, src Source) error {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = s.Min, s.Max
	resumed := false
	for {
		waited, err := s.awaitRoom(ctx, src)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("record that %s waits for room: %w", src.Name(), err)
		}
		began := s.Now()
		paused, err := s.whileRoom(ctx, src, resumed || waited)
		if ctx.Err() != nil {
			return nil
		}
		if resumed = paused && err == nil; resumed {
			continue
		}
		if err == nil {
			err = errors.New("the source stopped without being asked to")
		}
		if s.Now().Sub(began) > 2*s.Max {
			pause.Reset() // it had worked for long: this is a new trouble
		}
		wait := pause.NextBackOff()
		perm := IsPermanent(err)
		if rerr := s.record(ctx, src.Name(), err, perm, wait); rerr != nil {
			return rerr
		}
		if perm {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.After(wait):
		}
	}
}

func (s *Supervisor) record(ctx context.Context, name string, err error, perm bool, wait time.Duration) error {
	now := s.Now()
	body := &evidence.Collector{Key: name, State: "failed", Detail: err.Error(), Until: evidence.At(now.Add(wait))}
	ev := s.Log.Warn()
	if perm {
		body.State, body.Until = "stopped", evidence.Time{}
		ev = s.Log.Error()
	}
	ev.Str("source", name).Bool("permanent", perm).Dur("pause", wait).Err(err).Msg("source failed")
	if perm && recorded(err) {
		if s.Failed != nil {
			s.Failed(name, err, perm)
		}
		return nil
	}
	_, perr := s.Sink.Put(ctx, evidence.Batch{Drafts: []evidence.Draft{{
		ID: evidence.NewID(now), Actor: evidence.Source(name), Subject: evidence.Source(name), Body: body,
	}}})
	if perr != nil && ctx.Err() == nil {
		return fmt.Errorf("record failure of %s: %w", name, perr)
	}
	if s.Failed != nil {
		s.Failed(name, err, perm)
	}
	return nil
}

// recorded reports whether the source put its state into the log itself, which says more than that it stopped.
func recorded(err error) bool {
	var r interface{ Recorded() bool }
	return errors.As(err, &r) && r.Recorded()
}
