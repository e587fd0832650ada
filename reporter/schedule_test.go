package reporter_test

import (
	"context"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter"
)

func TestParseSchedule(t *testing.T) {
	at := time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
	for spec, want := range map[string]time.Time{
		"0 * * * *":                      at.Add(30 * time.Minute),
		" @hourly ":                      at.Add(30 * time.Minute),
		"@every 90s":                     at.Add(90 * time.Second),
		"CRON_TZ=Asia/Karachi 0 9 * * *": time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC),
	} {
		s, err := reporter.ParseSchedule(spec)
		if err != nil {
			t.Errorf("%s: %v", spec, err)
		} else if got := s.Next(at); !got.Equal(want) {
			t.Errorf("%s: got %s, want %s", spec, got, want)
		}
	}
	for _, spec := range []string{"", "x", "* * * *", "61 * * * *", "0 0 30 2 *", "TZ=", "TZ=UTC", "CRON_TZ=Nowhere/None 0 * * * *", "@reboot"} {
		if _, err := reporter.ParseSchedule(spec); err == nil {
			t.Errorf("%q was taken", spec)
		}
	}
}

func FuzzParseSchedule(f *testing.F) {
	for _, s := range []string{"0 * * * *", "@every 1h", "CRON_TZ=UTC 0 0 * * *", "TZ=x", "0 0 30 2 *"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		sch, err := reporter.ParseSchedule(s)
		if err == nil && sch.Next(time.Unix(0, 0)).IsZero() {
			t.Fatal("a schedule that never comes due")
		}
	})
}

// loop runs a reporter whose timer the test holds: each wait is announced, and ends when the test says so.
type loop struct {
	waits chan time.Duration
	fire  chan time.Time
	done  chan error
	stop  context.CancelFunc
}

func (w *world) loop() *loop {
	l := &loop{waits: make(chan time.Duration), fire: make(chan time.Time), done: make(chan error, 1)}
	o := w.options()
	ctx, cancel := context.WithCancel(w.t.Context())
	l.stop = cancel
	o.After = func(d time.Duration) <-chan time.Time {
		select {
		case l.waits <- d:
		case <-ctx.Done():
		}
		return l.fire
	}
	r := w.reporter(o)
	go func() { l.done <- r.Run(ctx) }()
	return l
}

func (l *loop) end(t *testing.T) {
	t.Helper()
	l.stop()
	if err := <-l.done; err != nil {
		t.Error(err)
	}
}

func (w *world) runs() []evidence.ReporterRun {
	w.t.Helper()
	var out []evidence.ReporterRun
	if err := w.v.Records(w.t.Context(), 0, func(r evidence.Record) error {
		if b, err := evidence.Decode[*evidence.ReporterRun](r); err == nil {
			out = append(out, *b)
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return out
}

func TestMissedRunsAreCaughtUpOnce(t *testing.T) {
	w := newWorld(t)
	l := w.loop()
	if d := <-l.waits; d > time.Minute || len(w.runs()) != 0 {
		t.Fatalf("waits %s after %d runs", d, len(w.runs()))
	}
	w.pass(30 * time.Minute)
	l.fire <- time.Time{}
	<-l.waits
	if n := len(w.runs()); n != 1 {
		t.Fatalf("%d runs at the hour", n)
	}
	w.pass(5*time.Hour + 10*time.Minute) // the machine slept over five of them
	l.fire <- time.Time{}
	<-l.waits
	if n := len(w.runs()); n != 2 {
		t.Fatalf("%d runs after the sleep, want 2", n)
	}
	l.end(t)

	w.pass(26 * time.Hour)
	w.reopen()
	l = w.loop()
	<-l.waits
	runs := w.runs()
	if n := len(runs); n != 3 {
		t.Fatalf("%d runs after the restart, want 3", n)
	}
	if last := runs[2]; last.Started.Time != w.clock() || !last.Due.Before(last.Started.Time) {
		t.Errorf("got %+v", last)
	}
	l.fire <- time.Time{}
	<-l.waits
	if n := len(w.runs()); n != 3 {
		t.Errorf("%d runs before the next hour", n)
	}
	l.end(t)
}

func TestNextRun(t *testing.T) {
	w := newWorld(t)
	r := w.reporter(w.options())
	next, err := r.NextRun(t.Context())
	if err != nil || !next.Equal(time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("got %s, %v", next, err)
	}
	w.run(r)
	last, err := r.LastRun(t.Context())
	if err != nil || last.Started.Time != w.clock() || !last.Due.IsZero() {
		t.Errorf("got %+v, %v", last, err)
	}
}
