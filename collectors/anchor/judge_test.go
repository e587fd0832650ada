package anchor_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/muhafiz/muhafiz/collectors/anchor"
)

func TestJudge(t *testing.T) {
	logKey, _ := keys(t, "example.org/log")
	w1, v1 := keys(t, "witness.example/one")
	w2, v2 := keys(t, "witness.example/two")
	_, other := keys(t, "witness.example/one") // same name, another key
	msg := cosign(t, checkpoint(t, logKey), w1)
	both := cosign(t, msg, w2)
	// A signature over another head under this one's text.
	moved := bytes.Replace(both, []byte("\n7\n"), []byte("\n8\n"), 1)
	for name, c := range map[string]struct {
		msg  []byte
		keys []string
		want string
	}{
		"valid":               {both, []string{v1, v2}, "witness.example/one valid; witness.example/two valid; "},
		"unknown":             {both, []string{v1}, "witness.example/one valid; witness.example/two unknown witness; "},
		"none given":          {both, nil, "witness.example/one unknown witness; witness.example/two unknown witness; "},
		"of another key":      {msg, []string{other}, "witness.example/one unknown witness; witness.example/one not there; "},
		"not there":           {msg, []string{v1, v2}, "witness.example/one valid; witness.example/two not there; "},
		"over another head":   {moved, []string{v1, v2}, "witness.example/one wrong signature; witness.example/two wrong signature; "},
		"no witness at all":   {checkpoint(t, logKey), []string{v1}, "witness.example/one not there; "},
		"nothing asked or in": {checkpoint(t, logKey), nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			lines, err := anchor.Judge(c.msg, c.keys)
			got := ""
			for _, l := range lines {
				got += l.By + " " + l.Verdict + "; "
				if l.At.IsZero() == (l.Verdict == anchor.LineValid) {
					t.Errorf("%s at %s", l.Verdict, l.At)
				}
			}
			if err != nil || got != c.want {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
	for _, bad := range []string{"", "x", text, text + "\nno signature\n", text + "\n— name !!\n"} {
		if lines, err := anchor.Judge([]byte(bad), nil); err == nil {
			t.Errorf("%q: %v", bad, lines)
		}
	}
	if _, err := anchor.Judge(msg, []string{"no key"}); err == nil {
		t.Error("a key that is none")
	}
}

func FuzzJudge(f *testing.F) {
	logKey, _ := keys(f, "example.org/log")
	w1, v1 := keys(f, "witness.example/one")
	msg := cosign(f, checkpoint(f, logKey), w1)
	f.Add(msg)
	f.Add([]byte(text + "\n— a " + "AAAAAAA=\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		lines, err := anchor.Judge(b, []string{v1})
		for _, l := range lines {
			if err != nil || l.Verdict == anchor.LineValid && !bytes.Contains(b, []byte("\n7\n")) {
				t.Error(fmt.Sprint(lines, err))
			}
		}
	})
}
