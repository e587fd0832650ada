package collectors_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// flaky is a source that fails as it is told and then runs until it is stopped.
type flaky struct {
	fail    []error
	runs    atomic.Int32
	working chan struct{}
}

func (f *flaky) Name() string              { return "test/flaky" }
func (f *flaky) Watch([]collectors.Target) {}

func (f *flaky) Run(ctx context.Context, _ collectors.Sink) error {
	n := int(f.runs.Add(1))
	if n <= len(f.fail) {
		return f.fail[n-1]
	}
	close(f.working)
	<-ctx.Done()
	return ctx.Err()
}

func TestSupervisorRecordsFailuresAndRunsAgain(t *testing.T) {
	v := vaulttest.New(t)
	src := &flaky{fail: []error{errors.New("connection lost"), nil}, working: make(chan struct{})}
	var pauses []time.Duration
	s := &collectors.Supervisor{
		Sink: v, Log: zerolog.Nop(), Now: time.Now, Min: time.Second, Max: time.Minute,
		After: func(d time.Duration) <-chan time.Time {
			pauses = append(pauses, d)
			c := make(chan time.Time, 1)
			c <- time.Time{}
			return c
		},
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, src) }()
	<-src.working
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if len(pauses) != 2 || pauses[0] <= 0 || pauses[0] > time.Minute {
		t.Errorf("pauses %v", pauses)
	}
	want := []string{"connection lost", "the source stopped without being asked to"}
	if got := details(t, v, "failed"); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("recorded %q, want %q", got, want)
	}
}

func TestSupervisorLeavesAPermanentFailureAlone(t *testing.T) {
	v := vaulttest.New(t)
	cause := errors.New("the session was revoked")
	src := &flaky{fail: []error{collectors.Permanent(cause)}, working: make(chan struct{})}
	var told error
	s := &collectors.Supervisor{
		Sink: v, Log: zerolog.Nop(), Now: time.Now, Min: time.Second, Max: time.Minute,
		After:  func(time.Duration) <-chan time.Time { t.Error("waited to run it again"); return nil },
		Failed: func(_ string, err error, permanent bool) { told = err },
	}
	if err := s.Run(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(told, cause) || src.runs.Load() != 1 {
		t.Errorf("told %v after %d runs", told, src.runs.Load())
	}
	if got := details(t, v, "stopped"); len(got) != 1 || got[0] != cause.Error() {
		t.Errorf("recorded %q", got)
	}
}

func details(t *testing.T, v interface {
	Records(context.Context, int64, func(evidence.Record) error) error
}, state string,
) []string {
	t.Helper()
	var out []string
	err := v.Records(t.Context(), 0, func(r evidence.Record) error {
		if c, err := evidence.Decode[*evidence.Collector](r); err == nil && c.State == state {
			out = append(out, c.Detail)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
