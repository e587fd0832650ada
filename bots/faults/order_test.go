package faults

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
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
	w := writes{t: t, photos: o.photos, events: x.stop()}
	d.stop()

	db := s.path("vault", "vault.db")
	answer := w.after(0, "the answer", func(e event) bool { return e.Call == "write" && e.on("socket:[") && e.on(`{\"result\":`) })
	commit := w.before(answer.Begin, "the commit's last sync", func(e event) bool { return e.Call == "fdatasync" && e.on(db) })
	meta := w.before(commit.Begin, "the commit's meta page", func(e event) bool { return e.Call == "pwrite64" && e.on(db) })
	pages := w.before(meta.Begin, "the sync of the commit's pages", func(e event) bool { return e.Call == "fdatasync" && e.on(db) })

	blobs := w.renames(s.path("vault", "blobs") + "/")
	if len(blobs) != 2 {
		t.Errorf("%d blobs were renamed, want the export and its photo", len(blobs))
	}
	if keys := w.renames(s.path("keyring") + "/"); sealed && len(keys) == 0 {
		t.Error("no key was made for the channel")
	} else {
		blobs = append(blobs, keys...)
	}
	// The first page of the commit that holds the records: in a plain vault the page says so, in a sealed one it is the first after the last
	// commit before.
	first := w.firstPage(pages, db, words[0], sealed)
	for _, r := range blobs {
		from, to := r.names()
		synced := w.before(r.Begin, "the sync of "+from, func(e event) bool { return e.Call == "fsync" && e.on("<"+from+">") })
		folder := w.after(r.End, "the sync of the folder of "+to, func(e event) bool { return e.Call == "fsync" && e.on("<"+filepath.Dir(to)+">") })
		if synced.End > r.Begin || folder.End > first.Begin {
			t.Errorf("%s: synced in line %d, renamed in %d, folder synced in %d, commit begun in %d", to, synced.End, r.Begin, folder.End, first.Begin)
		}
	}
	if first.Begin > pages.Begin || pages.End > meta.Begin || meta.End > commit.Begin || commit.End > answer.Begin {
		t.Errorf("pages in line %d, synced in %d, meta in %d, synced in %d, answered in %d", first.Begin, pages.End, meta.Begin, commit.End, answer.Begin)
	}
	t.Logf("%d files: fsync < rename < fsync of the folder < first page < fdatasync < meta page < fdatasync < answer", len(blobs))
	if !s.fsckClean() {
		t.Error("fsck found something")
	}
}

// writes is a log in which calls are looked for.
type writes struct {
	t      *testing.T
	photos map[string][]byte
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

// firstPage is the first page of the commit that ends with the sync of its pages.
func (w writes) firstPage(pages event, db, words string, sealed bool) event {
	w.t.Helper()
	line := 0
	for _, e := range w.events { // the last sync of the commit before
		if e.Call == "fdatasync" && e.on(db) && e.End < pages.Begin {
			line = max(line, e.End)
		}
	}
	first := w.after(line, "the commit's first page", func(e event) bool { return e.Call == "pwrite64" && e.on(db) })
	if !sealed {
		page := w.after(0, "the page with the record", func(e event) bool { return e.Call == "pwrite64" && e.on(db) && e.on(words) })
		named := w.after(0, "the page that names the photo", func(e event) bool {
			return e.Call == "pwrite64" && e.on(db) && e.on(fmt.Sprint(evidence.Sum(w.photos[words])))
		})
		if page.Begin < first.Begin || named.Begin < first.Begin {
			w.t.Errorf("the records stand in lines %d and %d, before the commit of line %d", page.Begin, named.Begin, first.Begin)
		}
	}
	return first
}
