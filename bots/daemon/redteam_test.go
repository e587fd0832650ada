package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/secrets"
	"github.com/muhafiz/muhafiz/reporter/notice"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// innocents is how many channels each group of a red-team vault has.
const innocents = 20

// redteam is a vault with a team, and one attacker who reaches the same handlers as everybody.
//
// Three groups of twenty innocent channels: `own`, which the attacker put on the watchlist; `watched`, which two honest people
// (hana and ivan) listed and approved by mistake, with a post each; and `marked`, which hana has marked innocent.
type redteam struct {
	t     *testing.T
	r     *Rooms
	c     *Client
	dir   string
	now   time.Time
	keys  map[string]ssh.Signer
	as    string // whose key the attacker holds
	posts []evidence.Ordinal
	tally map[string]*attempts
	order []string
	// allowed and recorded are of the last attempts: what went through, and what was refused to somebody on the roster.
	refused int
}

type attempts struct{ tried, refused, succeeded int }

var team = map[string]string{
	"amna": "analyst", "bilal": "reviewer", "sara": "senior", "lubna": "legal", "omar": "operator", "aida": "auditor",
	"hana": "analyst", "ivan": "reviewer",
}

func newRedteam(t *testing.T, as string) *redteam {
	t.Helper()
	rt := &redteam{
		t: t, dir: t.TempDir(), as: as, now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC),
		keys: map[string]ssh.Signer{}, tally: map[string]*attempts{},
	}
	s := &site{t: t, dir: rt.dir}
	if _, err := secrets.WriteLogKey(s.path("log.key"), "log.example/test"); err != nil {
		t.Fatal(err)
	}
	var people strings.Builder
	for id, role := range team {
		line, err := secrets.NewPersonKey(s.path(id), id)
		if err != nil {
			t.Fatal(err)
		}
		if rt.keys[id], err = review.FileSigner(s.path(id), nil); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&people, "  - {id: %s, name: Simulated %s, roles: [%s], ssh_key: %s}\n", id, id, role, line)
	}
	s.write("orgs.yaml", "organisations:\n  - {id: nf, name: Northhaven Front (fictional), designations: [{authority: Exampleland, reference: EX-1, date: 2025-01-15, source: simulated}]}\n")
	lister := as
	if rt.mayNotList() {
		lister = "hana"
	}
	s.write("list.yaml", "targets:\n"+listing("own", lister)+listing("watched", "hana")+listing("marked", "amna"))
	s.write("muhafiz.yaml", `vault: vault
log_key: log.key
legal_basis: A test with simulated posts.
people:
`+people.String()+`organisations: orgs.yaml
watchlists: [list.yaml]
reporter:
  schedule: "@hourly"
  organisation_name: Simulated desk
  corrections_contact: corrections@example.org
  routes:
    - {platform: telegram, outbox: outbox}
`)
	if err := os.Mkdir(s.path("outbox"), 0o700); err != nil {
		t.Fatal(err)
	}
	o := s.options()
	o.Now = func() time.Time { return rt.now }
	rt.c = s.client(func() (_ *Rooms, err error) { rt.r, err = OpenRooms(t.Context(), o); return rt.r, err })
	rt.honest()
	return rt
}

func (rt *redteam) mayNotList() bool {
	role := team[rt.as]
	return role != review.RoleAnalyst && role != review.RoleReviewer && role != review.RoleSenior
}

func id(group string, i int) string { return fmt.Sprintf("%s_%02d", group, i) }

func listing(group, by string) string {
	var b strings.Builder
	for i := range innocents {
		fmt.Fprintf(&b, "  - {id: %[1]s, address: https://t.me/simulated_%[1]s, organisation: nf, affiliation: {basis: simulated, citation: {title: simulated, url: 'https://example.org/1'}}, report: true, listed_by: %[2]s}\n", id(group, i), by)
	}
	return b.String()
}

// honest lets hana and ivan do what they did before the attack.
func (rt *redteam) honest() {
	rt.t.Helper()
	ctx := rt.t.Context()
	source := evidence.Source("test")
	rt.put(evidence.Vault(), source, &evidence.Collector{Key: "test", State: "healthy"})
	for i := range innocents {
		rt.must(rt.signAs("ivan", "ivan", "/v1/targets/prepare", "/v1/targets/approve", TargetRequest{Person: "ivan", Target: id("watched", i)}, id("watched", i)))
		account := evidence.Account("telegram", "channel", fmt.Sprint(1000+i))
		rt.put(source, evidence.Target(id("watched", i)), &evidence.TargetBound{Account: evidence.Ref{Name: account}, Address: "https://t.me/simulated_" + id("watched", i)})
		at := evidence.At(rt.now)
		rt.posts = append(rt.posts, rt.put(source, account.Post(1), &evidence.PostSeen{
			Method: evidence.MethodMTProto, Vantage: "v", Observed: evidence.Span{From: at, To: at}, ClaimedAt: at, Text: "A bland text about the weather (simulated).",
		}).Subject)
		mark := MarkRequest{Person: "hana", Target: id("marked", i), Mark: evidence.MarkInnocent, Category: "journalist", Reason: "simulated"}
		rt.must(rt.c.Call(ctx, "POST", "/v1/targets/mark", mark, nil))
	}
}

func (rt *redteam) must(err error) {
	rt.t.Helper()
	if err != nil {
		rt.t.Fatal(err)
	}
}

func (rt *redteam) put(actor, subject evidence.Name, b evidence.Body) evidence.Record {
	rt.t.Helper()
	recs, err := rt.r.Vault.Put(rt.t.Context(), evidence.Batch{Drafts: []evidence.Draft{{ID: evidence.NewID(time.Now()), Actor: actor, Subject: subject, Body: b}}})
	rt.must(err)
	return recs[0]
}

