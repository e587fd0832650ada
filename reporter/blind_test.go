package reporter_test

import (
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// answered takes a post through two people of whom the second has not seen what the first decided.
func (w *world) answered(post evidence.Ordinal, outcome string) review.Case {
	w.t.Helper()
	w.desk.Blind = true
	for _, person := range []string{"ana", "bilal"} {
		if _, err := w.desk.Show(w.t.Context(), person, post); err != nil {
			w.t.Fatal(err)
		}
	}
	payload, err := w.desk.PrepareDecision(w.t.Context(), "ana", review.DecisionInput{
		Posts: []evidence.Ordinal{post}, Outcome: review.OutcomeReport, Affiliation: "stated (simulated)", Languages: []string{"en"},
		Passages: []evidence.Passage{{Exhibit: 1, Quote: "asks for donations", Rule: "8.1", Offence: "fundraises", Severity: "high", Exclusion: "none"}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := w.desk.Decide(w.t.Context(), "ana", w.sign("ana", payload))
	if err != nil {
		w.t.Fatal(err)
	}
	if payload, err = w.desk.PrepareBlindApproval(w.t.Context(), "bilal", c.Ordinal, outcome, "my own view (simulated)"); err != nil {
		w.t.Fatal(err)
	}
	if c, err = w.desk.Approve(w.t.Context(), "bilal", w.sign("bilal", payload)); err != nil {
		w.t.Fatal(err)
	}
	return c
}

func TestANoticeGoesOutAfterABlindAgreementAlone(t *testing.T) {
	w := newWorld(t)
	agreed := w.answered(w.target("one", "telegram", "11"), review.OutcomeReport)
	refused := w.answered(w.target("two", "telegram", "22"), review.OutcomeNoAction)
	r := w.reporter(w.options())
	if rep := w.run(r); rep.Drafted != 1 || rep.Sent != 1 || w.mail.count() != 1 {
		t.Fatalf("got %+v", rep)
	}
	n := w.state(r, "n1")
	if n.Status != notice.Sent || len(n.Cases) != 1 || n.Cases[0].Case != agreed.Ordinal || n.Cases[0].Approval != agreed.Approval.RecordRef {
		t.Errorf("got %+v", n)
	}
	// Whoever drafts it, the log itself is asked once more.
	_, err := notice.Gather(t.Context(), w.v, evidence.NoticeCase{
		Case: refused.Ordinal, Account: refused.Account, Decision: refused.Decision.RecordRef, Approval: refused.Approval.RecordRef,
	}, "platform-rules")
	if err != notice.ErrNotApproved {
		t.Errorf("got %v", err)
	}
	w.sound()
	if rep := w.run(w.reporter(w.options())); rep.Drafted+rep.Sent != 0 {
		t.Errorf("after a restart: %+v", rep)
	}
}
