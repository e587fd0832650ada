package main

import (
	"bufio"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// besideDaemon runs the daemon as its operator does and the commands beside it, through the control socket.
func besideDaemon(t *testing.T, muhafiz, dir string) {
	cmd := exec.Command(muhafiz, "run")
	cmd.Dir = dir
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	log := bufio.NewScanner(stderr)
	until := func(word string) {
		t.Helper()
		for log.Scan() {
			if strings.Contains(log.Text(), word) {
				return
			}
		}
		t.Fatalf("the daemon's log ended before it said %q", word)
	}
	until(`"running"`)
	if r := run(t, dir, muhafiz, "status").want(t, 0, "status beside a daemon"); !strings.Contains(r.out, "a daemon runs") {
		t.Errorf("status: %s", r.out)
	}
	run(t, dir, muhafiz, "review", "show", front(t, muhafiz, dir)+"/1", "--as", "amna").want(t, 0, "show beside a daemon")
	if r := run(t, dir, muhafiz, "fsck", "vault"); r.code != exitFailed || !strings.Contains(r.err, "another muhafiz holds this vault") {
		t.Errorf("fsck beside a daemon: exit %d, %s", r.code, r.err)
	}
	addPerson(t, muhafiz, dir, "nadia", "analyst")
	until("configuration reloaded")
	run(t, dir, muhafiz, "review", "queue", "--as", "nadia").want(t, 0, "a person that was added while the daemon ran")
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	until("configuration reloaded")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for log.Scan() { // to its end, so that the daemon is not held up by a full pipe
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the daemon did not stop in order: %v", err)
	}
}
