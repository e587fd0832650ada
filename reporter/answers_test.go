package reporter_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"golang.org/x/crypto/ssh"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter"
	"github.com/muhafiz/muhafiz/reporter/delivery"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

func (w *world) wants(err error, code review.Code, what string) {
	w.t.Helper()
	if review.CodeOf(err) != code {
		w.t.Errorf("%s: got %v, want a refusal %s", what, err, code)
	}
}

// text returns the words of the i-th message in the mailbox.
func (w *world) text(i int) string {
	w.t.Helper()
	w.mail.mu.Lock()
	defer w.mail.mu.Unlock()
	if i >= len(w.mail.got) {
		w.t.Fatalf("only %d messages came", len(w.mail.got))
	}
	s, err := delivery.Text(w.mail.got[i])
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func TestSingleStateWaitsForASenior(t *testing.T) {
	w := newWorld(t)
	w.approved(w.target("many", "telegram", "11"), "low")
	w.authority = "Pakistan (simulated)"
	w.approved(w.target("one", "telegram", "22"), "high")
	r := w.reporter(w.options())
	rep := w.run(r)
	if rep.Drafted != 2 || rep.Sent != 1 || len(rep.Blocked) != 1 || !strings.Contains(rep.Blocked[0].Reason, "Pakistan alone") {
		t.Fatalf("got %+v", rep)
	}
	o := rep.Blocked[0].Notice
	if n := w.state(r, o); n.Status != notice.Drafted || n.Senior == "" || len(n.Cases) != 1 {
		t.Fatalf("got %+v", n)
	}
	for _, person := range []string{"ana", "bilal", "audrey"} {
		_, err := r.PrepareApproval(t.Context(), person, o, "")
		w.wants(err, review.Role, person)
	}
	_, err := r.PrepareApproval(t.Context(), "sana", "n1", "")
	if o == "n1" {
		_, err = r.PrepareApproval(t.Context(), "sana", "n2", "")
	}
	w.wants(err, review.WrongNotice, "a notice that needs nobody")
	payload, err := r.PrepareApproval(t.Context(), "sana", o, "read (simulated)")
	if err != nil {
		t.Fatal(err)
	}
	w.forgeries(r, payload)
	w.run(r)
	if w.mail.count() != 1 {
		t.Fatal("a notice left without a senior")
	}
	good := w.sign("sana", payload)
	if n, err := r.Approve(t.Context(), "sana", good); err != nil || n.Approved == nil || n.Approved.Person != "sana" {
		t.Fatalf("got %+v, %v", n, err)
	}
	_, err = r.Approve(t.Context(), "sana", good)
	w.wants(err, review.WrongNotice, "the same signature twice")
	if rep := w.run(r); rep.Sent != 1 || w.mail.count() != 2 {
		t.Errorf("got %+v", rep)
	}
	_, err = r.Approve(t.Context(), "sana", good)
	w.wants(err, review.WrongNotice, "the signature once more, after it left")
	w.sound()
}

// forgeries hands in everything but sana's own signature over the statement.
func (w *world) forgeries(r *reporter.Reporter, payload string) {
	w.t.Helper()
	approve := func(person, payload, key string) error {
		s := w.sign(key, payload)
		_, err := r.Approve(w.t.Context(), person, s)
		return err
	}
	w.wants(approve("sana", payload, "bilal"), review.WrongKey, "another person's key")
	w.wants(approve("bilal", payload, "bilal"), review.WrongPerson, "another person's statement")
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	if w.keys["stranger"], err = ssh.NewSignerFromKey(priv); err != nil {
		w.t.Fatal(err)
	}
	w.wants(approve("sana", payload, "stranger"), review.UnknownKey, "a key of nobody")
	s := w.sign("sana", payload)
	s.Payload = strings.Replace(payload, "read (simulated)", "never read", 1)
	_, err = r.Approve(w.t.Context(), "sana", s)
	w.wants(err, review.BadSignature, "words changed after signing")
	for what, change := range map[string]func(*evidence.Statement){
		"another type":         func(st *evidence.Statement) { st.Type = evidence.StatementApproval },
		"another record":       func(st *evidence.Statement) { st.Confirms.Seq = 1 },
		"another leaf":         func(st *evidence.Statement) { st.Confirms.Leaf = evidence.Sum([]byte("x")) },
		"no record":            func(st *evidence.Statement) { st.Confirms = nil },
		"does not agree":       func(st *evidence.Statement) { st.Agree = false },
		"fields of a decision": func(st *evidence.Statement) { st.Outcome = "report" },
	} {
		st, err := review.ParseStatement(payload)
		if err != nil {
			w.t.Fatal(err)
		}
		change(&st)
		forged, err := review.EncodeStatement(st)
		if err != nil {
			w.t.Fatal(err)
		}
		w.wants(approve("sana", forged, "sana"), review.BadStatement, what)
	}
	st, err := review.ParseStatement(payload)
	if err != nil {
		w.t.Fatal(err)
	}
	st.Vault = "another"
	forged, err := review.EncodeStatement(st)
	if err != nil {
		w.t.Fatal(err)
	}
	w.wants(approve("sana", forged, "sana"), review.WrongVault, "another vault's")
}

func TestSeniorDiffersInPersonAndKey(t *testing.T) {
	w := newWorld(t)
	w.authority = "Pakistan"
	w.approved(w.target("one", "telegram", "22"), "high")
	r := w.reporter(w.options())
	w.run(r)
	set := func(id, key string) {
		pub := w.keys[key].PublicKey()
		w.put(evidence.Person(id), &evidence.PersonSet{
			Key: id, Name: "Simulated " + id, Roles: []string{"senior", "reviewer"}, Fingerprint: ssh.FingerprintSHA256(pub),
			SSHKey: strings.TrimSpace(string(ssh.MarshalAuthorizedKey(pub))),
		})
	}
	set("bilal", "bilal")
	_, err := r.PrepareApproval(t.Context(), "bilal", "n1", "")
	w.wants(err, review.SamePerson, "the approver, made senior since")
	set("sana", "bilal")
	_, err = r.PrepareApproval(t.Context(), "sana", "n1", "")
	w.wants(err, review.SameKey, "a senior with the approver's key")
}

func TestInadmissibleGroundsDoNotLeave(t *testing.T) {
	w := newWorld(t)
	w.authority = "Pakistan"
	w.approved(w.target("one", "telegram", "22"), "high")
	o := w.options()
	route := w.route()
	route.Kind = "dsa-art16"
	o.Routes["telegram"] = route
	r := w.reporter(o)
	if rep := w.run(r); rep.Drafted != 0 || len(rep.Blocked) != 1 || !strings.Contains(rep.Blocked[0].Reason, "Union or member-state law") {
		t.Fatalf("got %+v", rep)
	}
	route.Kind = "preservation"
	o.Routes["telegram"] = route
	if _, err := reporter.New(o); err == nil || !strings.Contains(err.Error(), "voluntary-preservation") {
		t.Errorf("an ordinary notifier may send a preservation request: %v", err)
	}
	// What was drafted for a route that is of another kind now is drafted anew.
	route.Kind = ""
	o.Routes["telegram"] = route
	w.run(w.reporter(o))
	route.Kind = "pakistan-complaint"
	o.Routes["telegram"] = route
	r = w.reporter(o)
	if rep := w.run(r); rep.Withdrawn != 1 || rep.Drafted != 1 || rep.Sent != 0 {
		t.Errorf("got %+v", rep)
	}
	n := w.state(r, "n2")
	if n.NoticeKind != "pakistan-complaint" || len(n.Counsel) == 0 || !strings.HasPrefix(n.Counsel[0], "verify with counsel: ") {
		t.Errorf("got %+v", n)
	}
	w.sound()
}

func TestThreatToLifeLeavesAloneAndAtOnce(t *testing.T) {
	w := newWorld(t)
	w.approved(w.target("one", "telegram", "11"), "high")
	w.approved(w.target("two", "telegram", "22"), "threat-to-life")
	w.approved(w.target("three", "telegram", "33"), "threat-to-life")
	w.approved(w.target("four", "telegram", "44"), "low")
	o := w.options()
	route := w.route()
	route.DailyCap = 1
	o.Routes["telegram"] = route
	rep := w.run(w.reporter(o))
	if rep.Sent != 2 || len(rep.Blocked) != 2 {
		t.Fatalf("got %+v", rep)
	}
	for i := range 2 {
		if text := w.text(i); !strings.HasPrefix(text, "THREAT TO LIFE: ") || strings.Count(text, "\nAccount\n") != 1 {
			t.Errorf("message %d:\n%s", i, text)
		}
		if !bytes.Contains(w.mail.got[i], []byte("\r\nSubject: THREAT TO LIFE: ")) || !bytes.Contains(w.mail.got[i], []byte("\r\nImportance: high\r\n")) {
			t.Errorf("message %d does not say so in its header", i)
		}
	}
}

// machine reads the JSON twin of a notice.
func (w *world) machine(n notice.State) string {
	w.t.Helper()
	f, _, err := w.v.Blob(w.t.Context(), n.Machine.SHA256)
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}

func TestNoNameOfTheTeam(t *testing.T) {
	w := newWorld(t)
	w.approved(w.target("one", "telegram", "11"), "high")
	r := w.reporter(w.options())
	w.run(r)
	all := w.text(0) + w.machine(w.state(r, "n1")) + string(w.mail.got[0])
	for _, name := range []string{"Simulated ana", "Simulated bilal", `"ana"`, `"bilal"`, "SHA256:"} {
		if strings.Contains(all, name) {
			t.Errorf("the notice holds %q", name)
		}
	}
	w.put(evidence.Person("stated"), &evidence.PersonSet{Key: "stated", Name: "Stated", Roles: []string{"legal"}})
	w.approved(w.target("two", "telegram", "22"), "high") // its affiliation reads: stated (simulated)
	if rep := w.run(r); rep.Drafted != 0 || len(rep.Blocked) != 1 || !strings.Contains(rep.Blocked[0].Reason, "names a person of the team") {
		t.Errorf("got %+v", rep)
	}
}

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
