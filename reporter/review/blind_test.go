package review_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// told is what the first person says in a blind case; the second must find none of it. The quote is in the post as well.
func told(post evidence.Ordinal) review.DecisionInput {
	in := input(post)
	in.Affiliation, in.Comment = "AFFILIATION-AS-REVIEWED (simulated)", "COMMENT-OF-THE-FIRST (simulated)"
	in.Passages[0].Rule, in.Passages[0].Gloss, in.Passages[0].GlossBy = "RULE-BROKEN (simulated)", "GLOSS (simulated)", "machine"
	in.Passages[0].Severity = "threat-to-life"
	return in
}

// blindCase is a case that waits for its second person where review is blind.
func blindCase(t *testing.T) (*desk, evidence.Ordinal, review.Case) {
	t.Helper()
	d, post := approvedDesk(t)
	d.Blind = true
	return d, post, d.decide("ana", told(post))
}

func (d *desk) answer(person string, c evidence.Ordinal, outcome, comment string) (review.Case, error) {
	d.t.Helper()
	d.openCase(person, c)
	payload, err := d.PrepareBlindApproval(d.t.Context(), person, c, outcome, comment)
	if err != nil {
		return review.Case{}, err
	}
	return d.Approve(d.t.Context(), person, d.sign(person, payload))
}

// leaks lists what of the first person's answer is in v.
func leaks(t *testing.T, d *desk, v any) []string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, word := range []string{
		"AFFILIATION", "COMMENT", "RULE", "GLOSS", "threat-to-life", "machine", "fundraises", `:"report"`, `"exclusion"`, `"person":"ana"`,
		fingerprintOf(d, "ana"),
	} {
		if strings.Contains(string(b), word) {
			out = append(out, word)
		}
	}
	return out
}

