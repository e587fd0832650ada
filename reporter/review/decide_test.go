package review_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/hiddeco/sshsig"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

func TestTwoPeopleMakeAnApprovedCase(t *testing.T) {
	d, post := approvedDesk(t)
	c := d.decide("ana", input(post))
	if c.Status != review.CaseDecided || c.Decision.Severity != "high" || c.Decision.Exhibits[0].Post != post {
		t.Fatalf("got %+v", c)
	}
	c, err := d.approve("bilal", c.Ordinal, true)
	if err != nil {
		t.Fatal(err)
	}
	if c.Status != review.CaseApproved || c.Approval.Person != "bilal" || c.Decision.Person != "ana" {
		t.Errorf("got %+v", c)
	}
	w, err := d.Queue(t.Context(), "ana", 10)
	if err != nil || len(w.Posts)+len(w.Waiting)+len(w.Open) != 0 {
		t.Errorf("queue is %+v, %v; want nothing", w, err)
	}
	_, err = d.PrepareDecision(t.Context(), "ana", input(post))
	refused(t, err, review.AlreadyDecided, "post a1/4 is an exhibit of case c1, which is approved; it is not reported twice")
}

func TestUnknownKeyIsRefused(t *testing.T) {
	d, post := approvedDesk(t)
	payload := d.prepare("ana", input(post))
	stranger := newKey(t)
	s, err := review.Sign(payload, stranger)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Decide(t.Context(), "ana", s)
	refused(t, err, review.UnknownKey, "")
	if !strings.HasPrefix(err.Error(), "the key SHA256:") || !strings.HasSuffix(err.Error(),
		" is not on the roster; sign with the key that the roster holds for ana, or have the new one added") {
		t.Error(err)
	}
	_, err = d.Decide(t.Context(), "ana", d.sign("bilal", payload))
	refused(t, err, review.WrongKey, "this was signed with the key of bilal and not with that of ana; each person signs with their own")
	if n := d.count(evidence.KindDecision); n != 0 {
		t.Errorf("%d decisions were recorded", n)
	}
}

func TestSamePersonTwiceIsRefused(t *testing.T) {
	d, post := approvedDesk(t)
	c := d.decide("bilal", input(post))
	_, err := d.approve("bilal", c.Ordinal, true)
	const sentence = "bilal decided case c1, so a second person must approve it"
	refused(t, err, review.SamePerson, sentence)
	// A client of his own making is refused by the same words.
	d.openCase("carla", c.Ordinal)
	payload, err := d.PrepareApproval(t.Context(), "carla", c.Ordinal, true, "")
	if err != nil {
		t.Fatal(err)
	}
	st, err := review.ParseStatement(payload)
	if err != nil {
		t.Fatal(err)
	}
	st.Person, st.Fingerprint = "bilal", c.Decision.Fingerprint
	payload, err = review.EncodeStatement(st)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Approve(t.Context(), "bilal", d.sign("bilal", payload))
	refused(t, err, review.SamePerson, sentence)
}

func TestSameKeyUnderTwoNamesIsRefused(t *testing.T) {
	d, post := approvedDesk(t)
	d.keys["bilal"] = d.keys["ana"]
	d.enlist("bilal", "reviewer", d.keys["ana"], false)
	c := d.decide("ana", input(post))
	_, err := d.approve("bilal", c.Ordinal, true)
	refused(t, err, review.SameKey, "case c1 was decided with this very key; the second person signs with their own")
}

func TestChangedExhibitIsRefused(t *testing.T) {
	d, post := approvedDesk(t)
	payload := d.prepare("ana", input(post))
	d.post("1234", 4, "Another bland text asks for donations (simulated)")
	newer := d.vault.Size() - 1
	want := "post a1/4 has a newer version (record " + seq(newer) + ") than the one that was decided on; look at it and decide again"
	_, err := d.Decide(t.Context(), "ana", d.sign("ana", payload))
	refused(t, err, review.ChangedSince, want)

	c := d.decide("ana", input(post))
	d.openCase("bilal", c.Ordinal)
	payload, err = d.PrepareApproval(t.Context(), "bilal", c.Ordinal, true, "")
	if err != nil {
		t.Fatal(err)
	}
	d.post("1234", 4, "A third bland text asks for donations (simulated)")
	want = strings.Replace(want, seq(newer), seq(d.vault.Size()-1), 1)
	_, err = d.Approve(t.Context(), "bilal", d.sign("bilal", payload))
	refused(t, err, review.ChangedSince, want)
	_, err = d.approve("bilal", c.Ordinal, true)
	refused(t, err, review.ChangedSince, want)

	again := d.decide("ana", input(post))
	if again.Ordinal != c.Ordinal {
		t.Errorf("decided again in %s, want %s", again.Ordinal, c.Ordinal)
	}
	if _, err := d.approve("bilal", c.Ordinal, true); err != nil {
		t.Error(err)
	}
}

