package daemon

import (
	"encoding/json"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/secrets"
)

// TestABlindDecisionIsNotReadElsewhere looks for a waiting decision in the log, the list of cases, the morning and the export of acts.
func TestABlindDecisionIsNotReadElsewhere(t *testing.T) {
	s := audited(t)
	key, err := secrets.NewPersonKey(s.path("rana"), "rana")
	if err != nil {
		t.Fatal(err)
	}
	s.appendPerson("{id: rana, name: Rana, roles: [reviewer, auditor], ssh_key: " + key + "}")
	d := s.start()
	c := s.client(nil)
	payload, err := json.Marshal(evidence.Statement{
		Type: evidence.StatementDecision, Person: "bilal", Case: "c1", Outcome: "no_action", Comment: "simulated", Blind: true,
		Exhibits: []evidence.Exhibit{{Number: 1, Post: "a1/1"}},
		Grounds:  &evidence.Ground{Passages: []evidence.Passage{{Exhibit: 1, Severity: "threat-to-life"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	kase := evidence.Case("simulated")
	for _, b := range []evidence.Body{
		&evidence.CaseOpened{Key: kase.Key, Account: evidence.Ref{Name: evidence.Account("telegram", "channel", "1")}, Target: "one"},
		&evidence.Decision{Signed: evidence.Signed{Payload: string(payload)}},
	} {
		if _, err := d.rooms.Vault.Put(t.Context(), evidence.Batch{Drafts: []evidence.Draft{{
			ID: evidence.NewID(d.rooms.Now()), Actor: evidence.Person("bilal"), Subject: kase, Body: b,
		}}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{
		"/v1/log?person=rana&limit=50&subject=c1", "/v1/log?person=rana&limit=50&of=bilal", "/v1/log?person=rana&limit=50&kind=decision",
		"/v1/review/cases", "/v1/review/cases?person=bilal", "/v1/review/queue?person=bilal&limit=5", "/v1/today?person=rana", "/v1/today?person=bilal",
	} {
		var out json.RawMessage
		if err := c.Call(t.Context(), "GET", path, nil, &out); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, word := range []string{"no action", "no_action", "threat", "bilal", "Bilal"} {
			if strings.Contains(string(out), word) {
				t.Errorf("%s tells %q:\n%s", path, word, out)
			}
		}
		if strings.Contains(path, "of=bilal") == strings.Contains(string(out), `"c1"`) {
			t.Errorf("%s: the case is there, or not:\n%s", path, out)
		}
	}
	// Who decided reads it, and the look is recorded in their name.
	es, err := s.readLogAs(c, "bilal", url.Values{"subject": {"c1"}, "kind": {"decision"}})
	if err != nil || len(es) != 1 || !strings.Contains(es[0].Sentence, "no action") {
		t.Errorf("got %+v, %v", es, err)
	}
	err = c.Call(t.Context(), "POST", "/v1/audits", AuditRequest{Person: "rana", Out: filepath.Join(t.TempDir(), "x")}, nil)
	const want = "case c1 waits for its second person, who may be rana, and review is blind: export when it is answered, or let an auditor do it who reviews nothing"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v", err)
	}
	if err := c.Call(t.Context(), "POST", "/v1/audits", AuditRequest{Person: "odile", Out: filepath.Join(t.TempDir(), "x")}, nil); err != nil {
		t.Error(err)
	}
}
