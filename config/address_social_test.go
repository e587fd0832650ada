package config

import (
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

func TestParseAddressSocial(t *testing.T) {
	for s, want := range map[string]string{
		"https://x.com/Example_One":                                     "https://x.com/example_one",
		"twitter.com/Example_One/status/123":                            "https://x.com/example_one",
		"https://mobile.twitter.com/example_one?s=20":                   "https://x.com/example_one",
		"https://www.x.com/@example_one":                                "https://x.com/example_one",
		"https://www.facebook.com/Example.One/posts/1":                  "https://www.facebook.com/example.one",
		"fb.com/example.one":                                            "https://www.facebook.com/example.one",
		"https://m.facebook.com/profile.php?id=100000000000001&ref=x":   "https://www.facebook.com/profile.php?id=100000000000001",
		"https://facebook.com/people/Example-One/100000000000001/":      "https://www.facebook.com/profile.php?id=100000000000001",
		"https://facebook.com/p/Example-One-100000000000001":            "https://www.facebook.com/profile.php?id=100000000000001",
		"https://facebook.com/permalink.php?story_fbid=1&id=1000000001": "https://www.facebook.com/profile.php?id=1000000001",
		"https://facebook.com/100000000000001":                          "https://www.facebook.com/profile.php?id=100000000000001",
		"https://www.instagram.com/Example.One/":                        "https://www.instagram.com/example.one",
		"instagram.com/example.one/p/abc":                               "https://www.instagram.com/example.one",
		"https://instagram.com/stories/example.one/123":                 "https://www.instagram.com/example.one",
	} {
		if got, err := ParseAddress(s); err != nil || got.Canonical != want || Collectable(got.Platform) {
			t.Errorf("%s: got %+v, %v, want %s", s, got, err, want)
		}
	}
	for s, want := range map[string]string{
		"https://x.com/":                            "names no account",
		"https://x.com/i/lists/1":                   "is a page of X",
		"https://x.com/abcdefghijklmnop":            "has 16 characters",
		"https://x.com/exam-ple":                    "contains U+002D '-'",
		"https://x.com/ex\u0430mple\u202e":          "contains U+0430 'а' (Cyrillic) at byte 17 and U+202E RIGHT-TO-LEFT OVERRIDE at byte 23",
		"https://facebook.com/groups/123456":        "is a group",
		"https://facebook.com/profile.php":          "no account number",
		"https://facebook.com/profile.php?id=1e5xx": "no account number",
		"https://facebook.com/watch/?v=1":           "does not name its account",
		"https://facebook.com/abc":                  "has 3 characters",
		"https://facebook.com/.....":                "has no letter or digit",
		"https://instagram.com/p/abc":               "does not name its account",
		"https://m.me/example.one":                  "is a private conversation",
		"https://bit.ly/abc":                        "is a shortened link",
		"https://x.com.example.org/example":         "on no platform that is known here",
	} {
		if got, err := ParseAddress(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %+v, %v, want an error with %q", s, got, err, want)
		}
	}
	if a, err := Handle(PlatformX, "@Example"); err != nil || a.Canonical != "https://x.com/example" {
		t.Errorf("got %+v, %v", a, err)
	}
	if _, err := Handle(PlatformWhatsApp, "example"); err == nil {
		t.Error("a WhatsApp channel by name")
	}
}

func TestListedOnly(t *testing.T) {
	c := mustLoad(t, txtar.File{Name: "watchlists/b.yaml", Data: []byte(`targets:
  - address: https://x.com/example_one
    organisation: front
    affiliation: {basis: b, citation: {title: t, url: "https://example.org"}}
    report: true
    listed_by: amina
  - address: https://www.instagram.com/example_one
    organisation: front
    affiliation: {basis: b, citation: {title: t, url: "https://example.org"}}
    listed_by: amina
  - address: https://www.whatsapp.com/channel/0029VaExample_-00000000/123?mode=x
    organisation: front
    affiliation: {basis: b, citation: {title: t, url: "https://example.org"}}
    listed_by: amina
`)})
	x, ok := c.Target("x-example_one")
	if !ok || x.Collect.Backfill || x.Collect.Media != nil || x.Collect.MaxBytes != 0 {
		t.Errorf("got %+v", x)
	}
	if w, ok := c.Target("whatsapp-0029vaexample_-00000000"); !ok || !w.Collect.Backfill || w.Collect.Mode != ModeRotation {
		t.Errorf("a WhatsApp channel is collected: %+v", w)
	}
	var b strings.Builder
	if err := c.Summary().Write(&b); err != nil || !strings.Contains(b.String(), "listed only, report") || !strings.Contains(b.String(), "listed only   ") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

// TestInstead reads a file that is not on the disk, and another than the disk has.
func TestInstead(t *testing.T) {
	dir := layOut(t)
	load := func(instead map[string][]byte) (*Config, error) {
		o := testOptions()
		o.Instead = instead
		return Load(dir+"/muhafiz.yaml", o)
	}
	add := "targets:\n  - {address: \"@example_two\", organisation: front, listed_by: amina, affiliation: {basis: b, citation: {title: t, file: sources/x}}}\n"
	c, err := load(map[string][]byte{dir + "/watchlists/b.yaml": []byte(add), dir + "/watchlists/sources/x": []byte("x"), dir + "/watchlists/.c.yaml": []byte("no")})
	if err != nil || len(c.Targets) != 2 || c.Targets[1].Affiliation.Citation.SHA256 == [32]byte{} {
		t.Fatalf("%v", err)
	}
	if _, err := load(map[string][]byte{dir + "/watchlists/a.yaml": []byte("targets: 1\n")}); err == nil {
		t.Error("the disk's file was read")
	}
}
