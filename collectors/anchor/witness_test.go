package anchor_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	fnote "github.com/transparency-dev/formats/note"
	sumnote "golang.org/x/mod/sumdb/note"

	"github.com/muhafiz/muhafiz/collectors/anchor"
	"github.com/muhafiz/muhafiz/collectors/evidence"
)

const text = "example.org/log\n7\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\n"

func keys(t testing.TB, name string) (skey, vkey string) {
	t.Helper()
	skey, vkey, err := sumnote.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	return skey, vkey
}

func checkpoint(t testing.TB, skey string, witnesses ...string) []byte {
	t.Helper()
	s, err := sumnote.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	signers := []sumnote.Signer{s}
	for _, w := range witnesses {
		ws, err := fnote.NewSignerForCosignatureV1(w)
		if err != nil {
			t.Fatal(err)
		}
		signers = append(signers, ws)
	}
	b, err := sumnote.Sign(&sumnote.Note{Text: text}, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// cosign adds a witness's line to a checkpoint.
func cosign(t testing.TB, msg []byte, skey string) []byte {
	t.Helper()
	w, err := fnote.NewSignerForCosignatureV1(skey)
	if err != nil {
		t.Fatal(err)
	}
	body, _, _ := bytes.Cut(msg, []byte("\n\n"))
	only, err := sumnote.Sign(&sumnote.Note{Text: string(body) + "\n"}, w)
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := bytes.Cut(only, []byte("\n\n"))
	return append(bytes.Clone(msg), line...)
}

func TestCosignatures(t *testing.T) {
	logKey, logV := keys(t, "example.org/log")
	w1, v1 := keys(t, "witness.example/one")
	w2, _ := keys(t, "witness.example/two")
	_, v3 := keys(t, "witness.example/one") // same name, another key
	msg := checkpoint(t, logKey, w1, w2)
	head, err := anchor.Open(msg, logV)
	if err != nil || head.Size != 7 || head.Root[0] != 0xaa {
		t.Errorf("%+v, %v", head, err)
	}
	got, err := anchor.Cosignatures(msg, []string{v1, v3})
	if err != nil || len(got) != 1 || got[0].By != "witness.example/one" || time.Since(got[0].At) > time.Minute {
		t.Errorf("%+v, %v", got, err)
	}
	lines := bytes.Split(msg, []byte("\n"))
	for i, l := range lines {
		if bytes.HasPrefix(l, []byte("— witness.example/one")) {
			last := len(l) - 8
			l[last] ^= 1
			lines[i] = l
		}
	}
	if _, err := anchor.Cosignatures(bytes.Join(lines, []byte("\n")), []string{v1}); !errors.Is(err, anchor.ErrNote) {
		t.Errorf("a forged cosignature: %v", err)
	}
	if _, err := anchor.Open(checkpoint(t, w1), logV); !errors.Is(err, anchor.ErrNote) {
		t.Errorf("a note that the log did not sign: %v", err)
	}
	other, otherV := keys(t, "example.org/other")
	if _, err := anchor.Open(checkpoint(t, other), otherV); err == nil || !strings.Contains(err.Error(), "origin") {
		t.Errorf("another origin: %v", err)
	}
}

func TestRequestRoundTrip(t *testing.T) {
	logKey, _ := keys(t, "example.org/log")
	msg := checkpoint(t, logKey)
	proof := []evidence.Digest{evidence.Sum([]byte("a")), evidence.Sum([]byte("b"))}
	old, p, cp, err := anchor.ParseRequest(anchor.Request(5, proof, msg))
	if err != nil || old != 5 || len(p) != 2 || p[1] != proof[1] || !bytes.Equal(cp, msg) {
		t.Errorf("%d %v %q %v", old, p, cp, err)
	}
	if old, p, cp, err := anchor.ParseRequest(msg); err != nil || old != 0 || p != nil || !bytes.Equal(cp, msg) {
		t.Errorf("a bare checkpoint: %d %v %v", old, p, err)
	}
	for _, bad := range []string{"old x\n\nc", "old 3\n!!\n\nc", "old 3\nc", "old -1\n\nc", "old 1\n" + strings.Repeat("qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\n", 64) + "\nc"} {
		if _, _, _, err := anchor.ParseRequest([]byte(bad)); !errors.Is(err, anchor.ErrNote) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("old 3\n\n" + text))
	f.Add([]byte(text))
	f.Fuzz(func(t *testing.T, b []byte) {
		old, proof, cp, err := anchor.ParseRequest(b)
		if err == nil && old > 0 && !bytes.Equal(anchor.Request(old, proof, cp), b) && bytes.HasPrefix(b, []byte("old ")) {
			again, p2, cp2, err := anchor.ParseRequest(anchor.Request(old, proof, cp))
			if err != nil || again != old || len(p2) != len(proof) || !bytes.Equal(cp, cp2) {
				t.Errorf("it reads otherwise when written again")
			}
		}
		if _, err := anchor.ParseHead(string(b)); err != nil && !errors.Is(err, anchor.ErrNote) {
			t.Error(err)
		}
	})
}
