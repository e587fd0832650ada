package reporter_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter"
	"github.com/muhafiz/muhafiz/reporter/delivery"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

func TestApprovedCasesLeaveOnce(t *testing.T) {
	w := newWorld(t)
	one := w.approved(w.target("one", "telegram", "11"), "low")
	two := w.approved(w.target("two", "telegram", "22"), "high")
	r := w.reporter(w.options())
	from := w.v.Size()
	rep := w.run(r)
	if rep.Drafted != 1 || rep.Sent != 1 || rep.Waiting != 0 || len(rep.Notices) != 1 {
		t.Fatalf("got %+v", rep)
	}
	if got, want := w.kinds(from), "notice.drafted notice.attempted notice.sent reporter.run"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	n := w.state(r, "n1")
	if n.Status != notice.Sent || !strings.HasPrefix(n.Receipt, "250 ") || len(n.Cases) != 2 || n.Cases[0].Case != two.Ordinal {
		t.Errorf("got %+v", n)
	}
	f, _, err := w.v.Blob(t.Context(), n.Message.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	kept, err := io.ReadAll(f)
	if err != nil || w.mail.count() != 1 || !bytes.Equal(kept, w.mail.got[0]) {
		t.Errorf("what was sent is not what was kept: %v", err)
	}
	for _, secret := range []string{"ana", "bilal", "Simulated"} {
		if text, _ := delivery.Text(kept); strings.Contains(text, secret) {
			t.Errorf("the notice says %q", secret)
		}
	}
	for _, o := range []evidence.Ordinal{one.Ordinal, two.Ordinal} {
		if c, err := w.desk.Case(t.Context(), o); err != nil || c.Status != review.CaseNoticed || c.Notice != "n1" || c.Delivery != "sent" {
			t.Errorf("got %+v, %v", c, err)
		}
	}
	from = w.v.Size()
	if rep := w.run(r); rep.Drafted+rep.Sent != 0 || w.kinds(from) != "reporter.run" || w.mail.count() != 1 {
		t.Errorf("a second run did %+v", rep)
	}
	if _, text, err := r.Show(t.Context(), "bilal", "n1", "direct"); err != nil || !strings.Contains(text, "asks for donations") {
		t.Errorf("got %q, %v", text, err)
	}
	if _, err := r.Notice(t.Context(), "n9"); review.CodeOf(err) != review.WrongNotice {
		t.Error(err)
	}
}

func TestCrashBetweenAttemptAndOutcome(t *testing.T) {
	for name, sent := range map[string]bool{"found sent": true, "found not sent": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.approved(w.target("one", "telegram", "11"), "high")
			o := w.options()
			o.Log = &crash{w.v, evidence.KindNoticeSent}
			if _, err := w.reporter(o).RunOnce(t.Context()); !errors.Is(err, errCrash) {
				t.Fatalf("got %v", err)
			}
			w.reopen()
			r := w.reporter(w.options())
			for range 3 {
				w.run(r)
				w.pass(24 * time.Hour)
			}
			if n := w.state(r, "n1"); n.Status != notice.Uncertain || w.mail.count() != 1 {
				t.Fatalf("%d messages, notice %+v", w.mail.count(), n)
			}
			if err := r.Resolve(t.Context(), "ana", "n1", sent, "asked"); review.CodeOf(err) != review.Role {
				t.Errorf("got %v", err)
			}
			if err := r.Resolve(t.Context(), "bilal", "n1", sent, ""); review.CodeOf(err) != review.Incomplete {
				t.Errorf("got %v", err)
			}
			if err := r.Resolve(t.Context(), "bilal", "n1", sent, "asked the abuse desk"); err != nil {
				t.Fatal(err)
			}
			err := r.Resolve(t.Context(), "bilal", "n1", sent, "once more")
			if review.CodeOf(err) != review.WrongNotice {
				t.Errorf("got %v", err)
			}
			w.pass(24 * time.Hour)
			w.run(r)
			want := 2
			if sent {
				want = 1
			}
			if n := w.state(r, "n1"); n.Status != notice.Sent || w.mail.count() != want || n.Resolved == "" {
				t.Errorf("%d messages, want %d; notice %+v", w.mail.count(), want, n)
			}
			w.sound()
		})
	}
}

