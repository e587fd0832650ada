package faults

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tracer is an strace that follows a daemon.
type tracer struct {
	t    *testing.T
	cmd  *exec.Cmd
	file string
	over chan struct{}
}

// writing are the calls on the way of evidence to the disk.
const writing = "trace=openat,mkdirat,write,pwrite64,fsync,fdatasync,ftruncate,renameat,renameat2,rename,linkat,unlinkat,mmap"

// options of strace for a log in which a call and its outcome can be told.
func traceOptions(file string, more ...string) []string {
	return append([]string{"-f", "-y", "-o", file, "-e", "signal=none"}, more...)
}

func needStrace(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatal("strace is not installed: apt-get install strace")
	}
}

// trace follows every thread of the daemon from now on.
func (d *running) trace(file string, more ...string) *tracer {
	d.t.Helper()
	needStrace(d.t)
	args := append(traceOptions(file, more...), "-p", strconv.Itoa(d.cmd.Process.Pid))
	x := &tracer{t: d.t, cmd: exec.Command("strace", args...), file: file, over: make(chan struct{})}
	stderr, err := x.cmd.StderrPipe()
	if err == nil {
		err = x.cmd.Start()
	}
	if err != nil {
		d.t.Fatal(err)
	}
	attached, said := make(chan struct{}), ""
	go func() {
		defer close(x.over)
		seen := false
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if !seen && strings.Contains(lines.Text(), "attached") {
				seen = true
				close(attached)
			} else if !seen {
				said += lines.Text() + "\n"
			}
		}
		x.cmd.Wait()
	}()
	select {
	case <-attached:
	case <-x.over:
		d.t.Fatalf("strace cannot follow the daemon; where it may not (a container without SYS_PTRACE), these tests cannot run:\n%s", said)
	case <-time.After(patience):
		d.t.Fatal("strace does not attach")
	}
	return x
}

// stop lets the daemon go on without strace, and returns what was seen.
func (x *tracer) stop() []event {
	x.t.Helper()
	x.cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-x.over:
	case <-time.After(patience):
		x.t.Fatal("strace does not end")
	}
	return readTrace(x.t, x.file)
}

// event is one call as strace saw it. Begin and End are lines of its log: a call that others ran beside has two.
type event struct {
	Call, Args, Result string
	Begin, End         int
}

func (e event) injected() bool { return strings.Contains(e.Result, "(INJECTED)") }

// on says whether the call is about a path.
func (e event) on(path string) bool { return strings.Contains(e.Args, path) }

func (e event) String() string { return fmt.Sprintf("%s(%.200s) = %s", e.Call, e.Args, e.Result) }

var (
	wholeCall = regexp.MustCompile(`^(\d+) +(\w+)\((.*)\) += (.*)$`)
	cutCall   = regexp.MustCompile(`^(\d+) +(\w+)\((.*?) *<unfinished \.\.\.>$`)
	restCall  = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (.*)$`)
)

func readTrace(t *testing.T, file string) (out []event) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]event{}
	for n, line := range strings.Split(string(b), "\n") {
		if m := restCall.FindStringSubmatch(line); m != nil {
			if e, ok := open[m[1]+m[2]]; ok {
				delete(open, m[1]+m[2])
				e.Args, e.Result, e.End = e.Args+m[3], m[4], n
				out = append(out, e)
			}
		} else if m := cutCall.FindStringSubmatch(line); m != nil {
			open[m[1]+m[2]] = event{Call: m[2], Args: m[3], Begin: n}
		} else if m := wholeCall.FindStringSubmatch(line); m != nil {
			out = append(out, event{m[2], m[3], m[4], n, n})
		}
	}
	return out
}
