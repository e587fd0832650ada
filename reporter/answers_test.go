package reporter_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

func TestAnswersAndDisputes(t *testing.T) {
	w := newWorld(t)
	w.approved(w.target("one", "telegram", "11"), "high")
	r := w.reporter(w.options())
	w.mail.refuseWith(&smtp.SMTPError{Code: 451, Message: "try later"})
	w.run(r)
	answer := func(outcome, ground, ticket string) (notice.State, error) {
		return r.Answer(t.Context(), "ana", "n1", evidence.NoticeAnswered{Outcome: outcome, Ground: ground, Ticket: ticket})
	}
	_, err := answer("removed", "", "")
	w.wants(err, review.WrongNotice, "an answer to what never left")
	w.mail.refuseWith(nil)
	w.pass(time.Hour)
	w.run(r)
	for what, f := range map[string]func() error{
		"no such outcome":            func() error { _, err := answer("deleted", "", ""); return err },
		"a refusal without a ground": func() error { _, err := answer("refused", " ", ""); return err },
		"a ground of no refusal":     func() error { _, err := answer("removed", "x", ""); return err },
		"too long":                   func() error { _, err := answer("removed", "", strings.Repeat("x", 1<<17)); return err },
		"an objection of nobody": func() error {
			_, err := r.Dispute(t.Context(), "ana", "n1", evidence.NoticeDisputed{Text: "x"})
			return err
		},
	} {
		w.wants(f(), review.Incomplete, what)
	}
	_, err = r.Answer(t.Context(), "audrey", "n1", evidence.NoticeAnswered{Outcome: "removed"})
	w.wants(err, review.Role, "an auditor's answer")
	if n, err := answer("needs_more", "", "T-1"); err != nil || n.Status != notice.Answered || n.Answers[0].Ticket != "T-1" {
		t.Errorf("got %+v, %v", n, err)
	}
	if n, err := r.Dispute(t.Context(), "bilal", "n1", evidence.NoticeDisputed{From: "the channel (simulated)", Text: "we are not they"}); err != nil || n.Status != notice.Disputed {
		t.Errorf("got %+v, %v", n, err)
	}
	n, err := answer("refused", "no violation", "")
	if err != nil || n.Status != notice.Answered || len(n.Answers) != 2 || len(n.Disputes) != 1 {
		t.Errorf("got %+v, %v", n, err)
	}
	w.sound()
}

