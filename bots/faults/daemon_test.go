package faults

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/bots/daemon"
)

// running is a daemon that was started as its operator does, with what it says.
type running struct {
	t    *testing.T
	s    *site
	cmd  *exec.Cmd
	up   chan struct{} // closed when it says that it runs
	over chan struct{} // closed when it has ended

	mu   sync.Mutex
	said strings.Builder
}

// start starts the daemon; what it is started by comes before the program, such as strace.
func (s *site) start(by ...string) *running {
	s.t.Helper()
	args := []string{os.Args[0], "run"}
	if len(by) > 0 {
		args = append(by, s.muhafiz, "run")
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = s.dir
	if len(by) == 0 {
		cmd.Env = append(os.Environ(), traceable+"="+s.muhafiz)
	}
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	d := &running{t: s.t, s: s, cmd: cmd, up: make(chan struct{}), over: make(chan struct{})}
	go d.listen(stderr)
	s.t.Cleanup(func() { d.kill() })
	return d
}

func (d *running) listen(r io.Reader) {
	defer close(d.over)
	up := false
	for lines := bufio.NewScanner(r); lines.Scan(); {
		d.mu.Lock()
		d.said.WriteString(lines.Text() + "\n")
		d.mu.Unlock()
		if !up && strings.Contains(lines.Text(), `"running"`) {
			up = true
			close(d.up)
		}
	}
	d.cmd.Wait()
}

// words is what it has said so far.
func (d *running) words() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.said.String()
}

// patience is how long anything may take; only a test that fails waits for so long.
const patience = time.Minute

// await waits until the daemon runs.
func (d *running) await() *running {
	d.t.Helper()
	select {
	case <-d.up:
	case <-d.over:
		d.t.Fatalf("the daemon ended before it ran:\n%s", d.words())
	case <-time.After(patience):
		d.t.Fatalf("the daemon does not run:\n%s", d.words())
	}
	return d
}

// ended waits until it has ended by itself and returns its exit code, -1 where it does not end.
func (d *running) ended() int {
	select {
	case <-d.over:
		return d.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		return -1
	}
}

func (d *running) kill() {
	d.cmd.Process.Kill()
	<-d.over
}

func (d *running) stop() {
	d.t.Helper()
	d.cmd.Process.Signal(os.Interrupt)
	if code := d.ended(); code != 0 {
		d.t.Fatalf("the daemon stopped with exit %d:\n%s", code, d.words())
	}
}

var errNoDaemon = errors.New("no daemon serves the vault")

// client speaks to the daemon through its control socket and to nothing else.
func (s *site) client(ctx context.Context) (*daemon.Client, error) {
	return daemon.Connect(ctx, s.path("vault"), func() (*daemon.Rooms, error) { return nil, errNoDaemon })
}
