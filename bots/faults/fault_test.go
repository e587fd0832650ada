package faults

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/muhafiz/muhafiz/bots/daemon"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// act is something that is asked of the daemon, and what becomes of it.
type act func(ctx context.Context, cl *daemon.Client) error

// fault is one call that fails once in a running daemon.
type fault struct {
	call, where, errno string
	// prepare returns the path that the call is about, empty for any, and what makes the daemon call it.
	prepare func(o *observer) (path string, do act)
	// limit, where set, is the kernel's own limit that makes the call fail: of the size of files, in bytes. strace tells calls apart by
	// path, and temporary files have no name that could be known before.
	limit func(o *observer) uint64
	// goesOn: the daemon refuses this one act and lives. Otherwise it stops.
	goesOn bool
	says   string // what the operator reads names it
}

// outcome is a line of the table.
type outcome struct{ call, where, errno, reads, afterwards string }

// TestEachCallFailsOnce makes each call on the way to the disk fail once in a sealed vault's daemon.
func TestEachCallFailsOnce(t *testing.T) {
	s := newSite(t, true, false)
	o := newObserver(s)
	var table []outcome
	for _, f := range faults() {
		t.Run(strings.Join([]string{f.call, f.where, f.errno}, " "), func(t *testing.T) {
			s := *s
			s.t = t
			o.s = &s
			table = append(table, s.failOnce(o, f))
		})
	}
	tell(t, table)
}

// tell prints the table, and adds it to the file that MUHAFIZ_FAULT_TABLE names.
func tell(t *testing.T, table []outcome) {
	var b strings.Builder
	for _, r := range table {
		fmt.Fprintf(&b, "%s | %s | %s | %s | %s\n", r.call, r.where, r.errno, r.reads, r.afterwards)
	}
	if path := os.Getenv("MUHAFIZ_FAULT_TABLE"); path != "" {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err == nil {
			_, err = f.WriteString(b.String())
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Error(err)
		}
	}
	t.Logf("call | where | error | what the operator reads | afterwards\n%s", b.String())
}

// failOnce runs one line of the table.
func (s *site) failOnce(o *observer, f fault) outcome {
	t := s.t
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	d := s.start().await()
	cl, err := s.client(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	if err := o.works(ctx, cl); err != nil {
		t.Fatalf("before the fault: %v", err)
	}
	path, do := f.prepare(o)
	events, err := f.inject(ctx, d, o, path, do, cl)
	if err == nil {
		t.Fatal("nothing failed")
	}
	if f.goesOn && !strings.Contains(err.Error(), "; ") {
		t.Errorf("the refusal names no next step: %v", err)
	}
	out := outcome{call: f.call, where: f.where, errno: f.errno, reads: clip(s, err.Error())}
	if f.goesOn {
		if err := do(ctx, cl); err != nil {
			t.Errorf("once more, with a disk that works: %v", err)
		}
		d.stop()
		out.afterwards = "refused, and done when asked again"
	} else {
		if code := d.ended(); code != 1 {
			t.Fatalf("the daemon ended with exit %d, want 1; told: %v\n%s", code, err, d.words())
		}
		out.reads, out.afterwards = clip(s, d.lastWords()), "stopped, exit 1"
		if !strings.Contains(out.reads, "run muhafiz fsck") {
			t.Errorf("the daemon's last words name no next step: %s", out.reads)
		}
		f.neverAgain(t, s, events())
	}
	if !strings.Contains(out.reads, f.says) {
		t.Errorf("%q is not about %s", out.reads, f.says)
	}
	clean := s.fsckClean()
	x := o.look(t)
	if !clean || x.lost+x.two > 0 {
		t.Errorf("fsck clean: %v, %d lost, %d twice", clean, x.lost, x.two)
	}
	out.afterwards += fmt.Sprintf("; fsck clean, %d acknowledged, 0 lost", o.told())
	return out
}

// inject makes the call fail while do is done, and returns do's error and, once the daemon has ended, what strace saw.
func (f fault) inject(ctx context.Context, d *running, o *observer, path string, do act, cl *daemon.Client) (func() []event, error) {
	t := d.t
	if f.limit != nil {
		none := func() []event { return nil }
		var before unix.Rlimit
		limit := unix.Rlimit{Cur: f.limit(o), Max: unix.RLIM_INFINITY}
		if err := unix.Prlimit(d.cmd.Process.Pid, unix.RLIMIT_FSIZE, &limit, &before); err != nil {
			t.Fatal(err)
		}
		err := do(ctx, cl)
		if err := unix.Prlimit(d.cmd.Process.Pid, unix.RLIMIT_FSIZE, &before, nil); err != nil && !errors.Is(err, unix.ESRCH) {
			t.Fatal(err)
		}
		return none, err
	}
	more := []string{"-s", "200", "-e", writing, "-e", fmt.Sprintf("inject=%s:error=%s:when=1", f.call, f.errno)}
	if path != "" {
		more = append(more, "-P", path)
	}
	x := d.trace(filepath.Join(t.TempDir(), "strace"), more...)
	err := do(ctx, cl)
	if f.goesOn {
		f.hit(t, x.stop())
		return nil, err
	}
	return func() []event {
		<-x.over
		return readTrace(t, x.file)
	}, err
}

// hit returns the first call that was made to fail.
func (f fault) hit(t *testing.T, events []event) event {
	t.Helper()
	for _, e := range events {
		if e.injected() {
			return e
		}
	}
	t.Fatal("strace made nothing fail")
	return event{}
}

// neverAgain insists that after the failure nothing was synced that had failed, and nothing written to the log.
func (f fault) neverAgain(t *testing.T, s *site, events []event) {
	t.Helper()
	if f.limit != nil {
		return
	}
	bad := f.hit(t, events)
	db := "<" + s.path("vault", "vault.db") + ">"
	for _, e := range events {
		if e.Begin <= bad.End {
			continue
		}
		again := strings.HasSuffix(e.Call, "sync") && strings.HasSuffix(bad.Call, "sync") && e.Args == bad.Args
		if again || e.on(db) && e.Call != "openat" {
			t.Errorf("after %s came %s", bad, e)
		}
	}
}

// clip makes a sentence fit a line, without this test's folder.
func clip(s *site, text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(text), s.dir+"/", ""), "\n", "; ")
}

