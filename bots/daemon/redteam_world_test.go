package daemon

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/secrets"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// redteam is a vault with a team, and one attacker who reaches the same handlers as everybody.
//
// Four groups of twenty innocent channels: `own`, which the attacker put on the watchlist and signed, where their role allows that;
// `framed`, which the attacker wrote into the file in hana's name; `watched`, which two honest people (hana and ivan) listed and
// approved by mistake, with a post each; and `marked`, which hana has marked innocent.
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
	s.write("list.yaml", "targets:\n"+listing("own", lister)+listing("framed", "hana")+listing("watched", "hana")+listing("marked", "amna"))
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
	rt.must(rt.list("hana", "hana", rt.listOf("watched")))
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

// listOf is the list over a group of targets as they are configured.
func (rt *redteam) listOf(groups ...string) review.List {
	return ListOf(rt.r.Config, func(t config.Target) bool {
		return slices.ContainsFunc(groups, func(g string) bool { return strings.HasPrefix(t.ID, g) })
	})
}

// list prepares a listing in a person's name, signs it with the key of whoever signs, and hands it in.
func (rt *redteam) list(person, signs string, l review.List) error {
	root, err := l.Root()
	rt.must(err)
	var p Prepared
	ask := ListingRequest{Person: person, Targets: int64(l.Len()), Root: root}
	if err := rt.c.Call(rt.t.Context(), "POST", "/v1/targets/sign/prepare", ask, &p); err != nil {
		return err
	}
	signed, err := review.Sign(p.Payload, rt.keys[signs])
	rt.must(err)
	return rt.c.Call(rt.t.Context(), "POST", "/v1/targets/sign", SignedListing{Person: person, Signed: signed, List: l.Text()}, nil)
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
