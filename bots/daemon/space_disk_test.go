package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// onSmallDisk puts a site's vault on a file system of its own with size bytes. Without the right to mount one it says so, and returns
// false.
func onSmallDisk(t *testing.T, s *site, size int64) bool {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Log("not applicable: only root may mount a small file system")
		return false
	}
	dir := s.path("vault")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", size))
	if errors.Is(err, unix.EPERM) && os.Getenv("CI") != "true" {
		t.Log("not applicable: this root may not mount a small file system")
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return true
}

// ballast is what another program wrote to the disk: n bytes, or all that fit.
func ballast(t *testing.T, path string, n int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for chunk := int64(1 << 20); n > 0 && chunk > 0; {
		wrote, err := f.Write(make([]byte, min(chunk, n)))
		n -= int64(wrote)
		if errors.Is(err, unix.ENOSPC) {
			chunk /= 16
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// collects is a target with everything that it publishes.
func collects(name string) string {
	return "  - {id: " + name + ", address: https://t.me/northhaven_" + name + ", organisation: nf, affiliation: {basis: simulated, citation: {title: simulated, url: 'https://example.org/1'}}, report: true, listed_by: amna, collect: {backfill: true, media: [document]}}\n"
}

// publisher posts documents whose bytes differ.
type publisher struct {
	ch *telegramtest.Channel
	n  int
}

func (p *publisher) publish(n, size int) {
	name := p.ch.Profile().Username
	p.ch.Fill(n, func(int) telegramtest.Post {
		p.n++
		b := bytes.Repeat([]byte(fmt.Sprintf("simulated %d of %s ", p.n, name)), size/16)[:size]
		return telegramtest.Post{Text: fmt.Sprintf("Simulated paper %d", p.n), Document: &telegramtest.Document{Bytes: b, Name: "paper.bin"}}
	})
}

// TestAFullDisk fills a real file system under a real daemon until nothing more fits, signs a decision there, makes room, and compares what was
// collected with what the platform has.
func TestAFullDisk(t *testing.T) {
	s := newSite(t)
	const disk = 128 << 20
	if !onSmallDisk(t, s, disk) {
		return
	}
	s.write("list.yaml", "targets:\n"+collects("one")+collects("two"))
	s.append("muhafiz.yaml", spaceConfig)
	n := newNetworkAt(s, t, "main")
	w := n.srv.World()
	one := &publisher{ch: n.ch}
	two := &publisher{ch: w.AddChannel(telegramtest.Profile{Username: "northhaven_two", Title: "Northhaven Two (simulated)"})}
	two.ch.Fill(300, func(i int) telegramtest.Post { return telegramtest.Post{Text: fmt.Sprintf("Simulated history %d", i)} })
	ballast(t, s.path("vault/ballast"), 32<<20)
	one.publish(60, 1e6)

	d := s.start()
	c := s.client(nil)
	if err := s.approve(c, "bilal", "one"); err != nil {
		t.Fatal(err)
	}
	level := func(want string) Status {
		t.Helper()
		return n.until(c, want, func(st Status) bool { return st.Space.Level == want })
	}
	var order []string
	order = append(order, level("media-limited").Space.Level)
	n.until(c, "all of the first channel", func(st Status) bool {
		return st.Targets[0].Versions == 61 && st.Targets[0].Files+st.Targets[0].Missed == 60
	})

	// What is small and new is fetched on, until there is no room for history either.
	for level := ""; level != "no-backfill"; {
		was := n.until(c, "the small files", func(st Status) bool {
			return st.Targets[0].Files+st.Targets[0].Missed == int64(one.n)
		})
		if level = was.Space.Level; level == "media-limited" {
			one.publish(20, 90e3)
		}
	}
	order = append(order, "no-backfill")
	if err := s.approve(c, "bilal", "two"); err != nil {
		t.Fatal(err)
	}
	st := n.until(c, "the second channel's newest", func(st Status) bool { return st.Targets[1].Versions > 0 })
	two.ch.Post(telegramtest.Post{Text: "Simulated news"})
	had := st.Targets[1].Versions
	st = n.until(c, "news of the second channel", func(st Status) bool { return st.Targets[1].Versions > had })
	if st.Targets[1].Versions > 110 || st.Space.Level != "no-backfill" {
		t.Errorf("history was read: %d posts at level %s", st.Targets[1].Versions, st.Space.Level)
	}
	for level := "no-backfill"; level == "no-backfill"; {
		one.publish(20, 90e3)
		level = n.until(c, "more small files", func(st Status) bool {
			return st.Space.Level == "no-collection" || st.Targets[0].Files+st.Targets[0].Missed == int64(one.n)
		}).Space.Level
	}
	order = append(order, level("no-collection").Space.Level)
	if want := []string{"media-limited", "no-backfill", "no-collection"}; !slices.Equal(order, want) {
		t.Errorf("levels came in the order %v", order)
	}
	n.until(c, "the source to wait", func(st Status) bool { return stateOf(st, "main").State == "no-room" })
	if got := gaps(t, d, collectors.CauseDisk, false); got != 2 {
		t.Errorf("%d gaps say that the disk is full, want one a target", got)
	}
	seen := d.Rooms().Vault.Size()

	// Another program takes all that is left, and what was set aside in a file as well once that is given up.
	one.publish(30, 90e3)
	for range 2 {
		ballast(t, s.path("vault/ballast-2"), disk)
		if err := d.rooms.space.tend(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ballast(t, s.path("vault/ballast-2"), disk)
	if free, _, err := vault.Disk(s.path("vault")); err != nil || free != 0 {
		t.Fatalf("%d bytes are free, %v", free, err)
	}
	if _, err := os.Stat(s.path("vault/reserve")); err == nil {
		t.Error("the reserve's file is still there")
	}
	decide(t, s, c, firstPost(t, d))
	if err := d.rooms.write(t.Context(), evidence.Source("telegram/main"), evidence.Target("one"), &evidence.Gap{Cause: collectors.CauseDisk, Source: "telegram/main"}); err != nil {
		t.Errorf("a gap on a full disk: %v", err)
	}
	// A file that does not fit is refused, and nothing else is.
	if _, _, err := d.rooms.Vault.Keep(t.Context(), bytes.NewReader(make([]byte, 1e6)), 1e7); !collectors.NoRoom(err) {
		t.Errorf("a file on a full disk: %v", err)
	}
	for range 200 { // a week of acts
		if err := d.rooms.write(t.Context(), evidence.Vault(), evidence.Vault(), &evidence.Refused{}); err != nil {
			t.Fatalf("an act on a full disk: %v", err)
		}
	}
	if d.Rooms().Vault.Size() < seen+200 {
		t.Error("acts are missing")
	}

	// Room is made.
	for _, f := range []string{"ballast", "ballast-2"} {
		if err := os.Remove(s.path("vault/" + f)); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mount("tmpfs", s.path("vault"), "tmpfs", unix.MS_REMOUNT, fmt.Sprintf("size=%d", 2*disk)); err != nil {
		t.Fatal(err)
	}
	if err := d.rooms.space.tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	st = n.until(c, "all that the platform has", func(st Status) bool {
		return stateOf(st, "main").State == "healthy" && st.Targets[0].Files == int64(one.n) && st.Targets[1].Versions == int64(len(two.ch.Posts()))
	})
	if st.Space.Level != "ample" || st.Space.Reserve.Missing(st.Space.Reserved) != 0 {
		t.Errorf("after room was made: %+v", st.Space)
	}
	if got := gaps(t, d, collectors.CauseDisk, true); got != 2 {
		t.Errorf("%d gaps say that history was read again across the stretch", got)
	}
	sameAsPlatform(t, d, one.ch, two.ch)
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	rep, err := vault.Fsck(t.Context(), s.path("vault"), vault.FsckOptions{Views: Views()})
	if err != nil || len(rep.Problems) > 0 {
		t.Errorf("fsck: %v, %v", rep.Problems, err)
	}
}

// gaps counts the gaps of a cause.
func gaps(t *testing.T, d *Daemon, cause string, recovered bool) int {
	t.Helper()
	n := 0
	each(t, d, func(r evidence.Record) {
		if g, err := evidence.Decode[*evidence.Gap](r); err == nil && g.Cause == cause && g.Recovered == recovered {
			n++
		}
	})
	return n
}

func each(t *testing.T, d *Daemon, fn func(evidence.Record)) {
	t.Helper()
	err := d.Rooms().Vault.Records(t.Context(), 0, func(r evidence.Record) error { fn(r); return nil })
	if err != nil {
		t.Fatal(err)
	}
}

func firstPost(t *testing.T, d *Daemon) (o evidence.Ordinal) {
	t.Helper()
	each(t, d, func(r evidence.Record) {
		if r.Kind == evidence.KindPostSeen && o == "" {
			o = r.Subject
		}
	})
	return o
}

// decide signs a decision as the commands do.
func decide(t *testing.T, s *site, c *Client, post evidence.Ordinal) {
	t.Helper()
	key, err := review.FileSigner(s.path("amna"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Call(t.Context(), "GET", "/v1/review/show?person=amna&post="+string(post), nil, nil); err != nil {
		t.Fatalf("a look on a full disk: %v", err)
	}
	in := review.DecisionInput{
		Posts: []evidence.Ordinal{post}, Outcome: review.OutcomeReport, Affiliation: "simulated", Languages: []string{"en"},
		Passages: []evidence.Passage{{Exhibit: 1, Quote: "Simulated", Rule: "simulated", Offence: "incites", Severity: "high", Exclusion: "none"}},
	}
	var p Prepared
	if err := c.Call(t.Context(), "POST", "/v1/review/decision/prepare", DecisionRequest{Person: "amna", DecisionInput: in}, &p); err != nil {
		t.Fatalf("a decision on a full disk: %v", err)
	}
	signed, err := review.Sign(p.Payload, key)
	if err != nil {
		t.Fatal(err)
	}
	var made review.Case
	if err := c.Call(t.Context(), "POST", "/v1/review/decision", SignedBy{Person: "amna", Signed: signed}, &made); err != nil || made.Ordinal == "" {
		t.Fatalf("a decision on a full disk: %+v, %v", made, err)
	}
}

// sameAsPlatform holds the posts and files of the log against the channels.
func sameAsPlatform(t *testing.T, d *Daemon, channels ...*telegramtest.Channel) {
	t.Helper()
	texts, files := map[string]int{}, map[evidence.Digest]bool{}
	each(t, d, func(r evidence.Record) {
		if b, err := evidence.Decode[*evidence.PostSeen](r); err == nil {
			texts[b.Text]++
		}
		if b, err := evidence.Decode[*evidence.MediaKept](r); err == nil {
			files[b.Blob.SHA256] = true
		}
		if b, err := evidence.Decode[*evidence.MediaMissed](r); err == nil && (b.Rule != collectors.RuleDisk || b.Reason != collectors.ReasonNoRoom) {
			t.Errorf("missed for another reason: %+v", b)
		}
	})
	for _, ch := range channels {
		for _, p := range ch.Posts() {
			if texts[p.Text] != 1 {
				t.Errorf("post %q is there %d times", p.Text, texts[p.Text])
			}
			if p.Document != nil && !files[evidence.Sum(p.Document.Bytes)] {
				t.Errorf("the file of %q is not there", p.Text)
			}
		}
	}
	if list, _ := filepath.Glob(filepath.Join(d.Rooms().Vault.Path(), "blobs", "tmp", "*")); len(list) > 0 {
		t.Errorf("left over: %v", list)
	}
}
