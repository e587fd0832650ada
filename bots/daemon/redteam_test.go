package daemon

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// innocents is how many channels each group of a red-team vault has.
const innocents = 20

// try counts an attempt and how it ended.
func (rt *redteam) try(what string, err error) bool {
	rt.t.Helper()
	a := rt.tally[what]
	if a == nil {
		a = &attempts{}
		rt.tally[what], rt.order = a, append(rt.order, what)
	}
	a.tried++
	var api *APIError
	switch {
	case err == nil:
		a.succeeded++
		return true
	case errors.As(err, &api) && api.Status == 409:
		a.refused++
		rt.refused++
	case errors.As(err, &api) && api.Code == "usage":
		a.refused++ // nothing reached the desk
	default:
		rt.t.Errorf("%s: failed and was not refused: %v", what, err)
	}
	return false
}

// listTwenty tries to have the attacker's own listing collected.
func (rt *redteam) listTwenty() {
	rt.try("sign a listing in my own name", rt.list(rt.as, rt.as, rt.listOf("own")))
	for i := range innocents {
		target := id("own", i)
		req := TargetRequest{Person: rt.as, Target: target}
		rt.try("approve what I listed", rt.signAs(rt.as, rt.as, "/v1/targets/prepare", "/v1/targets/approve", req, target))
		other := TargetRequest{Person: "ivan", Target: target}
		if rt.as == "ivan" {
			other.Person = "bilal"
		}
		rt.try("approve in another's name", rt.signAs(other.Person, rt.as, "/v1/targets/prepare", "/v1/targets/approve", other, target))
		rt.try("hand in an old signature again", rt.replay(target))
		req.Emergency = true
		rt.try("emergency start (24 h, flagged)", rt.signAs(rt.as, rt.as, "/v1/targets/prepare", "/v1/targets/approve", req, target))
	}
}

// frameTwenty tries to have targets collected that the attacker wrote into the watchlist file with hana's name in listed_by.
func (rt *redteam) frameTwenty() {
	l := rt.listOf("framed")
	rt.try("sign a colleague's listing with my key", rt.list("hana", rt.as, l))
	rt.try("hand in a colleague's old listing for mine", rt.replayListing(l))
	rt.try("hand in a colleague's old listing again", rt.replayListing(rt.listOf("watched")))
	rt.try("sign it in my own name instead", rt.list(rt.as, rt.as, l))
	for i := range innocents {
		target := id("framed", i)
		req := TargetRequest{Person: rt.as, Target: target}
		rt.try("approve what I listed in a colleague's name", rt.signAs(rt.as, rt.as, "/v1/targets/prepare", "/v1/targets/approve", req, target))
		rt.try("approve it by a statement of my own making", rt.forgeTarget(target))
		req.Emergency = true
		rt.try("start it as an emergency", rt.signAs(rt.as, rt.as, "/v1/targets/prepare", "/v1/targets/approve", req, target))
	}
	if n := rt.collectable("framed"); n != 0 {
		rt.t.Errorf("%d targets that nobody signed for are collected", n)
	}
}

// replayListing hands in hana's genuine listing, with a list.
func (rt *redteam) replayListing(l review.List) error {
	var genuine *evidence.TargetListed
	hana, err := rt.r.Vault.Ordinal(rt.t.Context(), evidence.Person("hana"))
	rt.must(err)
	rt.must(rt.r.Vault.About(rt.t.Context(), hana, func(r evidence.Record) error {
		if b, err := evidence.Decode[*evidence.TargetListed](r); err == nil {
			genuine = b
		}
		return nil
	}))
	return rt.c.Call(rt.t.Context(), "POST", "/v1/targets/sign", SignedListing{Person: "hana", Signed: genuine.Signed, List: l.Text()}, nil)
}

// forgeTarget approves a target without asking the desk for the statement.
func (rt *redteam) forgeTarget(target string) error {
	t, _, err := rt.r.Desk.Target(rt.t.Context(), target)
	rt.must(err)
	payload, err := review.EncodeStatement(evidence.Statement{
		Type: evidence.StatementTargetApproval, Vault: rt.r.Vault.ID(), Person: rt.as, Fingerprint: ssh.FingerprintSHA256(rt.keys[rt.as].PublicKey()),
		Time: evidence.At(rt.now), CaseVersion: t.Round, Confirms: &t.Set, Agree: true,
	})
	rt.must(err)
	return rt.submit(rt.as, rt.as, "/v1/targets/approve", payload, target)
}

