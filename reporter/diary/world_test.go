package diary_test

import (
	"encoding/json"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
	"github.com/muhafiz/muhafiz/reporter/diary"
)

// world is a real vault with the diary's views and a clock that stands until it is moved.
type world struct {
	t   testing.TB
	v   *vault.Vault
	now time.Time
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)}
	o := vaulttest.Options(t, diary.Views()...)
	o.Now = func() time.Time { return w.now }
	var err error
	if w.v, err = vault.Create(filepath.Join(t.TempDir(), "vault"), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.v.Close(); err != nil {
			t.Error(err)
		}
	})
	w.put(evidence.Vault(), evidence.Source("telegram/main"), &evidence.Collector{Key: "telegram/main", Platform: "telegram", State: "healthy"})
	for _, id := range []string{"amna", "bilal"} {
		w.put(evidence.Vault(), evidence.Person(id), &evidence.PersonSet{Key: id, Name: "Simulated " + id, Roles: []string{"analyst"}, SSHKey: "ssh-ed25519 AAAA", Fingerprint: "SHA256:" + id})
	}
	return w
}

func (w *world) put(actor, subject evidence.Name, bodies ...evidence.Body) evidence.Record {
	w.t.Helper()
	var rec evidence.Record
	for _, b := range bodies {
		recs, err := w.v.Put(w.t.Context(), evidence.Batch{Drafts: []evidence.Draft{{ID: evidence.NewID(time.Now()), Actor: actor, Subject: subject, Body: b}}})
		if err != nil {
			w.t.Fatalf("%s: %v", b.Kind(), err)
		}
		rec = recs[0]
	}
	return rec
}

func (w *world) after(d time.Duration) *world {
	w.now = w.now.Add(d)
	return w
}

var (
	source  = evidence.Source("telegram/main")
	channel = evidence.Account("telegram", "channel", "1234")
)

func (w *world) target(id string) evidence.Record {
	return w.put(evidence.Vault(), evidence.Target(id), &evidence.TargetSet{
		Key: id, Platform: "telegram", Address: "https://t.me/" + id, ListedBy: "amna", Report: true,
		Organisation: evidence.Organisation{ID: "nf", Name: "Northhaven Front (fictional)", Designations: []evidence.Designation{{Authority: "Exampleland"}}},
		Affiliation:  evidence.Affiliation{Basis: "simulated", Citation: evidence.Citation{Title: "simulated"}},
	})
}

func post(n int, text string) *evidence.PostSeen {
	return &evidence.PostSeen{Method: evidence.MethodMTProto, Vantage: "main", Text: text, EditedLocal: strconv.Itoa(n)}
}

func signed(w *world, st evidence.Statement) evidence.Signed {
	b, err := json.Marshal(st)
	if err != nil {
		w.t.Fatal(err)
	}
	return evidence.Signed{Payload: string(b), Signature: "not checked here"}
}
