package reporter_test

import (
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// A restored vault holds as unsent what left after its backup: nothing is sent before a person has compared the two.
func TestAfterARestoreNothingIsSentByItself(t *testing.T) {
	w := newWorld(t)
	w.approved(w.target("one", "telegram", "11"), "high")
	w.put(evidence.Vault(), &evidence.RunStarted{Command: "restore", Restored: &evidence.Restored{Backup: "b", At: evidence.At(w.clock()), Records: 9}})
	r := w.reporter(w.options())
	for range 3 {
		rep := w.run(r)
		if rep.Sent != 0 || len(rep.Blocked) != 1 || !strings.Contains(rep.Blocked[0].Reason, "muhafiz notice resume") {
			t.Fatalf("%+v", rep)
		}
		w.pass(24 * time.Hour)
		w.reopen() // a restart releases nothing
		r = w.reporter(w.options())
	}
	if n := w.state(r, "n1"); w.mail.count() != 0 || n.Status != notice.Drafted {
		t.Fatalf("%d messages, notice %+v", w.mail.count(), n)
	}
	if _, err := r.Release(t.Context(), "ana", "looked"); review.CodeOf(err) != review.Role {
		t.Errorf("an analyst: %v", err)
	}
	if _, err := r.Release(t.Context(), "bilal", " "); review.CodeOf(err) != review.Incomplete {
		t.Errorf("without a reason: %v", err)
	}
	if h, err := r.Release(t.Context(), "bilal", "the mail server's log"); err != nil || h.Restored.Backup != "b" {
		t.Fatalf("%+v, %v", h, err)
	}
	if _, err := r.Release(t.Context(), "bilal", "once more"); review.CodeOf(err) != review.WrongNotice {
		t.Errorf("once more: %v", err)
	}
	if rep := w.run(r); rep.Sent != 1 || w.mail.count() != 1 {
		t.Errorf("%+v", rep)
	}
	w.sound()
}
