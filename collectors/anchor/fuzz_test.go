package anchor_test

import (
	"testing"

	"github.com/muhafiz/muhafiz/collectors/anchor"
	"github.com/muhafiz/muhafiz/collectors/anchor/anchortest"
)

// FuzzCheck gives a reader other bytes for a token: none may break it down, and none be trusted but the genuine one's signed part.
func FuzzCheck(f *testing.F) {
	srv := anchortest.New(f, "one")
	roots, err := anchor.ParseRoots(srv.Roots)
	if err != nil {
		f.Fatal(err)
	}
	resp, tok, err := anchor.Authority{Name: "one", URL: srv.URL, Roots: roots}.Stamp(f.Context(), note)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(resp, note)
	f.Add(resp[:len(resp)/2], note)
	f.Add(resp, []byte("other"))
	f.Add([]byte{}, []byte{})
	c := anchor.Checker{Roots: roots}
	f.Fuzz(func(t *testing.T, token, data []byte) {
		at, trusted, err := c.Check(token, data)
		if trusted && (err != nil || string(data) != string(note) || !at.Equal(tok.At)) {
			t.Errorf("trusted at %s over %q: %v", at, data, err)
		}
	})
}

// TestCheckerWithoutRoots trusts nobody, and still finds what is wrong.
func TestCheckerWithoutRoots(t *testing.T) {
	one, two := anchortest.New(t, "one"), anchortest.New(t, "two")
	resp, tok, err := authority(t, one).Stamp(t.Context(), note)
	if err != nil {
		t.Fatal(err)
	}
	strange, err := anchor.ParseRoots(two.Roots)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]anchor.Checker{"none": {}, "a stranger's": {Roots: strange}} {
		if at, trusted, err := c.Check(resp, note); err != nil || trusted || !at.Equal(tok.At) {
			t.Errorf("%s: %s %t %v", name, at, trusted, err)
		}
		if _, _, err := c.Check(resp, []byte("other")); err == nil {
			t.Errorf("%s: a token over other bytes was taken", name)
		}
	}
	if at, trusted, err := (anchor.Checker{Roots: authority(t, one).Roots}).Check(resp, note); err != nil || !trusted || !at.Equal(tok.At) {
		t.Errorf("its own: %s %t %v", at, trusted, err)
	}
}
