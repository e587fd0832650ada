package collectors_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// tap is a Room that the test opens and shuts.
type tap struct {
	collectors.Unlimited
	mu      sync.Mutex
	shut    bool
	changed chan struct{}
}

func (r *tap) turn(shut bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shut = shut
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *tap) Reading(ctx context.Context, may bool) error {
	for {
		r.mu.Lock()
		is, changed := !r.shut, r.changed
		r.mu.Unlock()
		if is == may {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// told is a source that tells how each of its runs began and why it ended.
type told struct{ began, ended chan string }

func (*told) Name() string              { return "test/told" }
func (*told) Watch([]collectors.Target) {}
func (s *told) Run(ctx context.Context, _ collectors.Sink) error {
	s.began <- collectors.Resumed(ctx)
	<-ctx.Done()
	if errors.Is(context.Cause(ctx), collectors.ErrNoRoom) {
		s.ended <- "no room"
	} else {
		s.ended <- "asked to"
	}
	return nil
}

func TestSupervisorStopsSourcesWithoutRoom(t *testing.T) {
	v, src, room := vaulttest.New(t), &told{make(chan string), make(chan string)}, &tap{changed: make(chan struct{})}
	s := &collectors.Supervisor{
		Sink: v, Room: room, Log: zerolog.Nop(), Now: time.Now, After: time.After, Min: time.Second, Max: time.Minute,
		Failed: func(_ string, err error, _ bool) { t.Errorf("counted as a failure: %v", err) },
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, src) }()
	step := func(c chan string, want string) {
		t.Helper()
		if got := <-c; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	step(src.began, "")
	for range 3 {
		room.turn(true)
		step(src.ended, "no room")
		room.turn(false)
		step(src.began, collectors.CauseDisk)
	}
	cancel()
	step(src.ended, "asked to")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// A source that may not read from the start waits, and that is a record.
func TestSupervisorWaitsForRoom(t *testing.T) {
	v, src, room := vaulttest.New(t), &told{make(chan string), make(chan string)}, &tap{shut: true, changed: make(chan struct{})}
	s := &collectors.Supervisor{Sink: v, Room: room, Log: zerolog.Nop(), Now: time.Now, After: time.After, Min: time.Second, Max: time.Minute}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	size := v.Size()
	go func() { done <- s.Run(ctx, src) }()
	if err := v.Wait(ctx, size); err != nil {
		t.Fatal(err)
	}
	rec, err := v.Record(ctx, v.Size()-1)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := evidence.Decode[*evidence.Collector](rec); err != nil || c.State != "no-room" || c.Advice == "" {
		t.Errorf("got %+v, %v", c, err)
	}
	select {
	case <-src.began:
		t.Error("the source runs without room")
	default:
	}
	room.turn(false)
	if got := <-src.began; got != collectors.CauseDisk {
		t.Errorf("got %q", got)
	}
	cancel()
	<-src.ended
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