func fingerprintOf(d *desk, person string) string {
	roster, err := d.Roster(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	for _, p := range roster {
		if p.ID == person {
			return p.Fingerprint
		}
	}
	d.t.Fatalf("%s is not on the roster", person)
	return ""
}

func TestNothingOfTheFirstAnswerIsShownBeforeTheSecond(t *testing.T) {
	d, post, c := blindCase(t)
	for _, person := range []string{"bilal", "carla", "dina"} {
		f, err := d.ShowCase(t.Context(), person, c.Ordinal)
		if err != nil {
			t.Fatal(err)
		}
		w, err := d.Queue(t.Context(), person, 10)
		if err != nil {
			t.Fatal(err)
		}
		left, err := d.Redress(t.Context(), person, "demo")
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range map[string]any{"case": f, "queue": w, "redress": left.Cases} {
			if found := leaks(t, d, v); len(found) > 0 {
				t.Errorf("%s: the %s tells %q", person, name, found)
			}
		}
		if f.Blind != "blind review: what the first person decided is shown after you have answered" || f.Decision != nil || f.Stands != "" {
			t.Errorf("got %+v", f)
		}
		if len(f.Exhibits) != 1 || !strings.Contains(f.Exhibits[0].Latest().Post.Text, "donations") || f.Target.Affiliation.Basis == "" ||
			f.Target.Organisation.Designations[0].Reference != "N.1" || len(w.Waiting) != 1 || len(left.Cases) != 1 {
			t.Errorf("exhibits, target and designations are to be seen: %+v", f)
		}
	}
	// Who decided sees their own answer, and the same words are found there.
	f, err := d.ShowCase(t.Context(), "ana", c.Ordinal)
	if err != nil || f.Blind != "" || f.Decision == nil || len(leaks(t, d, f)) < 10 {
		t.Errorf("got %q of %+v, %v", leaks(t, d, f), f, err)
	}
	// What no longer stands is said without the grounds.
	d.set("demo", "carla", "https://t.me/example_simulated", true)
	f, err = d.ShowCase(t.Context(), "bilal", c.Ordinal)
	const stands = "target demo was set anew (record 30) since case c1 was decided; the first person looks at it and decides again"
	if err != nil || f.Stands != stands || len(leaks(t, d, f)) > 0 {
		t.Errorf("got %q, %v", f.Stands, err)
	}
	_, err = d.answer("bilal", c.Ordinal, review.OutcomeReport, "")
	refused(t, err, review.ChangedSince, stands)
	if p, err := d.Show(t.Context(), "bilal", post); err != nil || len(leaks(t, d, p)) > 0 {
		t.Errorf("the post tells %q, %v", leaks(t, d, p), err)
	}
}

func TestBlindAgreementApproves(t *testing.T) {
	d, _, c := blindCase(t)
	_, err := d.PrepareBlindApproval(t.Context(), "bilal", c.Ordinal, review.OutcomeReport, "")
	refused(t, err, review.NotOpened, "")
	d.enlist("ana", "reviewer", d.keys["ana"], false)
	_, err = d.answer("ana", c.Ordinal, review.OutcomeReport, "")
	refused(t, err, review.SamePerson, "")
	_, err = d.answer("bilal", c.Ordinal, "", "")
	refused(t, err, review.Incomplete, `the outcome is ""; it is report or no_action`)
	payload, err := d.PrepareBlindApproval(t.Context(), "bilal", c.Ordinal, review.OutcomeReport, "looked at it")
	if err != nil {
		t.Fatal(err)
	}
	st, err := review.ParseStatement(payload)
	if err != nil || !st.Blind || st.Agree || st.Outcome != review.OutcomeReport || *st.Confirms != c.Decision.RecordRef || st.Type != evidence.StatementApproval {
		t.Errorf("got %+v, %v", st, err)
	}
	both := st
	both.Agree = true
	forged, err := review.EncodeStatement(both)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Approve(t.Context(), "bilal", d.sign("bilal", forged))
	refused(t, err, review.BadStatement, "the statement holds fields of another type; prepare it again")
	signed := d.sign("bilal", payload)
	c, err = d.Approve(t.Context(), "bilal", signed)
	if err != nil || c.Status != review.CaseApproved || !c.Approval.Agree || c.Approval.Outcome != review.OutcomeReport || c.Decision.Severity != "threat-to-life" {
		t.Fatalf("got %+v, %v", c, err)
	}
	_, err = d.Approve(t.Context(), "bilal", signed)
	refused(t, err, review.Conflict, "case c1 is already approved, by bilal; nothing more was recorded")
	f, err := d.ShowCase(t.Context(), "bilal", c.Ordinal)
	if err != nil || f.Blind != "" || f.Decision == nil || !f.Approval.Agrees(*f.Decision) {
		t.Errorf("got %+v, %v", f, err)
	}
	d.sound()
}

func TestBlindDisagreementGoesToAThird(t *testing.T) {
	d, _, c := blindCase(t)
	_, err := d.answer("bilal", c.Ordinal, review.OutcomeNoAction, "")
	refused(t, err, review.Incomplete, "say in a comment why nothing is to be done")
	c, err = d.answer("bilal", c.Ordinal, review.OutcomeNoAction, "a bland text (simulated)")
	if err != nil || c.Status != review.CaseRejected || c.Approval.Agree || c.Approval.Outcome != review.OutcomeNoAction {
		t.Fatalf("got %+v, %v", c, err)
	}
	f, err := d.ShowCase(t.Context(), "carla", c.Ordinal)
	if err != nil || f.Decision == nil || f.Approval == nil || f.Approval.Agrees(*f.Decision) {
		t.Errorf("the third person sees everything: %+v, %v", f, err)
	}
	c, err = d.adjudicate("carla", c.Ordinal, true, "the quote speaks for itself")
	if err != nil || c.Status != review.CaseApproved || c.Refused.Person != "bilal" || c.Approval.Person != "carla" {
		t.Errorf("got %+v, %v", c, err)
	}
	d.sound()
}

func TestAnAnswerHasTheFormThatReviewHas(t *testing.T) {
	d, post, c := blindCase(t)
	const takes = "review is blind here, so case c1 takes an outcome of your own: muhafiz review approve c1 --outcome report, or --outcome no_action with --comment"
	for _, blind := range []bool{true, false} { // a case that was decided blind stays so
		d.Blind = blind
		_, err := d.approve("bilal", c.Ordinal, true)
		refused(t, err, review.Incomplete, takes)
		_, err = d.approve("bilal", c.Ordinal, false)
		refused(t, err, review.Incomplete, takes)
		f, err := d.ShowCase(t.Context(), "bilal", c.Ordinal)
		if err != nil || len(leaks(t, d, f)) > 0 {
			t.Errorf("blind %t: the case tells %q, %v", blind, leaks(t, d, f), err)
		}
	}
	payload, err := d.PrepareDecision(t.Context(), "ana", told(post))
	if err != nil {
		t.Fatal(err)
	}
	d.Blind = true
	_, err = d.Decide(t.Context(), "ana", d.sign("ana", payload))
	refused(t, err, review.BadStatement, "review became blind, or ceased to be, since the decision was prepared; prepare it again")
	d.Blind = false
	if _, err := d.Decide(t.Context(), "ana", d.sign("ana", payload)); err != nil {
		t.Fatal(err)
	}
	d.open("bilal", post)
	_, err = d.PrepareBlindApproval(t.Context(), "bilal", c.Ordinal, review.OutcomeReport, "")
	refused(t, err, review.BadStatement, "review is not blind here: leave --outcome out; agree with the decision on case c1, or refuse it with --refuse and --comment")
	if payload, err = d.PrepareApproval(t.Context(), "bilal", c.Ordinal, true, ""); err != nil {
		t.Fatal(err)
	}
	d.Blind = true
	_, err = d.Approve(t.Context(), "bilal", d.sign("bilal", payload))
	refused(t, err, review.Incomplete, takes)
	if d.count(evidence.KindApproval) != 0 {
		t.Error("something was recorded")
	}
}

// none is what the first person says who comes to no action.
func none(post evidence.Ordinal) review.DecisionInput {
	in := told(post)
	in.Outcome = review.OutcomeNoAction
	return in
}

func TestBlindNoActionWaitsForASecondPerson(t *testing.T) {
	for name, c := range map[string]struct {
		answer, third string
		want          string
	}{
		"both see nothing":             {review.OutcomeNoAction, "", review.CaseClosed},
		"the third sees nothing":       {review.OutcomeReport, "agree", review.CaseClosed},
		"the third would report it":    {review.OutcomeReport, "refuse", review.CaseOpen},
		"nobody has settled it so far": {review.OutcomeReport, "", review.CaseRejected},
	} {
		t.Run(name, func(t *testing.T) {
			d, post := approvedDesk(t)
			d.Blind = true
			k := d.decide("ana", none(post))
			if k.Status != review.CaseDecided {
				t.Fatalf("got %+v", k)
			}
			k, err := d.answer("bilal", k.Ordinal, c.answer, "as I see it (simulated)")
			if err != nil {
				t.Fatal(err)
			}
			if c.third != "" {
				d.openCase("carla", k.Ordinal)
				if k, err = d.adjudicate("carla", k.Ordinal, c.third == "agree", "as I see it (simulated)"); err != nil {
					t.Fatal(err)
				}
			}
			if k.Status != c.want {
				t.Errorf("got %s, want %s", k.Status, c.want)
			}
			w, err := d.Queue(t.Context(), "ana", 10)
			if closed := c.want == review.CaseClosed; err != nil || closed != (len(w.Posts) == 0) || closed != (len(w.Open) == 0) {
				t.Errorf("got %+v, %v", w, err)
			}
			if c.want == review.CaseOpen { // whoever would report it says what, and a second person answers for that
				k = d.decide("carla", told(post))
				if k, err = d.answer("bilal", k.Ordinal, review.OutcomeReport, ""); err != nil || k.Ordinal != "c1" || k.Status != review.CaseApproved {
					t.Errorf("got %+v, %v", k, err)
				}
			}
			d.sound()
		})
	}
}

// TestNoRefusalTellsTheFirstOutcome asks everything that a second person can ask, in a vault where the first came to a report and in one
// where they came to no action: every answer is the same, whatever became of the world meanwhile.
func TestNoRefusalTellsTheFirstOutcome(t *testing.T) {
	changes := map[string]func(*desk, evidence.Ordinal){
		"nothing":  func(*desk, evidence.Ordinal) {},
		"set anew": func(d *desk, _ evidence.Ordinal) { d.set("demo", "carla", "https://t.me/example_simulated", true) },
		"not to be reported": func(d *desk, _ evidence.Ordinal) {
			d.set("demo", "carla", "https://t.me/example_simulated", false)
		},
		"suspended": func(d *desk, _ evidence.Ordinal) {
			if err := d.Suspend(d.t.Context(), "carla", "demo", "in doubt (simulated)"); err != nil {
				d.t.Fatal(err)
			}
		},
		"edited": func(d *desk, _ evidence.Ordinal) {
			d.post("1234", 4, "A newer bland text asks for donations (simulated)")
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			var got [2][]string
			for i, first := range []func(evidence.Ordinal) review.DecisionInput{told, none} {
				d, post := approvedDesk(t)
				d.Blind = true
				c := d.decide("ana", first(post))
				change(d, post)
				got[i] = d.probe("bilal", c.Ordinal)
			}
			if diff := cmp.Diff(got[0], got[1]); diff != "" {
				t.Errorf("the first outcome can be told (-report +no action):\n%s", diff)
			}
		})
	}
}

