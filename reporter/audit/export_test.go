package audit

import (
	"testing"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// Knows reports whether the table of kinds names one.
func Knows(k evidence.Kind) bool { return treat(k) != unknown }

func FuzzProof(f *testing.F) {
	f.Add([]byte(`{"seq":1,"path":[]}`))
	f.Add([]byte(`{"seq":1,"path":["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]}`))
	f.Add([]byte(`{"seq":1,"path":null}`))
	f.Add([]byte(`{"SEQ":1,"path":[]}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if p, err := parseProof(line); err == nil && p.Path == nil {
			t.Error("a proof without a path")
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	f.Add([]byte("log.example/simulated\n12\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— log.example/simulated AAAA\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var v verifier
		if err := v.parse(raw); err == nil && (v.rep.TreeSize < 1 || v.rep.Origin == "") {
			t.Errorf("%+v", v.rep)
		}
	})
}