func TestServerThatTakesAndFallsSilentIsUncertain(t *testing.T) {
	w := newWorld(t)
	w.approved(w.target("one", "telegram", "11"), "high")
	ctx, stop := context.WithCancel(t.Context())
	o := w.options()
	passed := make(chan time.Time)
	o.After = func(time.Duration) <-chan time.Time { return passed }
	release := make(chan struct{})
	w.mail.taken = func() { stop(); close(passed); <-release }
	defer close(release)
	r := w.reporter(o)
	_, err := r.RunOnce(ctx)
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if n := w.state(r, "n1"); n.Status != notice.Uncertain || !strings.Contains(n.Reason, "before the server said") {
		t.Errorf("got %+v", n)
	}
}

func TestSurelyNotSentIsTriedAgainWithBackoff(t *testing.T) {
	w := newWorld(t)
	w.approved(w.target("one", "telegram", "11"), "high")
	w.mail.refuseWith(&smtp.SMTPError{Code: 451, Message: "try later"})
	r := w.reporter(w.options())
	from := w.v.Size()
	if rep := w.run(r); rep.Failed != 1 {
		t.Fatalf("got %+v", rep)
	}
	w.run(r)
	w.pass(5 * time.Minute)
	w.run(r)
	w.pass(5 * time.Minute)
	w.run(r) // ten minutes are asked for after the second failure
	want := "notice.drafted notice.attempted notice.failed reporter.run reporter.run notice.attempted notice.failed reporter.run reporter.run"
	if got := w.kinds(from); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if n := w.state(r, "n1"); n.Status != notice.Failed || n.Attempts != 2 || !strings.Contains(n.Reason, "try later") {
		t.Errorf("got %+v", n)
	}
	w.mail.refuseWith(nil)
	w.pass(5 * time.Minute)
	if rep := w.run(r); rep.Sent != 1 || rep.Drafted != 0 || w.mail.count() != 1 {
		t.Errorf("got %+v", rep)
	}
}

func TestSuspensionStopsUnsentNotices(t *testing.T) {
	w := newWorld(t)
	one := w.approved(w.target("one", "telegram", "11"), "high")
	w.approved(w.target("two", "telegram", "22"), "high")
	w.mail.refuseWith(&smtp.SMTPError{Code: 451, Message: "try later"})
	r := w.reporter(w.options())
	w.run(r)
	if err := w.desk.Suspend(t.Context(), "ana", "one", "in doubt (simulated)"); err != nil {
		t.Fatal(err)
	}
	w.mail.refuseWith(nil)
	rep := w.run(r)
	if rep.Withdrawn != 1 || rep.Drafted != 1 || rep.Sent != 1 || len(rep.Blocked) != 1 || rep.Blocked[0].Case != one.Ordinal {
		t.Fatalf("got %+v", rep)
	}
	if n := w.state(r, "n1"); n.Status != notice.Withdrawn || !strings.Contains(n.Reason, "suspended (in doubt (simulated))") {
		t.Errorf("got %+v", n)
	}
	if n := w.state(r, "n2"); n.Status != notice.Sent || len(n.Cases) != 1 {
		t.Errorf("got %+v", n)
	}
	w.approveTarget("one")
	w.approveTargetAs("carla", "one") // lifting a suspension takes two
	if rep := w.run(r); rep.Sent != 1 || w.mail.count() != 2 {
		t.Errorf("got %+v", rep)
	}
	w.sound()
}

// between lets something happen just before a record of a kind is written.
type between struct {
	reporter.Log
	kind evidence.Kind
	do   func()
}