// probe returns what one person is told in answer to everything that they can ask about a case, before and after they looked at it.
func (d *desk) probe(person string, c evidence.Ordinal) []string {
	d.t.Helper()
	var out []string
	say := func(what string, v any, err error) {
		b, jerr := json.Marshal(v)
		if jerr != nil {
			d.t.Fatal(jerr)
		}
		out = append(out, fmt.Sprint(what, " ", varies.ReplaceAllString(string(b), "…"), " ", err))
	}
	for range 2 {
		for _, outcome := range []string{review.OutcomeReport, review.OutcomeNoAction, ""} {
			for _, comment := range []string{"", "because (simulated)"} {
				payload, err := d.PrepareBlindApproval(d.t.Context(), person, c, outcome, comment)
				say("prepare "+outcome, payload, err)
			}
		}
		for _, agree := range []bool{true, false} {
			payload, err := d.PrepareApproval(d.t.Context(), person, c, agree, "why")
			say("plain", payload, err)
			payload, err = d.PrepareAdjudication(d.t.Context(), "carla", c, agree, "why")
			say("third", payload, err)
		}
		f, err := d.ShowCase(d.t.Context(), person, c)
		say("case", f, err)
		w, err := d.Queue(d.t.Context(), "ana", 10) // in the first person's name
		say("queue", w, err)
		all, err := d.CasesInSight(d.t.Context())
		say("cases", all, err)
		left, err := d.Redress(d.t.Context(), "ana", "demo")
		say("redress", left, err)
		post, err := d.Show(d.t.Context(), person, "a1/4")
		say("post", post, err)
	}
	return out
}