// lastWords is what the daemon said for people when it ended.
func (d *running) lastWords() (out string) {
	for line := range strings.Lines(d.words()) {
		if strings.HasPrefix(line, "muhafiz: ") {
			out = ""
		}
		if !strings.HasPrefix(line, "{") {
			out += line
		}
	}
	return out
}

// works lets the daemon acknowledge something before the fault: also that it works again after the one before.
func (o *observer) works(ctx context.Context, cl *daemon.Client) error {
	path, words := o.export(1000)
	return errors.Join(o.imports(ctx, cl, path, words), o.holds(ctx, cl), o.reads(ctx, cl), o.signs(ctx, cl))
}

// importing imports a photo, and tells the place of its file in a sealed vault, or of the file's folder.
func importing(part func(file string) string) func(*observer) (string, act) {
	return func(o *observer) (string, act) {
		path, words, file := o.photo()
		return part(file), func(ctx context.Context, cl *daemon.Client) error { return o.imports(ctx, cl, path, words) }
	}
}

// importingFirst is importing of a photo whose folder is not there yet. Only a young vault lacks some.
func importingFirst(o *observer) (string, act) {
	for range 20 {
		path, words, file := o.photo()
		if _, err := os.Stat(filepath.Dir(file)); errors.Is(err, fs.ErrNotExist) {
			return filepath.Dir(file), func(ctx context.Context, cl *daemon.Client) error { return o.imports(ctx, cl, path, words) }
		}
	}
	o.s.t.Fatal("the vault has all folders already")
	return "", nil
}

// photo makes an export with a photo, and tells where its file will lie.
func (o *observer) photo() (path string, words []string, file string) {
	path, words = o.export(500_000)
	d := evidence.Sum(o.photos[words[0]]).String()
	return path, words, o.s.path("vault", "blobs", "sealed", d[:2], d)
}

// importingMuch imports an export with a file that is larger than the log's.
func importingMuch(o *observer) (string, act) {
	path, words := o.export(int(aboveLog(o)) + 1<<20)
	return "", func(ctx context.Context, cl *daemon.Client) error { return o.imports(ctx, cl, path, words) }
}

func anywhere(string) string { return "" }
func itself(f string) string { return f }
func folder(f string) string { return filepath.Dir(f) }

// ordering places holds until one fails: the writer's next calls are those of a commit.
func ordering(path string) func(*observer) (string, act) {
	return func(o *observer) (string, act) {
		return o.s.path(path), func(ctx context.Context, cl *daemon.Client) error {
			for range 30 {
				if err := o.holds(ctx, cl); err != nil {
					return err
				}
			}
			return nil
		}
	}
}

func signing(path string) func(*observer) (string, act) {
	return func(o *observer) (string, act) { return o.s.path(path), o.signs }
}

// deciding opens the vault's first case, whose class of records has no data key yet, through the command.
func deciding(path string) func(*observer) (string, act) {
	return func(o *observer) (string, act) {
		if path != "" {
			path = o.s.path(path)
		}
		o.s.run("review", "show", "a1/11", "--as", "amna").want(0) // else the decision is refused
		return path, func(context.Context, *daemon.Client) error {
			r := o.s.run("review", "decide", "a1/11", "--as", "amna", "--key", "amna", "--quote", "Simulated post", "--rule", "platform rules (simulated)",
				"--offence", "fundraises", "--severity", "low", "--exclusion", "none", "--affiliation", "linked from a simulated announcement", "--languages", "en")
			if r.code != 0 {
				return errors.New(r.err)
			}
			return nil
		}
	}
}

// growing imports so much text that the log's file has to grow.
func growing(o *observer) (string, act) {
	path, words := o.long()
	return o.s.path("vault", "vault.db"), func(ctx context.Context, cl *daemon.Client) error { return o.imports(ctx, cl, path, words) }
}