func (b *between) Put(ctx context.Context, batch evidence.Batch) ([]evidence.Record, error) {
	if do := b.do; do != nil && batch.Drafts[0].Body.Kind() == b.kind {
		b.do = nil
		do()
	}
	return b.Log.Put(ctx, batch)
}

func TestSuspensionWinsOverAnAttempt(t *testing.T) {
	w := newWorld(t)
	w.approved(w.target("one", "telegram", "11"), "high")
	o := w.options()
	o.Log = &between{w.v, evidence.KindNoticeAttempted, func() {
		if err := w.desk.Suspend(t.Context(), "ana", "one", "at the last moment"); err != nil {
			t.Error(err)
		}
	}}
	r := w.reporter(o)
	w.run(r)
	if rep := w.run(r); rep.Withdrawn != 1 || w.mail.count() != 0 {
		t.Errorf("got %+v and %d messages", rep, w.mail.count())
	}
}

func TestCapsRoutesAndSizes(t *testing.T) {
	w := newWorld(t)
	for i, id := range []string{"one", "two", "three"} {
		w.approved(w.target(id, "telegram", num(i)), "high")
	}
	w.approved(w.target("other", "elsewhere", "9"), "high")
	o := w.options()
	route := w.route()
	route.DailyCap = 1
	o.Routes["telegram"], o.MaxCases = route, 2
	r := w.reporter(o)
	rep := w.run(r)
	if rep.Sent != 1 || rep.Waiting != 2 || !strings.Contains(rep.Blocked[0].Reason, "no route leads to elsewhere") {
		t.Errorf("got %+v", rep)
	}
	rep = w.run(r)
	if rep.Drafted != 0 || !strings.Contains(rep.Blocked[1].Reason, "24 hours") {
		t.Errorf("got %+v", rep)
	}
	w.pass(25 * time.Hour)
	if rep = w.run(r); rep.Sent != 1 || rep.Waiting != 1 || w.mail.count() != 2 {
		t.Errorf("got %+v", rep)
	}
}

func TestOutboxRoute(t *testing.T) {
	w := newWorld(t)
	w.approved(w.target("one", "telegram", "11"), "high")
	dir := t.TempDir()
	o := w.options()
	route := w.route()
	route.Courier, route.To = &delivery.Outbox{Dir: dir}, nil
	o.Routes["telegram"] = route
	// A crash after the files were laid: laying them again is laying them once.
	o.Log = &crash{w.v, evidence.KindNoticeSent}
	if _, err := w.reporter(o).RunOnce(t.Context()); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	o.Log = w.v
	r := w.reporter(o)
	w.run(r)
	n := w.state(r, "n1")
	if n.Status != notice.Uncertain {
		t.Fatalf("got %+v", n)
	}
	if err := r.Resolve(t.Context(), "bilal", "n1", false, "laid it again to be sure"); err != nil {
		t.Fatal(err)
	}
	w.pass(24 * time.Hour)
	if rep := w.run(r); rep.Sent != 1 {
		t.Errorf("got %+v", rep)
	}
	if b, err := os.ReadFile(filepath.Join(dir, n.Key, delivery.TextFile)); err != nil || !bytes.Contains(b, []byte("asks for donations")) {
		t.Errorf("%v: %s", err, b)
	}
}

func TestNewRefuses(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*reporter.Options){
		"no log":     func(o *reporter.Options) { o.Log = nil },
		"no courier": func(o *reporter.Options) { o.Routes["telegram"] = reporter.Route{From: "a@b.example"} },
		"no sender":  func(o *reporter.Options) { o.Routes["telegram"] = reporter.Route{Courier: &delivery.Mail{}} },
		"no recipient": func(o *reporter.Options) {
			o.Routes["telegram"] = reporter.Route{Courier: &delivery.Mail{}, From: "a@b.example"}
		},
		"bad recipient": func(o *reporter.Options) {
			o.Routes["telegram"] = reporter.Route{Courier: &delivery.Mail{}, From: "a@b.example", To: []string{"nobody"}}
		},
	} {
		o := w.options()
		change(&o)
		if _, err := reporter.New(o); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
