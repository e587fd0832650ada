package daemon

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/secrets"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// years is a sealed vault with a team and three channels, whose time the test moves.
type years struct {
	t    *testing.T
	s    *site
	r    *Rooms
	c    *Client
	now  time.Time
	keys map[string]ssh.Signer
}

var retainers = map[string]string{"amna": "analyst", "bilal": "reviewer", "sara": "senior", "lubna": "legal, operator, auditor"}

const retentionConfig = `vault: vault
log_key: log.key
vault_key: {file: vault.age}
keyring: keyring
legal_basis: A test with simulated posts.
retention:
  default: 180d
  warn: 30d
  organisations: [{id: nf, retain: 200d}]
  holds: {case: 300d, notice: 400d, answer: 60d, dispute: 90d, bundle: 365d}
quarantine: {law: LAW, recipients: [RECIPIENT]}
reporter:
  schedule: "@hourly"
  organisation_name: Simulated desk
  corrections_contact: corrections@example.org
  routes:
    - {platform: telegram, outbox: outbox}
bundle: {ssh_key: sara, identity: evidence@example.org}
organisations: orgs.yaml
watchlists: [list.yaml]
people:
`

func newYears(t *testing.T, law, recipient string) *years {
	t.Helper()
	y := &years{t: t, s: &site{t: t, dir: t.TempDir()}, now: time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC), keys: map[string]ssh.Signer{}}
	if _, err := secrets.WriteLogKey(y.s.path("log.key"), "log.example/test"); err != nil {
		t.Fatal(err)
	}
	if _, err := secrets.WriteVaultKey(y.s.path("vault.age")); err != nil {
		t.Fatal(err)
	}
	people := ""
	for id, roles := range retainers {
		line, err := secrets.NewPersonKey(y.s.path(id), id)
		if err != nil {
			t.Fatal(err)
		}
		if y.keys[id], err = review.FileSigner(y.s.path(id), nil); err != nil {
			t.Fatal(err)
		}
		people += fmt.Sprintf("  - {id: %s, name: Simulated %s, roles: [%s], ssh_key: %s}\n", id, id, roles, line)
	}
	y.s.write("orgs.yaml", "organisations:\n  - {id: nf, name: Northhaven Front (fictional), designations: [{authority: Exampleland, reference: EX-1, date: 2025-01-15, source: simulated}]}\n  - {id: sw, name: Southwick Front (fictional), designations: [{authority: Exampleland, reference: EX-2, date: 2025-01-15, source: simulated}]}\n")
	list := "targets:\n"
	for id, more := range map[string]string{"one": "organisation: nf", "two": "organisation: sw", "three": "organisation: sw, retain: 90d"} {
		list += fmt.Sprintf("  - {id: %[1]s, address: https://t.me/northhaven_%[1]s, %[2]s, affiliation: {basis: simulated, citation: {title: simulated, url: 'https://example.org/1'}}, report: true, listed_by: amna}\n", id, more)
	}
	y.s.write("list.yaml", list)
	y.s.write("muhafiz.yaml", strings.NewReplacer("LAW", law, "RECIPIENT", recipient).Replace(retentionConfig)+people)
	if err := os.Mkdir(y.s.path("outbox"), 0o700); err != nil {
		t.Fatal(err)
	}
	y.open()
	y.must(y.list())
	for i, id := range []string{"one", "two", "three"} {
		y.must(y.sign("bilal", "/v1/targets/prepare", "/v1/targets/approve", TargetRequest{Person: "bilal", Target: id}, id, nil))
		source := evidence.Source("test")
		y.put(evidence.Vault(), source, &evidence.Collector{Key: "test", State: "healthy"})
		y.put(source, evidence.Target(id), &evidence.TargetBound{Account: evidence.Ref{Name: channel(i + 1)}, Address: "https://t.me/northhaven_" + id})
	}
	return y
}

func channel(i int) evidence.Name { return evidence.Account("telegram", "channel", fmt.Sprint(i)) }

func (y *years) open() {
	y.t.Helper()
	o := y.s.options()
	o.Now = func() time.Time { return y.now }
	c, err := Connect(y.t.Context(), y.s.path("vault"), func() (_ *Rooms, err error) { y.r, err = OpenRooms(y.t.Context(), o); return y.r, err })
	if err != nil {
		y.t.Fatal(err)
	}
	y.c = c
	y.t.Cleanup(y.close)
}

func (y *years) close() {
	if y.c == nil {
		return
	}
	if err := y.c.Close(); err != nil {
		y.t.Error(err)
	}
	y.c = nil
}

func (y *years) must(err error) {
	y.t.Helper()
	if err != nil {
		y.t.Fatal(err)
	}
}

func (y *years) put(actor, subject evidence.Name, b evidence.Body) evidence.Record {
	y.t.Helper()
	recs, err := y.r.Vault.Put(y.t.Context(), evidence.Batch{Drafts: []evidence.Draft{{ID: evidence.NewID(y.now), Actor: actor, Subject: subject, Body: b}}})
	y.must(err)
	return recs[0]
}

func (y *years) call(method, path string, in, out any) error {
	return y.c.Call(y.t.Context(), method, path, in, out)
}

func (y *years) list() error {
	l := ListOf(y.r.Config, func(config.Target) bool { return true })
	root, err := l.Root()
	y.must(err)
	var p Prepared
	if err := y.call("POST", "/v1/targets/sign/prepare", ListingRequest{Person: "amna", Targets: int64(l.Len()), Root: root}, &p); err != nil {
		return err
	}
	signed, err := review.Sign(p.Payload, y.keys["amna"])
	y.must(err)
	return y.call("POST", "/v1/targets/sign", SignedListing{Person: "amna", Signed: signed, List: l.Text()}, nil)
}