// signAs prepares a statement in a person's name, signs it with the key of whoever signs, and hands it in.
func (rt *redteam) signAs(person, signs, prepare, submit string, req any, target string) error {
	var p Prepared
	if err := rt.c.Call(rt.t.Context(), "POST", prepare, req, &p); err != nil {
		return err
	}
	return rt.submit(person, signs, submit, p.Payload, target)
}

func (rt *redteam) submit(person, signs, path, payload, target string) error {
	signed, err := review.Sign(payload, rt.keys[signs])
	rt.must(err)
	return rt.c.Call(rt.t.Context(), "POST", path, SignedBy{Person: person, Target: target, Signed: signed}, nil)
}

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
		req := TargetRequest{Person: rt.as, Target: target}
		take := BundleRequest{Person: rt.as, Posts: []evidence.Ordinal{rt.posts[i]}, Out: rt.dir}
		rt.try("take its content out", rt.c.Call(rt.t.Context(), "POST", "/v1/bundles", take, nil))
		for range 2 {
			rt.try("lift it (takes another)", rt.signAs(rt.as, rt.as, "/v1/targets/prepare", "/v1/targets/approve", req, target))
		}
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
		case evidence.KindTargetApproved, evidence.KindTargetSuspended, evidence.KindTargetMarked, evidence.KindTargetRelisted,
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
	if acts[evidence.KindApproval]+acts[evidence.KindNoticeDrafted] > 0 {
		rt.t.Errorf("got %v", acts)
	}
}

// TestOnePersonAloneDoesNoHarm lets each role alone, and an outsider with one stolen key, try to list, report and quietly un-list
// twenty innocent channels. Somebody who can write the watchlist file can name another person in listed_by, and who can write
// the roster can put a key there: both become records, but this test is about the handlers.
func TestOnePersonAloneDoesNoHarm(t *testing.T) {
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ATTACKER\tATTEMPT\tTRIED\tREFUSED\tDONE")
	for _, who := range []struct{ name, as string }{
		{"analyst", "amna"}, {"reviewer", "bilal"}, {"senior", "sara"}, {"legal", "lubna"}, {"operator", "omar"}, {"auditor", "aida"},
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
			if strings.HasPrefix(who.name, "stolen") {
				rt.everyName()
			}
			rt.reportTwenty()
			rt.relistTwenty()
			rt.unlistTwenty()
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
		if person == rt.as {
			continue
		}
		for i := range innocents {
			target := id("own", i)
			rt.try("approve in everybody's name", rt.signAs(person, rt.as, "/v1/targets/prepare", "/v1/targets/approve", TargetRequest{Person: person, Target: target}, target))
		}
	}
}

// TestARefusalIsNoted looks at one in the log.
func TestARefusalIsNoted(t *testing.T) {
	s := newSite(t)
	d := s.start()
	c := s.client(nil)
	if err := s.approve(c, "amna", "one"); err == nil {
		t.Fatal("who listed a target approved it")
	}
	last, err := d.rooms.Vault.Record(t.Context(), d.rooms.Vault.Size()-1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := evidence.Decode[*evidence.Refused](last)
	if err != nil || *b != (evidence.Refused{What: "POST /v1/targets/prepare", About: "one", Code: string(review.Role), Person: "amna"}) {
		t.Errorf("got %+v, %v", b, err)
	}
	size := d.rooms.Vault.Size()
	if err := c.Call(t.Context(), "POST", "/v1/targets/suspend", TargetRequest{Person: "nobody", Target: "one", Reason: "x"}, nil); err == nil {
		t.Fatal("a stranger suspended a target")
	}
	if d.rooms.Vault.Size() != size {
		t.Error("a stranger wrote to the log")
	}
}

// TestAnEditThatRacesASuspension reads the watchlist again right after one person suspended a target.
func TestAnEditThatRacesASuspension(t *testing.T) {
	s := newSite(t)
	d := s.start()
	c := s.client(nil)
	if err := s.approve(c, "bilal", "one"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- c.Call(t.Context(), "POST", "/v1/targets/suspend", TargetRequest{Person: "amna", Target: "one", Reason: "simulated"}, nil)
	}()
	edited := strings.Replace(target("one"), "report: true", "report: false", 1)
	s.write("list.yaml", "targets:\n"+edited)
	if err := c.Call(t.Context(), "POST", "/v1/reload", none{}, nil); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	// Then out of the list, back, and under another id.
	for _, list := range []string{"targets: []\n", "targets:\n" + edited, "targets:\n" + strings.Replace(edited, "id: one", "id: other", 1)} {
		s.write("list.yaml", list)
		if err := c.Call(t.Context(), "POST", "/v1/reload", none{}, nil); err != nil {
			t.Fatal(err)
		}
		ts, err := d.rooms.collectable(t.Context())
		if err != nil || len(ts) != 0 {
			t.Fatalf("%d targets are collected, %v", len(ts), err)
		}
	}
	got, _, err := d.rooms.Desk.Target(t.Context(), "other")
	if err != nil || got.State != review.TargetSuspended {
		b, _ := json.Marshal(got)
		t.Errorf("got %s, %v", b, err)
	}
	var api *APIError
	if err := s.approve(c, "bilal", "other"); err != nil {
		t.Fatal(err)
	}
	if err := s.approve(c, "bilal", "other"); !errors.As(err, &api) || api.Code != string(review.SamePerson) {
		t.Errorf("one person lifted a suspension: %v", err)
	}
}
