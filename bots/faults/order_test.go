package faults

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheOrderOfWrites reads a log of the daemon's system calls while it imports an export: each blob's file is synced, renamed and its
// folder synced before the commit that names it begins; the commit is synced before the answer leaves.
func TestTheOrderOfWrites(t *testing.T) {
	for name, sealed := range map[string]bool{"plain": false, "sealed": true} {
		t.Run(name, func(t *testing.T) { orderOfWrites(t, sealed) })
	}
}

func orderOfWrites(t *testing.T, sealed bool) {
	s := newSite(t, sealed, false)
	o := newObserver(s)
	d := s.start().await()
	cl, err := s.client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	x := d.trace(s.path("order.strace"), "-s", "1000000", "-e", strings.Replace(writing, ",mmap", "", 1))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	path, words := o.export(100_000)
	if err := o.imports(ctx, cl, path, words); err != nil {
		t.Fatal(err)
	}
	if err := cl.Call(ctx, "GET", "/v1/targets", nil, nil); err != nil { // so that strace has seen the end of the call before
		t.Fatal(err)
	}
	w := writes{t: t, events: x.stop()}
	d.stop()

	db := s.path("vault", "vault.db")
	answer := w.after(0, "the answer", func(e event) bool { return e.Call == "write" && e.on("socket:[") && e.on(`{\"result\":`) })
	onDB := func(call string) func(event) bool { return func(e event) bool { return e.Call == call && e.on(db) } }
	blobs := w.renames(s.path("vault", "blobs") + "/")
	if len(blobs) != 2 {
		t.Errorf("%d blobs were renamed, want the export and its photo", len(blobs))
	}
	if keys := w.renames(s.path("keyring") + "/"); sealed && len(keys) == 0 {
		t.Error("no key was made for the channel")
	} else {
		blobs = append(blobs, keys...)
	}
	for _, r := range blobs {
		from, to := r.names()
		synced := w.before(r.Begin, "the sync of "+from, func(e event) bool { return e.Call == "fsync" && e.on("<"+from+">") })
		folder := w.after(r.End, "the sync of the folder of "+to, func(e event) bool { return e.Call == "fsync" && e.on("<"+filepath.Dir(to)+">") })
		// The commit that names it: in a plain vault its page can be read; in a sealed one it is one that begins later.
		page := w.after(folder.End, "a page of the log after "+to, onDB("pwrite64"))
		if !sealed {
			page = w.after(0, "the page that names "+to, func(e event) bool { return onDB("pwrite64")(e) && e.on(filepath.Base(to)) })
		}
		pages := w.after(page.End, "the sync of the commit's pages", onDB("fdatasync"))
		meta := w.after(pages.End, "the commit's meta page", onDB("pwrite64"))
		commit := w.after(meta.End, "the commit's last sync", onDB("fdatasync"))
		t.Logf("%s: line %d fsync, %d rename, %d fsync of the folder, %d page, %d fdatasync, %d meta page, %d fdatasync, %d answer",
			to, synced.End, r.Begin, folder.End, page.Begin, pages.End, meta.Begin, commit.End, answer.Begin)
		if synced.End > r.Begin || folder.End > page.Begin || commit.End > answer.Begin {
			t.Errorf("that is not the order")
		}
	}
	if !s.fsckClean() {
		t.Error("fsck found something")
	}
}

// writes is a log in which calls are looked for.
type writes struct {
	t      *testing.T
	events []event
}

func (w writes) after(line int, what string, is func(event) bool) event {
	w.t.Helper()
	for _, e := range w.events {
		if e.Begin >= line && is(e) {
			return e
		}
	}
	w.t.Fatalf("%s is not in the log after line %d", what, line)
	return event{}
}

func (w writes) before(line int, what string, is func(event) bool) (found event) {
	w.t.Helper()
	ok := false
	for _, e := range w.events {
		if e.End < line && is(e) && (!ok || e.End > found.End) {
			found, ok = e, true
		}
	}
	if !ok {
		w.t.Fatalf("%s is not in the log before line %d", what, line)
	}
	return found
}

// renames are the calls that put a file into place below a folder.
func (w writes) renames(folder string) (out []event) {
	for _, e := range w.events {
		if strings.HasPrefix(e.Call, "rename") && e.on(folder) && e.Result == "0" {
			out = append(out, e)
		}
	}
	return out
}

// names are the two paths of a rename.
func (e event) names() (from, to string) {
	quoted := strings.Split(e.Args, `"`)
	if len(quoted) < 4 {
		return "", ""
	}
	return quoted[1], quoted[3]
}