func TestRacingApprovalsEndInOne(t *testing.T) {
	d, post := approvedDesk(t)
	c := d.decide("ana", input(post))
	var signed []evidence.Signed
	people := []string{"bilal", "carla"}
	for _, p := range people {
		d.openCase(p, c.Ordinal)
		payload, err := d.PrepareApproval(t.Context(), p, c.Ordinal, true, "")
		if err != nil {
			t.Fatal(err)
		}
		signed = append(signed, d.sign(p, payload))
	}
	errs := make([]error, len(people))
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i, p := range people {
		wg.Go(func() { <-start; _, errs[i] = d.Approve(t.Context(), p, signed[i]) })
	}
	close(start)
	wg.Wait()
	lost, won := errs[0], "carla"
	if errs[0] == nil {
		lost, won = errs[1], "bilal"
	}
	if (errs[0] == nil) == (errs[1] == nil) || d.count(evidence.KindApproval) != 1 {
		t.Fatalf("got %v and %d approvals, want one of each", errs, d.count(evidence.KindApproval))
	}
	refused(t, lost, review.Conflict, "")
	if s := lost.Error(); s != "somebody else acted on case c1 at the same moment; look at it again" &&
		s != "case c1 is already approved, by "+won+"; nothing more was recorded" {
		t.Error(s)
	}
}

func TestRacingApprovalsMeetInTheVault(t *testing.T) {
	d, post := approvedDesk(t)
	c := d.decide("ana", input(post))
	d.openCase("carla", c.Ordinal)
	late, err := d.PrepareApproval(t.Context(), "carla", c.Ordinal, true, "")
	if err != nil {
		t.Fatal(err)
	}
	// The other one commits after carla's checks and before her batch.
	slow := &review.Desk{Log: &overtaken{Log: d.vault, first: func() {
		if _, err := d.approve("bilal", c.Ordinal, true); err != nil {
			t.Error(err)
		}
	}}, Now: d.Now}
	_, err = slow.Approve(t.Context(), "carla", d.sign("carla", late))
	refused(t, err, review.Conflict, "somebody else acted on case c1 at the same moment; look at it again")
	if n := d.count(evidence.KindApproval); n != 1 {
		t.Errorf("%d approvals", n)
	}
}

func TestRejectedCaseIsDecidedAgain(t *testing.T) {
	d, post := approvedDesk(t)
	c := d.decide("ana", input(post))
	c, err := d.approve("bilal", c.Ordinal, false)
	if err != nil || c.Status != review.CaseRejected {
		t.Fatalf("got %+v, %v", c, err)
	}
	w, err := d.Queue(t.Context(), "ana", 10)
	if err != nil || len(w.Posts) != 1 || len(w.Open) != 1 {
		t.Fatalf("got %+v, %v", w, err)
	}
	if again := d.decide("ana", input(post)); again.Ordinal != c.Ordinal || again.Status != review.CaseDecided {
		t.Errorf("got %+v", again)
	}
}