func (y *years) sign(person, prepare, submit string, req any, target string, out any) error {
	var p Prepared
	if err := y.call("POST", prepare, req, &p); err != nil {
		return err
	}
	signed, err := review.Sign(p.Payload, y.keys[person])
	y.must(err)
	return y.call("POST", submit, SignedBy{Person: person, Target: target, Signed: signed}, out)
}

// page puts what a page of history brings: a raw reply, a post in it, its counts and a file.
func (y *years) page(account, number int, text string) evidence.Record {
	y.t.Helper()
	ctx := y.t.Context()
	raw := []byte(fmt.Sprintf("reply-%d-%d<<%s>>end", account, number, text))
	reply, n, err := y.r.Vault.Keep(ctx, bytes.NewReader(raw), 1<<20)
	y.must(err)
	file, fn, err := y.r.Vault.Keep(ctx, strings.NewReader("file of "+text), 1<<20)
	y.must(err)
	acq := evidence.NewAcq(y.now)
	at := evidence.Span{From: evidence.At(y.now), To: evidence.At(y.now)}
	id := func(i uint32) evidence.ID { return evidence.ID{Acq: acq, N: i} }
	source, post := evidence.Source("test"), channel(account).Post(int64(number))
	from := int64(bytes.Index(raw, []byte("<<")) + 2)
	recs, err := y.r.Vault.Put(ctx, evidence.Batch{Drafts: []evidence.Draft{
		{ID: id(0), Actor: source, Subject: channel(account), Body: &evidence.Acquisition{Method: "messages.getHistory", Reply: evidence.Object{SHA256: reply, Size: n}, Observed: at}},
		{ID: id(1), Actor: source, Subject: post, Body: &evidence.PostSeen{
			Method: evidence.MethodMTProto, Vantage: "v", Acquisition: id(0), Observed: at, ClaimedAt: at.From, Text: text,
			Media: []evidence.Media{{ID: "photo " + fmt.Sprint(number), Type: "photo"}}, Raw: &evidence.Slice{Offset: from, Length: int64(len(text))}, RawExact: true,
		}},
		{ID: id(2), Actor: source, Subject: channel(account), Body: &evidence.PostCounts{Acquisition: id(0), At: at.From, Posts: []evidence.Post{{Post: fmt.Sprint(number), Views: int64(number)}}}},
		{ID: id(3), Actor: source, Subject: post, Body: &evidence.MediaKept{MediaID: "photo " + fmt.Sprint(number), Acquisition: id(0), Observed: at, Blob: evidence.Object{SHA256: file, Size: fn}, MIME: "image/jpeg"}},
	}})
	y.must(err)
	return recs[1]
}

// look opens a post as somebody.
func (y *years) look(person string, post evidence.Ordinal) error {
	return y.call("GET", "/v1/review/show?person="+person+"&post="+string(post), nil, nil)
}

// decide makes a case of a post, which a second person approves where that is wanted.
func (y *years) decide(post evidence.Ordinal, quote string, approve bool) review.Case {
	y.t.Helper()
	y.must(y.look("amna", post))
	in := review.DecisionInput{
		Posts: []evidence.Ordinal{post}, Outcome: review.OutcomeReport, Affiliation: "simulated", Languages: []string{"en"},
		Passages: []evidence.Passage{{Exhibit: 1, Quote: quote, Rule: "simulated", Offence: "incites", Severity: "high", Exclusion: "none"}},
	}
	var c review.Case
	y.must(y.sign("amna", "/v1/review/decision/prepare", "/v1/review/decision", DecisionRequest{Person: "amna", DecisionInput: in}, "", &c))
	if !approve {
		return c
	}
	y.must(y.look("bilal", post))
	y.must(y.sign("bilal", "/v1/review/approval/prepare", "/v1/review/approval", ApprovalRequest{Person: "bilal", Case: c.Ordinal, Agree: true}, "", &c))
	return c
}

// day moves the clock and runs what the daemon would.
func (y *years) day() {
	y.t.Helper()
	y.now = y.now.Add(24 * time.Hour)
	y.must(y.r.retainDaily(y.t.Context()))
}

func (y *years) days(n int) {
	y.t.Helper()
	for range n {
		y.day()
	}
}

// has reports whether the body of a record is still there.
func (y *years) has(r evidence.Record) bool {
	y.t.Helper()
	rec, err := y.r.Vault.Vault.Record(y.t.Context(), r.Seq)
	y.must(err)
	return rec.Body != nil
}

func (y *years) status() Status {
	y.t.Helper()
	var s Status
	y.must(y.call("GET", "/v1/status", nil, &s))
	return s
}

// fsck closes the vault and checks all of it.
func (y *years) fsck() vault.FsckReport {
	y.t.Helper()
	y.close()
	c := y.s.options().Config
	keys, err := VaultKeys(c, os.Getenv)
	y.must(err)
	rep, err := vault.Fsck(y.t.Context(), c.Vault, vault.FsckOptions{Keys: keys, Views: Views()})
	y.must(err)
	if len(rep.Problems) > 0 || len(rep.Unchecked) > 0 {
		y.t.Errorf("fsck: %+v, %v", rep.Problems, rep.Unchecked)
	}
	return rep
}
