package bundle_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/bundle"
)

// blind lets the reviewer answer for the case's decision with an outcome of their own.
func (w *world) blind(outcome string) {
	w.t.Helper()
	r := w.about(w.kase, evidence.KindDecision)[0]
	d, err := evidence.Decode[*evidence.Decision](r)
	if err != nil {
		w.t.Fatal(err)
	}
	var decision evidence.Statement
	if err := json.Unmarshal([]byte(d.Payload), &decision); err != nil {
		w.t.Fatal(err)
	}
	confirms := ref(r)
	w.put(evidence.Draft{Actor: evidence.Person("reviewer"), Subject: evidence.Case("case-1"), Body: &evidence.Approval{Signed: w.signed("reviewer", evidence.Statement{
		Type: evidence.StatementApproval, Case: w.kase, CaseVersion: 2, Confirms: &confirms, Blind: true, Outcome: outcome, Exhibits: decision.Exhibits,
		Comment: "Simulated answer.",
	})}})
}

// TestABundleOfABlindCaseVerifies builds it with one answer that agrees and one that does not.
func TestABundleOfABlindCaseVerifies(t *testing.T) {
	w := newWorld(t)
	w.blind("no_action")
	w.blind("report")
	r := newRoots(t, w)
	for edition, bag := range editions(t, w) {
		for _, referee := range referees(t, r) {
			if code, out := referee.run(t, bag, true); code != 0 {
				t.Errorf("%s, %s: exit %d: %s", edition, referee.name, code, out)
			}
		}
		rep := verify(t, bag, w.roots())
		var said []string
		for _, c := range rep.Checks {
			said = append(said, c.Detail)
		}
		page, err := os.ReadFile(filepath.Join(bag, "data/report.html"))
		if err != nil || rep.Status != bundle.StatusVerified {
			t.Fatalf("%s: %s, %v", edition, rep.Status, err)
		}
		said = append(said, string(page))
		for _, want := range []string{
			"\nagreeing blind approval signed by Simulated reviewer", "\ndisagreeing blind approval signed by Simulated reviewer",
			"before the decision was shown to them:</b> report to the platform.", "before the decision was shown to them:</b> no action.",
		} {
			if !strings.Contains(strings.Join(said, "\n"), want) {
				t.Errorf("%s: nothing says %q", edition, want)
			}
		}
		if n := strings.Count(string(page), "<b>Confirms</b> the decision"); n != 2 {
			t.Errorf("%s: %d answers confirm, want the plain one and the blind one", edition, n)
		}
	}
}
