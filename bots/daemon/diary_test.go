package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/secrets"
	"github.com/muhafiz/muhafiz/reporter/audit"
	"github.com/muhafiz/muhafiz/reporter/diary"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// audited is a site with an auditor, odile, and one of the legal team who is an auditor too, lena.
func audited(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	b, err := os.ReadFile(s.path("muhafiz.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	people := ""
	for id, roles := range map[string]string{"odile": "auditor", "lena": "auditor, legal"} {
		key, err := secrets.NewPersonKey(s.path(id), id)
		if err != nil {
			t.Fatal(err)
		}
		people += "  - {id: " + id + ", name: " + id + ", roles: [" + roles + "], ssh_key: " + key + "}\n"
	}
	s.write("muhafiz.yaml", strings.Replace(string(b), "organisations:", people+"organisations:", 1))
	return s
}

// appendPerson puts one more person on the roster.
func (s *site) appendPerson(line string) {
	s.t.Helper()
	b, err := os.ReadFile(s.path("muhafiz.yaml"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.write("muhafiz.yaml", strings.Replace(string(b), "organisations:", "  - "+line+"\norganisations:", 1))
}

func (s *site) readLog(c *Client, q url.Values) ([]diary.Entry, error) {
	s.t.Helper()
	return s.readLogAs(c, "amna", q)
}

func (s *site) readLogAs(c *Client, person string, q url.Values) ([]diary.Entry, error) {
	s.t.Helper()
	if q.Get("limit") == "" {
		q.Set("limit", "100")
	}
	q.Set("person", person)
	var es []diary.Entry
	err := c.Call(s.t.Context(), "GET", "/v1/log?"+q.Encode(), nil, &es)
	return es, err
}

func TestTheLogIsReadInPlainLanguageAndTheLookIsInIt(t *testing.T) {
	s := newSite(t)
	d := s.start()
	c := s.client(nil)
	if err := s.approve(c, "bilal", "one"); err != nil {
		t.Fatal(err)
	}
	if es, err := s.readLog(c, url.Values{"subject": {"one"}}); err != nil || len(es) != 2 {
		t.Errorf("the trail of a target by its id: %v, %v", es, err)
	}
	es, err := s.readLog(c, url.Values{"subject": {"t1"}})
	if err != nil || len(es) != 2 || es[1].Who != "bilal" || !strings.HasPrefix(es[1].Sentence, "approved the target one as record ") {
		t.Fatalf("the trail of a target: %v, %v", es, err)
	}
	es, err = s.readLog(c, url.Values{"of": {"amna"}})
	if err != nil || len(es) != 3 || !strings.HasPrefix(es[0].Sentence, "signed that they had put 1 target on the list") || !strings.Contains(es[2].Sentence, "looked at the vault (log, socket): “subject t1; limit 100”") {
		t.Errorf("the look is told as %v, %v", es, err)
	}
	if es, err = s.readLog(c, url.Values{"since": {"1h"}, "kind": {"run.started"}}); err != nil || len(es) != 1 {
		t.Errorf("runs: %v, %v", es, err)
	}
	for name, q := range map[string]url.Values{
		"nobody": {"of": {"nobody"}}, "a subject": {"subject": {"nothing\u202e"}}, "a moment": {"since": {"soon"}}, "a limit": {"limit": {"100000"}},
	} {
		size := d.rooms.Vault.Size()
		var api *APIError
		if _, err := s.readLog(c, q); !errors.As(err, &api) || api.Code != "usage" || d.rooms.Vault.Size() != size {
			t.Errorf("%s: %v, %d records written", name, err, d.rooms.Vault.Size()-size)
		}
	}
}

func TestTodayTellsHowTargetsStand(t *testing.T) {
	s := newSite(t)
	s.write("list.yaml", "targets:\n"+target("one")+target("two")+target("three"))
	s.start()
	c := s.client(nil)
	for _, id := range []string{"one", "two"} {
		if err := s.approve(c, "bilal", id); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Call(t.Context(), "POST", "/v1/targets/suspend", TargetRequest{Person: "amna", Target: "two", Reason: "simulated mistake"}, nil); err != nil {
		t.Fatal(err)
	}
	var m diary.Today
	if err := c.Call(t.Context(), "GET", "/v1/today?person=amna", nil, &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Suspended) != 1 || m.Suspended[0].Target != "two" || m.Suspended[0].Since.IsZero() || m.Suspended[0].Reason != "simulated mistake" {
		t.Errorf("suspended: %+v", m.Suspended)
	}
	if len(m.Approvals) != 1 || m.Approvals[0].Target != "three" || len(m.Blind) != 1 || m.Blind[0].Target != "one" {
		t.Errorf("approvals %+v, blind %+v", m.Approvals, m.Blind)
	}
	if err := c.Call(t.Context(), "GET", "/v1/today?person=amna&since=soon", nil, &m); err == nil || !strings.Contains(err.Error(), "say today, yesterday") {
		t.Errorf("got %v", err)
	}
	if err := c.Call(t.Context(), "GET", "/v1/today?person=mallory", nil, &m); err == nil || !strings.Contains(err.Error(), "not on the roster") {
		t.Errorf("somebody who is not on the roster got %v", err)
	}
}

func TestOnlyAnAuditorTakesTheActsOut(t *testing.T) {
	s := audited(t)
	d := s.start()
	c := s.client(nil)
	if err := s.approve(c, "bilal", "one"); err != nil {
		t.Fatal(err)
	}
	export := func(person, out string, with bool) (audit.Result, error) {
		var res audit.Result
		err := c.Stream(t.Context(), "POST", "/v1/audits", AuditRequest{Person: person, Out: s.path(out), WithDecisions: with, Complete: true}, func(Progress) {}, &res)
		return res, err
	}
	for person, with := range map[string]bool{"amna": false, "bilal": false, "odile": true} {
		var api *APIError
		if _, err := export(person, "refused", with); !errors.As(err, &api) || api.Code != "role" {
			t.Errorf("%s: %v", person, err)
		}
	}
	if _, err := os.Stat(s.path("refused")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a refused export left a folder")
	}
	if _, err := export("odile", "acts", false); err != nil {
		t.Fatal(err)
	}
	if _, err := export("lena", "decisions", true); err != nil {
		t.Error(err)
	}
	rep, err := audit.Verify(t.Context(), s.path("acts"), d.rooms.Vault.LogKey())
	if err != nil || !rep.KeyHolds || !rep.Complete {
		t.Errorf("verify: %+v, %v", rep, err)
	}
	acts, err := os.ReadFile(s.path("acts/acts.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"bilal approved the target one as record ", "odile looked at the vault (audit, socket)", "listed the target one"} {
		if !strings.Contains(string(acts), want) {
			t.Errorf("acts.txt does not say %q:\n%s", want, acts)
		}
	}
	var api *APIError
	if _, err := export("odile", "acts", false); !errors.As(err, &api) || api.Code != "usage" || !strings.Contains(api.Sentence, "not overwritten") {
		t.Errorf("a second export into the same folder: %v", err)
	}
}

// filling puts simulated posts of so many accounts in turn, batches of 200, until ctx is done or there are enough.
func filling(ctx context.Context, r *Rooms, accounts, from, upTo int) error {
	src := evidence.Source("telegram/simulated")
	for i := from; i < upTo && ctx.Err() == nil; {
		var b evidence.Batch
		acq := evidence.NewAcq(time.Now())
		for n := range 200 {
			account := evidence.Account("telegram", "channel", strconv.Itoa(i%accounts))
			b.Drafts = append(b.Drafts, evidence.Draft{
				ID: evidence.ID{Acq: acq, N: uint32(n)}, Actor: src, Subject: account.Post(int64(i)),
				Body: &evidence.PostSeen{Method: evidence.MethodMTProto, Vantage: "main", Text: "A simulated post, number " + strconv.Itoa(i)},
			})
			i++
		}
		if _, err := r.Vault.Put(ctx, b); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

var posts = flag.Int("posts", 200_000, "posts in the vault of the benchmark")

// watched lists, approves and binds 50 targets, each with a case that waits and some posts gone.
func watched(ctx context.Context, r *Rooms) error {
	for i := range 50 {
		id, account := "simulated-"+strconv.Itoa(i), evidence.Account("telegram", "channel", strconv.Itoa(i))
		set := &evidence.TargetSet{Key: id, Platform: "telegram", Address: "https://t.me/" + id, Report: true, ListedBy: "amna"}
		recs, err := r.Vault.Put(ctx, evidence.Batch{Drafts: []evidence.Draft{{ID: evidence.NewID(time.Now()), Actor: evidence.Vault(), Subject: evidence.Target(id), Body: set}}})
		if err != nil {
			return err
		}
		st, err := json.Marshal(evidence.Statement{Type: evidence.StatementTargetApproval, Person: "bilal", Confirms: &evidence.RecordRef{Seq: recs[0].Seq, Leaf: recs[0].Leaf()}})
		if err != nil {
			return err
		}
		src, about := evidence.Source("telegram/simulated"), evidence.Target(id)
		for _, d := range []evidence.Draft{
			{Actor: evidence.Person("bilal"), Subject: about, Body: &evidence.TargetApproved{Signed: evidence.Signed{Payload: string(st)}}},
			{Actor: src, Subject: about, Body: &evidence.TargetBound{Account: evidence.Ref{Name: account}, Address: set.Address}},
			{Actor: evidence.Person("amna"), Subject: evidence.Case(id), Body: &evidence.CaseOpened{Key: id, Account: evidence.Ref{Name: account}, Target: id}},
			{Actor: src, Subject: account.Post(int64(i)), Body: &evidence.PostGone{How: evidence.GoneMissing, Method: evidence.MethodMTProto, Vantage: "main"}},
			{Actor: src, Subject: about, Body: &evidence.Gap{Cause: "unreachable"}},
		} {
			if err := r.write(ctx, d.Actor, d.Subject, d.Body); err != nil {
				return err
			}
		}
	}
	return nil
}

// BenchmarkTheMorning measures what a person waits for in a vault of 200,000 posts of 50 targets and 4,000 acts while posts come in.
func BenchmarkTheMorning(b *testing.B) {
	s := newSite(b)
	d := s.start()
	r := d.rooms
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(b.Context())
	must(r.write(ctx, evidence.Source("telegram/simulated"), evidence.Source("telegram/simulated"), &evidence.Collector{Key: "telegram/simulated", State: "healthy"}))
	must(filling(ctx, r, 50, 0, *posts))
	must(watched(ctx, r))
	for i := 0; i < 4000; i += 100 {
		var batch evidence.Batch
		for n := range 100 {
			batch.Drafts = append(batch.Drafts, evidence.Draft{
				ID: evidence.NewID(time.Now()), Actor: evidence.Person("amna"), Subject: evidence.Vault(), Body: &evidence.Access{What: "queue", Note: strconv.Itoa(i + n)},
			})
		}
		_, err := r.Vault.Put(ctx, batch)
		must(err)
	}
	done := make(chan error, 1)
	go func() { done <- filling(ctx, r, 50, *posts, 1<<30) }()
	c := s.client(nil)
	for name, path := range map[string]string{
		"today": "/v1/today?person=amna", "queue": "/v1/review/queue?person=amna&limit=50", "log": "/v1/log?person=amna&limit=100",
		"log-person": "/v1/log?person=amna&limit=100&of=amna", "log-since": "/v1/log?person=amna&limit=100&since=1h",
	} {
		b.Run(name, func(b *testing.B) {
			var worst time.Duration
			for b.Loop() {
				began := time.Now()
				must(c.Call(ctx, "GET", path, nil, nil))
				worst = max(worst, time.Since(began))
			}
			b.ReportMetric(float64(worst)/1e6, "worst-ms")
			b.ReportMetric(float64(r.Vault.Size()), "records")
		})
	}
	var w review.Work
	must(c.Call(ctx, "GET", "/v1/review/queue?person=amna&limit=50", nil, &w))
	var m diary.Today
	must(c.Call(ctx, "GET", "/v1/today?person=amna", nil, &m))
	if w.Targets != 50 || len(w.Posts) != 50 || len(m.Cases) != 50 || len(m.Gone) != 50 {
		b.Errorf("the benchmark measured too little: %d targets, %d posts, %d cases, %d accounts", w.Targets, len(w.Posts), len(m.Cases), len(m.Gone))
	}
	stop()
	must(<-done)
}

// BenchmarkAnAccountIsStopped measures how long a person waits who suspends the target of an account with 200,000 posts, of which 200
// were looked at, and who asks what left of it.
func BenchmarkAnAccountIsStopped(b *testing.B) {
	s := newSite(b)
	r := s.start().rooms
	ctx := b.Context()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	src := evidence.Source("telegram/simulated")
	must(r.write(ctx, src, src, &evidence.Collector{Key: "telegram/simulated", State: "healthy"}))
	must(filling(ctx, r, 1, 0, *posts))
	must(watched(ctx, r))
	for i := range 200 {
		must(r.write(ctx, evidence.Person("amna"), evidence.Account("telegram", "channel", "0").Post(int64(i)), &evidence.Access{What: "show"}))
	}
	c := s.client(nil)
	began := time.Now()
	must(c.Call(ctx, "POST", "/v1/targets/suspend", TargetRequest{Person: "amna", Target: "simulated-0", Reason: "simulated mistake"}, nil))
	suspended := time.Since(began)
	var left review.Redress
	var worst time.Duration
	for b.Loop() {
		began := time.Now()
		must(c.Call(ctx, "GET", "/v1/targets/redress?person=amna&target=simulated-0", nil, &left))
		worst = max(worst, time.Since(began))
	}
	b.ReportMetric(float64(suspended)/1e6, "suspend-ms")
	b.ReportMetric(float64(worst)/1e6, "worst-ms")
	b.ReportMetric(float64(r.Vault.Size()), "records")
	if left.Looks != 200 || left.Target.State != review.TargetSuspended {
		b.Errorf("the benchmark measured too little: %d looks at a target that is %s", left.Looks, left.Target.State)
	}
}