func TestDecisionsThatAreRefused(t *testing.T) {
	d, post := approvedDesk(t)
	other := d.post("1234", 5, "", evidence.Media{ID: "photo 1", Type: "photo"})
	d.post("77", 1, "of an account that nobody watches")
	for name, c := range map[string]struct {
		change func(*review.DecisionInput)
		code   review.Code
	}{
		"quote not in the text":  {func(in *review.DecisionInput) { in.Passages[0].Quote = "asks for help" }, review.QuoteMissing},
		"no quote":               {func(in *review.DecisionInput) { in.Passages[0].Quote = " " }, review.QuoteMissing},
		"description, no media":  {func(in *review.DecisionInput) { in.Passages[0].Quote = "[a photo]" }, review.QuoteMissing},
		"exclusion unanswered":   {func(in *review.DecisionInput) { in.Passages[0].Exclusion = "" }, review.Exclusion},
		"exclusion applies":      {func(in *review.DecisionInput) { in.Passages[0].Exclusion = "journalism" }, review.Exclusion},
		"no rule":                {func(in *review.DecisionInput) { in.Passages[0].Rule = "" }, review.Incomplete},
		"severity of its own":    {func(in *review.DecisionInput) { in.Passages[0].Severity = "extreme" }, review.Incomplete},
		"gloss by nobody":        {func(in *review.DecisionInput) { in.Passages[0].Gloss = "x" }, review.Incomplete},
		"passage of nothing":     {func(in *review.DecisionInput) { in.Passages[0].Exhibit = 2 }, review.Incomplete},
		"no passage":             {func(in *review.DecisionInput) { in.Passages = nil }, review.Incomplete},
		"no affiliation":         {func(in *review.DecisionInput) { in.Affiliation = "" }, review.Incomplete},
		"no language":            {func(in *review.DecisionInput) { in.Languages = nil }, review.Incomplete},
		"no outcome":             {func(in *review.DecisionInput) { in.Outcome = "" }, review.Incomplete},
		"nothing to do, no why":  {func(in *review.DecisionInput) { in.Outcome, in.Passages = "no_action", nil }, review.Incomplete},
		"no post":                {func(in *review.DecisionInput) { in.Posts = nil }, review.Incomplete},
		"twice":                  {func(in *review.DecisionInput) { in.Posts = append(in.Posts, post) }, review.Incomplete},
		"not a post":             {func(in *review.DecisionInput) { in.Posts = []evidence.Ordinal{"a1"} }, review.NotFound},
		"nonsense":               {func(in *review.DecisionInput) { in.Posts = []evidence.Ordinal{"a1/ü"} }, review.NotFound},
		"unknown post":           {func(in *review.DecisionInput) { in.Posts = []evidence.Ordinal{"a1/999"} }, review.NotFound},
		"two accounts":           {func(in *review.DecisionInput) { in.Posts = append(in.Posts, "a2/1") }, review.ManyAccounts},
		"account without target": {func(in *review.DecisionInput) { in.Posts = []evidence.Ordinal{"a2/1"} }, review.WrongTarget},
	} {
		t.Run(name, func(t *testing.T) {
			in := input(post)
			c.change(&in)
			_, err := d.PrepareDecision(t.Context(), "ana", in)
			refused(t, err, c.code, "")
		})
	}
	if n := d.count(evidence.KindCaseOpened); n != 0 {
		t.Errorf("refusals opened %d cases", n)
	}
	in := input(other)
	in.Passages[0].Quote = "a simulated photo of a donation box"
	d.decide("ana", in)
}

func TestWhoMayDecide(t *testing.T) {
	d, post := approvedDesk(t)
	_, err := d.PrepareDecision(t.Context(), "dina", input(post))
	refused(t, err, review.Role, "dina may not decide: that takes the role analyst or reviewer or senior")
	_, err = d.PrepareDecision(t.Context(), "eve", input(post))
	refused(t, err, review.NotOnRoster, `"eve" is not on the roster; add the person to the configuration first`)
	payload := d.prepare("ana", input(post))
	d.enlist("ana", "analyst", d.keys["ana"], true)
	_, err = d.Decide(t.Context(), "ana", d.sign("ana", payload))
	refused(t, err, review.NotOnRoster, "ana is no longer on the roster")
	c := d.decide("bilal", input(post))
	d.enlist("ana", "analyst", d.keys["ana"], false)
	_, err = d.approve("ana", c.Ordinal, true)
	refused(t, err, review.Role, "ana may not be the second person: that takes the role reviewer or senior")
}

