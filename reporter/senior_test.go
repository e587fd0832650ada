package reporter_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"io"
	"strings"
	"testing"

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
