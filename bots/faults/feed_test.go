package faults

import (
	"context"
	"strings"
	"testing"

	"github.com/muhafiz/muhafiz/bots/daemon"
)

// TestEachCallFailsOnceWhileCollecting makes calls fail while a channel's post comes in: the platform is not told that it was taken, and the
// next run has it.
func TestEachCallFailsOnceWhileCollecting(t *testing.T) {
	s := newSite(t, true, true)
	o := newObserver(s)
	d := s.start().await()
	o.posts()
	d.caughtUp()
	d.stop()
	var table []outcome
	for _, f := range []fault{
		{call: "openat", where: "a reply's temporary file", errno: "EROFS", says: "blobs/tmp"},
		{call: "write", where: "a reply's temporary file", errno: "EFBIG", limit: func(*observer) uint64 { return 0 }},
		{call: "fsync", where: "a reply's temporary file", errno: "EIO", says: "blobs/tmp"},
		{call: "pwrite64", where: "the commit of post and cursor", errno: "ENOSPC", prepare: ordering("vault/vault.db")},
		{call: "fdatasync", where: "the commit of post and cursor", errno: "EIO", prepare: ordering("vault/vault.db")},
	} {
		t.Run(strings.Join([]string{f.call, f.where, f.errno}, " "), func(t *testing.T) {
			s := *s
			s.t = t
			o.s = &s
			table = append(table, s.failFed(o, f))
		})
	}
	tell(t, table)
}

func (s *site) failFed(o *observer, f fault) outcome {
	t := s.t
	d := s.start().await()
	o.posts()
	d.caughtUp()
	path := ""
	if f.prepare != nil {
		path, _ = f.prepare(o)
	}
	events, _ := f.inject(t.Context(), d, o, path, func(context.Context, *daemon.Client) error {
		o.posts()
		if code := d.ended(); code != 1 {
			t.Fatalf("the daemon ended with exit %d, want 1:\n%s", code, d.words())
		}
		return nil
	}, nil)
	f.neverAgain(t, s, events())
	o.confirm()
	out := outcome{f.call, f.where, f.errno, clip(s, d.lastWords()), "stopped, exit 1"}
	if !strings.Contains(out.reads, "run muhafiz fsck") || !strings.Contains(out.reads, f.says) {
		t.Errorf("the daemon's last words name no next step, or not %q: %s", f.says, out.reads)
	}
	clean := s.fsckClean()
	o.look(t)
	d = s.start().await()
	d.caughtUp()
	o.confirm()
	d.stop()
	if x := o.look(t); clean && x.lost+x.two == 0 {
		out.afterwards += "; fsck clean, the next run collects what the platform still had to give, 0 lost"
	}
	return out
}