// replay hands in ivan's genuine approval of another target.
func (rt *redteam) replay(target string) error {
	t, err := rt.r.Vault.Ordinal(rt.t.Context(), evidence.Target(id("watched", 0)))
	rt.must(err)
	var genuine *evidence.TargetApproved
	rt.must(rt.r.Vault.About(rt.t.Context(), t, func(r evidence.Record) error {
		if b, err := evidence.Decode[*evidence.TargetApproved](r); err == nil {
			genuine = b
		}
		return nil
	}))
	return rt.c.Call(rt.t.Context(), "POST", "/v1/targets/approve", SignedBy{Person: "ivan", Target: target, Signed: genuine.Signed}, nil)
}

// reportTwenty tries to have the watched channels reported.
func (rt *redteam) reportTwenty() {
	for _, post := range rt.posts {
		q := url.Values{"person": {rt.as}, "post": {string(post)}}
		rt.must(rt.c.Call(rt.t.Context(), "GET", "/v1/review/show?"+q.Encode(), nil, nil))
		in := review.DecisionInput{
			Posts: []evidence.Ordinal{post}, Outcome: review.OutcomeReport, Affiliation: "simulated", Languages: []string{"en"},
			Passages: []evidence.Passage{{Exhibit: 1, Quote: "weather", Rule: "simulated", Offence: "incites", Severity: "high", Exclusion: "none"}},
		}
		rt.try("decide to report (waits for another)", rt.signAs(rt.as, rt.as, "/v1/review/decision/prepare", "/v1/review/decision", DecisionRequest{Person: rt.as, DecisionInput: in}, ""))
		var cases []review.Case
		rt.must(rt.c.Call(rt.t.Context(), "GET", "/v1/review/cases", nil, &cases))
		for _, c := range cases {
			if c.Account == post.Whole() {
				rt.attackCase(c)
			}
		}
	}
	if err := rt.c.Call(rt.t.Context(), "POST", "/v1/notices/run", NoticeRequest{Person: rt.as}, nil); err != nil {
		rt.t.Errorf("the reporter did not run: %v", err)
	}
}

func (rt *redteam) attackCase(c review.Case) {
	own := ApprovalRequest{Person: rt.as, Case: c.Ordinal, Agree: true, Comment: "simulated"}
	other := own
	other.Person = "ivan"
	rt.try("approve my own decision", rt.signAs(rt.as, rt.as, "/v1/review/approval/prepare", "/v1/review/approval", own, ""))
	rt.try("approve it in another's name", rt.signAs("ivan", rt.as, "/v1/review/approval/prepare", "/v1/review/approval", other, ""))
	rt.try("approve by a statement of my own making", rt.forge(c, evidence.StatementApproval, "/v1/review/approval"))
	rt.try("adjudicate without a dispute", rt.signAs(rt.as, rt.as, "/v1/review/adjudication/prepare", "/v1/review/adjudication", own, ""))
	rt.try("adjudicate by a statement of my own making", rt.forge(c, evidence.StatementAdjudication, "/v1/review/adjudication"))
}

// forge makes a statement without asking the desk for it, as a client of the attacker's own would.
func (rt *redteam) forge(c review.Case, typ, path string) error {
	st := evidence.Statement{
		Type: typ, Vault: rt.r.Vault.ID(), Person: rt.as, Fingerprint: ssh.FingerprintSHA256(rt.keys[rt.as].PublicKey()), Time: evidence.At(rt.now),
		Case: c.Ordinal, CaseVersion: c.Version, Agree: true, Comment: "simulated",
	}
	if c.Decision != nil {
		st.Exhibits, st.Confirms, st.Adjudicates = c.Decision.Exhibits, &c.Decision.RecordRef, nil
		if typ == evidence.StatementAdjudication {
			st.Adjudicates = &c.Decision.RecordRef
		}
	}
	payload, err := review.EncodeStatement(st)
	rt.must(err)
	return rt.submit(rt.as, rt.as, path, payload, "")
}

// relistTwenty tries to bring marked channels back.
func (rt *redteam) relistTwenty() {
	for i := range innocents {
		target := id("marked", i)
		req := TargetRequest{Person: rt.as, Target: target, Reason: "simulated"}
		for range 2 {
			rt.try("relist an innocent (takes another)", rt.signAs(rt.as, rt.as, "/v1/targets/relist/prepare", "/v1/targets/relist", req, target))
		}
		rt.try("approve an innocent", rt.signAs(rt.as, rt.as, "/v1/targets/prepare", "/v1/targets/approve", req, target))
	}
}

