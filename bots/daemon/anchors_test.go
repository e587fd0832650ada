package daemon

import (
	"fmt"
	"os"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/anchor"
	"github.com/muhafiz/muhafiz/collectors/anchor/anchortest"
)

// TestReloadedAnchors names an authority while the daemon runs, then another in its place.
func TestReloadedAnchors(t *testing.T) {
	s := newSite(t)
	d := s.start()
	c := s.client(nil)
	if err := c.Call(t.Context(), "POST", "/v1/checkpoints/export", ExportRequest{}, nil); err != nil {
		t.Fatal(err)
	}
	plain, err := os.ReadFile(s.path("muhafiz.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	one, two := anchortest.New(t, "one"), anchortest.New(t, "two")
	confirmed := func() map[string]bool {
		t.Helper()
		_, by, err := anchor.Newest(t.Context(), d.rooms.Vault)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]bool{}
		for _, a := range by {
			out[a.By] = true
		}
		return out
	}
	for i, a := range []*anchortest.Authority{one, two} {
		name := []string{"one", "two"}[i]
		s.write("muhafiz.yaml", string(plain)+fmt.Sprintf("anchors:\n  authorities:\n    - {name: %s, url: %q, roots: %q}\n", name, a.URL, a.RootsFile()))
		if err := c.Call(t.Context(), "POST", "/v1/reload", none{}, nil); err != nil {
			t.Fatal(err)
		}
		for size := d.rooms.Vault.Size(); !confirmed()[name]; size = d.rooms.Vault.Size() { // the size before the look
			if err := d.rooms.Vault.Wait(t.Context(), size); err != nil {
				t.Fatal(err)
			}
		}
	}
	asked := one.Asked() + two.Asked()
	if err := c.Call(t.Context(), "POST", "/v1/reload", none{}, nil); err != nil { // nothing of it changed
		t.Fatal(err)
	}
	if one.Asked() != 1 || one.Asked()+two.Asked() != asked {
		t.Errorf("asked %d and %d times, want one each", one.Asked(), two.Asked())
	}
	s.write("muhafiz.yaml", string(plain)+"anchors:\n  authorities:\n    - {name: one, url: 'http://127.0.0.1:1/', roots: none.pem}\n")
	if err := c.Call(t.Context(), "POST", "/v1/reload", none{}, nil); err == nil {
		t.Error("an authority without its roots was taken")
	}
}

// TestSameSchedule tells what makes a keeper begin anew.
func TestSameSchedule(t *testing.T) {
	one, two := anchortest.New(t, "one"), anchortest.New(t, "two")
	of := func(a *anchortest.Authority) schedule {
		roots, err := anchor.ParseRoots(a.Roots)
		if err != nil {
			t.Fatal(err)
		}
		return schedule{every: 1, records: 2, authorities: []anchor.Authority{{Name: "x", URL: "http://x.example/", Roots: roots}}}
	}
	if a := of(one); !a.same(of(one)) || a.same(of(two)) || a.same(schedule{every: 1, records: 2}) {
		t.Error("roots are compared by their file, or not at all")
	}
	a, b := of(one), of(one)
	b.every = 3
	if a.same(b) {
		t.Error("the time between checkpoints is left aside")
	}
}
