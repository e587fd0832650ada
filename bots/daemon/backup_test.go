package daemon

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/vault/backup"
)

// clock is a time that the test sets, and waits that end when it moves.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	waits chan wait
}

type wait struct {
	span time.Duration
	end  chan time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) After(d time.Duration) <-chan time.Time {
	w := wait{d, make(chan time.Time, 1)}
	c.waits <- w
	return w.end
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// TestADaemonBacksUpWhenItIsDue runs the daemon's loop over two days, of which one has no place to write to.
func TestADaemonBacksUpWhenItIsDue(t *testing.T) {
	s := newSite(t)
	text, err := os.ReadFile(s.path("muhafiz.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("muhafiz.yaml", string(text)+"backup: {to: copies}\n")
	o := s.options()
	c := &clock{now: time.Now(), waits: make(chan wait)}
	o.Now, o.MayCreate, o.Command = c.Now, true, "run"
	rooms, err := OpenRooms(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer rooms.Close()
	d := New(o)
	d.rooms, d.o.Now, d.o.After = rooms, c.Now, c.After
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { done <- d.backups(ctx) }()

	w := <-c.waits // tried, and there was no folder
	if state, err := rooms.backupState(); err != nil || !strings.Contains(state.Error, "not there") || w.span > backupRetry {
		t.Fatalf("%+v, %v, then it waits %s", state, err, w.span)
	}
	if got := rooms.backupWarning(); !strings.Contains(got, "failed") {
		t.Errorf("warning %q", got)
	}
	if err := os.Mkdir(s.path("copies"), 0o700); err != nil {
		t.Fatal(err)
	}
	runs := func() int {
		t.Helper()
		place, err := backup.OpenFolder(s.path("copies"))
		if err != nil {
			t.Fatal(err)
		}
		names, err := backup.Runs(t.Context(), place)
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	for day, want := range []int{1, 1, 2} {
		c.move(w.span)
		if day == 2 {
			c.move(24 * time.Hour)
		}
		w.end <- c.Now()
		if w = <-c.waits; runs() != want {
			t.Errorf("step %d: %d backups, want %d", day, runs(), want)
		}
	}
	if got := rooms.backupWarning(); got != "" {
		t.Errorf("warning %q", got)
	}
	c.move(72 * time.Hour)
	if got := rooms.backupWarning(); !strings.Contains(got, "72 hours old") {
		t.Errorf("warning %q", got)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