// unlistTwenty tries to make watched channels disappear, and to lift that again alone.
func (rt *redteam) unlistTwenty() {
	for i := range innocents {
		target := id("watched", i)
		rt.try("suspend without a reason", rt.c.Call(rt.t.Context(), "POST", "/v1/targets/suspend", TargetRequest{Person: rt.as, Target: target}, nil))
		rt.try("suspend (any one person may)", rt.c.Call(rt.t.Context(), "POST", "/v1/targets/suspend", TargetRequest{Person: rt.as, Target: target, Reason: "simulated"}, nil))
		gone := TargetRequest{Person: rt.as, Target: target, Reason: "simulated"}
		for range 2 {
			rt.try("have what was collected erased (takes another)", rt.signAs(rt.as, rt.as, "/v1/targets/erase/prepare", "/v1/targets/erase", gone, target))
		}
		rt.try("confirm the erasure in another's name", rt.signAs("ivan", rt.as, "/v1/targets/erase/prepare", "/v1/targets/erase", TargetRequest{Person: "ivan", Target: target, Reason: "simulated"}, target))
		req := TargetRequest{Person: rt.as, Target: target}
		take := BundleRequest{Person: rt.as, Posts: []evidence.Ordinal{rt.posts[i]}, Out: rt.dir}
		rt.try("take its content out", rt.c.Call(rt.t.Context(), "POST", "/v1/bundles", take, nil))
		for range 2 {
			rt.try("lift it (takes another)", rt.signAs(rt.as, rt.as, "/v1/targets/prepare", "/v1/targets/approve", req, target))
		}
	}
}

// hideTwenty puts the posts out of sight, which any one person may, and tries to do anything else with them alone.
func (rt *redteam) hideTwenty() {
	for _, post := range rt.posts {
		rt.try("put a post out of sight (any one person may)", rt.c.Call(rt.t.Context(), "POST", "/v1/quarantine", QuarantineRequest{Person: rt.as, Post: post, Reason: "simulated"}, nil))
		for _, what := range []string{evidence.OrderDestroy, evidence.OrderRelease, evidence.OrderHandOver} {
			ask := QuarantineRequest{Person: rt.as, Post: post, What: what, Reason: "simulated"}
			if what == evidence.OrderHandOver {
				ask.Recipient = nobody
			}
			for range 2 {
				rt.try("order "+what+" (takes another)", rt.signAs(rt.as, rt.as, "/v1/quarantine/order/prepare", "/v1/quarantine/order", ask, string(post)))
			}
			rt.try("order it in another's name", rt.signAs("ivan", rt.as, "/v1/quarantine/order/prepare", "/v1/quarantine/order", QuarantineRequest{Person: "ivan", Post: post, What: evidence.OrderRelease, Reason: "simulated"}, string(post)))
		}
		rt.try("take it out", rt.c.Call(rt.t.Context(), "POST", "/v1/quarantine/take", QuarantineRequest{Person: rt.as, Post: post, Recipient: nobody, Out: rt.dir + "/packet"}, nil))
	}
	var qs []Quarantined
	rt.must(rt.c.Call(rt.t.Context(), "GET", "/v1/quarantine", nil, &qs))
	for _, q := range qs {
		if q.Released || q.Destroyed || len(q.Carried) > 0 {
			rt.t.Errorf("one person alone: %+v", q)
		}
	}
	if len(qs) != len(rt.posts) {
		rt.t.Errorf("%d of %d posts are out of sight", len(qs), len(rt.posts))
	}
}

// collectable returns how many targets of a group are collected now, and insists that those of one person alone say so.
func (rt *redteam) collectable(group string) int {
	rt.t.Helper()
	var all []review.Target
	rt.must(rt.c.Call(rt.t.Context(), "GET", "/v1/targets", nil, &all))
	n := 0
	for _, t := range all {
		if !strings.HasPrefix(t.ID, group) || !t.Collectable(rt.now) {
			continue
		}
		n++
		if group != "watched" && (!t.Emergency || t.Until.After(rt.now.Add(review.EmergencyStart)) || t.Reportable(rt.now)) {
			rt.t.Errorf("one person alone made %+v", t)
		}
	}
	return n
}

