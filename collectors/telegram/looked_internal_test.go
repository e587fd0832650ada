package telegram

import (
	"testing"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/vault/vaulttest"
)

// A file whose first attempt failed is wanted still, until it is kept or given up.
func TestLooksCountsFilesThatAreTriedAgain(t *testing.T) {
	v, now := vaulttest.New(t), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c := cursor{Channel: 1, Observed: now}
	a, b := pending{Post: 1, Media: "photo 1"}, pending{Post: 2, Media: "photo 2"}
	c.want([]pending{a, b})
	c.failed(a, now, false)
	look := func() int {
		data, err := c.encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Put(t.Context(), evidence.Batch{Cursor: &evidence.Cursor{Name: "telegram/main/x", Data: data}}); err != nil {
			t.Fatal(err)
		}
		l, err := Looks(v, "telegram/main")(t.Context(), "x")
		if err != nil {
			t.Fatal(err)
		}
		return l.Pending
	}
	if n := look(); n != 2 {
		t.Errorf("%d files are wanted, want 2: one is new, one is tried again", n)
	}
	c.settled(b)
	for range pauses() {
		c.failed(a, now, false)
	}
	if n := look(); n != 0 {
		t.Errorf("%d files are wanted after one was kept and the other given up", n)
	}
}
