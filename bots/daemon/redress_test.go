package daemon

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

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