// varies is what differs between any two vaults: digests, their ids, those of acquisitions and people, and the clock.
var varies = regexp.MustCompile(`"u[0-9]"|20[0-9-]{8}T[0-9:.]+Z|[0-9a-zA-Z+/_-]{20,}=*|[0-9a-f]{8,}`)

func TestAgreesIsNeverByChance(t *testing.T) {
	e := []evidence.Exhibit{{Number: 1, Post: "a1/4", RecordRef: evidence.RecordRef{Seq: 7}}}
	other := []evidence.Exhibit{{Number: 1, Post: "a1/4", RecordRef: evidence.RecordRef{Seq: 9}}}
	decision := evidence.Statement{Outcome: "report", Exhibits: e}
	for name, c := range map[string]struct {
		word evidence.Statement
		want bool
	}{
		"plain yes":       {evidence.Statement{Agree: true}, true},
		"plain no":        {evidence.Statement{Outcome: "report", Exhibits: e}, false},
		"same":            {evidence.Statement{Blind: true, Outcome: "report", Exhibits: e}, true},
		"other outcome":   {evidence.Statement{Blind: true, Outcome: "no_action", Exhibits: e}, false},
		"other exhibits":  {evidence.Statement{Blind: true, Outcome: "report", Exhibits: other}, false},
		"says yes, blind": {evidence.Statement{Blind: true, Agree: true, Exhibits: e}, false},
	} {
		if got := c.word.Agrees(decision); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
	if (evidence.Statement{Blind: true}).Agrees(evidence.Statement{}) {
		t.Error("nothing agrees with nothing")
	}
}

// sound rebuilds every view from the log and compares.
func (d *desk) sound() {
	d.t.Helper()
	path := d.vault.Path()
	if err := d.vault.Close(); err != nil {
		d.t.Fatal(err)
	}
	rep, err := vault.Fsck(d.t.Context(), path, vault.FsckOptions{Views: review.Views()})
	if err != nil || len(rep.Problems) > 0 || len(rep.Views) != len(review.Views()) {
		d.t.Errorf("fsck: %v, %v, %+v", err, rep.Problems, rep.Views)
	}
}