func TestStatementsOfAnotherKind(t *testing.T) {
	d, post := approvedDesk(t)
	payload := d.prepare("ana", input(post))
	change := func(f func(*evidence.Statement)) evidence.Signed {
		st, err := review.ParseStatement(payload)
		if err != nil {
			t.Fatal(err)
		}
		f(&st)
		p, err := review.EncodeStatement(st)
		if err != nil {
			t.Fatal(err)
		}
		return d.sign("ana", p)
	}
	genuine := d.sign("ana", payload)
	flipped := genuine
	flipped.Payload = strings.Replace(flipped.Payload, `"severity":"high"`, `"severity":"lowe"`, 1)
	namespace := genuine
	sig, err := sshsig.Sign(strings.NewReader(payload), d.keys["ana"], sshsig.HashSHA256, "file@muhafiz")
	if err != nil {
		t.Fatal(err)
	}
	namespace.Signature = string(sshsig.Armor(sig))
	for name, c := range map[string]struct {
		s    evidence.Signed
		code review.Code
	}{
		"changed after signing": {flipped, review.BadSignature},
		"other namespace":       {namespace, review.BadSignature},
		"no signature":          {evidence.Signed{Payload: payload}, review.BadSignature},
		"long signature":        {evidence.Signed{Payload: payload, Signature: strings.Repeat("x", 1<<20)}, review.BadSignature},
		"other vault":           {change(func(s *evidence.Statement) { s.Vault = "elsewhere" }), review.WrongVault},
		"other person":          {change(func(s *evidence.Statement) { s.Person = "bilal" }), review.WrongPerson},
		"old key":               {change(func(s *evidence.Statement) { s.Fingerprint = "SHA256:old" }), review.WrongKey},
		"other type":            {change(func(s *evidence.Statement) { s.Type = "approval" }), review.BadStatement},
		"other case":            {change(func(s *evidence.Statement) { s.Case = "c9" }), review.WrongCase},
		"no case":               {change(func(s *evidence.Statement) { s.Case = "post/a1/4" }), review.WrongCase},
		"old version":           {change(func(s *evidence.Statement) { s.CaseVersion-- }), review.Conflict},
		"other leaf":            {change(func(s *evidence.Statement) { s.Exhibits[0].Leaf[0]++ }), review.ChangedSince},
		"record of the future":  {change(func(s *evidence.Statement) { s.Exhibits[0].Seq += 1000 }), review.ChangedSince},
		"no exhibits":           {change(func(s *evidence.Statement) { s.Exhibits = nil }), review.Incomplete},
		"numbers of its own":    {change(func(s *evidence.Statement) { s.Exhibits[0].Number = 2 }), review.BadStatement},
		"no grounds":            {change(func(s *evidence.Statement) { s.Grounds = nil }), review.Incomplete},
		"other ground":          {change(func(s *evidence.Statement) { s.Grounds.Designation.Seq++ }), review.ChangedSince},
		"mixed":                 {change(func(s *evidence.Statement) { s.Agree = true }), review.BadStatement},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.Decide(t.Context(), "ana", c.s)
			refused(t, err, c.code, "")
		})
	}
	if _, err := d.Decide(t.Context(), "ana", genuine); err != nil {
		t.Error(err)
	}
	_, err = d.Decide(t.Context(), "ana", genuine)
	refused(t, err, review.Conflict, "")
}

func TestTwoWhoPrepareAtOnceShareTheCase(t *testing.T) {
	d, post := approvedDesk(t)
	other := d.post("1234", 5, "also asks for donations (simulated)")
	slow := &review.Desk{Log: &overtaken{Log: d.vault, first: func() { d.prepare("ana", input(post)) }}, Now: d.Now}
	d.open("bilal", other)
	payload, err := slow.PrepareDecision(t.Context(), "bilal", input(other))
	if err != nil {
		t.Fatal(err)
	}
	if n := d.count(evidence.KindCaseOpened); n != 1 {
		t.Errorf("%d cases were opened", n)
	}
	d.decide("ana", input(post))
	_, err = d.Decide(t.Context(), "bilal", d.sign("bilal", payload))
	refused(t, err, review.Conflict, "")
}

// A quote may repeat what a post says of a private person, so the decision is as private as its exhibits.
func TestADecisionIsAsPrivateAsItsExhibits(t *testing.T) {
	d, plain := approvedDesk(t)
	for _, want := range []bool{false, true} {
		post := plain
		if want {
			at := evidence.At(d.now)
			post = d.put(evidence.Source("test"), account("1234").Post(5), &evidence.PostSeen{
				Method: evidence.MethodMTProto, Vantage: "v", Observed: evidence.Span{From: at, To: at},
				Text: "Simulated person asks for donations", NamesAPerson: true,
			}).Subject
		}
		c := d.decide("ana", input(post))
		r, err := d.Log.Record(t.Context(), c.Decision.Seq)
		if err != nil {
			t.Fatal(err)
		}
		b, err := evidence.Decode[*evidence.Decision](r)
		if err != nil || b.NamesPerson() != want {
			t.Errorf("private is %v, want %v, %v", b.NamesPerson(), want, err)
		}
		if !want {
			if _, err := d.approve("bilal", c.Ordinal, true); err != nil {
				t.Fatal(err)
			}
		}
	}
}