func TestCorrectionReachesWhoeverGotIt(t *testing.T) {
	w := newWorld(t)
	one := w.approved(w.target("one", "telegram", "11"), "high")
	w.approved(w.target("two", "telegram", "22"), "low")
	r := w.reporter(w.options())
	w.run(r)
	first := w.state(r, "n1")
	left, err := r.Left(t.Context(), one.Account)
	if err != nil || len(left) != 1 || left[0].Notice != "n1" || left[0].MessageID != first.MessageID || !slices.Equal(left[0].To, first.To) || left[0].Unsure {
		t.Fatalf("got %+v, %v", left, err)
	}
	target, _, err := w.desk.Target(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	if same, err := r.Left(t.Context(), target.Ordinal); err != nil || len(same) != 1 || same[0].Notice != "n1" {
		t.Errorf("by target: %+v, %v", same, err)
	}
	_, err = r.Left(t.Context(), "c1")
	w.wants(err, review.WrongTarget, "what left of a case")

	// A suspension drafts; nothing leaves before a person says so.
	drafts, err := r.DraftCorrections(t.Context(), one.Account, "a journalist's channel (simulated)")
	if err != nil || len(drafts) != 1 {
		t.Fatalf("got %v, %v", drafts, err)
	}
	again, err := r.DraftCorrections(t.Context(), one.Account, "a journalist's channel (simulated)")
	if err != nil || !slices.Equal(again, drafts) {
		t.Errorf("drafted twice: %v, %v", again, err)
	}
	if rep := w.run(r); rep.Sent != 0 || len(rep.Blocked) != 1 || rep.Blocked[0].Notice != drafts[0] || rep.Waiting != 0 {
		t.Errorf("got %+v", rep)
	}
	_, err = r.Correct(t.Context(), "audrey", "n1", one.Account, "x")
	w.wants(err, review.Role, "an auditor's correction")
	_, err = r.Correct(t.Context(), "ana", "n1", one.Account, "")
	w.wants(err, review.Incomplete, "no reason")
	_, err = r.Correct(t.Context(), "ana", "n1", "a99", "x")
	w.wants(err, review.WrongNotice, "another account")
	c, err := r.Correct(t.Context(), "ana", "n1", one.Account, "a journalist's channel (simulated)")
	if err != nil || c.Ordinal != drafts[0] || c.Status != notice.Sent || !slices.Equal(c.To, first.To) || w.mail.count() != 2 {
		t.Fatalf("%d messages; got %+v, %v", w.mail.count(), c, err)
	}
	text := w.text(1)
	for _, s := range []string{"Correction", first.Key, first.MessageID, "telegram channel 11", "a journalist's channel", string(one.Ordinal)} {
		if !strings.Contains(text, s) {
			t.Errorf("the correction says no %q:\n%s", s, text)
		}
	}
	if strings.Contains(text, "channel 22") {
		t.Error("the correction is about the other account, too")
	}
	if n := w.state(r, "n1"); n.Status != notice.Corrected || len(n.Corrections) != 1 || n.Corrections[0].Correction != c.Ordinal {
		t.Errorf("got %+v", n)
	}
	_, err = r.Correct(t.Context(), "ana", "n1", one.Account, "again")
	w.wants(err, review.WrongNotice, "a second correction of the same")
	_, err = r.Correct(t.Context(), "ana", c.Ordinal, "", "again")
	w.wants(err, review.WrongNotice, "a correction of a correction")
	if cs, err := w.desk.Case(t.Context(), one.Ordinal); err != nil || cs.Status != review.CaseNoticed || cs.Notice != "n1" {
		t.Errorf("a correction moved its case: %+v, %v", cs, err)
	}
	w.run(r)
	if w.mail.count() != 2 {
		t.Error("a correction left twice")
	}
	if left, err := r.Left(t.Context(), one.Account); err != nil || len(left) != 1 || !slices.Equal(left[0].Corrections, []evidence.Ordinal{c.Ordinal}) {
		t.Errorf("got %+v, %v", left, err)
	}
	w.sound()
}

func TestCorrectionOfAnUncertainNoticeAndRetry(t *testing.T) {
	w := newWorld(t)
	one := w.approved(w.target("one", "telegram", "11"), "high")
	o := w.options()
	o.Log = &crash{w.v, evidence.KindNoticeSent}
	if _, err := w.reporter(o).RunOnce(t.Context()); err == nil {
		t.Fatal("no crash")
	}
	w.reopen()
	r := w.reporter(w.options())
	w.run(r)
	_, err := r.Answer(t.Context(), "ana", "n1", evidence.NoticeAnswered{Outcome: "removed"})
	w.wants(err, review.WrongNotice, "an answer to an uncertain one")
	if left, err := r.Left(t.Context(), one.Account); err != nil || len(left) != 1 || !left[0].Unsure {
		t.Errorf("got %+v, %v", left, err)
	}
	w.mail.refuseWith(&smtp.SMTPError{Code: 451, Message: "try later"})
	c, err := r.Correct(t.Context(), "ana", "n1", "", "wrong (simulated)")
	if err != nil || c.Status != notice.Failed {
		t.Fatalf("got %+v, %v", c, err)
	}
	w.mail.refuseWith(nil)
	w.pass(time.Hour)
	if rep := w.run(r); rep.Sent != 1 || w.mail.count() != 2 {
		t.Errorf("%d messages, %+v", w.mail.count(), rep)
	}
	w.sound()
}

func TestWithdrawal(t *testing.T) {
	w := newWorld(t)
	one := w.approved(w.target("one", "telegram", "11"), "high")
	w.mail.refuseWith(&smtp.SMTPError{Code: 451, Message: "try later"})
	r := w.reporter(w.options())
	w.run(r)
	if n, err := r.Withdraw(t.Context(), "ana", "n1", "not sure (simulated)"); err != nil || n.Status != notice.Withdrawn {
		t.Fatalf("got %+v, %v", n, err)
	}
	_, err := r.Withdraw(t.Context(), "ana", "n1", "again")
	w.wants(err, review.WrongNotice, "twice")
	_, err = r.Correct(t.Context(), "ana", "n1", "", "x")
	w.wants(err, review.WrongNotice, "a correction of what nobody got")
	w.mail.refuseWith(nil)
	w.pass(time.Hour)
	if rep := w.run(r); rep.Drafted+rep.Sent != 0 {
		t.Errorf("the next run sends it after all: %+v", rep)
	}
	if c, err := w.desk.Case(t.Context(), one.Ordinal); err != nil || c.Status != review.CaseDecided || c.Approval != nil {
		t.Errorf("got %+v, %v", c, err)
	}
	payload, err := w.desk.PrepareApproval(t.Context(), "bilal", one.Ordinal, true, "looked again")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.desk.Approve(t.Context(), "bilal", w.sign("bilal", payload)); err != nil {
		t.Fatal(err)
	}
	if rep := w.run(r); rep.Sent != 1 {
		t.Fatalf("got %+v", rep)
	}
	c, err := r.Withdraw(t.Context(), "bilal", "n2", "it was wrong (simulated)")
	if err != nil || c.NoticeKind != notice.KindWithdrawal || c.Status != notice.Sent || w.mail.count() != 2 {
		t.Fatalf("%d messages; %+v, %v", w.mail.count(), c, err)
	}
	if text := w.text(1); !strings.HasPrefix(text, "Withdrawal ") || !strings.Contains(text, "it was wrong") {
		t.Errorf("got\n%s", text)
	}
	if n := w.state(r, "n2"); n.Status != notice.Corrected || !n.Corrections[0].Withdrawal {
		t.Errorf("got %+v", n)
	}
	w.sound()
}

func TestOpenNoticeIsNotRepeated(t *testing.T) {
	w := newWorld(t)
	post := w.target("one", "telegram", "11")
	w.approved(post, "high")
	r := w.reporter(w.options())
	w.run(r)
	// The post is edited, and its new version is decided in a case of its own.
	account := evidence.Account("telegram", "channel", "11")
	at := evidence.At(w.clock())
	w.put(account.Post(4), &evidence.PostSeen{Method: "mtproto", Vantage: "v", Observed: evidence.Span{From: at, To: at}, ClaimedAt: at, Text: "It asks for donations again (simulated)."})
	w.approved(post, "high")
	if rep := w.run(r); rep.Drafted != 0 || len(rep.Blocked) != 1 || !strings.Contains(rep.Blocked[0].Reason, "notice n1 is open") {
		t.Fatalf("got %+v", rep)
	}
	if _, err := r.Answer(t.Context(), "ana", "n1", evidence.NoticeAnswered{Outcome: evidence.AnswerDuplicate}); err != nil {
		t.Fatal(err)
	}
	if rep := w.run(r); rep.Drafted != 0 {
		t.Errorf("a duplicate closed the notice: %+v", rep)
	}
	if _, err := r.Answer(t.Context(), "ana", "n1", evidence.NoticeAnswered{Outcome: evidence.AnswerRemoved}); err != nil {
		t.Fatal(err)
	}
	if rep := w.run(r); rep.Sent != 1 || w.mail.count() != 2 {
		t.Errorf("got %+v", rep)
	}
}

func TestRefusalsLowerTheCap(t *testing.T) {
	w := newWorld(t)
	o := w.options()
	route := w.route()
	route.DailyCap = 4
	o.Routes["telegram"], o.MaxCases = route, 1
	r := w.reporter(o)
	// A day each: six notices, of which four are refused.
	for i, outcome := range []string{"refused", "refused", "removed", "refused", "restricted", "refused"} {
		w.approved(w.target(fmt.Sprintf("t%d", i), "telegram", num(100+i)), "low")
		rep := w.run(r)
		if rep.Sent != 1 {
			t.Fatalf("got %+v", rep)
		}
		ground := ""
		if outcome == "refused" {
			ground = "no violation"
		}
		if _, err := r.Answer(t.Context(), "ana", rep.Notices[0], evidence.NoticeAnswered{Outcome: outcome, Ground: ground}); err != nil {
			t.Fatal(err)
		}
		w.pass(25 * time.Hour)
	}
	for i := range 3 {
		w.approved(w.target(fmt.Sprintf("u%d", i), "telegram", num(200+i)), "low")
	}
	w.run(r)
	rep := w.run(r) // floor(4 · 2/6) = 1 a day
	if w.mail.count() != 7 || len(rep.Blocked) != 2 || !strings.Contains(rep.Blocked[1].Reason, "lowered from 4 because 4 of 6 answers") {
		t.Errorf("%d messages, %+v", w.mail.count(), rep)
	}
	w.pass(91 * 24 * time.Hour) // the refusals are forgotten
	w.run(r)
	if w.run(r); w.mail.count() != 9 {
		t.Errorf("%d messages after 91 days, want 9", w.mail.count())
	}
}

func TestClockSetBackSendsNothingAgain(t *testing.T) {
	w := newWorld(t)
	one := w.approved(w.target("one", "telegram", "11"), "high")
	o := w.options()
	route := w.route()
	route.DailyCap = 1
	o.Routes["telegram"] = route
	r := w.reporter(o)
	w.run(r)
	if _, err := r.Correct(t.Context(), "ana", "n1", one.Account, "wrong (simulated)"); err != nil {
		t.Fatal(err)
	}
	for _, back := range []time.Duration{time.Minute, 24 * time.Hour, 400 * 24 * time.Hour} {
		w.pass(-back)
		w.run(r)
		if w.mail.count() != 2 {
			t.Fatalf("%d messages after the clock went back by %s", w.mail.count(), back)
		}
	}
	w.approved(w.target("two", "telegram", "22"), "high")
	if rep := w.run(r); rep.Drafted != 0 {
		t.Errorf("a clock set back renews the day's cap: %+v", rep)
	}
	w.sound()
}
