package review_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"strconv"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// desk is a real vault with people, a target that was listed by ana, and whoever acts on them.
type desk struct {
	*review.Desk
	t     testing.TB
	vault *vault.Vault
	keys  map[string]ssh.Signer
	now   time.Time
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	d := &desk{t: t, keys: map[string]ssh.Signer{}, now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	d.vault = vaulttest.New(t, review.Views()...)
	d.Desk = &review.Desk{Log: d.vault, Now: func() time.Time { return d.now }, Via: "direct"}
	for id, role := range map[string]string{"ana": "analyst", "bilal": "reviewer", "carla": "senior", "dina": "legal"} {
		d.keys[id] = newKey(t)
		d.enlist(id, role, d.keys[id], false)
	}
	d.put(evidence.Vault(), evidence.Source("test"), &evidence.Collector{Key: "test", State: "healthy"})
	d.set("demo", "ana", "https://t.me/example_simulated", true)
	return d
}

func newKey(t testing.TB) ssh.Signer {
	t.Helper()
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (d *desk) enlist(id, role string, key ssh.Signer, removed bool) {
	d.t.Helper()
	d.put(evidence.Vault(), evidence.Person(id), &evidence.PersonSet{
		Key: id, Name: "Simulated " + id, Roles: []string{role}, Removed: removed,
		SSHKey:      string(ssh.MarshalAuthorizedKey(key.PublicKey()))[:len(ssh.MarshalAuthorizedKey(key.PublicKey()))-1],
		Fingerprint: ssh.FingerprintSHA256(key.PublicKey()),
	})
}

func (d *desk) put(actor, subject evidence.Name, b evidence.Body) evidence.Record {
	d.t.Helper()
	recs, err := d.vault.Put(d.t.Context(), evidence.Batch{Drafts: []evidence.Draft{{
		ID: evidence.NewID(time.Now()), Actor: actor, Subject: subject, Body: b,
	}}})
	if err != nil {
		d.t.Fatal(err)
	}
	return recs[0]
}

func (d *desk) set(id, by, address string, report bool) {
	d.t.Helper()
	set := targetSet(id, by, address, report)
	d.list(by, set)
	d.put(evidence.Vault(), evidence.Target(id), set)
}

func targetSet(id, by, address string, report bool) *evidence.TargetSet {
	return &evidence.TargetSet{
		Key: id, Platform: "telegram", Address: address, ListedBy: by, Report: report, LegalBasis: "simulated",
		Organisation: evidence.Organisation{ID: "org", Name: "Fictional Front (simulated)", Designations: []evidence.Designation{
			{Authority: "Nowhere", Reference: "N.1", Date: "2020-01-01", Source: "https://example.org/list"},
		}},
		Affiliation: evidence.Affiliation{Basis: "it says so in its description (simulated)"},
	}
}

func account(id string) evidence.Name { return evidence.Account("telegram", "channel", id) }

func (d *desk) bind(target, id string) {
	d.t.Helper()
	d.put(evidence.Source("test"), evidence.Target(target), &evidence.TargetBound{
		Account: evidence.Ref{Name: account(id)}, Address: "https://t.me/example_simulated",
	})
}

func (d *desk) post(id string, number int64, text string, media ...evidence.Media) evidence.Ordinal {
	d.t.Helper()
	at := evidence.At(d.now.Add(time.Duration(number) * time.Minute))
	return d.put(evidence.Source("test"), account(id).Post(number), &evidence.PostSeen{
		Method: evidence.MethodMTProto, Vantage: "v", Observed: evidence.Span{From: at, To: at}, ClaimedAt: at, Text: text, Media: media,
	}).Subject
}

// approved is a desk whose target a second person approved, with one post.
func approvedDesk(t testing.TB) (*desk, evidence.Ordinal) {
	t.Helper()
	d := newDesk(t)
	d.bind("demo", "1234")
	if err := d.approveTarget("bilal", "demo"); err != nil {
		t.Fatal(err)
	}
	return d, d.post("1234", 4, "A bland text: the simulated front asks for donations. یہ ایک نقلی متن ہے")
}

func (d *desk) approveTarget(person, target string) error {
	payload, err := d.PrepareTargetApproval(d.t.Context(), person, target, false, "")
	if err != nil {
		return err
	}
	_, err = d.ApproveTarget(d.t.Context(), person, target, d.sign(person, payload))
	return err
}

func (d *desk) sign(person, payload string) evidence.Signed {
	d.t.Helper()
	s, err := review.Sign(payload, d.keys[person])
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

func input(posts ...evidence.Ordinal) review.DecisionInput {
	in := review.DecisionInput{
		Posts: posts, Outcome: review.OutcomeReport, Affiliation: "named in its own description (simulated)",
		Languages: []string{"en", "ur"},
	}
	for i := range posts {
		in.Passages = append(in.Passages, evidence.Passage{
			Exhibit: i + 1, Quote: "asks for donations", Rule: "terms of service, 8.1", Offence: "fundraises", Severity: "high", Exclusion: "none",
		})
	}
	return in
}

// open lets a person look at posts, as they must before they sign anything about them.
func (d *desk) open(person string, posts ...evidence.Ordinal) {
	d.t.Helper()
	for _, p := range posts {
		if _, err := d.Show(d.t.Context(), person, p); err != nil {
			d.t.Fatal(err)
		}
	}
}

func (d *desk) prepare(person string, in review.DecisionInput) string {
	d.t.Helper()
	d.open(person, in.Posts...)
	payload, err := d.PrepareDecision(d.t.Context(), person, in)
	if err != nil {
		d.t.Fatal(err)
	}
	return payload
}

func (d *desk) decide(person string, in review.DecisionInput) review.Case {
	d.t.Helper()
	c, err := d.Decide(d.t.Context(), person, d.sign(person, d.prepare(person, in)))
	if err != nil {
		d.t.Fatal(err)
	}
	return c
}

func (d *desk) approve(person string, c evidence.Ordinal, agree bool) (review.Case, error) {
	d.t.Helper()
	d.openCase(person, c)
	payload, err := d.PrepareApproval(d.t.Context(), person, c, agree, "looked at it")
	if err != nil {
		return review.Case{}, err
	}
	return d.Approve(d.t.Context(), person, d.sign(person, payload))
}

// openCase lets a person open every exhibit of a case.
func (d *desk) openCase(person string, c evidence.Ordinal) {
	d.t.Helper()
	if _, err := d.ShowCase(d.t.Context(), person, c); err != nil {
		d.t.Fatal(err)
	}
}

// refused insists on the code and on the whole sentence.
func refused(t *testing.T, err error, code review.Code, sentence string) {
	t.Helper()
	if got := review.CodeOf(err); got != code {
		t.Fatalf("got %q (%v), want a refusal %q", got, err, code)
	}
	if sentence != "" && err.Error() != sentence {
		t.Errorf("got  %s\nwant %s", err, sentence)
	}
}

func (d *desk) count(kind evidence.Kind) int {
	d.t.Helper()
	n := 0
	err := d.vault.Records(context.Background(), 0, func(r evidence.Record) error {
		if r.Kind == kind {
			n++
		}
		return nil
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return n
}

func seq(r int64) string { return strconv.FormatInt(r, 10) }
