package daemon

import (
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config/intake"
)

// TestSourcesGetNoListedOnlyTarget approves one target of each sort: only what has a collector is handed out.
func TestSourcesGetNoListedOnlyTarget(t *testing.T) {
	s := newSite(t)
	s.write("list.yaml", "targets:\n"+target("one")+"  - {id: two, address: https://x.com/northhaven_two, organisation: nf, affiliation: {basis: simulated, citation: {title: simulated, url: 'https://example.org/1'}}, report: true, listed_by: amna}\n")
	d := s.start()
	c, r := s.client(nil), d.Rooms()
	for _, id := range []string{"one", "two"} {
		if err := s.approve(c, "bilal", id); err != nil {
			t.Fatal(err)
		}
	}
	got, err := r.collectable(t.Context())
	if err != nil || len(got) != 1 || got[0].ID != "one" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestKnownByItsNewName tells the name that a watched account took as that target's.
func TestKnownByItsNewName(t *testing.T) {
	s := newSite(t)
	r, err := OpenRooms(t.Context(), s.options())
	if err != nil {
		t.Fatal(err)
	}
	account := evidence.Account("telegram", "channel", "4321")
	put := func(subject evidence.Name, b evidence.Body) {
		t.Helper()
		if err := r.write(t.Context(), evidence.Vault(), subject, b); err != nil {
			t.Fatal(err)
		}
	}
	put(evidence.Target("one"), &evidence.TargetBound{Address: "https://t.me/northhaven_one", Account: evidence.Ref{Name: account}})
	put(account, &evidence.AccountSeen{Method: "mtproto", Vantage: "v", Title: "Simulated", Usernames: []string{"Northhaven_New"}})
	c := s.client(func() (*Rooms, error) { return r, nil })
	var out []intake.Prior
	if err := c.Call(t.Context(), "GET", "/v1/targets/known", nil, &out); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, p := range out {
		found = found || p.Renamed && p.ID == "one" && p.Address == "https://t.me/northhaven_new"
	}
	if !found {
		t.Errorf("got %+v", out)
	}
}