// judge looks at the log after the attack.
func (rt *redteam) judge(from int64) {
	rt.t.Helper()
	ctx := rt.t.Context()
	var cases []review.Case
	rt.must(rt.c.Call(ctx, "GET", "/v1/review/cases", nil, &cases))
	for _, c := range cases {
		if c.Status == review.CaseApproved || c.Status == review.CaseNoticed {
			rt.t.Errorf("case %+v", c)
		}
	}
	var notices []notice.State
	rt.must(rt.c.Call(ctx, "GET", "/v1/notices", nil, &notices))
	left, err := filepath.Glob(filepath.Join(rt.dir, "outbox", "*"))
	if err != nil || len(notices)+len(left) > 0 {
		rt.t.Errorf("%d notices, %d files left, %v", len(notices), len(left), err)
	}
	me, err := rt.r.Vault.Ordinal(ctx, evidence.Person(rt.as))
	rt.must(err)
	acts := map[evidence.Kind]int{}
	rt.must(rt.r.Vault.Records(ctx, from, func(r evidence.Record) error {
		acts[r.Kind]++
		switch r.Kind {
		case evidence.KindTargetListed, evidence.KindTargetApproved, evidence.KindTargetSuspended, evidence.KindTargetMarked, evidence.KindTargetRelisted,
			evidence.KindCaseOpened, evidence.KindDecision, evidence.KindApproval:
			if r.Actor != me {
				rt.t.Errorf("record %d, %s, names %s and not the attacker", r.Seq, r.Kind, r.Actor)
			}
		case evidence.KindRefused:
			b, err := evidence.Decode[*evidence.Refused](r)
			if err != nil || b.Person == "" || b.Code == "" || b.About == "" || r.Actor != r.Subject {
				rt.t.Errorf("record %d: %+v, %v", r.Seq, b, err)
			}
		}
		return nil
	}))
	if acts[evidence.KindRefused] != rt.refused {
		rt.t.Errorf("%d attempts were refused and %d are in the log", rt.refused, acts[evidence.KindRefused])
	}
	if acts[evidence.KindApproval]+acts[evidence.KindNoticeDrafted]+acts[evidence.KindErased]+acts[evidence.KindQuarantineCarried] > 0 {
		rt.t.Errorf("got %v", acts)
	}
}

// TestOnePersonAloneDoesNoHarm lets each role alone, and an outsider with one stolen key, try to list, report and quietly un-list
// twenty innocent channels. The attacker can write the watchlist file and name another person in listed_by; who can write the roster
// can put a key there, which becomes a record, and is not what this test is about.
func TestOnePersonAloneDoesNoHarm(t *testing.T) {
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ATTACKER\tATTEMPT\tTRIED\tREFUSED\tDONE")
	for _, who := range []struct{ name, as string }{
		{"analyst", "amna"},
		{"reviewer", "bilal"},
		{"senior", "sara"},
		{"legal", "lubna"},
		{"operator", "omar"},
		{"auditor", "aida"},
		{"stolen key (senior's)", "sara"},
	} {
		t.Run(who.name, func(t *testing.T) {
			rt := newRedteam(t, who.as)
			from := rt.r.Vault.Size()
			rt.listTwenty()
			emergencies := rt.tally["emergency start (24 h, flagged)"].succeeded
			if n := rt.collectable("own"); n != emergencies {
				t.Errorf("%d targets are collected, %d by an emergency start", n, emergencies)
			}
			rt.frameTwenty()
			if strings.HasPrefix(who.name, "stolen") {
				rt.everyName()
			}
			rt.reportTwenty()
			rt.relistTwenty()
			rt.unlistTwenty()
			rt.hideTwenty()
			rt.now = rt.now.Add(review.EmergencyStart + time.Second)
			if n := rt.collectable("own") + rt.collectable("marked"); n != 0 {
				t.Errorf("%d targets are collected after a day", n)
			}
			rt.judge(from)
			total := attempts{}
			for _, what := range rt.order {
				a := rt.tally[what]
				fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\n", who.name, what, a.tried, a.refused, a.succeeded)
				total.tried, total.refused, total.succeeded = total.tried+a.tried, total.refused+a.refused, total.succeeded+a.succeeded
			}
			fmt.Fprintf(w, "%s\tall\t%d\t%d\t%d\n", who.name, total.tried, total.refused, total.succeeded)
		})
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table.String())
}

// everyName lets the thief of one key speak in everybody's name.
func (rt *redteam) everyName() {
	for person := range team {
		if person != rt.as {
			rt.try("sign a listing in everybody's name", rt.list(person, rt.as, rt.listOf("framed")))
		}
	}
	for person := range team {
		if person == rt.as {
			continue
		}
		for i := range innocents {
			target := id("own", i)
			rt.try("approve in everybody's name", rt.signAs(person, rt.as, "/v1/targets/prepare", "/v1/targets/approve", TargetRequest{Person: person, Target: target}, target))
		}
	}
}
