package review_test

import (
	"strings"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

func TestParseStatementTakesOneForm(t *testing.T) {
	good, err := review.EncodeStatement(evidence.Statement{Type: "decision", Vault: "v", Person: "ana", Comment: "<>&\u2028 ہاں"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := review.ParseStatement(good); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]string{
		"nothing":      "",
		"null":         "null",
		"trailing":     good + " {}",
		"line feed":    good + "\n",
		"space":        strings.Replace(good, ":", ": ", 1),
		"unknown key":  strings.Replace(good, "{", `{"extra":1,`, 1),
		"twice":        strings.Replace(good, "{", `{"type":"approval",`, 1),
		"other case":   strings.Replace(good, `"type"`, `"Type"`, 1),
		"invalid UTF8": strings.Replace(good, "ana", "an\xff", 1),
		"surrogate":    strings.Replace(good, "ana", `an\ud800`, 1),
		"escaped":      strings.Replace(good, "ana", `an\u0061`, 1),
		"deep":         strings.Repeat("[", 100_000),
		"huge":         strings.Replace(good, "ana", strings.Repeat("a", review.MaxPayload), 1),
		"wrong type":   strings.Replace(good, `"ana"`, `7`, 1),
		"year 99999":   strings.Replace(good, `"time":""`, `"time":"99999-01-01T00:00:00.000000Z"`, 1),
	} {
		_, err := review.ParseStatement(s)
		if review.CodeOf(err) != review.BadStatement {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzParseStatement(f *testing.F) {
	good, err := review.EncodeStatement(evidence.Statement{
		Type: "decision", Exhibits: []evidence.Exhibit{{Number: 1, Post: "a1/2"}}, Grounds: &evidence.Ground{Passages: []evidence.Passage{{Exhibit: 1}}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(`{"type":"decision","type":"approval"}`)
	f.Add(strings.Repeat(`{"grounds":`, 5000))
	f.Fuzz(func(t *testing.T, s string) {
		st, err := review.ParseStatement(s)
		if err != nil {
			if review.CodeOf(err) != review.BadStatement {
				t.Fatalf("%v", err)
			}
			return
		}
		if again, err := review.EncodeStatement(st); err != nil || again != s {
			t.Fatalf("got %q, %v from %q", again, err, s)
		}
	})
}
